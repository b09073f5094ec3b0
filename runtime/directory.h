/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The directory: a registered region in every process, found through its card
 * and read by GET. It says where rank 0's board is, and for each table where
 * the shard that lives here is.
 */
#ifndef LGN_RUNTIME_DIRECTORY_H
#define LGN_RUNTIME_DIRECTORY_H

#include "runtime/board.h"
#include "runtime/lagoon.h"

struct lgn_directory_entry {
	char name[LAGOON_NAME_MAX + 1];	/* "": free */
	struct lgn_key shard;
	struct lgn_key cache;		/* for the node's other processes */
};

int lgn_directory_make(struct lagoon *lg, const struct lgn_board_keys *board,
		       struct lgn_key *key);
/* Read rank 0's directory and attach the board that it names. */
int lgn_directory_attach_board(struct lagoon *lg);
/* Attach the homes' directories. */
int lgn_directory_attach(struct lagoon *lg);
/* What the home of that rank says about its node. */
int lgn_directory_control(struct lagoon *lg, int rank, struct lgn_key *key);
void lgn_directory_close(struct lagoon *lg);

/* Enter or clear (entry NULL) a table in my directory. */
void lgn_directory_enter(struct lagoon *lg, int slot,
			 const struct lgn_directory_entry *entry);

/* Read the entry of a home. LAGOON_EJOB if it is not this table's. */
int lgn_directory_read(struct lagoon *lg, int home, int slot, const char *name,
		       struct lgn_directory_entry *entry);

#endif
