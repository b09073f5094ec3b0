/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pull on its way, as a state machine that never blocks: lgn_pull_step()
 * goes on until it must wait for a clock or a completion.
 *
 *	BOUND	is the floor high enough? else read the board
 *	VIEW	convert page by page; at a page that is not fresh:
 *	FETCH	READs of the missing pages ahead are in flight
 *
 * A request that holds pages (READING) has posted all of them: it waits for
 * completions only, never for another page, so requests cannot block each
 * other. Completions release the pages in whoever's poll they arrive.
 */
#ifndef LGN_RUNTIME_REQUEST_H
#define LGN_RUNTIME_REQUEST_H

#include "runtime/audit.h"
#include "runtime/view.h"

enum lgn_pull_phase { LGN_PULL_BOUND, LGN_PULL_VIEW, LGN_PULL_FETCH };

struct lagoon_request {
	struct lgn_batch batch;		/* first: completions find the request */
	struct lagoon_worker *w;
	struct lgn_view view;
	/* what is asked for */
	const uint64_t *rows;		/* the list, or NULL */
	uint64_t row;			/* the first */
	uint64_t n;
	char *out;
	/* where it stands */
	enum lgn_pull_phase phase;
	bool complete;			/* an add, or a pull that is done */
	int status;
	uint64_t done;			/* rows */
	int64_t clock;			/* of the worker when it began */
	int64_t bound;			/* the floor it needs */
	uint64_t wait_from;		/* [ns], 0: not waiting for clocks */
	int slowest;			/* who held the floor down */
	uint64_t look_ns;		/* at who holds its page; lgn_node_look() */
	bool sampled;			/* psp: a sample may meet the bound */
	struct lgn_audit_pull audit;	/* of calls.c; t == NULL: an add */
	/* pages in flight: of the batch */
	uint64_t stamp;
	int64_t floor;
	struct lgn_wr wr[LGN_FETCH_WRS];
	uint64_t first_page[LGN_FETCH_WRS];
	uint32_t pages[LGN_FETCH_WRS];
};

/* Set up; rows == NULL: a range from row on. The worker's thread. */
void lgn_pull_begin(struct lagoon_request *r, struct lagoon_worker *w,
		    struct lagoon_table *t, const uint64_t *rows, uint64_t row,
		    uint64_t n, void *out);

/* Go on. True: complete, with r->status. Never blocks. */
bool lgn_pull_step(struct lagoon_request *r);

/* fetch.c: post READs for the pages not fresh from row r->done on, as many as
 * one batch takes. *posted: something is in flight. */
int lgn_fetch_post(struct lagoon_request *r, bool *posted);

/* The same in steps, with w, view and clock set: an empty batch; a page that
 * is older than the stamp `need`, if nobody holds it (at most LGN_FETCH_WRS
 * requests); then post. *pages: so many are in flight, 0 if the wire has no
 * room. */
void lgn_fetch_begin(struct lagoon_request *r);
void lgn_fetch_include(struct lagoon_request *r, uint64_t page, uint64_t need);
int lgn_fetch_send(struct lagoon_request *r, uint64_t *pages);

/* Blocks until it is complete; returns its result. */
int lgn_request_run(struct lagoon_request *r);

/* The i-th row asked for. */
static inline uint64_t lgn_request_row(const struct lagoon_request *r,
				       uint64_t i)
{
	return r->rows ? r->rows[i] : r->row + i;
}

/* Slots of READs that nobody asked for, after the worker's requests. */
static inline struct lagoon_request *lgn_ahead_slot(struct lagoon_worker *w,
						    int i)
{
	return &w->request[LGN_REQUESTS + 1 + i];
}

#endif
