/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_predict.h
 * What a model file says to rows. Programs include lagoon_solve.h.
 */
#ifndef LAGOON_PREDICT_H
#define LAGOON_PREDICT_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon_data.h"
#include "lagoon_model.h"
#include "lagoon_regression.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a model says to rows in memory. Columns that it does not have count as
 * 0 weights; columns that the rows do not have, as zeros.
 *
 * @param data           the rows; their target does not count
 * @param values         [rows] of a classifier the label, else the target; or
 *                       NULL. With one output the label is that of +1 where the
 *                       product is above 0, with more that of the largest one.
 * @param products       [rows][outputs] w'x and the intercept, or NULL
 * @param probabilities  [rows][2, or outputs] of the labels in the order of the
 *                       model, or NULL; of logistic and softmax alone
 * @return 0; LAGOON_EINVAL for a model without probabilities, shapes that are
 * wrong, an index out of range or a number that is not finite, with row and
 * column; LAGOON_ENOMEM.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_predict(const struct lagoon_model_file *model,
		   const struct lagoon_regression_data *data, double *values,
		   double *products, double *probabilities);

/** How to predict. Fill with lagoon_predict_options_init(), then change. */
struct lagoon_predict_options {
	size_t size;		/* sizeof(struct lagoon_predict_options) */
	int format;		/* enum lagoon_file_format, -1: by the name,
				 * libsvm if that does not say [-1] */
	int zero_based;		/* indices of a libsvm file start at 0 [0] */
	const char *target;	/* labels or targets of a MatrixMarket file, a
				 * matrix of one column [NULL] */
	int probabilities;	/* write them, too [0] */
};

/** How well the model fits; what there is no label or target for is -1. */
struct lagoon_predict_result {
	size_t size;		/* sizeof(struct lagoon_predict_result) */
	uint64_t rows;
	uint64_t ignored;	/* entries of columns that the model does not
				 * have */
	uint64_t unknown;	/* rows with a label that it does not have: they
				 * count as wrong */
	uint64_t correct;	/* rows with the right label */
	double accuracy;	/* [0, 1] */
	double log_loss;	/* mean of -log of the probability of the label,
				 * of rows whose label is known */
	double mse;		/* of a regression, mean of the squared errors */
	double seconds;
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_predict_options_init(struct lagoon_predict_options *options);

/** What a model says to the rows of a file, plain or by gzip, one line a row:
 * the value of lagoon_predict(), with 17 digits. With probabilities the first
 * line is "labels" and these, and each value is followed by the probabilities.
 *
 * The file is read in blocks: memory does not grow with it, but for a number
 * for each row and output of MatrixMarket, whose entries come in any order.
 * In a CSV file with one column more than the model has features, the last one
 * has the labels or targets; with as many, there are none.
 *
 * @param output   appears whole under its name or not at all; NULL: none
 * @param options  NULL for the defaults
 * @param result   its size field must be set
 * @return 0; LAGOON_EINVAL for a line that is not legal, with file and line, or
 * an option; LAGOON_ENOENT, LAGOON_EIO, LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_predict_file(const struct lagoon_model_file *model,
			const char *data, const char *output,
			const struct lagoon_predict_options *options,
			struct lagoon_predict_result *result);

#ifdef __cplusplus
}
#endif

#endif
