/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_solve.h
 * Solvers on Lagoon's tables, their model files and generated data: all of the
 * headers of liblagoon_solve.
 *
 *     lagoon_open(&attr, &lg);
 *     lagoon_logistic_options_init(&options);
 *     lagoon_logistic_fit_file(lg, "train.libsvm", NULL, &options, &result);
 *     ... result.objective, result.weights in rank 0 ...
 *     lagoon_logistic_result_free(&result);
 *     lagoon_close(lg);
 *
 * Errors are as in lagoon.h. A data file that is not legal gives
 * LAGOON_EINVAL (LAGOON_ENOENT if it is missing) in every process, with the
 * same message: file, line and what was expected.
 */
#ifndef LAGOON_SOLVE_H
#define LAGOON_SOLVE_H

#include "lagoon.h"
#include "lagoon_data.h"
#include "lagoon_dense.h"
#include "lagoon_kernels.h"
#include "lagoon_kmeans.h"
#include "lagoon_lda.h"
#include "lagoon_linear.h"
#include "lagoon_logistic.h"
#include "lagoon_mf.h"
#include "lagoon_model.h"
#include "lagoon_predict.h"
#include "lagoon_regression.h"
#include "lagoon_similar.h"
#include "lagoon_svd.h"

#endif
