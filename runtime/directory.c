/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/core.h"
#include "runtime/directory.h"

struct directory {
	struct lgn_board_keys board;	/* rank 0's only */
	struct lgn_key control;		/* for the node's other processes */
	struct lgn_directory_entry entry[LGN_TABLES];
};
_Static_assert(sizeof(struct lgn_directory_entry) % 8 == 0 &&
	       offsetof(struct directory, entry) % 8 == 0, "whole words");

int lgn_directory_make(struct lagoon *lg, const struct lgn_board_keys *board,
		       struct lgn_key *key)
{
	int rc = lgn_memory(lg, sizeof(struct directory), LGN_ACC_READ,
			    &lg->dir_mem);

	if (rc)
		return rc;
	((struct directory *)lg->dir_mem.addr)->board = *board;
	((struct directory *)lg->dir_mem.addr)->control = lg->node.control_mem.key;
	*key = lg->dir_mem.key;
	return 0;
}

/* GET part of a directory into out, through registered memory. */
static int read_part(struct lagoon *lg, struct lgn_rmem *dir, uint64_t off,
		     void *out, uint32_t len)
{
	struct lgn_wr wr = { .mem = dir, .off = off, .len = len, .op = LGN_GET };
	struct lgn_batch batch = { .wr = &wr, .n = 1 };
	struct lgn_mem in;
	int rc = lgn_memory(lg, len, LGN_ACC_LOCAL, &in);

	if (rc)
		return rc;
	wr.local = in.addr;
	wr.buf = &in;
	rc = lgn_wire_run(lg->wire, &batch, lg->timeout_s);
	if (!rc)
		memcpy(out, in.addr, len);
	lg->wire->ops->unreg(lg->wire, &in);
	return rc;
}

int lgn_directory_attach_board(struct lagoon *lg)
{
	struct lgn_board_keys keys;
	struct lgn_rmem dir;
	int rc = lg->wire->ops->attach(lg->wire, 0, &lg->member[0].dir, &dir);

	if (rc)
		return rc;
	rc = read_part(lg, &dir, offsetof(struct directory, board), &keys,
		       sizeof(keys));
	lg->wire->ops->detach(&dir);
	return rc ? rc : lgn_board_attach(lg, &keys);
}

int lgn_directory_attach(struct lagoon *lg)
{
	int rc = 0;

	lg->dir = calloc((size_t)lg->homes, sizeof(*lg->dir));
	if (!lg->dir)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d homes", lg->homes);
	for (int i = 0; !rc && i < lg->homes; i++)
		rc = lg->wire->ops->attach(lg->wire, lg->home_rank[i],
					   &lg->member[lg->home_rank[i]].dir,
					   &lg->dir[i]);
	return rc;
}

int lgn_directory_control(struct lagoon *lg, int rank, struct lgn_key *key)
{
	for (int i = 0; i < lg->homes; i++)
		if (lg->home_rank[i] == rank)
			return read_part(lg, &lg->dir[i],
					 offsetof(struct directory, control),
					 key, sizeof(*key));
	return lgn_fail(LAGOON_EJOB, "rank %d is no home", rank);
}

void lgn_directory_close(struct lagoon *lg)
{
	for (int i = 0; lg->dir && i < lg->homes; i++)
		lg->wire->ops->detach(&lg->dir[i]);
	free(lg->dir);
	lg->wire->ops->unreg(lg->wire, &lg->dir_mem);
}

/* Read by others only after the exchange that ends the creation. */
void lgn_directory_enter(struct lagoon *lg, int slot,
			 const struct lgn_directory_entry *entry)
{
	struct directory *dir = lg->dir_mem.addr;

	if (entry)
		dir->entry[slot] = *entry;
	else
		memset(&dir->entry[slot], 0, sizeof(dir->entry[slot]));
}

int lgn_directory_read(struct lagoon *lg, int home, int slot, const char *name,
		       struct lgn_directory_entry *entry)
{
	uint64_t off = offsetof(struct directory, entry) +
		(uint64_t)slot * sizeof(*entry);
	int rc = read_part(lg, &lg->dir[home], off, entry, sizeof(*entry));

	if (rc)
		return rc;
	if (strncmp(entry->name, name, sizeof(entry->name)))
		return lgn_fail(LAGOON_EJOB,
				"table %s is not in the directory of rank %d",
				name, lg->home_rank[home]);
	return 0;
}
