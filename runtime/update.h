/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Update functions: found by name or in a user's shared object, with their
 * parameters. Knows nothing of tables: elements are arrays of double or float.
 * The folder runtime/update/ has the built-in ones, with their equations. Everything but open and close may be called by any thread at
 * once, for different elements.
 */
#ifndef LGN_RUNTIME_UPDATE_H
#define LGN_RUNTIME_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/lagoon_update.h"

/* The longest text [bytes], without the terminating zero. */
#define LGN_UPDATE_TEXT_MAX 511

struct lgn_update {
	const struct lagoon_update *fn;	/* built in, or of the object */
	void *object;			/* of dlopen(), or NULL */
	int type;			/* LAGOON_F64 or LAGOON_F32 */
	size_t type_size;		/* bytes of an element */
	enum lagoon_combine combine;	/* as declared, or as chosen */
	double param[LAGOON_UPDATE_PARAMS];
	/* Equal in two processes when they do the same: of the function, its
	 * object's bytes (wherever the file is), the type and every parameter. */
	uint64_t digest;
};

/*
 * text: "NAME[,key=value...]" or "FILE.so:SYMBOL[,key=value...]" where FILE is
 * absolute or begins with ./ or ../ and has no comma. NULL or "": add.
 * type: LAGOON_F64 or LAGOON_F32. u is written on success only.
 * LAGOON_ENOENT: no such function, file or symbol. LAGOON_ENOTSUP: the
 * function does not fit (interface, types). LAGOON_EINVAL: the text.
 */
int lgn_update_open(const char *text, int type, struct lgn_update *u);

/* The object's code is gone afterwards: no call may be in progress. */
void lgn_update_close(struct lgn_update *u);

/* The names of the built-in functions: NULL behind the last one. */
const char *lgn_update_name(size_t i);

/*
 * Before the first push: value and state are zeros when it is called. The
 * state arrays are each of n elements, in the order of the function.
 */
int lgn_update_init(const struct lgn_update *u, size_t n, void *value,
		    void *const *state);

/* Apply a run of n contiguous elements, each of which was pushed. state: the
 * arrays at the run's first element. The caller keeps others from these
 * elements. 0, or an error with nothing changed. */
int lgn_update_apply(const struct lgn_update *u, size_t n, void *value,
		     const void *delta, void *const *state);

/* Whether pulls may show pending deltas, by lgn_update_view(). Never when these
 * are not combined. */
static inline bool lgn_update_views(const struct lgn_update *u)
{
	return u->fn->local_view && u->combine != LAGOON_COMBINE_NONE;
}

/* value: a copy, to which the pending delta is applied. */
void lgn_update_view(const struct lgn_update *u, size_t n, void *value,
		     const void *delta);

/* Put a later delta to an earlier one of the same elements, as u->combine
 * says, which must not be NONE. */
void lgn_update_combine(const struct lgn_update *u, size_t n, void *into,
			const void *delta);

#endif
