/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same sums, bit for bit, whether workers are used from an OpenMP region,
 * from the main thread one after the other, or by lagoon_run(); and two parts
 * of the ranks with a job each at the same time.
 */
/* launch: -n 4 -- own */
/* launch: -n 4 -- pmix */
/* launch: alone -- own */
#include <string.h>

#include "test/mpi/host.h"

enum { ROWS = 500, ROUNDS = 5 };

enum form { TEAM, MAIN, RUN, FORMS };

static const char *const form_name[] = {
	"a team", "the main thread", "lagoon_run()",
};

/* Deltas that no table holds exactly. */
static void add(struct lagoon_worker *w, struct lagoon_table *t, int round)
{
	double d[ROWS];

	for (int i = 0; i < ROWS; i++)
		d[i] = 1.0 / (3 + i + 7 * round + 13 * lagoon_worker_id(w));
	t_ok(lagoon_add(w, t, 0, ROWS, d), "add");
	t_ok(lagoon_clock(w), "clock");
}

static int work(struct lagoon_worker *w, void *t)
{
	for (int r = 0; r < ROUNDS; r++)
		add(w, t, r);
	return 0;
}

static void use(struct lagoon *lg, struct lagoon_table *t, enum form form)
{
	switch (form) {
	case TEAM:
		#pragma omp parallel
		work(host_worker(lg, omp_get_thread_num()), t);
		break;
	case MAIN:
		for (int r = 0; r < ROUNDS; r++)
			for (int i = 0; i < HOST_TEAM; i++)
				add(host_worker(lg, i), t, r);
		break;
	default:
		t_ok(lagoon_run(lg, work, t), "run");
	}
}

struct result {
	struct lagoon_table *t;
	struct lagoon_worker *reader;
	double *out;
};

static int read_all(struct lagoon_worker *w, void *arg)
{
	struct result *result = arg;

	if (w == result->reader)
		t_ok(lagoon_pull(w, result->t, 0, ROWS, result->out), "pull");
	return 0;
}

static void sums(struct lagoon *lg, enum form form, double *out)
{
	struct result result = { .reader = host_worker(lg, 0), .out = out };
	struct lagoon_table_attr shape;

	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	t_ok(lagoon_table_create(lg, "sums", &shape, &result.t), "table");
	use(lg, result.t, form);
	t_ok(lagoon_run(lg, read_all, &result), "run");
	t_ok(lagoon_close(lg), "close");
}

static void same_bits(void)
{
	static double first[ROWS], got[ROWS];
	MPI_Comm world = MPI_COMM_WORLD;
	struct lagoon_attr attr;
	struct lagoon *lg;

	for (int form = 0; form < FORMS; form++) {
		t_ok(lagoon_attr_init(&attr), "attr_init");
		attr.workers = HOST_TEAM;
		attr.nodes = host_size > 1 ? 2 : 0;
		host_open(&attr, &world, &lg);
		sums(lg, form, got);
		if (form == 0 && host_rank == 0)
			memcpy(first, got, sizeof(first));
		MPI_Bcast(first, ROWS, MPI_DOUBLE, 0, MPI_COMM_WORLD);
		T_CHECK(first[0] > 0, "nothing was added");
		for (int i = 0; i < ROWS; i++)
			T_CHECK(!memcmp(&first[i], &got[i], sizeof(double)),
				"row %d by %s is %a, by %s at rank 0 %a", i,
				form_name[form], got[i], form_name[0], first[i]);
	}
}

static int64_t count(struct lagoon *lg, struct lagoon_table *t, int64_t delta)
{
	int64_t sum = 0;

	#pragma omp parallel
	{
		struct lagoon_worker *w = host_worker(lg, omp_get_thread_num());

		t_ok(lagoon_add(w, t, 0, 1, &delta), "add");
		t_ok(lagoon_barrier(w), "barrier");
		#pragma omp master
		t_ok(lagoon_pull(w, t, 0, 1, &sum), "pull");
	}
	return sum;
}

/* Both are open at once, with tables of one name. */
static void two_jobs(void)
{
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	struct lagoon_attr attr;
	int part = host_rank % 2, size;
	int64_t delta = part ? 100 : 1, sum;
	struct lagoon *lg;
	MPI_Comm comm;

	MPI_Comm_split(MPI_COMM_WORLD, part, host_rank, &comm);
	MPI_Comm_size(comm, &size);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.workers = HOST_TEAM;
	host_open(&attr, &comm, &lg);
	lagoon_table_attr_init(&shape);
	shape.rows = 1;
	shape.format = LAGOON_I64;
	t_ok(lagoon_table_create(lg, "count", &shape, &t), "table");
	MPI_Barrier(MPI_COMM_WORLD);
	sum = count(lg, t, delta);
	T_CHECK(sum == delta * size * HOST_TEAM, "part %d: the sum is %lld",
		part, (long long)sum);
	MPI_Barrier(MPI_COMM_WORLD);
	t_ok(lagoon_close(lg), "close");
	MPI_Comm_free(&comm);
}

int main(int argc, char **argv)
{
	host_begin("sums", &argc, &argv);
	same_bits();
	if (!strcmp(argv[1], "own"))
		two_jobs();
	host_end();
	return 0;
}
