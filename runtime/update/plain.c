/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * add:    w = w + d
 * assign: w = d
 * min:    w = min(w, d), from `initial` on (infinity)
 * max:    w = max(w, d), from `initial` on (minus infinity)
 * The same loops combine deltas.
 */
#include <math.h>

#include "runtime/base/attr.h"
#include "runtime/update/builtin.h"

static const struct lagoon_update_param from_above[] = {
	{ "initial", INFINITY, -INFINITY, INFINITY, 0 },
};
static const struct lagoon_update_param from_below[] = {
	{ "initial", -INFINITY, -INFINITY, INFINITY, 0 },
};

#define REAL double
#define NAME(x) x##_f64
#define TYPES LAGOON_UPDATE_F64
#include "runtime/update/plain.inc"
#undef REAL
#undef NAME
#undef TYPES

#define REAL float
#define NAME(x) x##_f32
#define TYPES LAGOON_UPDATE_F32
#include "runtime/update/plain.inc"
