/* launch: -n 1 -- --workers 4 */
/* launch: -n 2 --nodes 1 -- --workers 2 */
/* launch: -n 2 --nodes 2 -- --workers 1,3 */
/* launch: -n 4 --nodes 2 */
/* launch: -n 4 --nodes 4 -- --workers 2,1 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The property test over a wire that, besides all that property_delay does,
 * fails from some moment on at one process (I6): requests are executed, in
 * part or not at all, and reported as failed. Until then every view is right;
 * then every process ends with an error that names a rank, whatever it was
 * doing, and no view in between is wrong. Links to the internals of liblagoon.
 */
#include "runtime/core.h"
#include "test/support/property.h"
#include "test/wires/delay.h"

enum { MOST_REQUESTS = 3000 };	/* before the first failure, after open */

static int open_on_delay(const struct lagoon_attr *attr, struct lagoon **lg)
{
	uint64_t seed = t_seed();
	struct t_rng rng = { t_mix(seed, 77) };
	struct delay_config config = {
		.seed = seed,
		.hold = 1 + (unsigned)t_below(&rng, 3),
		.again = 2 + (unsigned)t_below(&rng, 3),
		.linger = t_once_in(&rng, 3) ? 0 :
			2 + (unsigned)t_below(&rng, 30),
		.refuse = t_once_in(&rng, 2) ? 0 : 5,
		.fail = 1 + (unsigned)t_below(&rng, 20),
		.fail_ops = ~0u,
		.fail_status = LAGOON_EIO,
		.fail_breaks = !t_once_in(&rng, 3),
	};
	uint64_t from = t_below(&rng, MOST_REQUESTS);
	int rc;

	delay_configure(&config);
	rc = lgn_open_on(attr, &lgn_wire_delay, lg);
	if (!rc && t_below(&rng, (uint64_t)lagoon_size(*lg)) ==
	    (uint64_t)lagoon_rank(*lg))
		delay_fail_after(from);
	return rc;
}

int main(int argc, char **argv)
{
	pr_may_fail = LAGOON_EIO;
	return pr_main(argc, argv, open_on_delay);
}
