/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Schedules: virtual processes in one real one. Each worker, and each
 * process's main program, is a coroutine; one seed decides who runs next, when
 * time passes, what the wire does (wire_sim.c) and who dies.
 *
 * Control changes hands at points: before every atomic operation of the
 * runtime (point.h) and wherever it waits. The same seed gives the same
 * schedule, to the last point.
 */
#ifndef TEST_SCHED_SCHED_H
#define TEST_SCHED_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCHED_PROCS = 1024 };

/* A place in the source where others may come in between. */
struct sched_site {
	const char *file;
	int line;
	const char *what;
	const char *of;
	int dull;		/* 0: not looked at yet, 1: no, 2: yes */
};

/* Points until the next one at which control may change hands. */
extern uint64_t sched_left;

void sched_point(struct sched_site *site);

#define SCHED_POINT(what, of) \
	__extension__({ \
		static struct sched_site sched_site = { \
			__FILE__, __LINE__, what, of, 0 \
		}; \
		if (!--sched_left) \
			sched_point(&sched_site); \
	})

/* How a schedule goes; drawn from its seed. */
struct sched_style {
	uint64_t points;	/* between changes of hand, about */
	unsigned time_bits;	/* the clock goes on by up to 2^this ns */
	unsigned freeze_in;	/* once in so many changes the one that stops
				 * stays away for long; 0: never */
	unsigned freeze_bits;	/* for up to 2^this changes */
	unsigned wire_in;	/* the wire works once in so many changes */
	unsigned wire_burst;	/* and does up to so many things */
};

/* Draws the style, forgets the last schedule. trace: tell everything. */
void sched_begin(uint64_t seed, bool trace);

/* Opening and closing are the same in every schedule: control changes hands
 * seldom there, until somebody says otherwise. */
void sched_fine(bool fine);

/* A coroutine of a process. Its number. */
unsigned long sched_spawn(int proc, const char *name, void *(*run)(void *arg),
			  void *arg);

/* Until all coroutines have ended. */
void sched_run(void);

/* In a coroutine: wait for the end of another one. */
int sched_join(unsigned long number);

/* In a coroutine: not chosen any more until another one wakes it. One that waits
 * for an end cannot be woken. */
void sched_park(void);
void sched_wake(unsigned long number);

/* In a coroutine: give way, because there is nothing to do here. */
void sched_wait(const struct sched_site *site);

#define SCHED_WAIT(for_what) \
	__extension__({ \
		static const struct sched_site sched_site = { \
			__FILE__, __LINE__, "waits", for_what, 2 \
		}; \
		sched_wait(&sched_site); \
	})

/* Something has come forward: nobody is stuck. */
void sched_progress(void);

/* The process ends here and now: none of its coroutines ever goes on. What it
 * has on the wire is the wire's business. */
void sched_kill(int proc);
bool sched_dead(int proc);

/* The same after so many changes of hand, if the function then says so. */
void sched_kill_later(int proc, uint64_t events);
void sched_on_kill(bool (*may)(int proc));

int sched_proc(void);			/* of who runs; -1: nobody */
uint64_t sched_now(void);		/* ns */
uint64_t sched_events(void);
uint64_t sched_switches(void);
uint64_t sched_hash(void);		/* of the schedule so far */

/* All chance comes from here. */
uint64_t sched_below(uint64_t n);
bool sched_once_in(uint64_t n);
uint64_t sched_random(void);

/* A line of the trace, if there is one. */
bool sched_tracing(void);
void sched_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* host_sim.c: lgn_wait_step() but for giving way. */
struct lgn_wait;
void sched_wait_step(struct lgn_wait *wait);

/* wire_sim.c: the wire does something; a process is dead. */
void sched_wire_begin(void);
void sched_wire_step(void);
void sched_wire_kill(int proc);

/* Memory of the process that asks, zeroed by calloc only. */
void *sched_malloc(size_t n);
void *sched_calloc(size_t n, size_t size);
void *sched_realloc(void *p, size_t n);
void sched_free(void *p);

/* After a schedule: what a dead process had is freed. Of others nothing may be
 * left: how many pieces are. */
unsigned sched_heap_end(void);

#endif
