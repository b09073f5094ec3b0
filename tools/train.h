/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train`, in parts: train.c reads the command line and runs the fit,
 * train_report.c tells how it goes and what came out; train_regression.c does
 * both for ridge, lasso and elastic net, train_lda.c for topics. */
#ifndef LGN_TOOLS_TRAIN_H
#define LGN_TOOLS_TRAIN_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "kernels/lagoon_solve.h"

/* Progress, summary and report of rank 0; the others have none. */
struct train_report {
	const char *path;	/* of the report, or NULL */
	double change;		/* vap: what may be kept back; else -1 */
	FILE *out;		/* opened by the first epoch */
	bool terminal;		/* progress rewrites its line */
	bool failed;		/* the report could not be written */
};

/* How well planted weights were found. */
struct train_recovery {
	bool known;
	double correlation;
	double signs;		/* share of weights with the right sign */
};

/* Can the report be written? As lagoon_model_check_path(). */
int train_report_check(const char *path);

/* For lagoon_logistic_options.progress; arg: struct train_report. */
void train_report_epoch(void *arg, const struct lagoon_logistic_epoch *e);

/* The summary on stdout and the last object of the report. 0, or -1 with a
 * sentence on stderr. */
int train_report_end(struct train_report *report,
		     const struct lagoon_logistic_result *result,
		     const struct train_recovery *recovery);
void train_report_close(struct train_report *report);

/* Begin and end of the report's objects, for other solvers. object is freed. */
struct json_t;
void train_report_object(struct train_report *r, struct json_t *object);

/* Is it the name of a solver of train_regression()? */
bool train_is_regression(const char *word);
int train_regression(int argc, char **argv);

/* Is it that of train_lda()? */
bool train_is_lda(const char *word);
int train_lda(int argc, char **argv);

/* The exit status for an error, after the sentence where this rank tells it. */
int train_fail(int rc);
bool train_has_launcher(void);
int train_consistency(struct argp_state *state, const char *text);

/* The same command line again, in each process of a job. */
int train_spawn(int processes, int nodes, int argc, char **argv);

/* Compare with the model in "data.planted", if that is there. */
void train_recover(const char *data,
		   const struct lagoon_logistic_result *result,
		   struct train_recovery *recovery);

#endif
