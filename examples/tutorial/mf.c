/* SPDX-License-Identifier: BSD-3-Clause */
#include "ratings.h"

static double q[ITEMS][K];	/* factors of items, to be found */

int main(void)
{
	data_make();
	factors_make(q, ITEMS, 5, 0.5);
	for (int epoch = 0;; epoch++) {
		double sum = 0;

		for (int u = 0; u < USERS; u++)
			sum += user_test(u, q);
		if (epoch % EVERY == 0)
			epoch_print(epoch, sum);
		if (epoch == EPOCHS)
			return 0;
		for (int u = 0; u < USERS; u++)
			user_learn(u, q);
	}
}
