/* SPDX-License-Identifier: BSD-3-Clause */
/* Ratings of planted factors. */
#include <Random123/philox.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/data/entries.h"
#include "kernels/data/outfile.h"
#include "kernels/lagoon_mf.h"
#include "runtime/base/status.h"

#define RANK_MAX 4096
#define MEAN 3
#define BUFFER ((size_t)1 << 20)
#define LINE_MOST 64
#define RATINGS_MAX (UINT64_C(1) << 40)

/* No two draws of a file have the same. */
enum stream { STREAM_RATING = 16, STREAM_TEST, STREAM_USER, STREAM_ITEM };

static philox4x32_ctr_t draw(const struct lagoon_generate_ratings_options *o,
			     enum stream stream, uint64_t item, uint32_t block)
{
	philox4x32_ctr_t at = { { (uint32_t)item, (uint32_t)(item >> 32),
				  block, (uint32_t)stream } };
	philox4x32_key_t key = { { (uint32_t)o->seed,
				   (uint32_t)(o->seed >> 32) } };

	return philox4x32(at, key);
}

/* Of mean 0 and deviation 1; a sum of four uniform numbers needs no function of
 * libm, whose last bit differs between systems. */
static double normal(philox4x32_ctr_t r)
{
	double sum = (double)r.v[0] + r.v[1] + r.v[2] + r.v[3];

	return sqrt(3) * (sum * 0x1p-32 - 2);
}

/* Products of two rows have deviation 1. */
static float *plant(const struct lagoon_generate_ratings_options *o, enum stream stream,
		    uint64_t rows)
{
	size_t rank = (size_t)o->rank;
	float *val = malloc(rows * rank * sizeof(*val));
	double by = 1 / sqrt(sqrt((double)rank));

	for (uint64_t i = 0; i < rows && val; i++)
		for (size_t f = 0; f < rank; f++)
			val[i * rank + f] = (float)
				(by * normal(draw(o, stream, i, (uint32_t)f)));
	return val;
}

static int put_rating(const struct lagoon_generate_ratings_options *o,
		      enum stream stream, const float *user, const float *item,
		      uint64_t k, char *to)
{
	philox4x32_ctr_t r = draw(o, stream, k, 0);
	uint64_t i = (r.v[0] * o->users) >> 32, j = (r.v[1] * o->items) >> 32;
	const float *x = user + i * (size_t)o->rank;
	const float *y = item + j * (size_t)o->rank;
	double sum = MEAN + o->noise * normal(draw(o, stream, k, 1));

	for (int f = 0; f < o->rank; f++)
		sum += (double)x[f] * (double)y[f];
	return snprintf(to, LINE_MOST, "%llu %llu %.4f\n",
			(unsigned long long)i, (unsigned long long)j, sum);
}

static int write_ratings(const struct lagoon_generate_ratings_options *o,
			 enum stream stream, uint64_t n, const float *user,
			 const float *item, const char *path)
{
	char *buffer = malloc(BUFFER + LINE_MOST);
	struct lgn_outfile out;
	size_t used = 0;
	int rc = buffer ? lgn_outfile_open(path, &out) :
		lgn_fail(LAGOON_ENOMEM, "no memory for lines");

	for (uint64_t k = 0; k < n && !rc; k++) {
		used += (size_t)put_rating(o, stream, user, item, k,
					   buffer + used);
		if (used < BUFFER && k + 1 < n)
			continue;
		if (!fwrite(buffer, used, 1, out.stream))
			break;	/* commit tells */
		used = 0;
	}
	free(buffer);
	return rc ? rc : lgn_outfile_commit(&out);
}

static int check_count(const char *name, uint64_t value, uint64_t most)
{
	if (value >= 1 && value <= most)
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s %llu: expected 1 to %llu", name,
			(unsigned long long)value, (unsigned long long)most);
}

static int check_options(const struct lagoon_generate_ratings_options *o)
{
	int rc;

	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	rc = check_count("users", o->users, LGN_INDEX_MAX);
	if (!rc)
		rc = check_count("items", o->items, LGN_INDEX_MAX);
	if (!rc)
		rc = check_count("ratings", o->ratings, RATINGS_MAX);
	if (!rc && (o->rank < 1 || o->rank > RANK_MAX))
		rc = lgn_fail(LAGOON_EINVAL, "rank %d: expected 1 to %d",
			      o->rank, RANK_MAX);
	if (!rc && !(o->noise >= 0 && o->noise <= 1e6))
		rc = lgn_fail(LAGOON_EINVAL, "noise %g: expected 0 to 1e6",
			      o->noise);
	return rc;
}

LGN_EXPORT void
lagoon_generate_ratings_options_init(struct lagoon_generate_ratings_options *options)
{
	*options = (struct lagoon_generate_ratings_options){
		.size = sizeof(*options),
		.users = 10000,
		.items = 1000,
		.ratings = 1000000,
		.rank = 8,
		.noise = 0.1,
		.seed = 1,
	};
}

LGN_EXPORT int lagoon_generate_ratings(const char *path, const char *test,
				       const struct lagoon_generate_ratings_options *o)
{
	float *user = NULL, *item = NULL;
	int rc = check_options(o);

	if (rc)
		return rc;
	user = plant(o, STREAM_USER, o->users);
	item = plant(o, STREAM_ITEM, o->items);
	if (!user || !item)
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for the factors of %llu "
			      "users and %llu items",
			      (unsigned long long)o->users,
			      (unsigned long long)o->items);
	/* The test first, whose name may be wrong too. */
	if (!rc && test)
		rc = write_ratings(o, STREAM_TEST, (o->ratings + 9) / 10, user,
				   item, test);
	if (!rc)
		rc = write_ratings(o, STREAM_RATING, o->ratings, user, item,
				   path);
	free(user);
	free(item);
	return rc;
}
