/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "runtime/base/status.h"
#include "test/sched/sched.h"
#include "test/support/test.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
enum { STACK = 512 << 10 };
#else
enum { STACK = 128 << 10 };
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

enum {
	COS = 4096,
	GUARD = 4096,
	DULL = 16,		/* a dull point counts once in */
	NOWHERE = COS,		/* not runnable */
	TRIES = 64,		/* to find one that is not frozen */
	WAITS_MOST = 64,	/* changes of hand until it looks again */
	STUCK = 20000,		/* changes of hand without progress, times n */
};

struct co {
	ucontext_t context;
	char *stack;
	void *(*run)(void *arg);
	void *arg;
	const struct sched_site *site;	/* where it stands */
	uint64_t frozen;		/* until that event */
	uint64_t waited;		/* last, since progress was made: */
	unsigned waits;			/* so many times */
	unsigned at;			/* in runnable[] */
	int proc;
	bool ended;
	struct co *joined_by;		/* who waits for its end */
	char name[20];
	char errmsg[512];		/* lagoon_errmsg() of its thread */
#if defined(__SANITIZE_THREAD__)
	void *fiber;
#endif
};

static struct {
	bool trace;
	struct sched_style style, drawn;
	struct t_rng rng;
	struct co *co[COS];		/* used again by later schedules */
	struct co *runnable[COS];
	struct co *now;
	unsigned n, n_runnable;
	uint64_t until;			/* points */
	uint64_t thaw;			/* when who was frozen is not any more */
	uint64_t ns, events, switches, progress, hash;
	bool dead[SCHED_PROCS];
	bool (*may_kill)(int proc);
	uint64_t kill_at;
	int kill;
	ucontext_t outside;
#if defined(__SANITIZE_THREAD__)
	void *fiber;
#endif
#if defined(__SANITIZE_ADDRESS__)
	const void *bottom;
	size_t size;
#endif
} s;

uint64_t sched_left = UINT64_MAX;

/* ---------------------------------------------------------------- chance */

uint64_t sched_random(void)
{
	return t_rand(&s.rng);
}

uint64_t sched_below(uint64_t n)
{
	return t_below(&s.rng, n);
}

bool sched_once_in(uint64_t n)
{
	return t_once_in(&s.rng, n);
}

/* From many changes of hand to few, from a wire that is quick to one that
 * holds everything back. */
static void style_draw(struct sched_style *style)
{
	static const uint64_t points[] = { 1, 2, 4, 8, 16, 32, 64, 128 };
	static const unsigned freeze[] = { 0, 2, 8, 32 };
	static const unsigned wire[] = { 1, 1, 2, 4, 8 };

	style->points = points[sched_below(T_COUNT(points))];
	style->time_bits = 6 + (unsigned)sched_below(16);
	style->freeze_in = freeze[sched_below(T_COUNT(freeze))];
	style->freeze_bits = 6 + (unsigned)sched_below(7);
	style->wire_in = wire[sched_below(T_COUNT(wire))];
	style->wire_burst = 1 + (unsigned)sched_below(6);
}

static void points_draw(void)
{
	s.until = 1 + sched_below(2 * s.style.points - 1);
	sched_left = s.trace ? 1 : s.until;
}

/* ----------------------------------------------------------------- trace */

bool sched_tracing(void)
{
	return s.trace;
}

