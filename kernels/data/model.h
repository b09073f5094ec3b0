/* SPDX-License-Identifier: BSD-3-Clause */
/* What writing (model.c) and reading (model_load.c) of model files share. */
#ifndef LGN_DATA_MODEL_H
#define LGN_DATA_MODEL_H

#include <stdbool.h>

#include "kernels/lagoon_solve.h"

#define LGN_MODEL_MAGIC "lagoon-model 1"
#define LGN_MODEL_FEATURES ((UINT64_C(1) << 31) + 1)
#define LGN_MODEL_OUTPUTS (UINT64_C(1) << 20)
#define LGN_MODEL_WORD ((int)sizeof(((struct lagoon_model_file *)0)->solver))

bool lgn_model_is_word(const char *s);

/* Is it one that needs l1, l2, standardised and intercept, and has numbers for
 * targets? */
bool lgn_model_is_regression(const struct lagoon_model_file *m);

#endif
