/* SPDX-License-Identifier: BSD-3-Clause */
/* Generated data and model files. */
#include "test/unit/kernels.h"

#include <math.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>

#include "kernels/data/generate.h"
#include "kernels/data/libsvm.h"
#include "kernels/lagoon_solve.h"

TestSuite(files, .timeout = 60);

/* ------------------------------------------------------------- generate */

static struct lagoon_generate_options shape(uint64_t rows, uint64_t cols,
					    uint32_t nnz, uint64_t seed)
{
	struct lagoon_generate_options o;

	lagoon_generate_options_init(&o);
	o.rows = rows;
	o.cols = cols;
	o.nnz = nnz;
	o.seed = seed;
	return o;
}

Test(files, generated_rows_do_not_depend_on_pieces)
{
	const struct lagoon_generate_options o = shape(300, 1000, 20, 3);
	double weights[1000];
	char path[TEMP_PATH], *whole, *row = malloc(lgn_generate_row_len(&o));
	size_t len, at = 0;

	cr_assert_eq(lagoon_generate_logistic(temp_path(path), NULL, &o), 0);
	whole = read_file(path, &len);
	lgn_generate_planted(&o, weights);
	for (uint64_t i = 0; i < o.rows; i++) {
		size_t n = (size_t)(lgn_generate_row(&o, weights, i, row) - row);

		cr_assert(n <= lgn_generate_row_len(&o));
		cr_assert(!memcmp(whole + at, row, n), "row %lu", (long)i);
		at += n;
	}
	cr_assert_eq(at, len);
	unlink(path);
	free(whole);
	free(row);
}

/* A change of the generator changes every figure made with its data: it is
 * then to be said, here. */
Test(files, generated_bytes_are_fixed)
{
	const struct lagoon_generate_options o = shape(2, 100, 3, 1);
	char path[TEMP_PATH], *text;
	size_t len;

	cr_assert_eq(lagoon_generate_logistic(temp_path(path), NULL, &o), 0);
	text = read_file(path, &len);
	cr_assert_str_eq(text, "+1 30:0.8947 53:-0.7113 67:0.2599\n"
			 "+1 23:0.8742 49:-0.6562 74:0.9387\n");
	unlink(path);
	free(text);
}

Test(files, generated_data_is_legal_and_fits_its_model)
{
	const struct lgn_libsvm_range range = { 0, 1, 0 };
	const struct lagoon_generate_options o = shape(2000, 5000, 50, 9);
	struct lagoon_model_file planted = { .size = sizeof(planted) };
	struct lgn_libsvm d;
	char path[TEMP_PATH], weights[TEMP_PATH];
	double right = 0, square = 0;

	cr_assert_eq(lagoon_generate_logistic(temp_path(path),
					      temp_path(weights), &o), 0);
	cr_assert_eq(lgn_libsvm_read(path, &range, &d), 0);
	cr_assert_eq(lagoon_model_load(weights, &planted), 0);
	cr_assert_str_eq(planted.solver, "planted");
	cr_assert_eq(d.rows, o.rows);
	cr_assert_eq(d.start[d.rows], o.rows * o.nnz);
	cr_assert_eq(planted.features, o.cols);
	for (size_t i = 0; i < d.rows; i++) {
		double p = 0;

		for (size_t k = d.start[i]; k < d.start[i + 1]; k++)
			p += d.val[k] * planted.weights[d.col[k]];
		right += (p > 0) == (d.label[i] > 0);
		square += p * p;
	}
	cr_assert(right / (double)d.rows > 0.7 && right / (double)d.rows < 0.9);
	cr_assert(fabs(sqrt(square / (double)d.rows) - 2) < 0.2);
	lgn_libsvm_free(&d);
	lagoon_model_free(&planted);
	unlink(path);
	unlink(weights);
}

