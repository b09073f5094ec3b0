/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every job test uses: failing, sizes, seeds, random numbers, memory
 * that all processes of the job share apart from Lagoon, and opening.
 *
 *	t_begin("name", sizeof(struct mine));
 *	t_open(&attr, NULL);             lagoon_open(), or the wire under test
 *	struct mine *mine = t_shared;    the same bytes in every process
 *
 * A test that fails prints one sentence and ends its process at once with
 * status 1, without lagoon_close(). There is no limit on waits in here: the
 * launch script has one.
 */
#ifndef TEST_SUPPORT_TEST_H
#define TEST_SUPPORT_TEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/lagoon.h"

#define T_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define T_COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { T_SKIP = 77 };

extern void *t_shared;		/* zeroed; as long as t_begin() said. Processes
				 * on several machines: LAGOON_TEST_SHARED
				 * names the file, see test/rdma/vm */
extern struct lagoon *t_lg;	/* what t_open() opened */

/* Before t_open(), once, in every process alike. */
void t_begin(const char *name, size_t shared_bytes);

/* Instead of t_begin(), for a test that opens by itself: what t_die() says. */
void t_name(const char *name, int rank);

typedef int (*t_open_fn)(const struct lagoon_attr *attr, struct lagoon **lg);

/* Open with `open`, or lagoon_open() for NULL; sets t_lg, or fails. With
 * LAGOON_TEST_RANK and _SIZE set (test/support/spawn) the processes find
 * each other through attr->allgather, otherwise by the launcher. */
void t_open(struct lagoon_attr *attr, t_open_fn open);

/* The same without t_open()'s judgement: returns what open returned. */
int t_try_open(struct lagoon_attr *attr, t_open_fn open, struct lagoon **lg);

/* This process's rank as the launcher says, -1 without one. */
int t_rank(void);

/* How many workers this process has by a list "2,1,3" that is dealt to the
 * ranks, round and round. Before t_open(), from the launcher's environment. */
int t_workers(const char *list);

/* Close, or fail. */
void t_close(void);

/* Say what failed and end this process with status 1. */
_Noreturn void t_die(const char *fmt, ...) T_PRINTF(1, 2);

/* What t_die() says after its sentence, from now on: the case that runs. */
void t_context(const char *text);

#define T_CHECK(cond, ...) \
	do { if (!(cond)) t_die(__VA_ARGS__); } while (0)

/* rc must be 0; the message of the library is printed otherwise. */
void t_ok(int rc, const char *what);

/* rc must be want, and for an error lagoon_errmsg() must not be empty. */
void t_expect(int rc, int want, const char *what);

/* LAGOON_TEST_SCALE; n scaled by it, at least min. */
double t_scale(void);
uint64_t t_scaled(uint64_t n, uint64_t min);

/* The seed of this run, the same in every process: LAGOON_TEST_SEED, else
 * the time. Rank 0 prints it the first time after t_open(): let that be the
 * main thread. */
uint64_t t_seed(void);

/* Every process waits here for all others, without Lagoon. After t_open(). */
void t_sync(void);

/* End this process with status 0, without lagoon_close(); who is in t_sync()
 * or t_await(), or gets there, ends likewise. */
_Noreturn void t_stop(void);

/* Fork n processes and wait for them: each runs child(its number), which need
 * not return. When one fails, the others are killed, since they would wait for
 * it. Returns this process's exit status. Before a device is touched. */
int t_fork(int n, void (*child)(int number));

/* A new folder that all processes can read, of the same name in each; rank 0
 * makes it. After t_open(), once, by every process. */
const char *t_folder(void);

/* Remove it, with what is in it, in rank 0; nobody may use it any more. */
void t_folder_remove(void);

/* Memory that the children of t_fork() share, zeroed. */
void *t_fork_shared(size_t bytes);

/* Wait until *count, in memory that is shared, is at least n. */
void t_await(const _Atomic int *count, int n);

uint64_t t_now_ns(void);

/* Whether text names the number n as a word of its own after prefix. */
bool t_names(const char *text, const char *prefix, long n);

/* splitmix64: small, and any seed is a good one. */
struct t_rng {
	uint64_t state;
};

static inline uint64_t t_rand(struct t_rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* In [0, n); 0 for n 0. */
static inline uint64_t t_below(struct t_rng *rng, uint64_t n)
{
	return n ? t_rand(rng) % n : 0;
}

/* True once in n. */
static inline bool t_once_in(struct t_rng *rng, uint64_t n)
{
	return t_below(rng, n) == 0;
}

static inline uint64_t t_mix(uint64_t a, uint64_t b)
{
	struct t_rng rng = { a * 0x9e3779b97f4a7c15u ^ (b + 0x632be59bd9b4e019u) };

	return t_rand(&rng);
}

#endif
