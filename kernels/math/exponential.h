/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exp() and log1p() in the ranges that losses need, without branches or calls,
 * so that compilers make vectors of them; a few units in the last place.
 */
#ifndef LGN_MATH_EXPONENTIAL_H
#define LGN_MATH_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

static inline double lgn_power_of_two(uint64_t biased)
{
	uint64_t bits = biased << 52;
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* x <= 0. x = k log 2 + r with |r| <= log(2) / 2 (Cody and Waite, Software
 * Manual for the Elementary Functions, 1980, chapter 6; log 2 in two parts as
 * there), exp(r) by its series, whose next term is below 2^-57. The power of
 * two is in two factors, so that results may be subnormal. */
static inline double lgn_exp_negative(double x)
{
	const double shift = 0x1.8p52;	/* x + shift is rounded to integer */
	double t = x < -746 ? -746 : x;
	double moved = t * 0x1.71547652b82fep0 + shift;
	double k = moved - shift;
	double r = (t - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
	double p = 1.0 / 87178291200;
	uint64_t n, half;

	p = p * r + 1.0 / 6227020800;
	p = p * r + 1.0 / 479001600;
	p = p * r + 1.0 / 39916800;
	p = p * r + 1.0 / 3628800;
	p = p * r + 1.0 / 362880;
	p = p * r + 1.0 / 40320;
	p = p * r + 1.0 / 5040;
	p = p * r + 1.0 / 720;
	p = p * r + 1.0 / 120;
	p = p * r + 1.0 / 24;
	p = p * r + 1.0 / 6;
	p = p * r + 0.5;
	p = p * r * r + r + 1;
	memcpy(&n, &moved, sizeof(n));
	n = n - UINT64_C(0x4338000000000000) + 2048;	/* k + 2048 > 0 */
	half = n >> 1;
	return p * lgn_power_of_two(half - 1) * lgn_power_of_two(n - half - 1);
}

/* 0 <= e <= 1: log(1 + u) = 2 artanh(u / (2 + u)), Abramowitz and Stegun
 * 4.1.27, with u = e, or above sqrt(2) - 1 with log 2 taken out; |s| <= 0.172,
 * so that the next term is below 2^-60. part becomes 1 / (1 + e): one division
 * for both. */
static inline double lgn_log1p_unit(double e, double *part)
{
	const double big = e > 0.41421356237309503 ? 1 : 0;
	double below = e + 2 + big, both = 1 / (below * (1 + e));
	double s = (e - big) * (1 + e) * both;
	double q = s * s;
	double p = 1.0 / 23;

	*part = below * both;
	p = p * q + 1.0 / 21;
	p = p * q + 1.0 / 19;
	p = p * q + 1.0 / 17;
	p = p * q + 1.0 / 15;
	p = p * q + 1.0 / 13;
	p = p * q + 1.0 / 11;
	p = p * q + 1.0 / 9;
	p = p * q + 1.0 / 7;
	p = p * q + 1.0 / 5;
	p = p * q + 1.0 / 3;
	return (2 * s * q * p + 2 * s) + big * 0x1.62e42fefa39efp-1;
}

#endif
