/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has allocated what: a dead process frees nothing, a live one all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/sched/sched.h"

enum { HEAD = 64 };		/* in front of each piece: a cache line */

struct piece {
	struct piece *next, **at;
	size_t bytes;
	int proc;
};
_Static_assert(sizeof(struct piece) <= HEAD, "the head outgrew its place");

static struct piece *all;

static void *enter(struct piece *piece, size_t n)
{
	if (!piece) {
		fprintf(stderr, "sched: no memory\n");
		exit(1);
	}
	piece->bytes = n;
	piece->proc = sched_proc();
	piece->next = all;
	piece->at = &all;
	if (all)
		all->at = &piece->next;
	all = piece;
	return (char *)piece + HEAD;
}

static struct piece *leave(void *p)
{
	struct piece *piece = (struct piece *)((char *)p - HEAD);

	*piece->at = piece->next;
	if (piece->next)
		piece->next->at = piece->at;
	return piece;
}

/* Aligned as aligned_alloc() is asked for. */
void *sched_malloc(size_t n)
{
	void *p = NULL;

	if (posix_memalign(&p, HEAD, HEAD + n))
		p = NULL;
	return enter(p, n);
}

/* Not by memset(): a worker has many requests and touches few. */
void *sched_calloc(size_t n, size_t size)
{
	return enter(calloc(1, HEAD + n * size), n * size);
}

void *sched_realloc(void *p, size_t n)
{
	void *more = sched_malloc(n);
	size_t old;

	if (!p)
		return more;
	old = ((struct piece *)((char *)p - HEAD))->bytes;
	memcpy(more, p, old < n ? old : n);
	sched_free(p);
	return more;
}

void sched_free(void *p)
{
	if (p)
		free(leave(p));
}

unsigned sched_heap_end(void)
{
	unsigned left = 0;

	while (all) {
		left += !sched_dead(all->proc);
		free(leave((char *)all + HEAD));
	}
	return left;
}
