/* SPDX-License-Identifier: BSD-3-Clause */
/* The sampler as it is written down: every topic's probability (Griffiths and
 * Steyvers 2004). */
#include "kernels/solve/lda/lda.h"

static int32_t pick(const double *sum, int n, double u)
{
	int lo = 0, hi = n - 1;

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (sum[mid] > u)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static int32_t draw(struct lgn_lda *t, const int32_t *row)
{
	double sum = 0;

	for (int k = 0; k < t->topics; k++) {
		sum += (t->nd[k] + t->alpha) * (row[k] + t->beta) *
			t->inverse[k];
		t->sum[k] = sum;
	}
	return pick(t->sum, t->topics, lgn_lda_uniform(t) * sum);
}

static void document(struct lgn_lda *t, const uint32_t *place, int32_t *topic,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int32_t *row = t->counts + (size_t)place[i] * (size_t)t->topics;
		int32_t k = topic[i];

		row[k]--;
		t->nd[k]--;
		lgn_lda_move(t, k, -1);
		k = draw(t, row);
		row[k]++;
		t->nd[k]++;
		lgn_lda_move(t, k, 1);
		topic[i] = k;
	}
}

const struct lgn_lda_sampler lgn_lda_dense = {
	.name = "dense",
	.matrix = true,
	.document = document,
};
