/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "test/support/oracle.h"
#include "test/support/test.h"

/* More digits than this are no use, and a sum of rounds stays readable. */
enum { DIGIT_BITS_MAX = 20, DIGIT_BITS_MIN = 7 };

static const char *const model_name[] = {
	"ssp", "bsp", "asp", "essp", "psp", "vap"
};

void or_log_init(struct or_log *log, uint64_t seed, uint32_t workers,
		 uint32_t elems, uint32_t cols, uint32_t bits)
{
	log->seed = seed;
	log->workers = workers;
	log->elems = elems;
	log->cols = cols;
	log->bits = bits;
	for (uint32_t j = 0; j < OR_WORKERS; j++) {
		atomic_store(&log->ended[j], 0);
		atomic_store(&log->left[j], false);
		atomic_store(&log->dead[j], false);
		atomic_store(&log->torn[j], false);
		for (uint32_t e = 0; e < elems; e++)
			atomic_store_explicit(&log->begun[j][e], 0,
					      memory_order_relaxed);
	}
}

void or_code(const struct or_log *log, uint32_t elem, struct or_code *code)
{
	struct t_rng rng = { t_mix(log->seed, elem) };
	int most = (int)(log->bits / DIGIT_BITS_MIN);
	int8_t order[OR_WORKERS] = { 0 };

	for (uint32_t j = 0; j < log->workers; j++)
		order[j] = (int8_t)j;
	for (uint32_t j = log->workers - 1; j > 0; j--) {
		uint32_t k = (uint32_t)t_below(&rng, j + 1);
		int8_t swap = order[j];

		order[j] = order[k];
		order[k] = swap;
	}
	if (most > (int)log->workers)
		most = (int)log->workers;
	code->count = t_once_in(&rng, 2) ? most
					 : 1 + (int)t_below(&rng, (uint64_t)most);
	code->bits = (int)log->bits / code->count;
	if (code->bits > DIGIT_BITS_MAX)
		code->bits = DIGIT_BITS_MAX;
	for (int place = 0; place < code->count; place++) {
		code->worker[place] = order[place];
		code->sign[place] = t_once_in(&rng, 2) ? 1 : -1;
	}
}

static int place_of(const struct or_code *code, int worker)
{
	for (int place = 0; place < code->count; place++)
		if (code->worker[place] == worker)
			return place;
	return -1;
}

int64_t or_room(const struct or_log *log, uint32_t elem, int worker)
{
	struct or_code code;

	or_code(log, elem, &code);
	if (place_of(&code, worker) < 0)
		return 0;
	return ((int64_t)1 << code.bits) - 1 -
	       atomic_load_explicit(&log->begun[worker][elem],
				    memory_order_relaxed);
}

int64_t or_add(struct or_log *log, uint32_t elem, int worker, int64_t count)
{
	struct or_code code;
	int place;

	if (!count)
		return 0;
	or_code(log, elem, &code);
	place = place_of(&code, worker);
	atomic_fetch_add(&log->begun[worker][elem], count);
	return code.sign[place] * count * ((int64_t)1 << (code.bits * place));
}

void or_add_done(struct or_seen *seen, uint32_t elem, int worker,
		 int64_t count)
{
	seen->own[elem] += count;
	if (seen->digit[elem][worker] < seen->own[elem])
		seen->digit[elem][worker] = seen->own[elem];
}

void or_round_end(struct or_log *log, int worker)
{
	int32_t round = atomic_load(&log->ended[worker]);

	T_CHECK(round < OR_ROUNDS, "the log holds %d rounds only", OR_ROUNDS);
	for (uint32_t e = 0; e < log->elems; e++)
		log->round_end[worker][round][e] = atomic_load_explicit(
			&log->begun[worker][e], memory_order_relaxed);
	atomic_store(&log->ended[worker], round + 1);
}

void or_leave(struct or_log *log, int worker)
{
	or_round_end(log, worker);
	atomic_store(&log->left[worker], true);
}

void or_die(struct or_log *log, int worker)
{
	atomic_store(&log->dead[worker], true);
}

void or_tear(struct or_log *log, int worker)
{
	atomic_store(&log->torn[worker], true);
}

bool or_decode(const struct or_log *log, uint32_t elem, int64_t value,
	       int64_t digit[OR_WORKERS])
{
	struct or_code code;

	or_code(log, elem, &code);
	memset(digit, 0, OR_WORKERS * sizeof(digit[0]));
	for (int place = 0; place < code.count; place++) {
		int64_t mask = ((int64_t)1 << code.bits) - 1;
		int64_t d = (int64_t)((uint64_t)code.sign[place] *
				      (uint64_t)value) & mask;

		digit[code.worker[place]] = d;
		/* exact: the low bits of the difference are zero */
		value = (int64_t)((uint64_t)value -
				  (uint64_t)(code.sign[place] * d)) / (mask + 1);
	}
	return value == 0;
}

void or_pull_begin(const struct or_seen *seen, struct or_pull *pull)
{
	for (uint32_t i = 0; i < pull->n; i++)
		memcpy(pull->least[i], seen->digit[pull->elem[i]],
		       sizeof(pull->least[i]));
}

/* The last round of worker that the pull must show; -1 for none. */
static int32_t needed_round(const struct or_pull *pull, int worker)
{
	if (pull->model == OR_ASP || pull->model == OR_VAP)
		return -1;
	if (pull->model == OR_PSP && !(pull->asked >> worker & 1))
		return -1;
	if (pull->model == OR_BSP)
		return pull->clock - 1;
	if (pull->clock <= pull->bound)
		return -1;
	return pull->clock - pull->bound - 1;
}

