/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line, and the benchmarks by name. */
#ifndef LGN_BENCH_OPTIONS_H
#define LGN_BENCH_OPTIONS_H

#include "bench/bench.h"

/* The sub-command: argv[0] is its title, the result its exit status. */
int tool_bench(int argc, char **argv);

/* Fills b->test (NULL: --list) and b->o from b->argc, b->argv. A wrong option
 * ends the program with status 2 and a sentence. */
int bench_options_parse(struct bench *b);

/* scale, on 1 to n pretended nodes: jobs of their own. Exit status. */
int bench_scale_nodes(struct bench *b);

extern const struct bench_test bench_get_lat, bench_get_bw, bench_add_lat,
	bench_add_rate, bench_clock, bench_barrier, bench_counter,
	bench_incast, bench_sparse_get, bench_sparse_add, bench_dense_add,
	bench_dense_apply, bench_sgd, bench_ssp, bench_scale, bench_mates,
	bench_numa, bench_start;

#endif
