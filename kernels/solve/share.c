/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/share.h"
#include "runtime/base/status.h"

#define TEXT 248

/* A worker's row: this, then the caller's bytes, in words of 32 bits. */
struct head {
	uint32_t round;		/* meetings that it came to */
	int32_t status;
	char text[TEXT];
};

static int fail_memory(size_t words)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for messages of %zu words",
			words);
}

static size_t row_words(const struct lgn_share *share)
{
	return (sizeof(struct head) + share->bytes + 3) / 4;
}

int lgn_share_create(struct lagoon *lg, const char *name, size_t bytes,
		     int model, struct lgn_share *share)
{
	struct lagoon_table_attr attr;

	share->workers = lagoon_workers(lg);
	share->bytes = bytes;
	lagoon_table_attr_init(&attr);
	attr.rows = (uint64_t)share->workers * 2;
	attr.cols = (uint32_t)row_words(share);
	attr.format = LAGOON_I64;
	attr.model = model;
	return lagoon_table_create(lg, name, &attr, &share->table);
}

/* What a fit's tables are to be, its workers agree on: a process without any
 * does not know. Nor can it tell an error at a meeting, so it asks for a table of
 * another shape, which is refused in every process. */
int lgn_share_create_first(struct lagoon *lg, const char *name, size_t bytes,
			   struct lgn_share *share)
{
	bool idle = !lagoon_local_workers(lg);
	int rc = lgn_share_create(lg, name, bytes + (idle ? 4 : 0), LAGOON_SSP,
				  share);

	if (idle && (!rc || rc == LAGOON_EINVAL)) {
		lgn_share_destroy(share);
		return lgn_fail(LAGOON_EINVAL, "a process without workers: "
				"expected at least one in each");
	}
	return rc;
}

void lgn_share_destroy(struct lgn_share *share)
{
	if (share->table)
		lagoon_table_destroy(share->table);
	share->table = NULL;
}

int lgn_share_run(struct lagoon *lg, const char *name, size_t bytes,
		  int (*work)(struct lagoon_worker *w, void *arg), void *arg,
		  struct lgn_share *share)
{
	int rc = lgn_share_create_first(lg, name, bytes, share);

	if (!rc)
		rc = lagoon_run(lg, work, arg);
	lgn_share_destroy(share);
	return rc;
}

int lgn_share_first_worker(struct lagoon *lg)
{
	struct lagoon_worker *w;

	if (!lagoon_local_workers(lg) || lagoon_worker(lg, 0, &w))
		return -1;
	return lagoon_worker_id(w);
}

static void unpack(const int64_t *words, size_t n, uint32_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint32_t)words[i];
}

/* Two rows a worker, used in turn: a fast worker writes for meeting k + 1
 * while a slow one still reads what was told at meeting k. It cannot be two
 * ahead. */
static uint64_t first_row(const struct lgn_share *share, uint32_t round)
{
	return (round & 1) * (uint64_t)share->workers;
}

/* The worker's own row becomes this: what it holds is pulled, the difference
 * added. */
static int add_difference(const struct lgn_share *share, struct lagoon_worker *w,
			  uint64_t row, const uint32_t *now, int64_t *words)
{
	int rc = lagoon_pull(w, share->table, row, 1, words);

	if (rc)
		return rc;
	for (size_t i = 0; i < row_words(share); i++)
		words[i] = (int64_t)now[i] - words[i];
	return lagoon_add(w, share->table, row, 1, words);
}

static int put(const struct lgn_share *share, struct lagoon_worker *w,
	       const struct head *head, const void *mine)
{
	size_t n = row_words(share);
	uint64_t row = first_row(share, head->round);
	int64_t *words = calloc(n, sizeof(*words));
	uint32_t *now = calloc(n, sizeof(*now));
	int rc = words && now ? 0 : fail_memory(n);

	if (!rc) {
		memcpy(now, head, sizeof(*head));
		if (mine)
			memcpy((char *)now + sizeof(*head), mine, share->bytes);
		row += (uint64_t)lagoon_worker_id(w);
		rc = add_difference(share, w, row, now, words);
	}
	free(words);
	free(now);
	return rc;
}

/* Lowest worker first, and errors before absence: all hear the same. */
static int check_heads(const struct head *heads, int n, uint32_t round)
{
	for (int i = 0; i < n; i++) {
		if (!heads[i].status)
			continue;
		lgn_errmsg_set(heads[i].text);
		return heads[i].status;
	}
	for (int i = 0; i < n; i++)
		if (heads[i].round != round)
			return lgn_fail(LAGOON_EJOB, "worker %d left before "
					"the end", i);
	return 0;
}

static void unpack_rows(const struct lgn_share *share, const int64_t *words,
			uint32_t *row, struct head *heads, char *all)
{
	size_t n = row_words(share);

	for (int i = 0; i < share->workers; i++) {
		unpack(words + (size_t)i * n, n, row);
		memcpy(&heads[i], row, sizeof(*heads));
		memcpy(all + (size_t)i * share->bytes,
		       (char *)row + sizeof(*heads), share->bytes);
	}
}

static int get(const struct lgn_share *share, struct lagoon_worker *w,
	       uint32_t round, void *all)
{
	size_t n = row_words(share), rows = (size_t)share->workers;
	int64_t *words = malloc(n * rows * sizeof(*words));
	uint32_t *row = malloc(n * sizeof(*row));
	struct head *heads = malloc(rows * sizeof(*heads));
	int rc = words && row && heads ? 0 : fail_memory(rows * n);

	if (!rc)
		rc = lagoon_pull(w, share->table, first_row(share, round), rows,
				 words);
	if (!rc) {
		unpack_rows(share, words, row, heads, all);
		rc = check_heads(heads, share->workers, round);
	}
	free(heads);
	free(words);
	free(row);
	return rc;
}

static void set_status(struct head *head, int rc)
{
	head->status = rc;
	if (rc)
		snprintf(head->text, sizeof(head->text), "%.*s", TEXT - 1,
			 lagoon_errmsg());
}

/* round counts the meetings that are over: what the worker tells next, at its
 * next meeting or in lgn_share_fail(), nobody reads before it has come to the
 * barrier or left. */
int lgn_share_meet(const struct lgn_share *share, struct lagoon_worker *w,
		   uint32_t *round, int status, const void *mine, void *all)
{
	struct head head = { .round = *round + 1 };
	int rc;

	set_status(&head, status);
	rc = put(share, w, &head, mine);
	if (!rc)
		rc = lagoon_clock(w);
	if (!rc)
		rc = lagoon_barrier(w);
	if (rc)
		return rc;
	*round = head.round;
	return get(share, w, head.round, all);
}

void lgn_share_fail(const struct lgn_share *share, struct lagoon_worker *w,
		    uint32_t round, int rc)
{
	struct head head = { .round = round + 1 };
	char text[512];

	snprintf(text, sizeof(text), "%s", lagoon_errmsg());
	set_status(&head, rc);
	put(share, w, &head, NULL);
	lgn_errmsg_set(text);
}
