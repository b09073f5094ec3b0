/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the layers above may ask about RDMA without knowing verbs. Complete in
 * a build without RDMA libraries, where it says so.
 */
#ifndef LGN_VERBS_RDMA_H
#define LGN_VERBS_RDMA_H

#include <stddef.h>

#include "numa/place.h"

/* Devices, ports, GIDs, atomics, limits, distance, and which one would be
 * chosen for shards on NUMA node `near` (-1: anywhere) and why; or why none.
 * As snprintf. */
int lgn_rdma_print(const struct lgn_topo *topo, int near, char *buf, size_t len);

#endif
