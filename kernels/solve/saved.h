/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What solvers that make checkpoints between two epochs have in common: when one
 * is due, and whether one that is there is of the same data.
 */
#ifndef LGN_SOLVE_SAVED_H
#define LGN_SOLVE_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/lagoon.h"

/* The options checkpoint, every, interrupted and interrupted_arg. */
struct lgn_saving {
	const char *checkpoint;
	uint64_t every;
	int (*interrupted)(void *arg);
	void *arg;
};

/* All rows of all workers. */
struct lgn_saved_data {
	uint64_t rows, entries, features;
	int64_t classes;	/* 0 without */
};

/* LAGOON_EINVAL for every without checkpoint. */
int lgn_saving_check(const struct lgn_saving *o);

/* Asked in each worker, which tells the others. */
int lgn_saving_is_interrupted(const struct lgn_saving *o);

/* After this epoch? The same in every worker. */
bool lgn_saving_is_due(const struct lgn_saving *o, int epoch, int interrupted);

/* The checkpoint in dir was made of this data after so many epochs. */
int lgn_saved_check(const char *dir, const struct lgn_saved_data *was,
		    const struct lgn_saved_data *here, int epoch, int most);

/* lagoon_restore(), which makes this table again, too: NULL if the checkpoint has
 * none. Of another fit it has another shape, and that is for the caller to say. */
int lgn_saved_restore(struct lagoon *lg, const char *dir, const char *name,
		      void *state, size_t *bytes, struct lagoon_table **table);

#endif