Test(files, generate_refuses)
{
	const struct lagoon_generate_options bad[] = {
		shape(0, 1, 1, 1), shape(1, 0, 1, 1), shape(1, 5, 6, 1),
		shape(1, 5, 0, 1), shape(1, (UINT64_C(1) << 31) + 1, 1, 1),
	};

	char path[TEMP_PATH];

	temp_path(path);
	for (size_t i = 0; i < 5; i++)
		cr_assert_eq(lagoon_generate_logistic(path, NULL, &bad[i]),
			     LAGOON_EINVAL);
	cr_assert(access(path, F_OK));
}

static struct lagoon_generate_lda_options bags(uint64_t documents, uint32_t length,
					       uint64_t words, int topics,
					       uint32_t of_topic, uint32_t mixed)
{
	struct lagoon_generate_lda_options o;

	lagoon_generate_lda_options_init(&o);
	o.documents = documents;
	o.length = length;
	o.words = words;
	o.topics = topics;
	o.topic_words = of_topic;
	o.document_topics = mixed;
	return o;
}

/* As above: a change of the bytes is to be said here. */
Test(files, generated_documents_are_fixed_and_their_counts_planted)
{
	const struct lagoon_generate_lda_options o = bags(3, 6, 20, 2, 4, 1);
	struct lagoon_lda_model planted = { .size = sizeof(planted) };
	char path[TEMP_PATH], model[TEMP_PATH], *text;
	int64_t tokens = 0;
	size_t len;

	cr_assert_eq(lagoon_generate_lda(temp_path(path), temp_path(model), &o), 0);
	text = read_file(path, &len);
	cr_assert_str_eq(text, "3 2:1 5:4 10:1\n"
			 "3 2:3 5:1 10:2\n"
			 "3 0:4 7:1 14:1\n");
	cr_assert_eq(lagoon_lda_model_load(model, &planted), 0);
	cr_assert_eq(planted.topics, 2);
	cr_assert_eq(planted.words, 20);
	for (int i = 0; i < 20 * 2; i++)
		tokens += planted.counts[i];
	cr_assert_eq(tokens, 18);
	lagoon_lda_model_free(&planted);
	unlink(path);
	unlink(model);
	free(text);
}

Test(files, generate_lda_refuses)
{
	const struct lagoon_generate_lda_options bad[] = {
		bags(0, 1, 1, 1, 1, 1), bags(1, 0, 1, 1, 1, 1),
		bags(1, 1, 0, 1, 1, 1), bags(1, 1, 1, 0, 1, 1),
		bags(1, 1, 1, -1, 1, 1), bags(1, 1, 1, 1, 0, 1),
		bags(1, 1, 1, 1, 2, 1), bags(1, 1, 1, 1, 1, 0),
		bags(UINT64_MAX, 2, 1, 1, 1, 1), bags(2, 1u << 30, 1, 1, 1, 1),
		bags(1, 1, (UINT64_C(1) << 31) + 1, 1, 1, 1),
		bags(1, 1, 1, 65537, 1, 1),
	};
	char path[TEMP_PATH];

	temp_path(path);
	unlink(path);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_eq(lagoon_generate_lda(path, NULL, &bad[i]),
			     LAGOON_EINVAL, "%zu", i);
	cr_assert(access(path, F_OK));
}

Test(files, one_row_one_column)
{
	const struct lagoon_generate_options o = shape(1, 1, 1, 1);
	const struct lgn_libsvm_range range = { 0, 1, 0 };
	struct lgn_libsvm d;
	char path[TEMP_PATH];

	cr_assert_eq(lagoon_generate_logistic(temp_path(path), NULL, &o), 0);
	cr_assert_eq(lgn_libsvm_read(path, &range, &d), 0);
	cr_assert_eq(d.cols, 1);
	lgn_libsvm_free(&d);
	unlink(path);
}

/* A full disk, here a limit on the size of files: an error, and no file. */
Test(files, no_file_in_part)
{
	const struct lagoon_generate_options o = shape(10000, 100, 50, 1);
	const struct rlimit limit = { 100000, 100000 };
	char path[TEMP_PATH];

	signal(SIGXFSZ, SIG_IGN);
	cr_assert(!setrlimit(RLIMIT_FSIZE, &limit));
	cr_assert_eq(lagoon_generate_logistic(temp_path(path), NULL, &o),
		     LAGOON_EIO);
	cr_assert(strstr(lagoon_errmsg(), path));
	cr_assert(access(path, F_OK));
}

