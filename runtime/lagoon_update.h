/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_update.h
 * An update function of your own: what the home of a table does with a delta
 * that arrives. In a shared object that names one struct lagoon_update:
 *
 *     static int half(const struct lagoon_update_call *c)
 *     {
 *         double *w = c->value;
 *         const double *g = c->delta;
 *
 *         for (size_t i = 0; i < c->n; i++)
 *             w[i] -= 0.5 * g[i];
 *         return 0;
 *     }
 *     const struct lagoon_update my_half = {
 *         .abi = LAGOON_UPDATE_ABI, .size = sizeof(my_half),
 *         .name = "half", .combine = LAGOON_COMBINE_SUM,
 *         .types = LAGOON_UPDATE_F64, .apply = half,
 *     };
 *
 * and a table that is created with the text "./my.so:my_half". The object is
 * loaded in every process of the job. lagoon_update(7) has the functions that
 * are built in, and a complete example.
 *
 * Threads: the functions are called by several threads and processes at once,
 * for different elements. They keep nothing between calls except in value and
 * state, do not wait, and call nothing of lagoon.h.
 */
#ifndef LAGOON_UPDATE_H
#define LAGOON_UPDATE_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Of the structures below. Fields are only added at their ends; anything
 * else would change this number, and a function with another one is refused. */
#define LAGOON_UPDATE_ABI 1

/** Arrays of state, and parameters, that a function may have at most. */
#define LAGOON_UPDATE_STATES 4
#define LAGOON_UPDATE_PARAMS 8

/** How deltas of one element that are sent together are combined before they
 * are applied. */
enum lagoon_combine {
	LAGOON_COMBINE_SUM = 0,		/* their sum */
	LAGOON_COMBINE_MIN = 1,		/* the smallest */
	LAGOON_COMBINE_MAX = 2,		/* the largest */
	LAGOON_COMBINE_LAST = 3,	/* the last one */
	LAGOON_COMBINE_NONE = 4,	/* not at all: each is applied by itself */
};

/** Bits of lagoon_update.types. */
#define LAGOON_UPDATE_F64 (1u << LAGOON_F64)
#define LAGOON_UPDATE_F32 (1u << LAGOON_F32)

/** One call: n contiguous elements, every one of which was really pushed. What
 * was not pushed is not touched: no gradient is not a gradient of zero. The
 * arrays do not overlap and are aligned to their type only. */
struct lagoon_update_call {
	size_t size;		/* of this structure, as the library has it */
	int type;		/* LAGOON_F64: double; LAGOON_F32: float */
	size_t n;		/* elements, >= 1 */
	void *value;		/* [n] of type: what pulls return */
	const void *delta;	/* [n] of type; NULL for init */
	void *const *state;	/* [states] arrays [n] of type; NULL for view */
	const double *param;	/* [params] as given, else their defaults */
};

/** Bits of lagoon_update_param.flags. */
#define LAGOON_UPDATE_ABOVE 1u		/* `least` itself is not legal */
#define LAGOON_UPDATE_BELOW 2u		/* `most` itself is not legal */
#define LAGOON_UPDATE_REQUIRED 4u	/* there is no default */
#define LAGOON_UPDATE_INTEGER 8u	/* whole numbers only */

/** A parameter: "name=number" after the function's name. Not NaN. */
struct lagoon_update_param {
	const char *name;	/* letters, digits, _ and -; not "combine" */
	double value;		/* default; legal, unless REQUIRED */
	double least, most;	/* legal range; may be infinite */
	uint32_t flags;		/* LAGOON_UPDATE_ABOVE... */
};

/** An update function. Fields that are left out are 0. */
struct lagoon_update {
	uint32_t abi;		/* LAGOON_UPDATE_ABI */
	uint32_t size;		/* sizeof(struct lagoon_update) */
	const char *name;	/* of messages and reports */
	int combine;		/* enum lagoon_combine */
	/** Others that may be chosen by ",combine=sum" (min, max, last, none)
	 * instead: bits 1u << LAGOON_COMBINE_..., 0 for no other. */
	uint32_t combines;
	/** Whether a pull may show a value to which a delta was added that the
	 * home has not applied yet: view() says what it shows then. If not, or if
	 * deltas are not combined, a pull first waits until the worker's own
	 * deltas are applied. */
	int local_view;
	uint32_t states;	/* arrays of state, 0 to LAGOON_UPDATE_STATES;
				 * they begin as zeros */
	uint32_t types;		/* LAGOON_UPDATE_F64 | LAGOON_UPDATE_F32 */
	uint32_t params;	/* entries of param, 0 to LAGOON_UPDATE_PARAMS */
	const struct lagoon_update_param *param;

	/** Apply delta to value and state.
	 * @return 0; anything else is an error, and nothing was changed. */
	int (*apply)(const struct lagoon_update_call *call);

	/** Set what shall not begin as zeros, of value and of state; called once
	 * for each element, before anything is pushed. May be NULL.
	 * @return 0; anything else is an error. */
	int (*init)(const struct lagoon_update_call *call);

	/** With local_view only: value is a copy that a pull is about to show,
	 * delta what is pending, combined; write what apply() would. NULL: apply()
	 * itself, which then may have no state. */
	void (*view)(const struct lagoon_update_call *call);
};

#ifdef __cplusplus
}
#endif

#endif
