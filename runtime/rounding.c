/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The caller's reals to lanes, rounded up or down at random so that the mean
 * is exact. The random bits are counter-based, so that many are made at once
 * by vector instructions: the loops here are written for that.
 */
#include <math.h>
#include <stdbool.h>

#include <Random123/philox.h>

#include "runtime/lagoon.h"
#include "runtime/number.h"

enum { FEW = 4 };	/* for less than that vectors do not pay */

/* Four 32-bit words for elements 4b .. 4b + 3 of one call: Philox-4x32-7,
 * Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC'11. */
static inline philox4x32_ctr_t random_bits(const struct lgn_rounding *r,
					   uint32_t call, uint64_t block)
{
	philox4x32_ctr_t ctr = { { (uint32_t)block, (uint32_t)(block >> 32),
				   call, r->round } };
	philox4x32_key_t key = { { r->seed, r->worker } };

	return philox4x32_R(7, ctr, key);
}

/* Of n blocks from the given one on, all of one call. */
LGN_CLONES
static void bits_of_blocks(const struct lgn_rounding *rounding, uint64_t block,
			   size_t n, uint32_t *restrict bits)
{
	const struct lgn_rounding r = *rounding;

	for (size_t i = 0; i < n; i++) {
		philox4x32_ctr_t four = random_bits(&r, r.call, block + i);

		bits[4 * i] = four.v[0];
		bits[4 * i + 1] = four.v[1];
		bits[4 * i + 2] = four.v[2];
		bits[4 * i + 3] = four.v[3];
	}
}

/* The block of a call that adds one element: four such calls have one. No
 * element of a table is in it. */
static inline uint64_t block_of_call(uint32_t call)
{
	return UINT64_MAX << 32 | call / 4;
}

/* Of n blocks of such calls, from that of r->call on. */
LGN_CLONES
static void bits_of_calls(const struct lgn_rounding *rounding, size_t n,
			  uint32_t *restrict bits)
{
	const struct lgn_rounding r = *rounding;

	for (size_t i = 0; i < n; i++) {
		uint64_t block = block_of_call(r.call + 4 * (uint32_t)i);
		philox4x32_ctr_t four = random_bits(&r, 0, block);

		bits[4 * i] = four.v[0];
		bits[4 * i + 1] = four.v[1];
		bits[4 * i + 2] = four.v[2];
		bits[4 * i + 3] = four.v[3];
	}
}

LGN_CLONES
static bool scale_f64(const double *restrict in, size_t n, double scale,
		      double limit, double *restrict x)
{
	int64_t beyond = 0;

	for (size_t i = 0; i < n; i++) {
		x[i] = in[i] * scale;
		beyond |= fabs(x[i]) <= limit ? 0 : 1;
	}
	return beyond;
}

LGN_CLONES
static bool scale_f32(const float *restrict in, size_t n, double scale,
		      double limit, double *restrict x)
{
	int64_t beyond = 0;

	for (size_t i = 0; i < n; i++) {
		x[i] = (double)in[i] * scale;
		beyond |= fabs(x[i]) <= limit ? 0 : 1;
	}
	return beyond;
}

/* Towards zero; says whether that was not exact. */
LGN_CLONES
static bool truncate_all(const double *restrict x, size_t n,
			 int64_t *restrict lanes)
{
	int64_t fraction = 0;

	for (size_t i = 0; i < n; i++) {
		lanes[i] = (int64_t)x[i];
		fraction |= (double)lanes[i] != x[i];
	}
	return fraction;
}

/* x units, |x| <= 2^62: down or up at random so that the mean is x. Doubles of
 * 2^52 and above are integers already. No floor(): gcc 12 does not vectorise
 * that here. */
static inline int64_t round_at_random(double x, uint32_t bits)
{
	int64_t whole = (int64_t)x;
	double fraction = x - (double)whole;
	double above = fraction + (fraction < 0 ? 1.0 : 0.0);

	return whole - (fraction < 0) + (above * 0x1p32 > (double)bits);
}