/* --------------------------------------------------------------- models */

static struct lagoon_model_file model_of(double *weights, uint64_t n)
{
	return (struct lagoon_model_file){
		.size = sizeof(struct lagoon_model_file),
		.solver = "logistic",
		.c = 0.1,
		.labels = { 0, 1 },
		.features = n,
		.weights = weights,
	};
}

Test(files, models_are_read_as_written)
{
	double w[1000];
	uint64_t seed = 5;
	struct lagoon_model_file out = model_of(w, 1000);
	struct lagoon_model_file in = { .size = sizeof(in) };
	char path[TEMP_PATH];

	for (int j = 0; j < 1000; j++)
		w[j] = (uniform(&seed) - 0.5) * pow(10, (double)below(&seed, 20) - 10);
	w[0] = -0.0;
	w[1] = 4.9e-324;
	w[2] = 1.7976931348623157e308;
	cr_assert_eq(lagoon_model_save(temp_path(path), &out), 0);
	cr_assert_eq(lagoon_model_load(path, &in), 0, "%s", lagoon_errmsg());
	cr_assert_str_eq(in.solver, "logistic");
	cr_assert_eq(in.c, 0.1);
	cr_assert_eq(in.labels[0], 0);
	cr_assert_eq(in.labels[1], 1);
	cr_assert_eq(in.features, 1000);
	cr_assert(!memcmp(in.weights, w, sizeof(w)));
	lagoon_model_free(&in);
	unlink(path);
}

/* What no key of it says is 0 or empty. */
Test(files, a_model_of_several_outputs_is_read_as_written)
{
	double w[30], classes[3] = { 1, 2.5, 1e300 };
	uint64_t seed = 6;
	struct lagoon_model_file out = model_of(w, 10);
	struct lagoon_model_file in = { .size = sizeof(in) };
	char path[TEMP_PATH];

	for (int j = 0; j < 30; j++)
		w[j] = uniform(&seed) - 0.5;
	strcpy(out.solver, "softmax");
	strcpy(out.method, "adagrad");
	out.outputs = 3;
	out.classes = classes;
	out.l1 = 0.1;
	cr_assert_eq(lagoon_model_save(temp_path(path), &out), 0, "%s",
		     lagoon_errmsg());
	cr_assert_eq(lagoon_model_load(path, &in), 0, "%s", lagoon_errmsg());
	cr_assert_str_eq(in.solver, "softmax");
	cr_assert_str_eq(in.method, "adagrad");
	cr_assert_str_eq(in.loss, "");
	cr_assert_eq(in.outputs, 3);
	cr_assert_eq(in.features, 10);
	cr_assert_eq(in.l1, 0.1);
	cr_assert_eq(in.l2, 0);
	cr_assert(!memcmp(in.classes, classes, sizeof(classes)));
	cr_assert(!memcmp(in.weights, w, sizeof(w)));
	lagoon_model_free(&in);
	unlink(path);
}

/* As all versions since the first have read and written them. */
Test(files, the_text_of_models_is_fixed)
{
	static const char *const text[] = {
		"lagoon-model 1\nsolver logistic\nc 0.5\nlabels 0 1\n"
		"features 2\nweights\n0.25\n-3\nend\n",
		"lagoon-model 1\nsolver lasso\nl1 0.5\nl2 0\nstandardised 1\n"
		"intercept 9.5\nfeatures 1\nweights\n0\nend\n",
		"lagoon-model 1\nsolver svm\nloss squared-hinge\nmethod sgd\n"
		"c 1\nl1 2\nl2 1\nintercept -1\nlabels -1 1\nfeatures 1\n"
		"weights\n4\nend\n",
		"lagoon-model 1\nsolver softmax\nc 1\noutputs 2\nlabels 7 8\n"
		"features 2\nweights\n1 -1\n0.5 0\nend\n",
	};
	char path[TEMP_PATH], *again;
	size_t len;

	temp_path(path);
	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++) {
		struct lagoon_model_file m = { .size = sizeof(m) };

		write_file(path, text[i], strlen(text[i]));
		cr_assert_eq(lagoon_model_load(path, &m), 0, "%s",
			     lagoon_errmsg());
		cr_assert_eq(lagoon_model_save(path, &m), 0);
		again = read_file(path, &len);
		cr_assert_str_eq(again, text[i]);
		free(again);
		lagoon_model_free(&m);
	}
	unlink(path);
}

