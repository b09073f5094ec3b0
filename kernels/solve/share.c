/* SPDX-License-Identifier: BSD-3-Clause */
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

void lgn_share_destroy(struct lgn_share *share)
{
	if (share->table)
		lagoon_table_destroy(share->table);
	share->table = NULL;
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
static int put(const struct lgn_share *share, struct lagoon_worker *w,
	       uint32_t round, const struct head *head, const void *mine)
{
	size_t n = row_words(share);
	uint64_t row = first_row(share, round) + (uint64_t)lagoon_worker_id(w);
	int64_t *words = calloc(n, sizeof(*words));
	uint32_t *now = calloc(n, sizeof(*now));
	int rc = words && now ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for a "
					     "message of %zu words", n);

	if (!rc)
		rc = lagoon_pull(w, share->table, row, 1, words);
	if (!rc) {
		memcpy(now, head, sizeof(*head));
		if (mine)
			memcpy((char *)now + sizeof(*head), mine, share->bytes);
		for (size_t i = 0; i < n; i++)
			words[i] = (int64_t)now[i] - words[i];
		rc = lagoon_add(w, share->table, row, 1, words);
	}
	free(words);
	free(now);
	return rc;
}

static int check_head(const struct head *head, int worker, uint32_t round)
{
	if (head->status) {
		lgn_errmsg_set(head->text);
		return head->status;
	}
	if (head->round != round)
		return lgn_fail(LAGOON_EJOB, "worker %d left before the end",
				worker);
	return 0;
}

/* Lowest worker first: of several errors, all report the same one. */
static int get(const struct lgn_share *share, struct lagoon_worker *w,
	       uint32_t round, void *all)
{
	size_t n = row_words(share);
	size_t total = n * (size_t)share->workers;
	int64_t *words = malloc(total * sizeof(*words));
	int rc;

	if (!words)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the messages of "
				"%d workers", share->workers);
	rc = lagoon_pull(w, share->table, first_row(share, round),
			 (uint64_t)share->workers, words);
	for (int i = 0; i < share->workers && !rc; i++) {
		struct head head;
		uint32_t row[n];

		unpack(words + (size_t)i * n, n, row);
		memcpy(&head, row, sizeof(head));
		rc = check_head(&head, i, round);
		memcpy((char *)all + (size_t)i * share->bytes,
		       (char *)row + sizeof(head), share->bytes);
	}
	free(words);
	return rc;
}

static void set_status(struct head *head, int rc)
{
	head->status = rc;
	if (rc)
		snprintf(head->text, sizeof(head->text), "%.*s", TEXT - 1,
			 lagoon_errmsg());
}

int lgn_share_meet(const struct lgn_share *share, struct lagoon_worker *w,
		   uint32_t *round, int status, const void *mine, void *all)
{
	struct head head = { .round = ++*round };
	int rc;

	set_status(&head, status);
	rc = put(share, w, *round, &head, mine);
	if (!rc)
		rc = lagoon_clock(w);
	if (!rc)
		rc = lagoon_barrier(w);
	if (!rc)
		rc = get(share, w, *round, all);
	return rc;
}

/* Which meeting the others are at is not known here: both rows tell. */
void lgn_share_fail(const struct lgn_share *share, struct lagoon_worker *w,
		    int rc)
{
	struct head head = { 0 };
	char text[512];

	snprintf(text, sizeof(text), "%s", lagoon_errmsg());
	set_status(&head, rc);
	put(share, w, 0, &head, NULL);
	put(share, w, 1, &head, NULL);
	lgn_errmsg_set(text);
}
