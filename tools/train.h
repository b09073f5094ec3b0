/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train`, in parts: train.c reads the command line and runs the fit,
 * train_report.c tells how it goes and what came out. */
#ifndef LGN_TOOLS_TRAIN_H
#define LGN_TOOLS_TRAIN_H

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

/* Compare with the model in "data.planted", if that is there. */
void train_recover(const char *data,
		   const struct lagoon_logistic_result *result,
		   struct train_recovery *recovery);

#endif
