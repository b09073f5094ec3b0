/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Work in small portions that workers claim by fetch-and-add while there are
 * any, so that a slow one does less (Dean et al., Large Scale Distributed Deep
 * Networks, NIPS 2012, section 4.2): slices of the weights, which any worker may
 * take, and blocks of rows, which are in the memory of their process, so that
 * its workers take their own first and then each other's. All workers go through
 * all counters, in the same number of calls.
 *
 * Under bsp, where the same numbers shall come out whoever is fast, portions
 * are dealt out instead.
 */
#ifndef LGN_SOLVE_WORK_H
#define LGN_SOLVE_WORK_H

#include "kernels/solve/linear/linear.h"

/* Rows of one worker of the process. */
struct lgn_work_part {
	struct lgn_rows rows;
	double *z;		/* [rows][outputs] products */
	double *line;		/* the same: products of the direction */
};

/* Shared by the workers of the process. */
struct lgn_work {
	struct lagoon_table *tickets;	/* slices, then the rows of each worker */
	uint64_t slices;
	int parts;			/* local workers */
	struct lgn_work_part *part;	/* [parts] */
};

/* Of one worker: tickets that earlier rounds have drawn. */
struct lgn_work_drawn {
	int64_t slices;
	int64_t *rows;			/* [parts] */
};

/* Collective, outside lagoon_run(). */
int lgn_work_create(struct lgn_linear_fit *fit, struct lgn_work *work);
void lgn_work_destroy(struct lgn_work *work);

/* Each worker; close also after an open that failed. The rows of t go to the
 * process, which frees them in lgn_work_destroy(): when one worker fails, another
 * may be at work on them. */
int lgn_work_open(struct lgn_linear *t, struct lgn_work *work,
		  struct lgn_work_drawn *drawn);
void lgn_work_close(struct lgn_linear *t, struct lgn_work_drawn *drawn);

typedef int lgn_work_slice(struct lgn_linear *t, uint64_t first, uint64_t rows,
			   void *arg);
typedef void lgn_work_block(struct lgn_linear *t,
			    const struct lgn_work_part *part,
			    const struct lgn_block *b, void *arg);

/* use() for each portion that this worker gets: so many rows of the weights; a
 * block of rows. */
int lgn_work_slices(struct lgn_linear *t, const struct lgn_work *work,
		    struct lgn_work_drawn *drawn, lgn_work_slice *use,
		    void *arg);
int lgn_work_rows(struct lgn_linear *t, struct lgn_work *work,
		  struct lgn_work_drawn *drawn, lgn_work_block *use, void *arg);

#endif