void sched_tell(const char *fmt, ...)
{
	va_list ap;

	if (!s.trace)
		return;
	printf("%7llu %-8s ", (unsigned long long)s.events,
	       s.now ? s.now->name : "");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void tell_site(const struct sched_site *site)
{
	sched_tell("%s:%d %s %s", base_name(site->file), site->line,
		   site->what, site->of);
}

/* ------------------------------------------------------------ coroutines */

/* For the first time. */
static void arrive(void)
{
#if defined(__SANITIZE_ADDRESS__)
	if (s.bottom)
		__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
	else
		__sanitizer_finish_switch_fiber(NULL, &s.bottom, &s.size);
	/* Its swapcontext() forgets what it knows of the stack that this names:
	 * right when a coroutine begins, later a loss, and two system calls. */
	s.now->context.uc_stack.ss_size = 0;
#endif
}

/* What belongs to a thread goes with it: its message, and who says it. */
static void switch_to(struct co *next)
{
	struct co *from = s.now;

	if (next == from)
		return;
	if (lagoon_errmsg()[0]) {
		snprintf(from->errmsg, sizeof(from->errmsg), "%s",
			 lagoon_errmsg());
		lgn_errmsg_set("");
	}
	lgn_status_set_rank(next->proc);
	s.now = next;
	s.switches++;
#if defined(__SANITIZE_ADDRESS__)
	{
		void *fake;

		__sanitizer_start_switch_fiber(&fake, next->stack + GUARD, STACK);
		swapcontext(&from->context, &next->context);
		__sanitizer_finish_switch_fiber(fake, NULL, NULL);
	}
#else
#if defined(__SANITIZE_THREAD__)
	__tsan_switch_to_fiber(next->fiber, 0);
#endif
	swapcontext(&from->context, &next->context);
#endif
	if (from->errmsg[0]) {
		lgn_errmsg_set(from->errmsg);
		from->errmsg[0] = '\0';
	}
}

static void enter_runnable(struct co *co)
{
	co->at = s.n_runnable;
	s.runnable[s.n_runnable++] = co;
}

static void leave_runnable(struct co *co)
{
	struct co *last = s.runnable[--s.n_runnable];

	s.runnable[co->at] = last;
	last->at = co->at;
	co->at = NOWHERE;
}

static void end(struct co *co)
{
	if (co->at != NOWHERE)
		leave_runnable(co);
	co->ended = true;
	if (co->joined_by && !co->joined_by->ended)
		enter_runnable(co->joined_by);
	co->joined_by = NULL;
}

/* Time passes, and the wire works. What stands still waits for a time to
 * come. */
static void pass(void)
{
	s.events++;
	s.ns += 1 + sched_below((1ull << s.style.time_bits) +
				8 * (s.events - s.progress));
	if (s.style.wire_in == 1 || sched_once_in(s.style.wire_in))
		for (uint64_t n = 1 + sched_below(s.style.wire_burst); n; n--)
			sched_wire_step();
}

/* While all stay away, the wire goes on. */
static struct co *choose(void)
{
	struct co *co = NULL;

	for (int i = 1; i <= TRIES; i++) {
		co = s.runnable[s.n_runnable > 1 ? sched_below(s.n_runnable) : 0];
		if (co->frozen <= s.events)
			break;
		if (i % 4 == 0)
			pass();
	}
	return co;
}

/* Whoever runs has ended, or its process has. */
static _Noreturn void go_away(void)
{
	struct co *from = s.now;

	lgn_errmsg_set("");
	if (s.n_runnable) {
		switch_to(choose());
		abort();
	}
	s.now = NULL;
#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_start_switch_fiber(NULL, s.bottom, s.size);
#endif
#if defined(__SANITIZE_THREAD__)
	__tsan_switch_to_fiber(s.fiber, 0);
#endif
	swapcontext(&from->context, &s.outside);
	abort();
}

static void enter(void)
{
	arrive();
	s.now->run(s.now->arg);
	sched_tell("ends");
	end(s.now);
	sched_progress();
	go_away();
}

static char *stack_make(void)
{
	char *stack = mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	T_CHECK(stack != MAP_FAILED && !mprotect(stack, GUARD, PROT_NONE),
		"no memory for a stack");
	return stack;
}

static struct co *co_get(void)
{
	struct co *co;

	T_CHECK(s.n < COS, "more than %d coroutines", COS);
	if (!s.co[s.n]) {
		co = calloc(1, sizeof(*co));
		T_CHECK(co, "no memory for a coroutine");
		co->stack = stack_make();
		s.co[s.n] = co;
	}
	co = s.co[s.n++];
#if defined(__SANITIZE_THREAD__)
	if (co->fiber)
		__tsan_destroy_fiber(co->fiber);
	co->fiber = __tsan_create_fiber(0);
#endif
	return co;
}

unsigned long sched_spawn(int proc, const char *name, void *(*run)(void *arg),
			  void *arg)
{
	struct co *co = co_get();

	co->run = run;
	co->arg = arg;
	co->proc = proc;
	co->site = NULL;
	co->frozen = co->waited = 0;
	co->waits = 0;
	co->ended = false;
	co->joined_by = NULL;
	co->errmsg[0] = '\0';
	snprintf(co->name, sizeof(co->name), "%d.%s", proc, name);
	getcontext(&co->context);
	co->context.uc_stack.ss_sp = co->stack + GUARD;
	co->context.uc_stack.ss_size = STACK;
	co->context.uc_link = NULL;
	makecontext(&co->context, enter, 0);
	enter_runnable(co);
	return s.n - 1;
}

/* --------------------------------------------------------------- control */

static void stuck(void)
{
	char text[1500];
	size_t n = 0;

	for (unsigned i = 0; i < s.n_runnable && n < sizeof(text) - 100; i++) {
		const struct sched_site *site = s.runnable[i]->site;

		n += (size_t)snprintf(text + n, sizeof(text) - n, "; %s at %s:%d %s",
				      s.runnable[i]->name,
				      site ? base_name(site->file) : "start",
				      site ? site->line : 0, site ? site->what : "");
	}
	t_die("stuck: nothing has come forward for %llu changes of hand%s",
	      (unsigned long long)(s.events - s.progress), text);
}

/* Somebody goes on: perhaps the same. */
static void change_hands(const struct sched_site *site)
{
	struct co *co = s.now;

	co->site = site;
	pass();
	if (s.events - s.progress > STUCK * (uint64_t)s.n)
		stuck();
	/* One at a time: if all did, they would only be slower. */
	if (s.style.freeze_in && s.events > s.thaw && site->dull != 2 &&
	    sched_once_in(s.style.freeze_in)) {
		s.thaw = s.events + sched_below(1ull << s.style.freeze_bits);
		co->frozen = s.thaw;
		sched_tell("frozen until %llu", (unsigned long long)co->frozen);
	}
	s.hash = (s.hash ^ (uint64_t)site->line ^ s.ns << 16 ^ co->at) *
		0x9e3779b97f4a7c15u;
	if (s.events >= s.kill_at) {
		s.kill_at = UINT64_MAX;
		if (s.may_kill(s.kill))
			sched_kill(s.kill);
	}
	T_CHECK(s.n_runnable, "deadlock: everybody waits for an end");
	switch_to(choose());
}

/* What is done over and over while one waits, and statistics. */
static bool is_dull(struct sched_site *site)
{
	static const char *const of[] = { "counter", "&batch->", "&lg->lost" };
	bool dull = site->what[0] == 'p';	/* poll, post */

	if (site->dull)
		return site->dull == 2;
	for (size_t i = 0; i < T_COUNT(of); i++)
		dull |= !strncmp(site->of, of[i], strlen(of[i]));
	site->dull = 1 + dull;
	return dull;
}

void sched_point(struct sched_site *site)
{
	if (!s.now) {
		sched_left = UINT64_MAX;
		return;
	}
	sched_left = 1;
	if (s.trace) {
		tell_site(site);
		if (--s.until)
			return;
	}
	/* Most points are of this kind: rather the next one that is not. */
	if (is_dull(site) && !sched_once_in(DULL)) {
		s.until = 1;
		return;
	}
	points_draw();
	change_hands(site);
}

/* Who looks again and again, and nothing has come forward, looks less often. */
static void back_off(struct co *co)
{
	if (s.progress >= co->waited)
		co->waits = 0;
	co->waited = s.events;
	co->waits += co->waits < WAITS_MOST;
	co->frozen = s.events + sched_below(co->waits);
}

void sched_wait(const struct sched_site *site)
{
	if (!s.now)
		return;
	if (s.trace)
		tell_site(site);
	back_off(s.now);
	change_hands(site);
}

void sched_progress(void)
{
	s.progress = s.events;
}

int sched_join(unsigned long number)
{
	struct co *co = s.co[number];

	if (co->ended)
		return 0;
	co->joined_by = s.now;
	leave_runnable(s.now);
	SCHED_WAIT("join");
	return 0;
}

void sched_park(void)
{
	leave_runnable(s.now);
	SCHED_WAIT("to be woken");
}

void sched_wake(unsigned long number)
{
	struct co *co = s.co[number];

	if (!co->ended && co->at == NOWHERE)
		enter_runnable(co);
}

void sched_kill(int proc)
{
	sched_tell("process %d dies", proc);
	s.dead[proc] = true;
	for (unsigned i = 0; i < s.n; i++)
		if (s.co[i]->proc == proc && !s.co[i]->ended) {
			s.co[i]->joined_by = NULL;
			end(s.co[i]);
		}
	sched_wire_kill(proc);
	sched_progress();
	if (s.now->ended)
		go_away();
}

void sched_kill_later(int proc, uint64_t events)
{
	s.kill = proc;
	s.kill_at = s.events + events;
}

void sched_on_kill(bool (*may)(int proc))
{
	s.may_kill = may;
}

bool sched_dead(int proc)
{
	return proc >= 0 && s.dead[proc];
}

int sched_proc(void)
{
	return s.now ? s.now->proc : -1;
}

uint64_t sched_now(void)
{
	return s.ns;
}

uint64_t sched_events(void)
{
	return s.events;
}

uint64_t sched_switches(void)
{
	return s.switches;
}

uint64_t sched_hash(void)
{
	return s.hash;
}

void sched_fine(bool fine)
{
	static const struct sched_style coarse = {
		.points = 500, .time_bits = 10, .wire_in = 1, .wire_burst = 8,
	};

	s.style = fine ? s.drawn : coarse;
	points_draw();
}

void sched_begin(uint64_t seed, bool trace)
{
	s.trace = trace;
	s.rng.state = t_mix(seed, 0);
	s.n = s.n_runnable = 0;
	s.ns = 1000000000;
	s.events = s.switches = s.progress = s.hash = 0;
	s.kill_at = UINT64_MAX;
	s.thaw = 0;
	s.now = NULL;
	memset(s.dead, 0, sizeof(s.dead));
	style_draw(&s.drawn);
	sched_fine(false);
	sched_wire_begin();
}

void sched_run(void)
{
	T_CHECK(s.n_runnable, "nobody is there to run");
	s.now = choose();
	lgn_status_set_rank(s.now->proc);
	lgn_errmsg_set("");
#if defined(__SANITIZE_ADDRESS__)
	{
		void *fake;

		__sanitizer_start_switch_fiber(&fake, s.now->stack + GUARD, STACK);
		swapcontext(&s.outside, &s.now->context);
		__sanitizer_finish_switch_fiber(fake, NULL, NULL);
	}
#else
#if defined(__SANITIZE_THREAD__)
	s.fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(s.now->fiber, 0);
#endif
	swapcontext(&s.outside, &s.now->context);
#endif
	sched_left = UINT64_MAX;
}
