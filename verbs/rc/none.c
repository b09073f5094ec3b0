/* SPDX-License-Identifier: BSD-3-Clause */
/* What a build without RDMA libraries has instead of this folder. */
#include <stdio.h>

#include "verbs/rdma.h"

int lgn_rdma_print(const struct lgn_topo *topo, int near, char *buf, size_t len)
{
	(void)topo;
	(void)near;
	return snprintf(buf, len,
			"chosen          none: this build is without RDMA: configure it where libibverbs and librdmacm are\n");
}
