/* SPDX-License-Identifier: BSD-3-Clause */
/* Update functions that fit, one that has everything and two that fail. */
#include <lagoon_update.h>

/* Adds `scale` times what is pushed, and counts pushes down from `pushes`. */
static int apply(const struct lagoon_update_call *c)
{
	double *left = c->state[1];
	const double *delta = c->delta;
	double *value = c->value;

	for (size_t i = 0; i < c->n; i++) {
		value[i] += c->param[0] * delta[i];
		left[i] -= 1;
	}
	return 0;
}

static int init(const struct lagoon_update_call *c)
{
	double *left = c->state[1], *value = c->value;

	for (size_t i = 0; i < c->n; i++) {
		value[i] = -1;
		left[i] = c->param[1];
	}
	return c->size < sizeof(*c) || c->delta || c->type != LAGOON_F64;
}

static void view(const struct lagoon_update_call *c)
{
	const double *delta = c->delta;
	double *value = c->value;

	for (size_t i = 0; i < c->n && !c->state; i++)
		value[i] += c->param[0] * delta[i];
}

static const struct lagoon_update_param params[] = {
	{ "scale", 2, -4, 4, LAGOON_UPDATE_BELOW },
	{ "pushes", 100, 1, 1e9, LAGOON_UPDATE_INTEGER },
};

const struct lagoon_update counted = {
	.abi = LAGOON_UPDATE_ABI, .size = sizeof(counted), .name = "counted",
	.combine = LAGOON_COMBINE_SUM,
	.combines = 1u << LAGOON_COMBINE_MAX | 1u << LAGOON_COMBINE_NONE,
	.local_view = 1, .states = 2, .types = LAGOON_UPDATE_F64, .params = 2,
	.param = params, .apply = apply, .init = init, .view = view,
};

/* The same, by another name. */
const struct lagoon_update again = {
	.abi = LAGOON_UPDATE_ABI, .size = sizeof(again), .name = "again",
	.combine = LAGOON_COMBINE_SUM, .local_view = 1, .states = 2,
	.types = LAGOON_UPDATE_F64, .params = 2, .param = params,
	.apply = apply, .init = init, .view = view,
};

static int fail(const struct lagoon_update_call *c)
{
	return (int)c->param[0];
}

static const struct lagoon_update_param code[] = {
	{ "code", 7, -1000, 1000, LAGOON_UPDATE_INTEGER },
};

const struct lagoon_update failing = {
	.abi = LAGOON_UPDATE_ABI, .size = sizeof(failing), .name = "failing",
	.combine = LAGOON_COMBINE_NONE, .params = 1, .param = code,
	.types = LAGOON_UPDATE_F64 | LAGOON_UPDATE_F32, .apply = fail,
	.init = fail,
};
