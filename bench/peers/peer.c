/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows and how they are timed. Standard output gets one line a sample:
 *
 *	sample ROW PEER BYTES OPS CALLS SECONDS TWIN_CALLS TWIN_SECONDS PINGPONG_NS
 *
 * BYTES of an operation, OPS of a call (of both processes); then "done PEER".
 * The environment:
 *
 *	PEER_SHM	a file in memory, empty, the same for both processes
 *	PEER_NAME	instead of the library's own
 *	PEER_TARGET	"library": the target waits within it; else it sleeps
 *	PEER_SAMPLES	of each row [9]
 *	PEER_ONLY	just this row
 */
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/peers/rows.h"

enum { ROUND_TRIPS = 2000 };	/* of a ping-pong */

/* A sample is shorter than a time slice: most are either not disturbed by other
 * programs or clearly so. */
enum { SAMPLE_NS = 2000000, TOUCH_NS = 200000000, IDLE_NS = 200000,
	AGAIN_NS = 150000000 };

enum command { IDLE, PING, ADD_BOTH, TWIN_BOTH, QUIT };

void peer_die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", peer.name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static const char *env(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static void map_shared(struct side *s)
{
	const char *path = env("PEER_SHM", "");
	int fd = open(path, O_RDWR);

	if (fd < 0)
		peer_die("PEER_SHM: cannot open '%s'", path);
	if (ftruncate(fd, sizeof(*s->sh)))
		peer_die("PEER_SHM: no room");
	s->sh = mmap(NULL, sizeof(*s->sh), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, fd, 0);
	if (s->sh == MAP_FAILED)
		peer_die("PEER_SHM: cannot map");
	close(fd);
}

/* The calling thread to the role-th core that it may use. */
static void pin(int role)
{
	cpu_set_t all, mine;
	int k = 0;

	if (sched_getaffinity(0, sizeof(all), &all) || CPU_COUNT(&all) < 2)
		return;
	CPU_ZERO(&mine);
	for (int c = 0; c < CPU_SETSIZE; c++)
		if (CPU_ISSET(c, &all) && k++ == role)
			CPU_SET(c, &mine);
	sched_setaffinity(0, sizeof(mine), &mine);
}

/* How often the thread has lost its core to another. */
static long losses(void)
{
	struct rusage use;

	getrusage(RUSAGE_THREAD, &use);
	return use.ru_nivcsw;
}

/* ----------------------------------------------------------- the two sides */

static void meet(struct side *s)
{
	int left = atomic_fetch_add(&s->sh->ready, 1);

	/* Both have come when the count is even again. */
	while (left % 2 == 0 && atomic_load(&s->sh->ready) == left + 1)
		;
}

static void bounce(struct side *s)
{
	for (uint64_t i = 0; i < ROUND_TRIPS; i++) {
		if (s->role)
			atomic_store(&s->sh->ball, 2 * i + 1);
		while (atomic_load(&s->sh->ball) != 2 * i + (s->role ? 2 : 1))
			;
		if (!s->role)
			atomic_store(&s->sh->ball, 2 * i + 2);
	}
}

/* One side's part of a command. */
static void obey(struct side *s, int command, uint64_t calls)
{
	meet(s);
	if (command == PING)
		bounce(s);
	for (uint64_t i = 0; command == ADD_BOTH && i < calls; i++)
		rows_add_list(s);
	for (uint64_t i = 0; command == TWIN_BOTH && i < calls; i++)
		rows_twin_add_list(s);
	atomic_store(&s->sh->end_ns[s->role], now_ns());
	if (s->role)
		atomic_store(&s->sh->target_losses, losses());
}

/* The driver: both do it. Returns the time from meeting to the later end. */
static uint64_t together(struct side *s, int command, uint64_t calls)
{
	struct shared *sh = s->sh;
	uint64_t order = atomic_load(&sh->order) + 1, start, end[2];

	atomic_store(&sh->ball, 0);
	atomic_store(&sh->calls, calls);
	atomic_store(&sh->command, command);
	atomic_store(&sh->order, order);
	if (command == QUIT)
		return 0;
	while (atomic_load(&sh->ready) % 2 == 0)
		;			/* the target wakes up */
	start = now_ns();
	obey(s, command, calls);
	while (atomic_load(&sh->finished) != order)
		;
	end[0] = atomic_load(&sh->end_ns[0]);
	end[1] = atomic_load(&sh->end_ns[1]);
	return (end[0] > end[1] ? end[0] : end[1]) - start;
}

static double pingpong_ns(struct side *s)
{
	return (double)together(s, PING, 0) / ROUND_TRIPS;
}

static void target(struct side *s)
{
	const struct timespec nap = { 0, IDLE_NS };
	bool inside = !strcmp(env("PEER_TARGET", ""), "library");
	struct shared *sh = s->sh;

	for (uint64_t seen = 0;;) {
		uint64_t order = atomic_load(&sh->order);
		int command = atomic_load(&sh->command);

		if (order == seen) {
			if (inside)
				peer.progress();
			else
				nanosleep(&nap, NULL);
			continue;
		}
		if (command == QUIT)
			return;
		obey(s, command, atomic_load(&sh->calls));
		seen = order;
		atomic_store(&sh->finished, order);
	}
}

/* -------------------------------------------------------------- the timing */

static uint64_t timed(struct side *s, void (*call)(struct side *s),
		      uint64_t calls)
{
	uint64_t start = now_ns();

	for (uint64_t i = 0; i < calls; i++) {
		call(s);
		/* what was read is wanted */
		__asm__ __volatile__("" : : "r"(s->out) : "memory");
	}
	return now_ns() - start;
}

