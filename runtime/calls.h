/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the calls of a worker do: calls.c has the calls themselves, which go
 * straight here, or by way of trace.h and audit.h when these are on.
 */
#ifndef LGN_RUNTIME_CALLS_H
#define LGN_RUNTIME_CALLS_H

#include "runtime/add.h"
#include "runtime/request.h"

int lgn_pull_range(struct lagoon_worker *w, struct lagoon_table *t, uint64_t row,
		   uint64_t nrows, void *out);
int lgn_pull_list(struct lagoon_worker *w, struct lagoon_table *t,
		  const uint64_t *rows, uint64_t n, void *out);
/* rows == NULL: a range. */
int lgn_start_pull(struct lagoon_worker *w, struct lagoon_table *t,
		   const uint64_t *rows, uint64_t row, uint64_t n, void *out,
		   struct lagoon_request **req);
int lgn_start_add(struct lagoon_worker *w, struct lagoon_table *t,
		  const uint64_t *rows, uint64_t row, uint64_t n, const void *in,
		  struct lagoon_request **req);
int lgn_request_wait(struct lagoon_request *req);
int lgn_request_test(struct lagoon_request *req, int *done);
int lgn_fetch_add(struct lagoon_worker *w, struct lagoon_table *t, uint64_t row,
		  uint32_t col, int64_t delta, int64_t *old);
int lgn_clock(struct lagoon_worker *w);
int lgn_barrier(struct lagoon_worker *w);
int lgn_leave(struct lagoon_worker *w);
int lgn_checkpoint(struct lagoon_worker *w, const char *dir, const void *state,
		   size_t bytes);
int lgn_rule_change(struct lagoon_worker *w, struct lagoon_table *t,
		    const struct lagoon_table_attr *attr);

#endif
