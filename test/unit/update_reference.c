/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stddef.h>

#include "test/unit/update.h"

static long double last_of(const struct history *h)
{
	return h->g[h->n - 1];
}

static long double shown(const struct history *h)
{
	return h->w[h->n - 1];
}

static long double add(const struct history *h, const double *param)
{
	long double sum = 0;

	(void)param;
	for (int k = 0; k < h->n; k++)
		sum += h->g[k];
	return sum;
}

static long double assign(const struct history *h, const double *param)
{
	(void)param;
	return last_of(h);
}

static long double min(const struct history *h, const double *param)
{
	long double least = param[0];

	for (int k = 0; k < h->n; k++)
		least = fminl(least, h->g[k]);
	return least;
}

static long double max(const struct history *h, const double *param)
{
	long double most = param[0];

	for (int k = 0; k < h->n; k++)
		most = fmaxl(most, h->g[k]);
	return most;
}

/* A constant rate: all steps are the sum of all gradients. */
static long double sgd(const struct history *h, const double *param)
{
	return -param[0] * add(h, param);
}

/* Polyak 1964, the two-step form: no velocity. */
static long double momentum(const struct history *h, const double *param)
{
	long double before = h->n > 1 ? h->w[h->n - 2] : shown(h);

	return shown(h) - param[0] * last_of(h) +
	       param[1] * (shown(h) - before);
}

/* Sutskever et al. 2013: the parameters p move by v, the gradient is taken at
 * p + momentum v, which is what workers see. */
static long double nesterov(const struct history *h, const double *param)
{
	long double p = 0, v = 0;

	for (int k = 0; k < h->n; k++) {
		v = param[1] * v - param[0] * h->g[k];
		p += v;
	}
	return p + param[1] * v;
}

/* The minimiser x of rate lambda |x| + (x - u)^2 / 2: 0 if |u| <= rate lambda,
 * else where the slope is 0. */
static long double prox_l1(const struct history *h, const double *param)
{
	long double u = shown(h) - (long double)param[0] * last_of(h);
	long double t = (long double)param[0] * param[1];

	if (fabsl(u) <= t)
		return 0;
	return u > 0 ? u - t : u + t;
}

/* The minimiser x of rate lambda x^2 / 2 + (x - u)^2 / 2. */
static long double prox_l2(const struct history *h, const double *param)
{
	long double u = shown(h) - (long double)param[0] * last_of(h);

	return u / (1 + (long double)param[0] * param[1]);
}

/* Duchi, Hazan and Singer 2011: H = delta + the norm of all gradients. */
static long double adagrad(const struct history *h, const double *param)
{
	long double squares = param[2];

	for (int k = 0; k < h->n; k++)
		squares += h->g[k] * h->g[k];
	return shown(h) - param[0] * last_of(h) / (param[1] + sqrtl(squares));
}

/* Kingma and Ba 2015, the moments as sums over all gradients (their section
 * on the correction of the bias). */
static long double adam(const struct history *h, const double *param)
{
	long double b1 = param[1], b2 = param[2];
	long double m = 0, v = 0, p1 = 1 - b1, p2 = 1 - b2;

	for (int k = h->n - 1; k >= 0; k--) {
		m += p1 * h->g[k];
		v += p2 * h->g[k] * h->g[k];
		p1 *= b1;
		p2 *= b2;
	}
	m /= 1 - powl(b1, h->n);
	v /= 1 - powl(b2, h->n);
	return shown(h) - param[0] * m / (sqrtl(v) + param[3]);
}

/* McMahan et al. 2013: the minimiser of g_1:t w + sum sigma_s (w - w_s)^2 / 2 +
 * (l1 + grow t) |w| + l2 w^2 / 2, where sigma_1:t = 1 / eta_t and
 * eta_t = alpha / (beta + sqrt(sum of g^2)). */
static long double ftrl(const struct history *h, const double *param)
{
	long double squares = 0, linear = 0, rate = param[1] / (long double)param[0];
	long double l1;

	for (int k = 0; k < h->n; k++) {
		long double before = rate;

		squares += h->g[k] * h->g[k];
		rate = (param[1] + sqrtl(squares)) / param[0];
		linear += h->g[k] - (rate - before) * h->w[k];
	}
	l1 = param[2] + (long double)param[4] * h->n;
	if (fabsl(linear) <= l1)
		return 0;
	return -(linear - (linear > 0 ? l1 : -l1)) / (rate + param[3]);
}

const struct reference_of references[] = {
	{ "add", add, { 0 }, 0, 0 },
	{ "assign", assign, { 0 }, 0, 0 },
	{ "min", min, { INFINITY }, INFINITY, 0 },
	{ "min,initial=-0.25", min, { -0.25 }, -0.25, 0 },
	{ "max", max, { -INFINITY }, -INFINITY, 0 },
	{ "max,initial=0", max, { 0 }, 0, 0 },
	{ "sgd,rate=0.05", sgd, { 0.05 }, 0, 0 },
	{ "sgd,rate=0.05,combine=none", sgd, { 0.05 }, 0, 0 },
	{ "momentum,rate=0.02", momentum, { 0.02, 0.9 }, 0, 0 },
	{ "momentum,momentum=0.5,rate=0.1", momentum, { 0.1, 0.5 }, 0, 0 },
	{ "nesterov,rate=0.02", nesterov, { 0.02, 0.9 }, 0, 0 },
	{ "nesterov,rate=0.1,momentum=0.3", nesterov, { 0.1, 0.3 }, 0, 0 },
	{ "prox-l1,rate=0.1,lambda=0.05", prox_l1, { 0.1, 0.05 }, 0, 0.005 },
	{ "prox-l1,rate=0.2,lambda=1", prox_l1, { 0.2, 1 }, 0, 0.2 },
	{ "prox-l2,rate=0.1,lambda=0.3", prox_l2, { 0.1, 0.3 }, 0, 0 },
	{ "adagrad,rate=0.1", adagrad, { 0.1, 1e-10, 0 }, 0, 0 },
	{ "adagrad,rate=0.3,epsilon=0.01,initial=0.1", adagrad,
	  { 0.3, 0.01, 0.1 }, 0, 0 },
	{ "adam", adam, { 1e-3, 0.9, 0.999, 1e-8 }, 0, 0 },
	{ "adam,rate=0.1,beta1=0.5,beta2=0.9,epsilon=1e-3", adam,
	  { 0.1, 0.5, 0.9, 1e-3 }, 0, 0 },
	{ "adam,rate=0.01,beta1=0,beta2=0", adam, { 0.01, 0, 0, 1e-8 }, 0, 0 },
	{ "ftrl,alpha=0.1", ftrl, { 0.1, 1, 0, 0 }, 0, 0 },
	{ "ftrl,alpha=0.5,beta=0.2,l1=0.6,l2=0.3", ftrl, { 0.5, 0.2, 0.6, 0.3 },
	  0, 0.6 },
	{ "ftrl,alpha=0.4,grow=0.01", ftrl, { 0.4, 1, 0, 0, 0.01 }, 0, 0.01 },
	{ NULL, NULL, { 0 }, 0, 0 },
};
