/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In front of every file of the runtime that is built for schedules
 * (-include): before each atomic operation the scheduler may let others run,
 * memory belongs to a virtual process, and a thread is a coroutine. So the
 * runtime itself knows nothing of schedules.
 */
#ifndef TEST_SCHED_POINT_H
#define TEST_SCHED_POINT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "runtime/base/wait.h"
#include "test/sched/sched.h"

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and
#undef atomic_fetch_and_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit

/* One thread runs them all, so the order of memory is that of the program:
 * what a weaker order allows is not found here. */
#define atomic_load(p) \
	(SCHED_POINT("load", #p), *(p))
#define atomic_store(p, v) \
	(SCHED_POINT("store", #p), (void)(*(p) = (v)))
#define atomic_exchange(p, v) \
	(SCHED_POINT("exchange", #p), \
	 __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))
#define atomic_fetch_add(p, v) \
	(SCHED_POINT("add", #p), \
	 __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))
#define atomic_fetch_sub(p, v) \
	(SCHED_POINT("sub", #p), \
	 __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST))
#define atomic_fetch_or(p, v) \
	(SCHED_POINT("or", #p), \
	 __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST))
#define atomic_fetch_and(p, v) \
	(SCHED_POINT("and", #p), \
	 __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST))
#define atomic_compare_exchange_strong(p, old, v) \
	(SCHED_POINT("compare", #p), \
	 __atomic_compare_exchange_n((p), (old), (v), 0, __ATOMIC_SEQ_CST, \
				     __ATOMIC_SEQ_CST))

#define atomic_load_explicit(p, order) atomic_load(p)
#define atomic_store_explicit(p, v, order) atomic_store(p, v)
#define atomic_exchange_explicit(p, v, order) atomic_exchange(p, v)
#define atomic_fetch_add_explicit(p, v, order) atomic_fetch_add(p, v)
#define atomic_fetch_sub_explicit(p, v, order) atomic_fetch_sub(p, v)
#define atomic_fetch_or_explicit(p, v, order) atomic_fetch_or(p, v)
#define atomic_fetch_and_explicit(p, v, order) atomic_fetch_and(p, v)
#define atomic_compare_exchange_strong_explicit(p, old, v, yes, no) \
	atomic_compare_exchange_strong(p, old, v)
#define atomic_compare_exchange_weak(p, old, v) \
	atomic_compare_exchange_strong(p, old, v)
#define atomic_compare_exchange_weak_explicit(p, old, v, yes, no) \
	atomic_compare_exchange_strong(p, old, v)

#define lgn_wait_step(wait) (sched_wait_step(wait), SCHED_WAIT(""))

#define malloc(n) sched_malloc(n)
#define calloc(n, size) sched_calloc(n, size)
#define realloc(p, n) sched_realloc(p, n)
#define aligned_alloc(align, n) sched_malloc(n)
#define free(p) sched_free(p)
#define pthread_join(thread, result) sched_join(thread)

#endif
