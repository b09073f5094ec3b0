/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls of a worker. One branch leads past all that LAGOON_TRACE and
 * LAGOON_CHECK want to know. */
#include "runtime/audit.h"
#include "runtime/calls.h"
#include "runtime/trace.h"

/* Out of the way of the branch that leads past. */
#define WATCHED __attribute__((noinline, cold))

static int enter(struct lagoon_worker *w, uint64_t *from)
{
	*from = lgn_trace_now(w);
	lgn_trace_enter(w, *from);
	return lgn_audit_broken(w->lg);
}

static int leave(struct lagoon_worker *w, enum lgn_trace_kind kind, uint64_t from,
		 const struct lagoon_table *t, uint64_t n, int rc)
{
	lgn_trace_enter(NULL, 0);
	lgn_trace_add(w, kind, from, t, -1, n, rc);
	return rc;
}

/* ---------------------------------------------------------------- pulls */

static WATCHED int watched_pull(struct lagoon_worker *w, struct lagoon_table *t,
			const uint64_t *rows, uint64_t row, uint64_t n, void *out)
{
	struct lgn_audit_pull pull;
	uint64_t from;
	int rc = enter(w, &from);

	lgn_audit_begin(w, t, rows, row, n, &pull);
	if (!rc)
		rc = rows ? lgn_pull_list(w, t, rows, n, out) :
			lgn_pull_range(w, t, row, n, out);
	if (!rc)
		rc = lgn_audit_pulled(w, &pull);
	return leave(w, LGN_TRACE_PULL, from, t, n, rc);
}

LGN_EXPORT int lagoon_pull(struct lagoon_worker *w, struct lagoon_table *t,
			   uint64_t row, uint64_t nrows, void *out)
{
	if (lgn_likely(!w->watched))
		return lgn_pull_range(w, t, row, nrows, out);
	return watched_pull(w, t, NULL, row, nrows, out);
}

LGN_EXPORT int lagoon_pull_rows(struct lagoon_worker *w, struct lagoon_table *t,
				const uint64_t *rows, uint64_t n, void *out)
{
	if (lgn_likely(!w->watched) || !n)
		return lgn_pull_list(w, t, rows, n, out);
	return watched_pull(w, t, rows, 0, n, out);
}

static WATCHED int watched_start(struct lagoon_worker *w, struct lagoon_table *t,
			 const uint64_t *rows, uint64_t row, uint64_t n,
			 void *out, struct lagoon_request **req)
{
	struct lgn_audit_pull pull;
	uint64_t from;
	int rc = enter(w, &from);

	lgn_audit_begin(w, t, rows, row, n, &pull);
	if (!rc)
		rc = lgn_start_pull(w, t, rows, row, n, out, req);
	if (!rc)
		(*req)->audit = pull;
	return leave(w, LGN_TRACE_START, from, t, n, rc);
}

LGN_EXPORT int lagoon_pull_start(struct lagoon_worker *w, struct lagoon_table *t,
				 uint64_t row, uint64_t nrows, void *out,
				 struct lagoon_request **req)
{
	if (lgn_likely(!w->watched))
		return lgn_start_pull(w, t, NULL, row, nrows, out, req);
	return watched_start(w, t, NULL, row, nrows, out, req);
}

LGN_EXPORT int lagoon_pull_rows_start(struct lagoon_worker *w,
				      struct lagoon_table *t,
				      const uint64_t *rows, uint64_t n,
				      void *out, struct lagoon_request **req)
{
	if (lgn_likely(!w->watched))
		return lgn_start_pull(w, t, rows, 0, n, out, req);
	return watched_start(w, t, rows, 0, n, out, req);
}

/* An add was over when it began. */
static int completed(struct lagoon_worker *w, uint64_t from,
		     const struct lgn_audit_pull *pull, int rc)
{
	if (!pull->t) {
		lgn_trace_enter(NULL, 0);
		return rc;
	}
	if (!rc)
		rc = lgn_audit_pulled(w, pull);
	return leave(w, LGN_TRACE_PULL, from, pull->t, pull->n, rc);
}

LGN_EXPORT int lagoon_wait(struct lagoon_request *req)
{
	struct lagoon_worker *w = req->w;
	struct lgn_audit_pull pull;
	uint64_t from;

	if (lgn_likely(!w->watched))
		return lgn_request_wait(req);
	pull = req->audit;
	enter(w, &from);
	return completed(w, from, &pull, lgn_request_wait(req));
}

LGN_EXPORT int lagoon_test(struct lagoon_request *req, int *done)
{
	struct lagoon_worker *w = req->w;
	struct lgn_audit_pull pull;
	uint64_t from;
	int rc;

	if (lgn_likely(!w->watched))
		return lgn_request_test(req, done);
	pull = req->audit;
	enter(w, &from);
	rc = lgn_request_test(req, done);
	if (*done)
		return completed(w, from, &pull, rc);
	lgn_trace_enter(NULL, 0);
	return rc;
}

/* ----------------------------------------------------------------- adds */

static WATCHED int watched_add(struct lagoon_worker *w, struct lagoon_table *t,
		       const uint64_t *rows, uint64_t row, uint64_t n,
		       const void *in)
{
	uint64_t from;
	int rc = enter(w, &from);

	if (!rc)
		rc = rows ? lgn_add_list(w, t, rows, n, in) :
			lgn_add_range(w, t, row, n, in);
	return leave(w, LGN_TRACE_ADD, from, t, n, rc);
}

