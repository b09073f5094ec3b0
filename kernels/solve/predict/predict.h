/* SPDX-License-Identifier: BSD-3-Clause */
/* What a model says to one row: predict.c, for rows in memory there and of
 * files in predict_file.c. */
#ifndef LGN_SOLVE_PREDICT_H
#define LGN_SOLVE_PREDICT_H

#include <stdbool.h>

#include "kernels/lagoon_solve.h"

struct lgn_predictor {
	const struct lagoon_model_file *model;
	uint64_t outputs;
	uint64_t classes;	/* 0: a regression */
	const double *labels;	/* [classes] */
	bool probable;		/* there are probabilities */
};

/* LAGOON_EINVAL for a model that is none, or has no probabilities. */
int lgn_predictor_init(const struct lagoon_model_file *model,
		       bool probabilities, struct lgn_predictor *p);

/* To z [outputs], which begins as intercepts, adds an entry of the row; false
 * if the model does not have the column. */
bool lgn_predictor_add(const struct lgn_predictor *p, uint64_t col, double x,
		       double *z);
void lgn_predictor_begin(const struct lgn_predictor *p, double *z);

double lgn_predictor_value(const struct lgn_predictor *p, const double *z);

/* [classes] */
void lgn_predictor_probabilities(const struct lgn_predictor *p, const double *z,
				 double *probabilities);

/* -log of the probability of class k. */
double lgn_predictor_loss(const struct lgn_predictor *p, const double *z,
			  uint64_t k);

#endif
