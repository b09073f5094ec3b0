/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train`, in parts: train.c has the table of solvers, train_SOLVER.c
 * reads the options of one, runs the fit and tells what came out; train_job.c
 * has the options and the processes that are common to them, train_progress.c,
 * train_report.c and train_plot.c show how a fit goes. */
#ifndef LGN_TOOLS_TRAIN_H
#define LGN_TOOLS_TRAIN_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "kernels/lagoon_solve.h"
#include "runtime/base/attr.h"
#include "runtime/base/status.h"

/* How far an epoch came. */
struct train_point {
	int epoch;
	double seconds;
	double objective;
};

/* Progress, summary and report of rank 0; the others have none. */
struct train_report {
	const char *path;	/* of the report, or NULL */
	const char *plot;	/* of the picture, or NULL */
	const char *solver;	/* a word: its title */
	const char *unit;	/* what an epoch is called here, and */
	const char *measure;	/* its objective */
	int epochs;		/* at most: the end of the bar */
	double change;		/* vap: what may be kept back; else -1 */
	FILE *out;		/* opened by the first epoch */
	bool terminal;		/* progress rewrites its line */
	bool failed;		/* the report could not be written */
	bool drawn;		/* the cursor stands behind a bar */
	bool lost;		/* no memory for a point */
	struct train_point *point;
	int points;
	int room;
};

/* What is common to the solvers: an argp child of theirs fills it in. */
struct train_job {
	const struct argp *argp;	/* of the solver */
	const char *data;	/* which the solvers take */
	const char *model;
	struct train_report report;
	int processes;
	int nodes;
	int workers;
	int consistency;	/* enum lagoon_model */
	int32_t staleness;
	int32_t sample;
	uint64_t seed;
	const char *checkpoint;
	uint64_t every;
	const char *resume;
	int epoch;		/* the last, when a signal ended the fit */
	int64_t clock;		/* of the checkpoint, where epochs have several; 0 */
};

/* input: struct train_job; the second: checkpoints between epochs */
extern const struct argp train_job_argp, train_restart_argp;
/* Both, behind the groups of options of a solver. */
extern const struct argp_child train_children[];

/* Read the command line into job and, with argp, into input. Not 0: failed. */
int train_job_read(struct train_job *job, const struct argp *argp, int argc,
		   char **argv, void *input);

/* What the parsers of all solvers do in the end: the first word, no other, and
 * --data must be there. Children of the parser get the job. */
error_t train_job_parse(struct train_job *job, int key, char *arg,
			struct argp_state *state);

/* To the fields of these names of a fit's options; model: consistency. */
void train_job_options(const struct train_job *job, int *model,
		       int32_t *staleness, int32_t *sample, uint64_t *seed);

/* The same of train_restart_argp. Before train_job_run(). */
void train_job_checkpoints(const struct train_job *job, const char **checkpoint,
			   uint64_t *every, const char **resume,
			   int (**interrupted)(void *arg));

/* Run fit(arg, job of Lagoon) in each process of the job, which are started if
 * need be, then draw --plot and close the report. Returns the exit status. */
int train_job_run(struct train_job *job, int argc, char **argv,
		  int (*fit)(void *arg, struct lagoon *lg), void *arg);

/* First of all behind a fit that returned rc: its exit status so far, and the
 * end of what it showed. epoch: the last. */
int train_job_status(struct train_job *job, int rc, int interrupted, int epoch);

/* Can the report be written? As lagoon_model_check_path(). */
int train_report_check(const char *path);

/* An object more; it is freed. */
struct json_t;
void train_report_object(struct train_report *r, struct json_t *object);
void train_report_close(struct train_report *report);

/* An epoch is over: a bar and a line on a terminal, else a line; what is
 * particular to the solver as printf() has it. */
void train_progress(struct train_report *report, int epoch, double objective,
		    double seconds, const char *fmt, ...) LGN_PRINTF(5, 6);

/* Before anything else is said. */
void train_progress_end(struct train_report *report);

/* Can --plot be drawn there? As lagoon_model_check_path(); LAGOON_ENOTSUP
 * without gnuplot. */
int train_plot_check(const char *path);

/* Draw it, if it is wanted. 0, or -1 with a sentence on stderr. */
int train_plot(const struct train_report *report);

/* The command lines of the solvers, whose names are in train.c. */
int train_logistic(int argc, char **argv);	/* by svrg */
int train_linear(int argc, char **argv);
int train_regression(int argc, char **argv);
int train_lda(int argc, char **argv);
int train_mf(int argc, char **argv);
int train_svd(int argc, char **argv);
int train_kmeans(int argc, char **argv);
int train_similar(int argc, char **argv);

/* EX_TEMPFAIL: ended early, after a checkpoint; to be started again. */
#define TRAIN_INTERRUPTED 75

/* The exit status for an error, after the sentence where this rank tells it. */
int train_fail(int rc);

#endif
