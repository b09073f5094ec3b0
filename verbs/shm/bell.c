/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bells in shared memory: each process has a queue of its own at the owner, so
 * that one which dies while it rings holds up nobody. The owner looks at all
 * of them, for a short while; then it says so and sleeps on a futex.
 */
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/attr.h"
#include "runtime/base/wait.h"
#include "verbs/shm/shm.h"

enum {
	QUEUE = 128,		/* bells of one process; a power of two */
	LOOKS = 128,		/* before it sleeps; half of them give the core away */
};

struct queue {
	_Atomic uint32_t rung;	/* written by the process that rings */
	uint32_t value[QUEUE];
	_Atomic uint32_t heard LGN_ALIGNED;	/* by the owner */
} LGN_ALIGNED;

struct lgn_shm_bells {
	_Atomic uint32_t asleep;
	_Atomic uint32_t woken;	/* the futex */
	struct queue of[];
};

uint64_t lgn_shm_bells_bytes(int size)
{
	return sizeof(struct lgn_shm_bells) + (uint64_t)size * sizeof(struct queue);
}

static void wake(struct lgn_shm_bells *bells)
{
	atomic_fetch_add(&bells->woken, 1);
	syscall(SYS_futex, &bells->woken, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool lgn_shm_bell_room(const struct lgn_shm_bells *bells, int rank)
{
	const struct queue *q = &bells->of[rank];

	return atomic_load_explicit(&q->rung, memory_order_relaxed) -
		atomic_load_explicit(&q->heard, memory_order_acquire) < QUEUE;
}

/* The order of the two that do not see each other otherwise: here, rung before
 * asleep; in sleep_until(), asleep before rung. */
void lgn_shm_bell_ring(struct lgn_shm_bells *bells, int rank, uint32_t value)
{
	struct queue *q = &bells->of[rank];
	uint32_t n = atomic_load_explicit(&q->rung, memory_order_relaxed);

	q->value[n % QUEUE] = value;
	atomic_store(&q->rung, n + 1);
	if (atomic_load(&bells->asleep))
		wake(bells);
}

static int hear_one(struct queue *q, int rank, struct lgn_bell *bell, int n)
{
	uint32_t rung = atomic_load(&q->rung);
	uint32_t at = atomic_load_explicit(&q->heard, memory_order_relaxed);
	int k = 0;

	for (; at != rung && k < n; at++)
		bell[k++] = (struct lgn_bell){ rank, q->value[at % QUEUE] };
	if (k)
		atomic_store_explicit(&q->heard, at, memory_order_release);
	return k;
}

/* Begins with another process each time: none is heard last always. */
static int hear_all(struct lgn_shm *shm, struct lgn_bell *bell, int n)
{
	int size = shm->config.size, k = 0;

	for (int i = 0; i < size && k < n; i++) {
		int rank = (shm->hear_from + i) % size;

		k += hear_one(&shm->bells->of[rank], rank, bell + k, n - k);
	}
	if (k)
		shm->hear_from = (shm->hear_from + 1) % size;
	return k;
}

/* Until a bell, or for no reason. */
static int sleep_until(struct lgn_shm *shm, struct lgn_bell *bell, int n)
{
	struct lgn_shm_bells *b = shm->bells;
	uint32_t woken = atomic_load(&b->woken);
	int k;

	atomic_store(&b->asleep, 1);
	k = hear_all(shm, bell, n);
	if (!k && !atomic_load(&shm->hushed))
		syscall(SYS_futex, &b->woken, FUTEX_WAIT, woken, NULL, NULL, 0);
	atomic_store(&b->asleep, 0);
	return k;
}

int lgn_shm_hear(struct lgn_wire *wire, struct lgn_bell *bell, int n)
{
	struct lgn_shm *shm = (struct lgn_shm *)wire;
	struct lgn_wait wait = LGN_WAIT_INIT;

	for (int looks = 0; !atomic_load(&shm->hushed); looks++) {
		int k = looks < LOOKS ? hear_all(shm, bell, n) :
			sleep_until(shm, bell, n);

		if (k)
			return k;
		if (looks < LOOKS)
			lgn_wait_step(&wait);
	}
	return 0;
}

void lgn_shm_hush(struct lgn_wire *wire)
{
	struct lgn_shm *shm = (struct lgn_shm *)wire;

	atomic_store(&shm->hushed, true);
	if (shm->bells)
		wake(shm->bells);
}
