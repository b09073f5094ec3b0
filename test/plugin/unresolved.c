/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls what nobody has. */
#include <lagoon_update.h>

int lagoon_is_not_there(const struct lagoon_update_call *c);

static int apply(const struct lagoon_update_call *c)
{
	return lagoon_is_not_there(c);
}

const struct lagoon_update unresolved = {
	.abi = LAGOON_UPDATE_ABI, .size = sizeof(unresolved),
	.name = "unresolved", .types = LAGOON_UPDATE_F64, .apply = apply,
};