/* Calls that take about SAMPLE_NS when nobody disturbs; warms up. */
static uint64_t calibrate(struct side *s, void (*call)(struct side *s))
{
	uint64_t calls = 1, best, ns;

	for (;; calls *= 2) {
		best = timed(s, call, calls);
		for (int i = 0; i < 2 && best < 4 * SAMPLE_NS; i++) {
			ns = timed(s, call, calls);
			best = ns < best ? ns : best;
		}
		if (best >= SAMPLE_NS / 2)
			break;
	}
	calls = calls * SAMPLE_NS / best;
	return calls ? calls : 1;
}

/* Touch every page, so that no sample pays for that; libraries in which that
 * takes long do not map the target's memory. */
static void touch(struct side *s)
{
	enum { STEP = 512 };
	const uint64_t limit = now_ns() + TOUCH_NS;
	uint64_t list[ROWS_SINGLES], row = 0;

	while (row < PEER_ROWS && now_ns() < limit) {
		size_t n = 0;

		for (; n < ROWS_SINGLES && row < PEER_ROWS; row += STEP)
			list[n++] = row;
		if (peer.add)
			peer.add(list, n);
		if (peer.sparse_add)
			peer.sparse_add(list, n, s->given);
	}
}

/* As many as the peer's: who touches more memory between two turns finds more
 * of its own in the cache. But not fewer than can be timed. */
static uint64_t twin_calls_for(struct side *s, const struct row *row,
			       uint64_t calls)
{
	uint64_t most = calibrate(s, row->twin);

	if (calls > most)
		return most;
	return calls > most / 8 ? calls : most / 8 + 1;
}

static void sample(const struct row *row, uint64_t calls, uint64_t ns,
		   uint64_t twin_calls, uint64_t twin_ns, double ping)
{
	printf("sample %s %s %llu %llu %llu %.9f %llu %.9f %.1f\n", row->name,
	       env("PEER_NAME", peer.name), (unsigned long long)row->bytes,
	       (unsigned long long)row->ops, (unsigned long long)calls,
	       (double)ns * 1e-9, (unsigned long long)twin_calls,
	       (double)twin_ns * 1e-9, ping);
	fflush(stdout);
}

/* A sample in which a process lost its core is taken again, as long as there
 * is time for that. */
static bool again(const struct side *s, long before, uint64_t *left_ns,
		  uint64_t used_ns)
{
	if (losses() + atomic_load(&s->sh->target_losses) == before)
		return false;
	*left_ns -= used_ns < *left_ns ? used_ns : *left_ns;
	return *left_ns > 0;
}

static void measure(struct side *s, const struct row *row, int samples)
{
	uint64_t calls = calibrate(s, row->ours);
	uint64_t twin_calls = twin_calls_for(s, row, calls);
	uint64_t left_ns = AGAIN_NS, ns, twin_ns;
	double ping;
	long before;

	if (row->both)
		together(s, ADD_BOTH, calls / 4 + 1);
	for (int i = 0; i < samples; i++) {
		do {
			ping = pingpong_ns(s);
			before = losses() + atomic_load(&s->sh->target_losses);
			twin_ns = row->both ?
				together(s, TWIN_BOTH, twin_calls) :
				timed(s, row->twin, twin_calls);
			ns = row->both ? together(s, ADD_BOTH, calls) :
				timed(s, row->ours, calls);
		} while (again(s, before, &left_ns, ns + twin_ns));
		sample(row, calls, ns, twin_calls, twin_ns, ping);
	}
}

/* The library does what it is timed for. */
static void check(struct side *s)
{
	const uint64_t few[] = { 3, 5, 3, PEER_ROWS - 1 };

	if (peer.add && peer.get) {
		int64_t before = peer.get(few, 4);

		peer.add(few, 4);
		if (peer.get(few, 4) - before != 6)
			peer_die("check: added 6, found %lld",
				 (long long)(peer.get(few, 4) - before));
	}
	if (!peer.sparse_add || !peer.sparse_get)
		return;
	peer.sparse_add(s->list, PEER_LIST, s->given);
	peer.sparse_get(s->list, PEER_LIST, s->out);
	for (int i = 0; i < PEER_LIST; i++) {
		double x = peer.integers ?
			(double)((int64_t *)s->out)[i] / PEER_SCALE : s->out[i];

		if (fabs(x - s->delta[i]) > 2 / PEER_SCALE)
			peer_die("check: element %llu is %.12g, not %.12g",
				 (unsigned long long)s->list[i], x, s->delta[i]);
	}
}

static void drive(struct side *s)
{
	struct row rows[ROWS_COUNT];
	int samples = atoi(env("PEER_SAMPLES", "9"));
	const char *only = env("PEER_ONLY", "");

	check(s);
	touch(s);
	rows_list(rows);
	for (int i = 0; i < ROWS_COUNT; i++) {
		const struct row *row = &rows[i];

		if (!row->has || (*only && strcmp(only, row->name)))
			continue;
		measure(s, row, samples);
	}
	together(s, QUIT, 0);
	printf("done %s\n", env("PEER_NAME", peer.name));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct side s;

	s.role = peer.open(argc, argv);
	pin(s.role);
	map_shared(&s);
	rows_prepare(&s);
	meet(&s);
	if (s.role)
		target(&s);
	else
		drive(&s);
	peer.close();
	return 0;
}
