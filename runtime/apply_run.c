/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Elements of a page in the shard go through the update function. What is
 * stored is always finite: a function works on a copy, of which the elements
 * before the first that is not finite go back.
 */
#include <stdio.h>

#include "runtime/apply.h"
#include "runtime/apply_lock.h"
#include "runtime/base/status.h"
#include "runtime/table.h"

enum { CHUNK = 256 };

/* Elements of either type. */
union elements {
	double f64[CHUNK];
	float f32[CHUNK];
};

/* Where a chunk's value and arrays of state are. */
struct chunk {
	const struct lgn_apply *a;
	char *value;
	const char *delta;
	size_t n;
};

static size_t first_bad(const struct chunk *c, const union elements *copy)
{
	size_t good = c->n;

	for (uint32_t k = 0; k <= c->a->fn.fn->states; k++) {
		size_t m = lgn_apply_finite(c->a->fn.type, &copy[k], good);

		good = m < good ? m : good;
	}
	return good;
}

/* Elements that went through; *why of the one after. */
static size_t run_chunk(const struct chunk *c, int *why)
{
	const struct lgn_apply *a = c->a;
	const uint32_t states = a->fn.fn->states;
	union elements copy[LAGOON_UPDATE_STATES + 1];
	void *state[LAGOON_UPDATE_STATES];
	size_t good;

	for (uint32_t k = 0; k <= states; k++)
		lgn_apply_copy(a->size, &copy[k], c->value + k * a->stride, c->n);
	for (uint32_t k = 0; k < states; k++)
		state[k] = &copy[k + 1];
	*why = LGN_REFUSED;
	if (lgn_update_apply(&a->fn, c->n, &copy[0], c->delta, state))
		return 0;
	*why = LAGOON_ERANGE;
	good = first_bad(c, copy);
	for (uint32_t k = 0; k <= states; k++)
		lgn_apply_copy(a->size, c->value + k * a->stride, &copy[k], good);
	return good;
}

/* A function may refuse a chunk as a whole: then element by element, so that
 * what comes before the one that it does not like is applied. */
static size_t run_function(struct chunk c, size_t n, int *why)
{
	const uint32_t size = c.a->size;
	size_t good = lgn_apply_finite(c.a->fn.type, c.delta, n), done = 0;
	const int after = LAGOON_EINVAL;

	while (done < good) {
		size_t m;

		c.n = good - done < CHUNK ? good - done : CHUNK;
		m = run_chunk(&c, why);
		if (lgn_unlikely(!m && c.n > 1)) {
			size_t end = done + c.n;

			for (c.n = 1; done < end && run_chunk(&c, why); done++) {
				c.value += size;
				c.delta += size;
			}
			if (done < end)
				return done;
			continue;
		}
		if (m < c.n)
			return done + m;
		done += m;
		c.value += m * size;
		c.delta += m * size;
	}
	*why = after;
	return done;
}

uint64_t lgn_apply_run(struct lagoon_table *t, struct lgn_counts *counts,
		       uint64_t page, uint64_t first, uint64_t n,
		       const void *delta, int *why)
{
	const struct lgn_apply *a = t->apply;
	const struct lgn_place_of_page *p = &a->place[page];
	char *value = p->value + first * a->size;
	uint64_t done;

	*why = lgn_apply_lock(t, counts, page, p->lock);
	if (lgn_unlikely(*why))
		return 0;
	if (lgn_likely(a->sum)) {
		done = lgn_apply_sum(a->fn.type, value, delta, n);
		if (lgn_unlikely(done < n))
			*why = lgn_apply_finite(a->fn.type, (const char *)delta +
						done * a->size, 1) ?
				LAGOON_ERANGE : LAGOON_EINVAL;
	} else {
		struct chunk c = { .a = a, .value = value, .delta = delta };

		done = run_function(c, n, why);
	}
	lgn_apply_unlock(p->lock);
	return done;
}

int lgn_apply_refuse(struct lagoon_table *t, struct lgn_counts *counts, int why,
		     uint64_t page, uint64_t element, const void *delta)
{
	double x = t->apply->fn.type == LAGOON_F64 ? *(const double *)delta :
		(double)*(const float *)delta;
	char text[200];
	uint64_t row;
	uint32_t col;

	lgn_table_locate(t, page, element, &row, &col);
	if (why == LAGOON_EINVAL)
		return lgn_fail(why, "table %s row %llu column %u: delta %g is not finite",
				t->name, (unsigned long long)row, col, x);
	if (why != LAGOON_ERANGE && why != LGN_REFUSED)
		return why;	/* its message is there */
	if (counts)
		lgn_count(&counts->rejected, 1);
	snprintf(text, sizeof(text), "%s", why == LGN_REFUSED ? lagoon_errmsg() :
		 "it would give a value that is not finite");
	return lgn_fail(LAGOON_ERANGE, "table %s row %llu column %u: %s of %g is dropped: %s",
			t->name, (unsigned long long)row, col,
			t->apply->fn.fn->name, x, text);
}

int lgn_apply_all(struct lagoon_table *t, struct lgn_counts *counts,
		  uint64_t page, uint64_t first, uint64_t n, const char *delta)
{
	const uint32_t size = t->apply->size;
	int rc = 0;

	for (uint64_t done = 0; done < n; done++) {
		int why = 0, refusal;

		done += lgn_apply_run(t, counts, page, first + done, n - done,
				      delta + done * size, &why);
		if (done == n)
			break;
		refusal = lgn_apply_refuse(t, counts, why, page, first + done,
					   delta + done * size);
		if (refusal != LAGOON_ERANGE)
			return refusal;
		rc = refusal;
	}
	return rc;
}
