/* SPDX-License-Identifier: BSD-3-Clause */
#include "logistic.h"

int main(void)
{
	double weights[D] = { 0 };

	data_make();
	for (int round = 0;; round++) {
		double step[D] = { 0 };

		if (round % EVERY == 0)
			printf("round %3d  loss %.5f\n", round, loss(weights));
		if (round == ROUNDS)
			return 0;
		for (int i = 0; i < N; i++)
			descend(weights, i, step);
		for (int j = 0; j < D; j++)
			weights[j] += step[j];
	}
}