/* Digits of round `round` of worker, or of its last one if it has left. */
static int64_t digit_at(const struct or_log *log, int worker, int32_t round,
			uint32_t elem)
{
	int32_t last = atomic_load(&log->ended[worker]) - 1;

	if (round > last)
		round = last;
	return round < 0 ? 0 : log->round_end[worker][round][elem];
}

struct limit {
	int64_t least;
	int64_t most;
	const char *rule;	/* that least comes from */
};

static struct limit limit_of(struct or_log *log, const struct or_pull *pull,
			     uint32_t i, int worker)
{
	uint32_t elem = pull->elem[i];
	int64_t must = digit_at(log, worker, needed_round(pull, worker), elem);
	struct limit limit = {
		.least = pull->least[i][worker],
		.most = atomic_load(&log->begun[worker][elem]),
		.rule = "I4, older than seen before",
	};

	if (atomic_load(&log->torn[worker])) {
		limit.least = 0;
		return limit;
	}
	if (worker == pull->worker) {
		limit.rule = "I2, own delta missing";
		return limit;
	}
	if (atomic_load(&log->dead[worker]))
		return limit;
	if (pull->model == OR_BSP)
		limit.most = must;
	if (must > limit.least) {
		limit.least = must;
		limit.rule = "I1, too old";
	}
	return limit;
}

static void describe(const struct or_log *log, const struct or_pull *pull,
		     uint32_t elem, char *text, size_t len)
{
	snprintf(text, len,
		 "worker %d at clock %d, %s(%d), row %u column %u", pull->worker,
		 pull->clock, model_name[pull->model], pull->bound,
		 elem / log->cols, elem % log->cols);
}

static bool check_one(struct or_log *log, const struct or_pull *pull,
		      uint32_t i, int64_t value, struct or_seen *seen, char *why)
{
	uint32_t elem = pull->elem[i];
	int64_t digit[OR_WORKERS];
	char where[160];

	describe(log, pull, elem, where, sizeof(where));
	if (!or_decode(log, elem, value, digit)) {
		snprintf(why, OR_WHY, "I3, value %" PRId64
			 " is no sum of deltas (%s)", value, where);
		return false;
	}
	for (int j = 0; j < (int)log->workers; j++) {
		struct limit limit = limit_of(log, pull, i, j);

		if (digit[j] < limit.least || digit[j] > limit.most) {
			snprintf(why, OR_WHY, "%s: shows %" PRId64
				 " of worker %d, legal %" PRId64 " to %" PRId64
				 " (%s)", digit[j] < limit.least ? limit.rule :
				 j == pull->worker ? "I2, own delta twice" :
				 pull->model == OR_BSP ? "bsp, round not kept apart"
				 : "I3, more than was added", digit[j], j,
				 limit.least, limit.most, where);
			return false;
		}
		if (digit[j] > seen->digit[elem][j])
			seen->digit[elem][j] = digit[j];
	}
	return true;
}

/* A pull that returns before the rounds that it needs have ended did not
 * wait, whatever it shows. */
static bool check_waited(struct or_log *log, const struct or_pull *pull,
			 char *why)
{
	for (int j = 0; j < (int)log->workers; j++) {
		int32_t need = needed_round(pull, j);

		/* left first: set last by the worker */
		if (atomic_load(&log->left[j]) || atomic_load(&log->dead[j]) ||
		    atomic_load(&log->ended[j]) > need || j == pull->worker)
			continue;
		snprintf(why, OR_WHY,
			 "I1, did not wait: worker %d at clock %d, %s(%d), pulled when worker %d had ended %d rounds",
			 pull->worker, pull->clock, model_name[pull->model],
			 pull->bound, j,
			 atomic_load(&log->ended[j]));
		return false;
	}
	return true;
}

bool or_pull_check(struct or_log *log, const struct or_pull *pull,
		   const int64_t *value, struct or_seen *seen, char *why)
{
	if (!check_waited(log, pull, why))
		return false;
	for (uint32_t i = 0; i < pull->n; i++)
		if (!check_one(log, pull, i, value[i], seen, why))
			return false;
	return true;
}

bool or_exact(struct or_log *log, uint32_t elem, int64_t value, char *why)
{
	int64_t digit[OR_WORKERS];
	bool good = or_decode(log, elem, value, digit);

	for (int j = 0; good && j < (int)log->workers; j++) {
		int64_t all = atomic_load(&log->begun[j][elem]);

		if (digit[j] == all ||
		    ((atomic_load(&log->dead[j]) || atomic_load(&log->torn[j])) &&
		     digit[j] < all))
			continue;
		snprintf(why, OR_WHY, "I3, row %u column %u: holds %" PRId64
			 " of worker %d, which added %" PRId64, elem / log->cols,
			 elem % log->cols, digit[j], j, all);
		return false;
	}
	if (!good)
		snprintf(why, OR_WHY, "I3, row %u column %u: value %" PRId64
			 " is no sum of deltas", elem / log->cols,
			 elem % log->cols, value);
	return good;
}

bool or_short(struct or_log *log, uint32_t elem, int64_t value)
{
	int64_t digit[OR_WORKERS];

	if (!or_decode(log, elem, value, digit))
		return true;
	for (int j = 0; j < (int)log->workers; j++)
		if (!atomic_load(&log->dead[j]) &&
		    digit[j] < atomic_load(&log->begun[j][elem]))
			return true;
	return false;
}

bool or_same(struct or_log *log, uint32_t elem, int64_t one, int64_t two)
{
	int64_t a[OR_WORKERS], b[OR_WORKERS];

	if (!or_decode(log, elem, one, a) || !or_decode(log, elem, two, b))
		return false;
	for (int j = 0; j < (int)log->workers; j++)
		if (!atomic_load(&log->dead[j]) && a[j] != b[j])
			return false;
	return true;
}
