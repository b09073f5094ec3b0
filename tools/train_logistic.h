/* SPDX-License-Identifier: BSD-3-Clause */
/* What `lagoon train logistic` tells. */
#ifndef LGN_TOOLS_TRAIN_LOGISTIC_H
#define LGN_TOOLS_TRAIN_LOGISTIC_H

#include "tools/train.h"

/* How well planted weights were found. */
struct logistic_recovery {
	bool known;
	double correlation;
	double signs;		/* share of weights with the right sign */
};

/* For lagoon_logistic_options.progress; arg: struct train_report. */
void logistic_epoch(void *arg, const struct lagoon_logistic_epoch *e);

/* The summary on stdout and the last object of the report. 0, or -1 with a
 * sentence on stderr. */
int logistic_end(struct train_report *report,
		 const struct lagoon_logistic_result *result,
		 const struct logistic_recovery *recovery);

/* Compare with the model in "data.planted", if that is there. */
void logistic_recover(const char *data,
		      const struct lagoon_logistic_result *result,
		      struct logistic_recovery *recovery);

#endif