Test(files, models_that_cannot_be_read_are_not_written)
{
	double w[2] = { 1, NAN }, classes[2] = { 1, INFINITY };
	char path[TEMP_PATH];
	struct lagoon_model_file bad[8];

	for (int i = 0; i < 8; i++)
		bad[i] = model_of(w, 1);
	bad[0].features = 2;
	bad[1].size = 8;
	strcpy(bad[2].loss, "two words");
	bad[3].l1 = INFINITY;
	bad[4].outputs = 2;
	strcpy(bad[5].solver, "lasso");
	bad[5].outputs = 2;
	bad[6].outputs = 2;
	bad[6].classes = classes;
	bad[7].labels[1] = NAN;
	temp_path(path);
	for (int i = 0; i < 8; i++) {
		cr_assert_eq(lagoon_model_save(path, &bad[i]), LAGOON_EINVAL,
			     "%d", i);
		cr_assert(access(path, F_OK));
	}
	cr_assert_eq(lagoon_model_load(path, &bad[1]), LAGOON_EINVAL);
}

Test(files, a_model_replaces_another)
{
	double w[2] = { 1, 2 };
	struct lagoon_model_file out = model_of(w, 2);
	struct lagoon_model_file in = { .size = sizeof(in) };
	char path[TEMP_PATH];

	cr_assert_eq(lagoon_model_save(temp_path(path), &out), 0);
	w[1] = 3;
	cr_assert_eq(lagoon_model_save(path, &out), 0);
	cr_assert_eq(lagoon_model_load(path, &in), 0);
	cr_assert_eq(in.weights[1], 3);
	lagoon_model_free(&in);
	unlink(path);
}

/* A change of the text is refused, or gives a model that can be written. */
Test(files, changed_models_do_no_harm)
{
	static const char good[] =
		"lagoon-model 1\nsolver softmax\nloss softmax\nmethod sgd\n"
		"c 0.1\nl1 1\nl2 1\noutputs 3\nlabels 0 1 2\nfeatures 2\n"
		"weights\n0.25 0 1\n-1e-05 3 2\nend\n";
	static const char piece[] = "0123 -.e\nlo";
	uint64_t seed = 11;
	char path[TEMP_PATH], text[sizeof(good)];
	int taken = 0;

	temp_path(path);
	for (int i = 0; i < 3000; i++) {
		struct lagoon_model_file m = { .size = sizeof(m) };
		int rc;

		memcpy(text, good, sizeof(good));
		for (uint64_t k = below(&seed, 3); k < 3; k++)
			text[below(&seed, sizeof(good) - 1)] =
				piece[below(&seed, sizeof(piece) - 1)];
		write_file(path, text, sizeof(good) - 1);
		rc = lagoon_model_load(path, &m);
		cr_assert(rc == LAGOON_ECORRUPT || !rc, "%d for %s", rc, text);
		if (rc)
			continue;
		cr_assert_eq(lagoon_model_save(path, &m), 0, "%s: %s", text,
			     lagoon_errmsg());
		lagoon_model_free(&m);
		taken++;
	}
	cr_assert(taken > 100 && taken < 2900, "%d taken", taken);
	unlink(path);
}

static void check_corrupt(const char *path, const char *text, size_t len,
			  const char *what)
{
	struct lagoon_model_file in = { .size = sizeof(in), .features = 77 };

	write_file(path, text, len);
	cr_assert_eq(lagoon_model_load(path, &in), LAGOON_ECORRUPT, "%s", what);
	cr_assert(strstr(lagoon_errmsg(), path) &&
		  strstr(lagoon_errmsg(), "line "), "%s: %s", what,
		  lagoon_errmsg());
	cr_assert_eq(in.features, 77, "output changed");
}

