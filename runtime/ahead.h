/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * essp: pages in use are read again as soon as the floor has grown, without
 * waiting, so that pulls find them fresh. In use: a pull of this process used
 * the page in its last s + 2 rounds.
 *
 * The worker that finds a new floor (it published its clock, or waited for
 * others) takes the table's scan for that floor and posts what its slots
 * hold; the rest follows when it comes by again. Nobody waits for these READs
 * but who needs their pages.
 */
#ifndef LGN_RUNTIME_AHEAD_H
#define LGN_RUNTIME_AHEAD_H

#include "runtime/core.h"

#define LGN_AHEAD_ROUNDS 2	/* beyond the bound, that a page counts as used */

/* Room to note uses. */
int lgn_ahead_open(struct lagoon_table *t);

/* Go on reading ahead. Never blocks; the worker's thread. */
void lgn_ahead_step(struct lagoon_worker *w);

static inline void lgn_ahead(struct lagoon_worker *w)
{
	if (lgn_unlikely(atomic_load_explicit(&w->lg->essp_tables,
					      memory_order_relaxed)))
		lgn_ahead_step(w);
}

/* A pull at this clock has used the page. */
static inline void lgn_ahead_use(struct lagoon_table *t, uint64_t page,
				 int64_t clock)
{
	atomic_store_explicit(&t->used[page], (uint32_t)clock + 1,
			      memory_order_relaxed);
}

/* Clocks start again: no page is in use. */
void lgn_ahead_forget(struct lagoon_table *t);

/* Wait until nothing read ahead for t (NULL: any table) by w is in flight. */
void lgn_ahead_settle(struct lagoon_worker *w, const struct lagoon_table *t);

#endif
