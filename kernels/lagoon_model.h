/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_model.h
 * Model files of regressions and linear classifiers. Programs include
 * lagoon_solve.h.
 */
#ifndef LAGOON_MODEL_H
#define LAGOON_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A linear model. Its file is text: one "key value" a line, then weights.
 *
 *     lagoon-model 1
 *     solver svm
 *     loss squared-hinge
 *     c 1
 *     labels -1 1
 *     features 123
 *     weights
 *     <one number a line, 17 significant digits: exact>
 *     end
 *
 * Classifiers need c and labels. With more than one output, as softmax has,
 * a line "outputs 3" says so, there are as many labels, and a line of weights
 * has a number for each output. The solvers lasso, ridge and elastic-net need
 * l1, l2, standardised and intercept, as in "l1 0.5", instead of c and labels.
 * The other keys are left out when they are 0 or empty.
 */
struct lagoon_model_file {
	size_t size;		/* sizeof(struct lagoon_model_file) */
	char solver[32];	/* a word */
	double c;
	double labels[2];	/* of -1 and +1, with one output */
	uint64_t features;
	double *weights;	/* [features][outputs] */
	double l1, l2;		/* weights of the penalties */
	double intercept;	/* with one output */
	int standardised;
	uint64_t outputs;	/* columns of weights; 0 is saved as 1 */
	double *classes;	/* [outputs] labels, when these are more than 1 */
	char loss[32];		/* a word, or empty when the solver says it */
	char method[32];	/* a word, or empty */
};

/** Write a model. The file appears whole under its name or not at all.
 * @return 0; LAGOON_EIO; LAGOON_EINVAL if solver, loss or method is not a word,
 * or a number is not finite.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_model_save(const char *path, const struct lagoon_model_file *model);

/** Find out, before long work, whether lagoon_model_save() can write there.
 * @return 0; LAGOON_EIO with the reason.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_model_check_path(const char *path);

/** Read a model; free it with lagoon_model_free().
 * @param model  its size field must be set
 * @return 0; LAGOON_EINVAL if it is not; LAGOON_ENOENT; LAGOON_ECORRUPT with the line that is wrong;
 * LAGOON_EIO; LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_model_load(const char *path, struct lagoon_model_file *model);

/** Free the weights and the classes.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_model_free(struct lagoon_model_file *model);

#ifdef __cplusplus
}
#endif

#endif
