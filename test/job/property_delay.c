/* launch: -n 1 -- --workers 4 */
/* launch: -n 2 --nodes 1 -- --workers 2 */
/* launch: -n 2 --nodes 2 -- --workers 3 */
/* launch: -n 4 --nodes 2 */
/* launch: -n 4 --nodes 4 -- --workers 1,2 */
/* launch: -n 2 --nodes 2 -- --workers 2 --check --seconds 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The property test over a wire that delays, reorders and executes again
 * (test/wires/delay.h). Links to the internals of liblagoon.
 */
#include <stdio.h>

#include "runtime/core.h"
#include "test/support/property.h"
#include "test/wires/delay.h"

/* How hard the wire works is drawn too: by the seed of the run. */
static int open_on_delay(const struct lagoon_attr *attr, struct lagoon **lg)
{
	uint64_t seed = t_seed();
	struct t_rng rng = { t_mix(seed, 99) };
	struct delay_config config = {
		.seed = seed,
		.hold = 1 + (unsigned)t_below(&rng, 4),
		.again = 1 + (unsigned)t_below(&rng, 4),
		.linger = t_once_in(&rng, 3) ? 0 :
			2 + (unsigned)t_below(&rng, 30),
		.refuse = t_once_in(&rng, 2) ? 0 : 5,
	};

	config.again += config.again == 1;	/* 1 would never end */
	delay_configure(&config);
	return lgn_open_on(attr, &lgn_wire_delay, lg);
}

int main(int argc, char **argv)
{
	return pr_main(argc, argv, open_on_delay);
}
