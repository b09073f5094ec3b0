/* SPDX-License-Identifier: BSD-3-Clause */
/* The null wire has an answer for every call: no. */
#include <criterion/criterion.h>
#include <string.h>

#include "test/support/test.h"
#include "test/wires/delay.h"

TestSuite(null_wire, .timeout = 20);

Test(null_wire, no_entry_of_any_wire_is_null)
{
	const struct lgn_wire_ops *const all[] = {
		&lgn_wire_shm, &lgn_wire_null, &lgn_wire_delay,
	};

	for (size_t i = 0; i < T_COUNT(all); i++) {
		const struct lgn_wire_ops *ops = all[i];

		cr_assert_not_null(ops->name);
		cr_assert(ops->open && ops->start && ops->quiet && ops->close &&
			  ops->reg && ops->unreg && ops->attach &&
			  ops->detach && ops->post && ops->poll && ops->why &&
			  ops->hear && ops->hush && ops->mend && ops->poke,
			  "wire %s", ops->name);
	}
}

/* Wherever it stops, it stops with a code and a sentence. */
Test(null_wire, says_no)
{
	const struct lgn_wire_ops *ops = &lgn_wire_null;
	struct lgn_wire_config config = { .rank = 0, .size = 1, .timeout_s = 1 };
	struct lgn_mem_want want = { .len = 4096, .access = LGN_ACC_READ };
	const struct lgn_wire_near near = { NULL, -1 };
	const int node_of[1] = { 0 };
	struct lgn_wire_addr addr;
	struct lgn_wire *wire = NULL;
	struct lgn_mem mem;
	struct lgn_rmem rmem = { .peer = 0 };
	struct lgn_bell bell;
	struct lgn_key key = { 0, 4096, 0 };
	struct lgn_wr wr = { .len = 8, .op = LGN_GET };
	struct lgn_batch batch = { .wr = &wr, .n = 1 };

	memset(&addr, 0, sizeof(addr));
	if (ops->open(&near, &addr, &wire) < 0) {
		cr_assert(lagoon_errmsg()[0]);
		return;
	}
	if (ops->start(wire, &config, &addr, node_of) < 0)
		cr_assert(lagoon_errmsg()[0]);
	cr_assert_lt(ops->reg(wire, &want, &mem), 0);
	cr_assert_lt(ops->attach(wire, 0, &key, &rmem), 0);
	cr_assert_lt(ops->post(wire, &batch), 0);
	cr_assert(lagoon_errmsg()[0]);
	cr_assert_lt(ops->mend(&rmem), 0);
	ops->hush(wire);
	cr_assert_eq(ops->hear(wire, &bell, 1), 0);
	ops->poll(wire);
	ops->close(wire);
}
