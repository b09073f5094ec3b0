/* SPDX-License-Identifier: BSD-3-Clause */
/* A build without RDMA libraries: the null wire, which says so at open(). */
#include <stdio.h>

#include "runtime/base/status.h"
#include "verbs/rdma.h"
#include "verbs/wire.h"

static int none_open(const struct lgn_wire_near *near,
		     struct lgn_wire_addr *mine, struct lgn_wire **wire)
{
	(void)near;
	(void)mine;
	(void)wire;
	return lgn_fail(LAGOON_ENODEV,
			"this Lagoon was built without RDMA libraries: run all processes on one machine, or build it with libibverbs and librdmacm");
}

/* Nothing but open() is ever reached. */
const struct lgn_wire_ops lgn_wire_rc = {
	.name = "rc",
	.open = none_open,
};

int lgn_rdma_print(const struct lgn_topo *topo, int near, char *buf, size_t len)
{
	(void)topo;
	(void)near;
	return snprintf(buf, len, 
			"chosen          none: this build is without RDMA: configure it where libibverbs and librdmacm are\n");
}
