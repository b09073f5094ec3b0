/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rule of a table: its model, and the number that the model has. Numbers
 * are atomics of the table and change at any time, for this process; the
 * model changes when all workers of the job have met (rule.c), since it
 * decides where deltas are and how copies are dated:
 *
 *	model	deltas wait in		a copy is dated by	needs
 *	ssp	delta words		the floor
 *	essp	delta words		the floor		used[]
 *	psp	delta words		a tick; see sample.h	samples
 *	asp	delta words		the reader's round
 *	vap	delta words		the reader's round
 *	bsp	rows of each worker	the floor		rows
 *
 * (in place, all but bsp have no delta words, and nobody has copies). After a
 * change nothing waits anywhere and the epoch is a new one, so that copies
 * dated under the old model serve nobody.
 */
#ifndef LGN_RUNTIME_RULE_H
#define LGN_RUNTIME_RULE_H

#include "runtime/core.h"

const char *lgn_model_name(int model);

/* Whether the model has a staleness bound to set. */
static inline bool lgn_model_has_bound(int model)
{
	return model == LAGOON_SSP || model == LAGOON_ESSP ||
		model == LAGOON_PSP;
}

/* Of a table of that name: is model legal, and are its numbers? */
int lgn_rule_read(const char *name, const struct lagoon_table_attr *attr,
		  struct lgn_rule *rule);

/* What the table follows now. */
struct lgn_rule lgn_rule_now(const struct lagoon_table *t);

/* Memory that the model needs and the table does not have yet; it is kept. */
int lgn_rule_room(struct lagoon_table *t, int model);
void lgn_rule_free(struct lagoon_table *t);

/* From now on the table follows the rule. Nothing waits to be sent, no worker
 * is in a call. */
void lgn_rule_set(struct lagoon_table *t, const struct lgn_rule *rule);

/* A table comes (1) or goes (-1): count its model. */
void lgn_rule_count(struct lagoon_table *t, int by);

/* Processes whose workers had left when models changed hear of it.
 * Collective: every process, outside lagoon_run(). */
int lgn_rules_agree(struct lagoon *lg);

#endif
