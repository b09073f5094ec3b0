/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "runtime/lagoon.h"
#include "runtime/number.h"
#include "verbs/copy.h"

static const uint32_t type_size[] = { 8, 4, 8, 4 };

void lgn_number_init(struct lgn_number *nb, int format, int type,
		     int frac_bits)
{
	nb->lanes = format == LAGOON_Q32 || format == LAGOON_I32 ||
		format == LAGOON_FLOAT32 ? 2 : 1;
	nb->fixed = format == LAGOON_Q64 || format == LAGOON_Q32;
	nb->type = type;
	nb->type_size = type_size[type];
	nb->scale = ldexp(1, nb->fixed ? frac_bits : 0);
	nb->unit = 1 / nb->scale;
	nb->legal = nb->lanes == 2 ? 1ll << 30 : 1ll << 62;
}

/* Whole words, nobody else's, to pairs of lanes. */
LGN_CLONES
static void split(const uint64_t *words, size_t n, int64_t *lanes)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t w = words[i];

		lanes[2 * i] = lgn_lane_low(w);
		lanes[2 * i + 1] = lgn_lane_high(w);
	}
}

static uint64_t load(const uint64_t *word)
{
	return atomic_load_explicit((const _Atomic uint64_t *)word,
				    memory_order_relaxed);
}

/* n <= LGN_CHUNK. Words are copied before they are split: a compiler may read
 * memory twice for the two lanes of a word, and a change in between would
 * tear it. */
void lgn_number_unpack(const struct lgn_number *nb, const uint64_t *words,
		       uint64_t first, size_t n, int64_t *lanes)
{
	uint64_t copy[LGN_CHUNK / 2];

	if (nb->lanes == 1) {
		if (n == 1)
			lanes[0] = (int64_t)load(words + first);
		else
			lgn_copy_words((uint64_t *)lanes, words + first, n);
		return;
	}
	words += first / 2;
	if (n && first % 2) {
		*lanes++ = lgn_lane_high(load(words++));
		n--;
	}
	lgn_copy_words(copy, words, n / 2);
	split(copy, n / 2, lanes);
	if (n % 2)
		lanes[n - 1] = lgn_lane_low(load(words + n / 2));
}

void lgn_number_unpack_add(const struct lgn_number *nb, const uint64_t *words,
			   uint64_t first, size_t n, int64_t *lanes)
{
	int64_t more[LGN_CHUNK];

	lgn_number_unpack(nb, words, first, n, more);
	for (size_t i = 0; i < n; i++)
		lanes[i] += more[i];
}

/* Eight words, aligned as words; see verbs/shm/copy.c about races with adders. */
typedef int64_t eight_lanes __attribute__((vector_size(64), aligned(8), may_alias));
typedef double eight_reals __attribute__((vector_size(64), aligned(8), may_alias));

/* Words that others add to, one lane each, converted as they are read: a copy
 * in between costs as much again. */
LGN_CLONES __attribute__((no_sanitize("thread")))
static void decode_f64(const uint64_t *words, size_t n, double unit, double *out)
{
	for (; n >= 8; n -= 8, words += 8, out += 8) {
		eight_lanes lanes = *(const eight_lanes *)words;

		*(eight_reals *)out = __builtin_convertvector(lanes, eight_reals) * unit;
		/* Each word is read once. */
		__asm__ __volatile__("" ::: "memory");
	}
	for (; n; n--)
		*out++ = (double)(int64_t)load(words++) * unit;
}

LGN_CLONES static void to_f64(const int64_t *lanes, size_t n, double unit,
			  double *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (double)lanes[i] * unit;
}

LGN_CLONES static void to_f32(const int64_t *lanes, size_t n, double unit,
			  float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (float)((double)lanes[i] * unit);
}

static void to_i32(const int64_t *lanes, size_t n, int32_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (int32_t)lanes[i];
}

void lgn_number_convert(const struct lgn_number *nb, const int64_t *lanes,
			size_t n, void *out)
{
	switch (nb->type) {
	case LAGOON_F64:
		if (n == 1)
			*(double *)out = (double)lanes[0] * nb->unit;
		else
			to_f64(lanes, n, nb->unit, out);
		break;
	case LAGOON_F32:
		to_f32(lanes, n, nb->unit, out);
		break;
	case LAGOON_INT64:
		if (n == 1)
			*(int64_t *)out = lanes[0];
		else
			memcpy(out, lanes, n * sizeof(*lanes));
		break;
	case LAGOON_INT32:
		to_i32(lanes, n, out);
		break;
	}
}

void lgn_number_decode(const struct lgn_number *nb, const uint64_t *words,
		       uint64_t first, size_t n, void *out)
{
	int64_t lanes[LGN_CHUNK];

	if (nb->lanes == 1 && nb->type == LAGOON_INT64) {
		if (n == 1)
			*(uint64_t *)out = load(words + first);
		else
			lgn_copy_words(out, words + first, n);
		return;
	}
	if (nb->lanes == 1 && nb->type == LAGOON_F64) {
		decode_f64(words + first, n, nb->unit, out);
		return;
	}
	for (size_t i = 0; i < n; i += LGN_CHUNK) {
		size_t m = n - i < LGN_CHUNK ? n - i : LGN_CHUNK;

		lgn_number_unpack(nb, words, first + i, m, lanes);
		lgn_number_convert(nb, lanes, m,
				   (char *)out + i * nb->type_size);
	}
}

static size_t quantise_int(const struct lgn_number *nb, const void *in,
			   size_t n, int64_t *lanes, int *why)
{
	for (size_t i = 0; i < n; i++) {
		int64_t x = nb->type == LAGOON_INT64 ?
			((const int64_t *)in)[i] : ((const int32_t *)in)[i];

		if (lgn_unlikely(x > nb->legal || x < -nb->legal)) {
			*why = LAGOON_ERANGE;
			return i;
		}
		lanes[i] = x;
	}
	return n;
}

size_t lgn_number_quantise(const struct lgn_number *nb, const void *in,
			   size_t n, uint64_t element,
			   const struct lgn_rounding *rounding, int64_t *lanes,
			   int *why)
{
	if (nb->fixed)
		return lgn_rounding_range(nb, in, n, element, rounding, lanes,
					  why);
	return quantise_int(nb, in, n, lanes, why);
}

size_t lgn_number_quantise_list(const struct lgn_number *nb, const void *in,
				size_t n, const struct lgn_rounding *rounding,
				int64_t *lanes, int *why)
{
	if (nb->fixed)
		return lgn_rounding_list(nb, in, n, rounding, lanes, why);
	return quantise_int(nb, in, n, lanes, why);
}

double lgn_number_value(const struct lgn_number *nb, int64_t lane)
{
	return (double)lane * nb->unit;
}

double lgn_number_input(const struct lgn_number *nb, const void *in, size_t i)
{
	switch (nb->type) {
	case LAGOON_F64:
		return ((const double *)in)[i];
	case LAGOON_F32:
		return ((const float *)in)[i];
	case LAGOON_INT64:
		return (double)((const int64_t *)in)[i];
	default:
		return ((const int32_t *)in)[i];
	}
}