LGN_EXPORT int lagoon_add(struct lagoon_worker *w, struct lagoon_table *t,
			  uint64_t row, uint64_t nrows, const void *in)
{
	if (lgn_likely(!w->watched))
		return lgn_add_range(w, t, row, nrows, in);
	return watched_add(w, t, NULL, row, nrows, in);
}

LGN_EXPORT int lagoon_add_rows(struct lagoon_worker *w, struct lagoon_table *t,
			       const uint64_t *rows, uint64_t n, const void *in)
{
	if (lgn_likely(!w->watched) || !n)
		return lgn_add_list(w, t, rows, n, in);
	return watched_add(w, t, rows, 0, n, in);
}

static WATCHED int watched_add_start(struct lagoon_worker *w, struct lagoon_table *t,
			     const uint64_t *rows, uint64_t row, uint64_t n,
			     const void *in, struct lagoon_request **req)
{
	uint64_t from;
	int rc = enter(w, &from);

	if (!rc)
		rc = lgn_start_add(w, t, rows, row, n, in, req);
	if (!rc)
		(*req)->audit.t = NULL;
	return leave(w, LGN_TRACE_ADD, from, t, n, rc);
}

LGN_EXPORT int lagoon_add_start(struct lagoon_worker *w, struct lagoon_table *t,
				uint64_t row, uint64_t nrows, const void *in,
				struct lagoon_request **req)
{
	if (lgn_likely(!w->watched))
		return lgn_start_add(w, t, NULL, row, nrows, in, req);
	return watched_add_start(w, t, NULL, row, nrows, in, req);
}

LGN_EXPORT int lagoon_add_rows_start(struct lagoon_worker *w,
				     struct lagoon_table *t,
				     const uint64_t *rows, uint64_t n,
				     const void *in,
				     struct lagoon_request **req)
{
	if (lgn_likely(!w->watched))
		return lgn_start_add(w, t, rows, 0, n, in, req);
	return watched_add_start(w, t, rows, 0, n, in, req);
}

LGN_EXPORT int lagoon_fetch_add(struct lagoon_worker *w, struct lagoon_table *t,
				uint64_t row, uint32_t col, int64_t delta,
				int64_t *old)
{
	uint64_t from;
	int rc;

	if (lgn_likely(!w->watched))
		return lgn_fetch_add(w, t, row, col, delta, old);
	rc = enter(w, &from);
	if (!rc)
		rc = lgn_fetch_add(w, t, row, col, delta, old);
	if (!rc)
		lgn_audit_fetch_added(t, row, col, delta);
	return leave(w, LGN_TRACE_FETCH_ADD, from, t, 1, rc);
}

/* --------------------------------------------------------------- rounds */

LGN_EXPORT int lagoon_clock(struct lagoon_worker *w)
{
	uint64_t from;
	int rc;

	if (lgn_likely(!w->watched))
		return lgn_clock(w);
	rc = enter(w, &from);
	if (!rc && !w->left)
		rc = lgn_audit_round(w, false);
	if (!rc)
		rc = lgn_clock(w);
	return leave(w, LGN_TRACE_CLOCK, from, NULL, (uint64_t)w->clock, rc);
}

LGN_EXPORT int lagoon_barrier(struct lagoon_worker *w)
{
	uint64_t from;
	int rc;

	if (lgn_likely(!w->watched))
		return lgn_barrier(w);
	rc = enter(w, &from);
	if (!rc)
		rc = lgn_barrier(w);
	return leave(w, LGN_TRACE_BARRIER, from, NULL, 0, rc);
}

LGN_EXPORT int lagoon_table_set_model(struct lagoon_worker *w,
				      struct lagoon_table *t,
				      const struct lagoon_table_attr *attr)
{
	uint64_t from;
	int rc;

	if (lgn_likely(!w->watched))
		return lgn_rule_change(w, t, attr);
	rc = enter(w, &from);
	if (!rc)
		rc = lgn_rule_change(w, t, attr);
	return leave(w, LGN_TRACE_MODEL, from, t, (uint64_t)t->model, rc);
}

LGN_EXPORT int lagoon_checkpoint(struct lagoon_worker *w, const char *dir,
				 const void *state, size_t bytes)
{
	uint64_t from;
	int rc;

	if (lgn_likely(!w->watched))
		return lgn_checkpoint(w, dir, state, bytes);
	rc = enter(w, &from);
	if (!rc)
		rc = lgn_checkpoint(w, dir, state, bytes);
	return leave(w, LGN_TRACE_CHECKPOINT, from, NULL, 0, rc);
}

/* Also after a violation: nobody is to wait for this worker. */
LGN_EXPORT int lagoon_worker_leave(struct lagoon_worker *w)
{
	uint64_t from;
	int rc = 0, rc2;

	if (lgn_likely(!w->watched))
		return lgn_leave(w);
	enter(w, &from);
	if (!w->left)
		rc = lgn_audit_round(w, true);
	rc2 = lgn_leave(w);
	return leave(w, LGN_TRACE_LEAVE, from, NULL, 0, rc2 ? rc2 : rc);
}
