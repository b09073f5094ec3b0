/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inner loops over elements: sums that stay finite, and looking for what is
 * not. Sums are made and checked a block at a time, in registers: the memory
 * is gone through once.
 */
#include <float.h>
#include <math.h>
#include <stdatomic.h>

#include "runtime/apply.h"
#include "verbs/copy.h"

enum { BLOCK_F64 = 32, BLOCK_F32 = 64 };

/* Vectors by name: of a loop over an array the compiler makes a block in memory
 * between the sums and the check. Wider than registers: several of these. */
#define VECTOR __attribute__((vector_size(64), aligned(4), may_alias))
typedef double vec_f64 VECTOR;
typedef float vec_f32 VECTOR;

/* The lanes together: 0, or NaN. */
#define ACROSS_8(v, i) (((v[i] + v[i + 1]) + (v[i + 2] + v[i + 3])) + \
			((v[i + 4] + v[i + 5]) + (v[i + 6] + v[i + 7])))

/* A number times 0 is 0; what is not finite times 0 is NaN. */
LGN_CLONES
static size_t sum_f64(double *restrict into, const double *restrict delta,
		      size_t n)
{
	size_t i = 0;

	for (; i + BLOCK_F64 <= n; i += BLOCK_F64) {
		vec_f64 *to = (vec_f64 *)(into + i);
		const vec_f64 *by = (const vec_f64 *)(delta + i);
		vec_f64 a = to[0] + by[0], b = to[1] + by[1];
		vec_f64 c = to[2] + by[2], d = to[3] + by[3];
		vec_f64 zero = (a * 0.0 + b * 0.0) + (c * 0.0 + d * 0.0);

		if (lgn_unlikely(ACROSS_8(zero, 0) != 0))
			break;
		to[0] = a;
		to[1] = b;
		to[2] = c;
		to[3] = d;
	}
	for (; i < n; i++) {
		double sum = into[i] + delta[i];

		if (lgn_unlikely(!isfinite(sum)))
			break;
		into[i] = sum;
	}
	return i;
}

LGN_CLONES
static size_t sum_f32(float *restrict into, const float *restrict delta,
		      size_t n)
{
	size_t i = 0;

	for (; i + BLOCK_F32 <= n; i += BLOCK_F32) {
		vec_f32 *to = (vec_f32 *)(into + i);
		const vec_f32 *by = (const vec_f32 *)(delta + i);
		vec_f32 a = to[0] + by[0], b = to[1] + by[1];
		vec_f32 c = to[2] + by[2], d = to[3] + by[3];
		vec_f32 zero = (a * 0.0f + b * 0.0f) + (c * 0.0f + d * 0.0f);

		if (lgn_unlikely(ACROSS_8(zero, 0) + ACROSS_8(zero, 8) != 0))
			break;
		to[0] = a;
		to[1] = b;
		to[2] = c;
		to[3] = d;
	}
	for (; i < n; i++) {
		float sum = into[i] + delta[i];

		if (lgn_unlikely(!isfinite(sum)))
			break;
		into[i] = sum;
	}
	return i;
}

size_t lgn_apply_sum(int type, void *into, const void *delta, size_t n)
{
	return type == LAGOON_F64 ? sum_f64(into, delta, n) :
		sum_f32(into, delta, n);
}

LGN_CLONES
static int64_t beyond_f64(const double *x, size_t n)
{
	int64_t beyond = 0;

	for (size_t i = 0; i < n; i++)
		beyond |= fabs(x[i]) <= DBL_MAX ? 0 : 1;
	return beyond;
}

LGN_CLONES
static int32_t beyond_f32(const float *x, size_t n)
{
	int32_t beyond = 0;

	for (size_t i = 0; i < n; i++)
		beyond |= fabsf(x[i]) <= FLT_MAX ? 0 : 1;
	return beyond;
}

size_t lgn_apply_finite(int type, const void *x, size_t n)
{
	const double *d = x;
	const float *f = x;
	size_t i = 0;

	if (type == LAGOON_F64 ? !beyond_f64(d, n) : !beyond_f32(f, n))
		return n;
	while (type == LAGOON_F64 ? isfinite(d[i]) : isfinite(f[i]))
		i++;
	return i;
}

double lgn_apply_most(int type, const void *x, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++) {
		double v = fabs(type == LAGOON_F64 ? ((const double *)x)[i] :
				(double)((const float *)x)[i]);

		most = v > most ? v : most;
	}
	return most;
}

size_t lgn_apply_combine(const struct lgn_apply *a, void *into,
			 const void *delta, size_t n)
{
	if (a->fn.combine == LAGOON_COMBINE_SUM)
		return lgn_apply_sum(a->fn.type, into, delta, n);
	lgn_update_combine(&a->fn, n, into, delta);
	return n;
}

/* Not instrumented, as lgn_copy_words(): the race is the point. */
__attribute__((no_sanitize("thread")))
static void copy_floats(uint32_t *dst, const uint32_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		atomic_store_explicit((_Atomic uint32_t *)dst + i,
			atomic_load_explicit((const _Atomic uint32_t *)src + i,
					     memory_order_relaxed),
			memory_order_relaxed);
}

/* Words where both sides have words. */
void lgn_apply_copy(uint32_t size, void *dst, const void *src, size_t n)
{
	uint32_t *to = dst;
	const uint32_t *from = src;

	if (size == sizeof(uint64_t)) {
		lgn_copy_words(dst, src, n);
		return;
	}
	if (((uintptr_t)dst ^ (uintptr_t)src) & 4) {
		copy_floats(to, from, n);
		return;
	}
	if (n && (uintptr_t)dst & 4) {
		copy_floats(to++, from++, 1);
		n--;
	}
	lgn_copy_words((uint64_t *)(void *)to,
		       (const uint64_t *)(const void *)from, n / 2);
	if (n % 2)
		copy_floats(to + n - 1, from + n - 1, 1);
}
