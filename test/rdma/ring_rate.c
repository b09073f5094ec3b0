/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast a dense push goes through a ring (row R5 of bench/rdma.sh): rank 1
 * sends so many bytes to rank 0 in records as large as may be, each of which
 * rank 0 adds to memory of its own, and waits until all are applied. Prints
 * MiB/s, the median of the repeats.
 *
 *	ring_rate [--bytes N] [--repeats N] [--record N] [--apply add|none]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core.h"
#include "runtime/ring.h"
#include "test/support/test.h"

struct record {
	uint64_t first;		/* of the elements behind it */
	uint64_t spare[7];	/* a line: what follows is aligned */
	float delta[];
};

static uint64_t bytes = 8 << 20;
static int repeats = 9;
static uint32_t record_bytes;
static bool add = true;
static float *sum;

static int apply(void *arg, int from, const void *data, uint32_t len)
{
	const struct record *r = data;
	uint32_t n = (len - (uint32_t)sizeof(*r)) / sizeof(float);

	(void)arg;
	(void)from;
	for (uint32_t i = 0; add && i < n; i++)
		sum[r->first + i] += r->delta[i];
	return 0;
}

static void push(struct lgn_ring *ring, const float *delta)
{
	const uint32_t most = (lgn_ring_most(ring) - (uint32_t)sizeof(struct record)) /
		sizeof(float);
	const uint64_t n = bytes / sizeof(float);

	for (uint64_t at = 0; at < n; at += most) {
		uint32_t some = n - at < most ? (uint32_t)(n - at) : most;
		uint32_t len = (uint32_t)(sizeof(struct record) + some * sizeof(float));
		struct record *r;
		void *to;

		t_ok(lgn_ring_reserve(ring, 0, len, &to), "reserve");
		r = to;
		r->first = at;
		memcpy(r->delta, delta + at, some * sizeof(float));
		t_ok(lgn_ring_commit(ring, 0, len, NULL), "commit");
	}
	t_ok(lgn_ring_flush(ring), "flush");
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(struct lgn_ring *ring, const float *delta)
{
	double *rate = calloc((size_t)repeats, sizeof(*rate));

	T_CHECK(rate, "no memory");
	push(ring, delta);
	for (int i = 0; i < repeats; i++) {
		uint64_t start = t_now_ns();

		push(ring, delta);
		rate[i] = (double)bytes / 1048576 /
			(1e-9 * (double)(t_now_ns() - start));
	}
	qsort(rate, (size_t)repeats, sizeof(*rate), by_size);
	printf("%.4g\n", rate[repeats / 2]);
	free(rate);
}

static void options(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--bytes"))
			bytes = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--repeats"))
			repeats = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--record"))
			record_bytes = (uint32_t)atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--apply"))
			add = !strcmp(argv[i + 1], "add");
		else
			t_die("%s: no such option", argv[i]);
	}
}

int main(int argc, char **argv)
{
	struct lgn_ring_attr attr = { .apply = apply };
	struct lagoon_attr job;
	struct lgn_ring *ring;
	float *delta;

	options(argc, argv);
	t_begin("ring_rate", 64);
	t_ok(lagoon_attr_init(&job), "attr_init");
	t_open(&job, NULL);
	delta = calloc(1, bytes);
	sum = calloc(1, bytes);
	T_CHECK(delta && sum, "no memory");
	for (uint64_t i = 0; i < bytes / sizeof(float); i++)
		delta[i] = 1;
	attr.record_bytes = record_bytes;
	t_ok(lgn_ring_open(t_lg, &attr, &ring), "ring_open");
	if (t_lg->rank == 1)
		measure(ring, delta);
	t_ok(lgn_board_sync(t_lg), "sync");
	for (uint64_t i = 0; add && !t_lg->rank && i < bytes / sizeof(float); i++)
		T_CHECK(sum[i] == (float)repeats + 1, "element %llu is %g",
			(unsigned long long)i, (double)sum[i]);
	t_close();
	free(delta);
	free(sum);
	return 0;
}
