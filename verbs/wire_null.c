/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wire that reaches nobody: a complete table in which every entry says
 * so. Others start from it, so no entry is ever NULL.
 */
#include <stdlib.h>

#include "runtime/base/status.h"
#include "verbs/wire.h"

static int no(const char *what)
{
	return lgn_fail(LAGOON_ENOTSUP, "the null wire cannot %s", what);
}

static int null_open(const struct lgn_wire_near *near,
		     struct lgn_wire_addr *mine, struct lgn_wire **wire)
{
	struct lgn_wire *w = calloc(1, sizeof(*w));

	(void)near;
	if (!w)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a wire");
	*mine = (struct lgn_wire_addr){ { 0 } };
	w->ops = &lgn_wire_null;
	w->max_batch = 1;
	*wire = w;
	return 0;
}

static int null_start(struct lgn_wire *wire, const struct lgn_wire_config *config,
		      const struct lgn_wire_addr *all, const int *node_of)
{
	(void)wire;
	(void)all;
	(void)node_of;
	return config->size == 1 ? 0 : no("connect processes");
}

static void null_quiet(struct lgn_wire *wire)
{
	(void)wire;
}

static void null_close(struct lgn_wire *wire)
{
	free(wire);
}

static int null_reg(struct lgn_wire *wire, const struct lgn_mem_want *want,
		    struct lgn_mem *mem)
{
	(void)wire;
	(void)want;
	(void)mem;
	return no("register memory");
}

static void null_unreg(struct lgn_wire *wire, struct lgn_mem *mem)
{
	(void)wire;
	(void)mem;
}

static int null_attach(struct lgn_wire *wire, int peer,
		       const struct lgn_key *key, struct lgn_rmem *mem)
{
	(void)wire;
	(void)peer;
	(void)key;
	(void)mem;
	return no("attach memory");
}

static void null_detach(struct lgn_rmem *mem)
{
	(void)mem;
}

static int null_post(struct lgn_wire *wire, struct lgn_batch *batch)
{
	(void)wire;
	(void)batch;
	return no("carry requests");
}

static void null_poll(struct lgn_wire *wire)
{
	(void)wire;
}

static const char *null_why(struct lgn_wire *wire, int peer)
{
	(void)wire;
	(void)peer;
	return "";
}

static int null_hear(struct lgn_wire *wire, struct lgn_bell *bell, int n)
{
	(void)wire;
	(void)bell;
	(void)n;
	return 0;
}

static void null_hush(struct lgn_wire *wire)
{
	(void)wire;
}

static int null_mend(struct lgn_rmem *mem)
{
	(void)mem;
	return no("mend a way");
}

static void null_poke(struct lgn_wire *wire, int peer)
{
	(void)wire;
	(void)peer;
}

const struct lgn_wire_ops lgn_wire_null = {
	.name = "null",
	.open = null_open,
	.start = null_start,
	.quiet = null_quiet,
	.close = null_close,
	.reg = null_reg,
	.unreg = null_unreg,
	.attach = null_attach,
	.detach = null_detach,
	.post = null_post,
	.poll = null_poll,
	.why = null_why,
	.hear = null_hear,
	.hush = null_hush,
	.mend = null_mend,
	.poke = null_poke,
};
