/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "kernels/solve/load.h"
#include "runtime/base/status.h"

static void measure(const struct lgn_libsvm *data, struct lgn_extent *extent)
{
	extent->rows = data->rows;
	extent->entries = data->start[data->rows];
	extent->cols = data->cols;
	extent->largest_part = data->rows;
	extent->labels = data->labels;
	for (size_t i = 0; i < data->rows; i++) {
		double len = (double)(data->start[i + 1] - data->start[i]);

		extent->squares += len * len;
	}
	for (size_t k = 0; k < extent->entries; k++)
		extent->max_abs = fmax(extent->max_abs, fabs(data->val[k]));
}

static int read_part(const char *path, const struct lgn_load_options *o,
		     const struct lgn_share *share, struct lagoon_worker *w,
		     struct lgn_libsvm *data, struct lgn_extent *extent)
{
	struct lgn_libsvm_range range = {
		.part = lagoon_worker_id(w),
		.parts = share->workers,
		.zero_based = o->zero_based,
	};
	int rc = lgn_libsvm_read(path, &range, data);

	if (!rc)
		measure(data, extent);
	return rc;
}

static int read_parts(const struct lgn_load_options *o,
		      const struct lgn_share *share, struct lagoon_worker *w,
		      struct lgn_loaded *loaded, struct lgn_facts *mine)
{
	int rc = read_part(o->data, o, share, w, &loaded->data, &mine->data);

	if (!rc && o->test)
		rc = read_part(o->test, o, share, w, &loaded->test,
			       &mine->test);
	return rc;
}

/* Parts come in file order. */
static int merge(const char *path, const struct lgn_extent *part,
		 struct lgn_extent *all)
{
	all->rows += part->rows;
	all->entries += part->entries;
	all->squares += part->squares;
	all->max_abs = fmax(all->max_abs, part->max_abs);
	if (part->cols > all->cols)
		all->cols = part->cols;
	if (part->rows > all->largest_part)
		all->largest_part = part->rows;
	return lgn_labels_merge(path, &part->labels, &all->labels);
}

static int check(const char *path, const struct lgn_extent *all, int workers)
{
	if (!all->rows)
		return lgn_fail(LAGOON_EINVAL, "%s: no rows, expected \"label "
				"index:value ...\"", path);
	if (all->labels.n < 2)
		return lgn_fail(LAGOON_EINVAL, "%s: every label is %g: expected "
				"two distinct labels", path,
				all->labels.value[0]);
	if (all->rows < (uint64_t)workers)
		return lgn_fail(LAGOON_EINVAL, "%s: %llu rows for %d workers: "
				"expected at most as many workers as rows",
				path, (unsigned long long)all->rows, workers);
	if (!all->cols)
		return lgn_fail(LAGOON_EINVAL, "%s: no entries, expected "
				"\"index:value\"", path);
	return 0;
}

/* The test rows may have one label only, but no other than the training
 * rows: their labels start the set. */
static int agree(const struct lgn_load_options *o, int workers,
		 const struct lgn_facts *parts, struct lgn_facts *all)
{
	int rc = 0;

	memset(all, 0, sizeof(*all));
	for (int i = 0; i < workers && !rc; i++)
		rc = merge(o->data, &parts[i].data, &all->data);
	if (!rc)
		rc = check(o->data, &all->data, workers);
	all->test.labels = all->data.labels;
	for (int i = 0; i < workers && !rc && o->test; i++)
		rc = merge(o->test, &parts[i].test, &all->test);
	if (!rc && o->test && !all->test.rows)
		rc = lgn_fail(LAGOON_EINVAL, "%s: no rows, expected \"label "
			      "index:value ...\"", o->test);
	return rc;
}

int lgn_load(const struct lgn_load_options *options,
	     const struct lgn_share *share, struct lagoon_worker *w,
	     struct lgn_loaded *loaded, struct lgn_facts *facts)
{
	struct lgn_facts mine = { 0 };
	struct lgn_facts *parts = calloc((size_t)share->workers,
					 sizeof(*parts));
	uint32_t round = 0;
	int rc = parts ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for the facts "
				      "of %d workers", share->workers);

	if (!rc)
		rc = read_parts(options, share, w, loaded, &mine);
	rc = lgn_share_meet(share, w, &round, rc, &mine, parts);
	if (!rc)
		rc = agree(options, share->workers, parts, facts);
	free(parts);
	return rc;
}

/* ------------------------------------------------------------ formats */

static bool ends_in(const char *path, const char *end)
{
	size_t len = strlen(path), n = strlen(end);

	if (len > 3 && !strcmp(path + len - 3, ".gz"))
		len -= 3;
	return len > n && !strncmp(path + len - n, end, n);
}

int lgn_format_of(const char *path)
{
	if (ends_in(path, ".csv"))
		return LAGOON_FILE_CSV;
	if (ends_in(path, ".mtx") || ends_in(path, ".mmt"))
		return LAGOON_FILE_MATRIX;
	return LAGOON_FILE_LIBSVM;
}