LGN_CLONES
static void round_all(const double *restrict x, const uint32_t *restrict bits,
		      size_t n, int64_t *restrict lanes)
{
	for (size_t i = 0; i < n; i++)
		lanes[i] = round_at_random(x[i], bits[i]);
}

/* Scale all, and truncate to lanes; returns how many are good. */
static size_t scale(const struct lgn_number *nb, const void *in, size_t n,
		    double *x, int64_t *lanes, bool *fraction, int *why)
{
	const double limit = (double)nb->legal;
	bool beyond = nb->type == LAGOON_F64 ?
		scale_f64(in, n, nb->scale, limit, x) :
		scale_f32(in, n, nb->scale, limit, x);
	size_t good = n;

	if (lgn_unlikely(beyond)) {
		for (good = 0; fabs(x[good]) <= limit; )
			good++;
		*why = isfinite(lgn_number_input(nb, in, good)) ?
			LAGOON_ERANGE : LAGOON_EINVAL;
	}
	*fraction = truncate_all(x, good, lanes);
	return good;
}

static uint32_t bits_of_element(const struct lgn_rounding *r, uint64_t e)
{
	return random_bits(r, r->call, e / 4).v[e % 4];
}

/* Adds of one element come one after the other: three of four find their
 * block drawn. */
static uint32_t bits_of_call(const struct lgn_rounding *r, uint32_t call)
{
	const uint64_t block = block_of_call(call);
	struct lgn_drawn *d = r->drawn;

	if (!d)
		return random_bits(r, 0, block).v[call % 4];
	if (d->block != block || d->round != r->round) {
		philox4x32_ctr_t four = random_bits(r, 0, block);

		d->block = block;
		d->round = r->round;
		for (int i = 0; i < 4; i++)
			d->bits[i] = four.v[i];
	}
	return d->bits[call % 4];
}

/* One number after the other; those of a list are each of a call of its own. */
static size_t few(const struct lgn_number *nb, const void *in, size_t n,
		  bool list, uint64_t element, const struct lgn_rounding *r,
		  int64_t *lanes, int *why)
{
	for (size_t i = 0; i < n; i++) {
		double x = lgn_number_input(nb, in, i) * nb->scale;
		if (lgn_unlikely(!(fabs(x) <= (double)nb->legal))) {
			*why = isfinite(lgn_number_input(nb, in, i)) ?
				LAGOON_ERANGE : LAGOON_EINVAL;
			return i;
		}
		lanes[i] = (int64_t)x;
		if (x != (double)lanes[i])
			lanes[i] = round_at_random(x, list ?
					bits_of_call(r, r->call + (uint32_t)i) :
					bits_of_element(r, element + i));
	}
	return n;
}

size_t lgn_rounding_range(const struct lgn_number *nb, const void *in,
			  size_t n, uint64_t element,
			  const struct lgn_rounding *r, int64_t *lanes,
			  int *why)
{
	uint32_t bits[LGN_CHUNK + 8];
	double x[LGN_CHUNK];
	bool fraction;
	size_t good;

	if (n < FEW)
		return few(nb, in, n, false, element, r, lanes, why);
	good = scale(nb, in, n, x, lanes, &fraction, why);
	if (!fraction)
		return good;
	bits_of_blocks(r, element / 4, (element % 4 + good + 3) / 4, bits);
	round_all(x, bits + element % 4, good, lanes);
	return good;
}

size_t lgn_rounding_list(const struct lgn_number *nb, const void *in, size_t n,
			 const struct lgn_rounding *r, int64_t *lanes, int *why)
{
	const uint32_t skip = r->call % 4;
	uint32_t bits[LGN_CHUNK + 8];
	double x[LGN_CHUNK];
	bool fraction;
	size_t good;

	if (n < FEW)
		return few(nb, in, n, true, 0, r, lanes, why);
	good = scale(nb, in, n, x, lanes, &fraction, why);
	if (!fraction)
		return good;
	bits_of_calls(r, (skip + good + 3) / 4, bits);
	round_all(x, bits + skip, good, lanes);
	return good;
}
