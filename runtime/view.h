/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker sees of a page: the shard's words where they are loaded in
 * place, else copy + delta words from one version of the page; under bsp with
 * its own deltas of the round.
 */
#ifndef LGN_RUNTIME_VIEW_H
#define LGN_RUNTIME_VIEW_H

#include "runtime/core.h"

struct lgn_view {
	struct lagoon_table *t;
	struct lgn_part *part;
	uint64_t need;			/* the stamp a page needs */
	int64_t oldest;			/* floor of its oldest page so far */
	int64_t clock;			/* of the worker when it began */
	int64_t floor;			/* psp: a copy under this one serves too; else 0 */
	int status;			/* apply mode: the page is an error, */
	bool send;			/* or must be sent before it is shown */
};

/* psp: the page's copy, whenever it was fetched, has what all workers did in
 * the rounds that the bound is about. */
static inline bool lgn_view_floor_serves(const struct lgn_view *v,
					 uint64_t page)
{
	const struct lgn_page *p = &v->t->page[page];

	/* The floor of an earlier epoch is of other clocks. */
	return lgn_unlikely(v->floor > 0) &&
		atomic_load_explicit(&p->stamp, memory_order_acquire) >=
			lgn_stamp(atomic_load(&v->t->lg->epoch), 0) &&
		atomic_load_explicit(&p->floor, memory_order_acquire) >= v->floor;
}

/* Elements [first, first + n) of a page to the caller's type. False: the copy
 * is not fresh enough. The worker's thread. */
bool lgn_view_page(struct lgn_view *v, uint64_t page, uint64_t first,
		   uint64_t n, char *out);

#endif
