/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_SCHED_HOST_SIM_H
#define TEST_SCHED_HOST_SIM_H

/* The NUMA node of a process's shard: one home for each node that has one. */
void host_set_numa(int proc, int node);

#endif
