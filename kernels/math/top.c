/* SPDX-License-Identifier: BSD-3-Clause */
/* A heap of the k best, the worst of them on top. */
#include <stdbool.h>

#include "kernels/lagoon_kernels.h"
#include "runtime/base/attr.h"

static bool is_worse(const struct lagoon_top *t, size_t a, size_t b)
{
	return t->value[a] < t->value[b] ||
		(t->value[a] == t->value[b] && t->id[a] > t->id[b]);
}

static void swap(struct lagoon_top *t, size_t a, size_t b)
{
	double value = t->value[a];
	int64_t id = t->id[a];

	t->value[a] = t->value[b];
	t->id[a] = t->id[b];
	t->value[b] = value;
	t->id[b] = id;
}

/* The first n are a heap but for place i, which may be too good. */
static void sift_down(struct lagoon_top *t, size_t i, size_t n)
{
	for (;;) {
		size_t worst = i;

		for (size_t c = 2 * i + 1; c < 2 * i + 3 && c < n; c++)
			if (is_worse(t, c, worst))
				worst = c;
		if (worst == i)
			return;
		swap(t, i, worst);
		i = worst;
	}
}

static void sift_up(struct lagoon_top *t, size_t i)
{
	while (i && is_worse(t, i, (i - 1) / 2)) {
		swap(t, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

LGN_EXPORT int lagoon_top_add(struct lagoon_top *top, double value, int64_t id)
{
	if (top->n < top->k) {
		top->value[top->n] = value;
		top->id[top->n] = id;
		sift_up(top, top->n++);
		return 1;
	}
	if (!top->k || value < top->value[0] ||
	    (value == top->value[0] && id > top->id[0]))
		return 0;
	top->value[0] = value;
	top->id[0] = id;
	sift_down(top, 0, top->n);
	return 1;
}

LGN_EXPORT void lagoon_top_sort(struct lagoon_top *top)
{
	for (size_t n = top->n; n > 1; n--) {
		swap(top, 0, n - 1);
		sift_down(top, 0, n - 1);
	}
}