Test(files, every_cut_of_a_model_is_noticed)
{
	double w[3] = { 0.25, -1e-5, 3 };
	struct lagoon_model_file out = model_of(w, 3);
	char path[TEMP_PATH], *text;
	size_t len;

	cr_assert_eq(lagoon_model_save(temp_path(path), &out), 0);
	text = read_file(path, &len);
	for (size_t n = 0; n < len; n++)
		check_corrupt(path, text, n, "cut");
	unlink(path);
	free(text);
}

Test(files, corrupt_models_name_the_line)
{
	static const struct {
		const char *from, *to, *expect;
	} change[] = {
		{ "lagoon-model 1", "lagoon-model 2", "line 1" },
		{ "solver logistic", "solver a b", "line 2" },
		{ "c 0.1", "c x", "line 3" },
		{ "labels 0 1", "labels 0", "line 4" },
		{ "features 3", "features -3", "line 5" },
		{ "features 3", "features 4", "line 10" },
		{ "features 3", "features 2", "line 9" },
		{ "features 3", "features 99999999999", "line 5" },
		{ "weights\n", "weight\n", "line 6" },
		{ "0.25\n", "0.25x\n", "line 7" },
		{ "0.25\n", "nan\n", "line 7" },
		{ "0.25\n", "1e999\n", "line 7" },
		{ "end\n", "end\nend\n", "line 11" },
		{ "c 0.1\n", "", "c before" },
		{ "c 0.1\n", "d 0.1\n", "line 3" },
		{ "c 0.1\n", "c 0.1\nc 0.1\n", "line 4" },
		{ "solver logistic\n", "", "solver before" },
		{ "solver logistic", "solver ridge", "l1 before" },
		{ "labels 0 1", "labels 0 1 2", "two labels" },
		{ "labels 0 1", "outputs 3\nlabels 0 1", "as many labels" },
		{ "labels 0 1", "outputs 2\nlabels 0 1", "line 8" },
		{ "labels 0 1", "outputs x\nlabels 0 1", "line 4" },
		{ "labels 0 1", "standardised 2\nlabels 0 1", "line 4" },
	};
	static const char good[] =
		"lagoon-model 1\nsolver logistic\nc 0.1\nlabels 0 1\n"
		"features 3\nweights\n0.25\n-1e-05\n3\nend\n";
	struct lagoon_model_file in = { .size = sizeof(in) };
	char path[TEMP_PATH];

	write_file(temp_path(path), good, strlen(good));
	cr_assert_eq(lagoon_model_load(path, &in), 0);
	lagoon_model_free(&in);
	for (size_t i = 0; i < sizeof(change) / sizeof(*change); i++) {
		char text[300];
		const char *at = strstr(good, change[i].from);

		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good,
			 change[i].to, at + strlen(change[i].from));
		check_corrupt(path, text, strlen(text), change[i].to);
		cr_assert(strstr(lagoon_errmsg(), change[i].expect), "%s: %s",
			  change[i].to, lagoon_errmsg());
	}
	unlink(path);
}

Test(files, paths_that_cannot_be_written)
{
	double w = 1;
	char path[TEMP_PATH];
	struct lagoon_model_file out = model_of(&w, 1);
	static const char *const bad[] = {
		"", "/usr", "/usr/", "/nowhere/m", "/dev/null",
		"/proc/m",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_eq(lagoon_model_check_path(bad[i]), LAGOON_EIO, "%s",
			     bad[i]);
		cr_assert_eq(lagoon_model_save(bad[i], &out), LAGOON_EIO);
	}
	cr_assert_eq(lagoon_model_load("/nowhere/m", &out),
		     LAGOON_ENOENT);
	strcpy(out.solver, "two words");
	cr_assert_eq(lagoon_model_save(temp_path(path), &out), LAGOON_EINVAL);
}
