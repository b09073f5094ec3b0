/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train`: the solvers, of which the first word is one. */
#include <stdio.h>
#include <string.h>

#include "tools/tools.h"
#include "tools/train.h"

static const struct {
	const char *names;
	const char *help;
	int (*run)(int argc, char **argv);
} solvers[] = {
	{ "logistic, svm, softmax", "linear classifiers", train_linear },
	{ "lasso, ridge, elastic-net", "linear regressions", train_regression },
	{ "mf", "factors of ratings", train_mf },
	{ "lda", "topics of documents", train_lda },
	{ "svd", "the largest singular values of a matrix, and their vectors",
	  train_svd },
	{ "kmeans", "clusters of points", train_kmeans },
	{ "similar", "the most similar rows, as lagoon similar", train_similar },
};

static int list_solvers(void)
{
	puts("Usage: lagoon train SOLVER [OPTION...]\n\nSolvers:");
	for (size_t i = 0; i < LGN_COUNT(solvers); i++)
		printf("  %-26s %s\n", solvers[i].names, solvers[i].help);
	puts("\n'lagoon train SOLVER --help' tells the options of a solver, "
	     "lagoon-train(1) the rest.");
	return 0;
}

/* Is the word one of these, which have ", " between? */
static bool is_among(const char *word, const char *names)
{
	size_t len = strlen(word);

	for (; *names; names += strspn(names, ", ")) {
		size_t n = strcspn(names, ",");

		if (n == len && !strncmp(word, names, n))
			return true;
		names += n;
	}
	return false;
}

/* logistic without a method is svrg. */
static bool is_svrg(int argc, char **argv)
{
	if (strcmp(argv[1], "logistic"))
		return false;
	for (int i = 2; i < argc; i++) {
		const char *value = NULL;

		if (!strcmp(argv[i], "--method"))
			value = i + 1 < argc ? argv[i + 1] : "";
		else if (!strncmp(argv[i], "--method=", 9))
			value = argv[i] + 9;
		if (value)
			return !strcmp(value, "svrg");
	}
	return true;
}

int tool_train(int argc, char **argv)
{
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?")))
		return list_solvers();
	for (size_t i = 0; argc > 1 && i < LGN_COUNT(solvers); i++)
		if (is_among(argv[1], solvers[i].names) && !is_svrg(argc, argv))
			return solvers[i].run(argc, argv);
	return train_logistic(argc, argv);
}
