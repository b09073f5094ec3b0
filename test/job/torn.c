/* launch: -n 4 --nodes 4 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words are never torn, and sums are exact: all processes read words of rank
 * 0 and add to the same words at once, by the wire, while a thread of rank 0
 * loads them. Every delta is the same number in both halves of a word, so
 * the halves of whatever anybody sees must agree. Links to the internals of
 * liblagoon.
 */
#include <pthread.h>
#include <stdio.h>

#include "runtime/core.h"
#include "test/support/test.h"

enum {
	OWNER = 0,
	WORDS = 512,		/* a READ of them takes several packets */
	HOT = 5,		/* the words that everybody adds to */
	BATCH = 16,		/* a READ, and adds */
	BATCHES = 1500,
	BIGGEST = 1000,
	RANKS = 4,
};

struct shared {
	struct lgn_key key;
	_Atomic uint64_t sum[WORDS];	/* of what was added, of one half */
	_Atomic uint64_t loads;		/* that saw a word change */
	_Atomic int adding;		/* processes that are not done */
};

struct mine {
	struct lgn_rmem words;
	struct lgn_mem buf;
	uint64_t *in;			/* what READs bring: in buf */
	uint64_t *old;			/* what adds bring: in buf */
	uint64_t seen[WORDS];
	uint64_t changes;
};

/* Both halves agree, and a word only grows: of whoever looks, in any order
 * of words. */
static uint64_t look(uint64_t word, uint64_t seen, int i, const char *how)
{
	T_CHECK(word >> 32 == (uint32_t)word, "%s: word %d is torn: %#llx", how,
		i, (unsigned long long)word);
	T_CHECK(word >= seen, "%s: word %d was %#llx and is %#llx", how, i,
		(unsigned long long)seen, (unsigned long long)word);
	return word;
}

static void *load(void *arg)
{
	const uint64_t *word = arg;
	struct shared *shared = t_shared;
	uint64_t seen[WORDS] = { 0 }, changes = 0;

	while (atomic_load(&shared->adding)) {
		for (int i = 0; i < WORDS; i++) {
			uint64_t now = __atomic_load_n(&word[i], __ATOMIC_RELAXED);

			changes += now != seen[i];
			seen[i] = look(now, seen[i], i, "loaded");
		}
	}
	atomic_store(&shared->loads, changes);
	return NULL;
}

/* Mostly the hot words, which lie in all packets of a READ. */
static int word_draw(struct t_rng *rng)
{
	return t_once_in(rng, 3) ? (int)t_below(rng, WORDS)
				 : (int)t_below(rng, HOT) * (WORDS / HOT);
}

/* A READ of all words and adds to some, in flight together. */
static void round_run(struct mine *me, struct t_rng *rng)
{
	struct shared *shared = t_shared;
	struct lgn_wr wr[BATCH] = { {
		.mem = &me->words, .local = me->in, .buf = &me->buf,
		.len = WORDS * 8, .op = LGN_GET,
	} };
	struct lgn_batch batch = { .wr = wr, .n = BATCH };

	for (int i = 1; i < BATCH; i++) {
		uint64_t k = 1 + t_below(rng, BIGGEST);
		int word = word_draw(rng);

		wr[i] = (struct lgn_wr){
			.mem = &me->words, .off = (uint64_t)word * 8,
			.local = &me->old[i], .buf = &me->buf, .len = 8,
			.op = LGN_ADD, .operand = k << 32 | k,
		};
		atomic_fetch_add(&shared->sum[word], k);
	}
	t_ok(lgn_wire_run(t_lg->wire, &batch, 60), "a batch");
	for (int i = 0; i < WORDS; i++) {
		me->changes += me->in[i] != me->seen[i];
		me->seen[i] = look(me->in[i], me->seen[i], i, "read");
	}
	for (int i = 1; i < BATCH; i++)
		look(me->old[i], 0, (int)(wr[i].off / 8), "old value");
}

static void exact(const uint64_t *word)
{
	struct shared *shared = t_shared;

	for (int i = 0; i < WORDS; i++) {
		uint64_t want = shared->sum[i];

		T_CHECK(word[i] == (want << 32 | want), "word %d is %#llx, not %#llx twice",
			i, (unsigned long long)word[i], (unsigned long long)want);
	}
}

static void prepare(struct mine *me, struct lgn_mem *home)
{
	struct shared *shared = t_shared;
	bool owner = lagoon_rank(t_lg) == OWNER;

	T_CHECK(lagoon_size(t_lg) == RANKS, "%d processes", lagoon_size(t_lg));
	if (owner) {
		t_ok(lgn_memory(t_lg, WORDS * 8, LGN_ACC_READ | LGN_ACC_ATOMIC,
				home), "memory for the words");
		shared->key = home->key;
		atomic_store(&shared->adding, RANKS);
	}
	t_ok(lgn_memory(t_lg, (WORDS + BATCH) * 8, LGN_ACC_LOCAL, &me->buf),
	     "memory for what comes back");
	me->in = me->buf.addr;
	me->old = me->in + WORDS;
	t_sync();
	t_ok(t_lg->wire->ops->attach(t_lg->wire, OWNER, &shared->key, &me->words),
	     "attach");
}

int main(void)
{
	static struct mine me;
	struct shared *shared;
	struct lgn_mem home = { 0 };
	struct lagoon_attr attr;
	pthread_t thread;
	struct t_rng rng;

	t_begin("torn", sizeof(struct shared));
	shared = t_shared;
	t_ok(lagoon_attr_init(&attr), "attr_init");
	t_open(&attr, NULL);
	prepare(&me, &home);
	rng.state = t_mix(t_seed(), (uint64_t)lagoon_rank(t_lg));
	if (home.addr)
		T_CHECK(!pthread_create(&thread, NULL, load, home.addr), "a thread");
	t_sync();
	for (uint64_t n = t_scaled(BATCHES, 50); n; n--)
		round_run(&me, &rng);
	atomic_fetch_sub(&shared->adding, 1);
	T_CHECK(me.changes, "no READ saw a word change");
	t_sync();
	if (home.addr) {
		pthread_join(thread, NULL);
		T_CHECK(shared->loads, "no load saw a word change");
		exact(home.addr);
		printf("torn: %llu changes seen by READs of rank 0, %llu by loads\n",
		       (unsigned long long)me.changes,
		       (unsigned long long)shared->loads);
	}
	t_lg->wire->ops->detach(&me.words);
	t_lg->wire->ops->unreg(t_lg->wire, &me.buf);
	t_lg->wire->ops->unreg(t_lg->wire, &home);
	t_close();
	return 0;
}
