/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/logistic/account.h"
#include "runtime/base/status.h"

static int no_memory(int n)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for the account of %d workers", n);
}

int lgn_account_open(struct lagoon_logistic_result *r, struct lagoon *lg,
		     const char *const *names)
{
	r->ranks = lagoon_size(lg);
	r->workers = lagoon_workers(lg);
	r->waited_ns = calloc((size_t)r->ranks, sizeof(*r->waited_ns));
	r->worker_waited_ns = calloc((size_t)r->workers,
				     sizeof(*r->worker_waited_ns));
	r->table = calloc(LGN_ACCOUNT_TABLES, sizeof(*r->table));
	r->wire.size = sizeof(r->wire);
	if (!r->waited_ns || !r->worker_waited_ns || !r->table)
		return no_memory(r->workers);
	for (int i = 0; i < LGN_ACCOUNT_TABLES; i++)
		snprintf(r->table[i].name, sizeof(r->table[i].name), "%s", names[i]);
	return 0;
}

static void add_stats(const struct lagoon_stats *from, struct lagoon_stats *to)
{
	to->size = sizeof(*to);
	to->pulls += from->pulls;
	to->rows_pulled += from->rows_pulled;
	to->adds += from->adds;
	to->rows_added += from->rows_added;
	to->page_uses += from->page_uses;
	to->cache_hits += from->cache_hits;
	to->pages_read += from->pages_read;
	to->pages_ahead += from->pages_ahead;
	to->words_pushed += from->words_pushed;
	to->flushes += from->flushes;
	to->rejected += from->rejected;
	to->uncertain += from->uncertain;
	to->wait_ns += from->wait_ns;
	for (int i = 0; i < LAGOON_AGES; i++)
		to->ages[i] += from->ages[i];
	to->unpushed = fmax(to->unpushed, from->unpushed);
}

static void add_wire(const struct lagoon_wire_counts *from,
		     struct lagoon_wire_counts *to)
{
	to->posts += from->posts;
	to->gets += from->gets;
	to->puts += from->puts;
	to->adds += from->adds;
	to->cas += from->cas;
	to->get_bytes += from->get_bytes;
	to->put_bytes += from->put_bytes;
	to->add_bytes += from->add_bytes;
	to->cas_bytes += from->cas_bytes;
	if (from->name[0])
		memcpy(to->name, from->name, sizeof(to->name));
}

static int take(struct lagoon *lg, struct lagoon_table *const *tables,
		struct lgn_account *mine)
{
	int rc = lagoon_wire_stats(lg, &mine->wire);

	for (int i = 0; i < LGN_ACCOUNT_TABLES && !rc; i++) {
		mine->table[i].size = sizeof(mine->table[i]);
		if (tables[i])
			rc = lagoon_table_stats(tables[i], &mine->table[i]);
	}
	return rc;
}

static void fill(const struct lgn_account *all, struct lagoon_logistic_result *r)
{
	for (int w = 0; w < r->workers; w++) {
		r->worker_waited_ns[w] = all[w].waited_ns;
		add_wire(&all[w].wire, &r->wire);
		for (int i = 0; i < LGN_ACCOUNT_TABLES; i++)
			add_stats(&all[w].table[i], &r->table[i].stats);
	}
	r->tables = LGN_ACCOUNT_TABLES;
	r->stats = r->table[0].stats;
}

int lgn_account_tell(struct lagoon_worker *w, struct lagoon *lg,
		     const struct lgn_share *share, bool first,
		     struct lagoon_table *const *tables,
		     struct lagoon_logistic_result *r)
{
	struct lgn_account mine = {
		.wire.size = sizeof(mine.wire),
		.waited_ns = lagoon_worker_waited(w),
	};
	struct lgn_account *all = calloc((size_t)r->workers, sizeof(*all));
	uint32_t round = 0;
	int rc = all ? 0 : no_memory(r->workers);

	if (!rc && first)
		rc = take(lg, tables, &mine);
	rc = lgn_share_meet(share, w, &round, rc, &mine, all);
	if (!rc && first)
		fill(all, r);
	free(all);
	return rc;
}
