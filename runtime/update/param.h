/* SPDX-License-Identifier: BSD-3-Clause */
/* Parameters of update functions. */
#ifndef LGN_RUNTIME_UPDATE_PARAM_H
#define LGN_RUNTIME_UPDATE_PARAM_H

#include <stdbool.h>

#include "runtime/lagoon_update.h"
#include "runtime/update.h"

bool lgn_update_param_legal(const struct lagoon_update_param *p, double value);

/* Sets u->param and u->combine of u->fn: defaults, then what the text says,
 * which is "" or ",key=value..." after the name (who). */
int lgn_update_params(const char *who, const char *text, struct lgn_update *u);

#endif
