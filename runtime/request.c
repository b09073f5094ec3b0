/* SPDX-License-Identifier: BSD-3-Clause */
/* Asynchronous forms: slots of a worker, and the calls that begin and end. */
#include "runtime/base/status.h"
#include "runtime/calls.h"
#include "runtime/table.h"

static int slots_full(const struct lagoon_worker *w)
{
	return lgn_fail(LAGOON_EAGAIN,
			"worker %d has %d requests in flight: wait for one first",
			w->id, LGN_REQUESTS);
}

static int take_slot(struct lagoon_worker *w, struct lagoon_request **r)
{
	int i;

	if (w->busy == UINT64_MAX)
		return slots_full(w);
	i = __builtin_ctzll(~w->busy);
	w->busy |= 1ull << i;
	*r = &w->request[i];
	return 0;
}

static void free_slot(struct lagoon_request *r)
{
	struct lagoon_worker *w = r->w;

	w->busy &= ~(1ull << (r - w->request));
}

static int start_pull(struct lagoon_worker *w, struct lagoon_table *t,
		      const uint64_t *rows, uint64_t row, uint64_t n, void *out,
		      struct lagoon_request **req)
{
	struct lagoon_request *r = NULL;
	int rc = take_slot(w, &r);

	if (rc)
		return rc;
	lgn_pull_begin(r, w, t, rows, row, n, out);
	lgn_pull_step(r);
	*req = r;
	return 0;
}

int lgn_start_pull(struct lagoon_worker *w, struct lagoon_table *t,
		   const uint64_t *rows, uint64_t row, uint64_t n, void *out,
		   struct lagoon_request **req)
{
	int rc = lgn_worker_check(w);

	if (!rc)
		rc = rows ? lgn_table_check_list(t, rows, n) :
			lgn_table_check_rows(t, row, n);
	return rc ? rc : start_pull(w, t, rows, row, n, out, req);
}

/* An add touches local memory only: it is complete when it has begun. */
static int start_add(struct lagoon_worker *w, int status,
		     struct lagoon_request **req)
{
	struct lagoon_request *r = NULL;
	int rc = take_slot(w, &r);

	if (rc)
		return rc;
	r->w = w;
	r->complete = true;
	r->status = status;
	*req = r;
	return 0;
}

/* What a start refuses at once: rows that are not there, no free slot. */
static int check_start(const struct lagoon_worker *w, int rows)
{
	int rc = lgn_worker_check(w);

	if (rc || rows)
		return rc ? rc : rows;
	return w->busy == UINT64_MAX ? slots_full(w) : 0;
}

int lgn_start_add(struct lagoon_worker *w, struct lagoon_table *t,
		  const uint64_t *rows, uint64_t row, uint64_t n, const void *in,
		  struct lagoon_request **req)
{
	int rc = check_start(w, rows ? lgn_table_check_list(t, rows, n) :
			     lgn_table_check_rows(t, row, n));

	if (rc)
		return rc;
	return start_add(w, rows ? lgn_add_list(w, t, rows, n, in) :
			 lgn_add_range(w, t, row, n, in), req);
}

int lgn_request_wait(struct lagoon_request *req)
{
	int rc = lgn_request_run(req);

	free_slot(req);
	return rc;
}

int lgn_request_test(struct lagoon_request *req, int *done)
{
	int rc = 0;

	*done = req->complete || lgn_pull_step(req);
	if (*done) {
		rc = req->status;
		free_slot(req);
	}
	return rc;
}
