/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An update function of one's own: RMSProp (Tieleman and Hinton, Neural
 * Networks for Machine Learning, lecture 6.5, 2012) for double and float:
 *
 *	s = decay s + (1 - decay) g^2,  w = w - rate g / (sqrt(s) + epsilon)
 *
 *	cc -O3 -fno-math-errno -march=native -shared -fPIC -o rmsprop.so rmsprop.c -lm
 *
 * It is then "./rmsprop.so:rmsprop,rate=0.01". lagoon_update(7) says what each
 * field means.
 */
#include <lagoon_update.h>
#include <math.h>

static void apply_f64(size_t n, const double *param, double *restrict w,
		      double *restrict s, const double *restrict g)
{
	for (size_t i = 0; i < n; i++) {
		s[i] = param[1] * s[i] + (1 - param[1]) * g[i] * g[i];
		w[i] -= param[0] * g[i] / (sqrt(s[i]) + param[2]);
	}
}

static void apply_f32(size_t n, const double *param, float *restrict w,
		      float *restrict s, const float *restrict g)
{
	float rate = (float)param[0], decay = (float)param[1];
	float rest = (float)(1 - param[1]), epsilon = (float)param[2];

	for (size_t i = 0; i < n; i++) {
		s[i] = decay * s[i] + rest * g[i] * g[i];
		w[i] -= rate * g[i] / (sqrtf(s[i]) + epsilon);
	}
}

/* Only elements that were pushed come here; state[0] is their part of s. */
static int apply(const struct lagoon_update_call *c)
{
	if (c->type == LAGOON_F64)
		apply_f64(c->n, c->param, c->value, c->state[0], c->delta);
	else
		apply_f32(c->n, c->param, c->value, c->state[0], c->delta);
	return 0;
}

static const struct lagoon_update_param params[] = {
	{ .name = "rate", .least = 0, .most = 1e3,
	  .flags = LAGOON_UPDATE_REQUIRED | LAGOON_UPDATE_ABOVE },
	{ .name = "decay", .value = 0.9, .least = 0, .most = 1,
	  .flags = LAGOON_UPDATE_BELOW },
	{ .name = "epsilon", .value = 1e-8, .least = 0, .most = 1,
	  .flags = LAGOON_UPDATE_ABOVE },
};

const struct lagoon_update rmsprop = {
	.abi = LAGOON_UPDATE_ABI,
	.size = sizeof(rmsprop),
	.name = "rmsprop",
	.combine = LAGOON_COMBINE_NONE,
	.combines = 1u << LAGOON_COMBINE_SUM,
	.states = 1,
	.types = LAGOON_UPDATE_F64 | LAGOON_UPDATE_F32,
	.params = sizeof(params) / sizeof(params[0]),
	.param = params,
	.apply = apply,
};
