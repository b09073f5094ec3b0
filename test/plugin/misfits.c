/* SPDX-License-Identifier: BSD-3-Clause */
/* One thing of each does not fit. */
#include <math.h>

#include <lagoon_update.h>

static int apply(const struct lagoon_update_call *c)
{
	return c->n == 0;
}

int a_function(void);
int a_function(void)
{
	return LAGOON_UPDATE_ABI;
}

const uint32_t a_number = LAGOON_UPDATE_ABI;

#define GOOD .abi = LAGOON_UPDATE_ABI, .size = sizeof(struct lagoon_update), \
	.name = "good", .types = LAGOON_UPDATE_F64, .apply = apply
#define MISFIT(symbol, ...) \
	const struct lagoon_update symbol = { GOOD, __VA_ARGS__ }
/* The last of two initialisers of a field holds. */
#pragma GCC diagnostic ignored "-Woverride-init"

MISFIT(older, .abi = LAGOON_UPDATE_ABI - 1);
MISFIT(newer, .abi = LAGOON_UPDATE_ABI + 1);
MISFIT(shorter, .size = sizeof(struct lagoon_update) - sizeof(void *));
MISFIT(longer, .size = sizeof(struct lagoon_update) + 1);
MISFIT(nameless, .name = NULL);
MISFIT(idle, .apply = NULL);
MISFIT(other_combine, .combine = LAGOON_COMBINE_NONE + 1);
MISFIT(negative_combine, .combine = -1);
MISFIT(other_combines, .combines = 1u << (LAGOON_COMBINE_NONE + 1));
MISFIT(typeless, .types = 0);
MISFIT(other_type, .types = LAGOON_UPDATE_F64 | 1u << LAGOON_INT64);
MISFIT(single, .types = LAGOON_UPDATE_F32);
MISFIT(many_states, .states = LAGOON_UPDATE_STATES + 1);
MISFIT(blind, .local_view = 1, .states = 1);
MISFIT(listless, .params = 1);

static const struct lagoon_update_param nine[LAGOON_UPDATE_PARAMS + 1] = {
	{ .name = "one" },
};
static const struct lagoon_update_param unnamed[] = { { .value = 0 } };
static const struct lagoon_update_param spaced[] = { { .name = "a b" } };
static const struct lagoon_update_param reserved[] = { { .name = "combine" } };
static const struct lagoon_update_param twins[] = {
	{ .name = "twin" }, { .name = "twin" },
};
static const struct lagoon_update_param outside[] = { { "far", 2, 0, 1, 0 } };
static const struct lagoon_update_param edge[] = {
	{ "edge", 1, 0, 1, LAGOON_UPDATE_BELOW },
};
static const struct lagoon_update_param inverted[] = {
	{ "range", 0, 1, -1, LAGOON_UPDATE_REQUIRED },
};
static const struct lagoon_update_param unset[] = {
	{ "unset", NAN, 0, 1, 0 },
};
static const struct lagoon_update_param flagged[] = {
	{ "flags", 0, 0, 1, 1u << 20 },
};

MISFIT(many_params, .params = LAGOON_UPDATE_PARAMS + 1, .param = nine);
MISFIT(unnamed_param, .params = 1, .param = unnamed);
MISFIT(spaced_param, .params = 1, .param = spaced);
MISFIT(reserved_param, .params = 1, .param = reserved);
MISFIT(twin_params, .params = 2, .param = twins);
MISFIT(outside_param, .params = 1, .param = outside);
MISFIT(edge_param, .params = 1, .param = edge);
MISFIT(inverted_param, .params = 1, .param = inverted);
MISFIT(unset_param, .params = 1, .param = unset);
MISFIT(flagged_param, .params = 1, .param = flagged);
