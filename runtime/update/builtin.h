/* SPDX-License-Identifier: BSD-3-Clause */
/* The built-in functions, in lists that end with an empty name; each function
 * stands in a list for double and in one for float. */
#ifndef LGN_RUNTIME_UPDATE_BUILTIN_H
#define LGN_RUNTIME_UPDATE_BUILTIN_H

#include <stddef.h>

#include "runtime/lagoon_update.h"

/* add, assign, min, max: no parameters but where to begin, no state. */
extern const struct lagoon_update lgn_update_plain_f64[];
extern const struct lagoon_update lgn_update_plain_f32[];

/* sgd, momentum, nesterov, prox-l1, prox-l2: pushes are gradients. */
extern const struct lagoon_update lgn_update_step_f64[];
extern const struct lagoon_update lgn_update_step_f32[];

/* adagrad, adam, ftrl: a rate of each element's own. */
extern const struct lagoon_update lgn_update_adaptive_f64[];
extern const struct lagoon_update lgn_update_adaptive_f32[];

/* Put the later of two deltas to the earlier; combine is not NONE. */
void lgn_update_join_f64(enum lagoon_combine combine, size_t n, void *into,
			 const void *delta);
void lgn_update_join_f32(enum lagoon_combine combine, size_t n, void *into,
			 const void *delta);

#endif
