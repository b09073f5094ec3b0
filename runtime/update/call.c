/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/base/status.h"
#include "runtime/update.h"
#include "runtime/update/builtin.h"

static struct lagoon_update_call call_of(const struct lgn_update *u, size_t n,
					 void *value, const void *delta,
					 void *const *state)
{
	return (struct lagoon_update_call){
		.size = sizeof(struct lagoon_update_call), .type = u->type,
		.n = n, .value = value, .delta = delta, .state = state,
		.param = u->param,
	};
}

/* Codes of Lagoon are passed on; what else a user's function returns is not
 * one of them. */
static int fail(const struct lgn_update *u, const char *what, int rc)
{
	int code = rc < 0 && rc >= LAGOON_EJOB ? rc : LAGOON_EINVAL;

	return lgn_fail(code, "update function %s: %s failed: %d", u->fn->name,
			what, rc);
}

int lgn_update_init(const struct lgn_update *u, size_t n, void *value,
		    void *const *state)
{
	struct lagoon_update_call call = call_of(u, n, value, NULL, state);
	int rc;

	if (!u->fn->init || n == 0)
		return 0;
	rc = u->fn->init(&call);
	return rc ? fail(u, "init", rc) : 0;
}

int lgn_update_apply(const struct lgn_update *u, size_t n, void *value,
		     const void *delta, void *const *state)
{
	struct lagoon_update_call call = call_of(u, n, value, delta, state);
	int rc;

	if (n == 0)
		return 0;
	rc = u->fn->apply(&call);
	return lgn_unlikely(rc) ? fail(u, "apply", rc) : 0;
}

void lgn_update_view(const struct lgn_update *u, size_t n, void *value,
		     const void *delta)
{
	struct lagoon_update_call call = call_of(u, n, value, delta, NULL);

	if (n == 0)
		return;
	if (u->fn->view)
		u->fn->view(&call);
	else
		u->fn->apply(&call);
}

void lgn_update_combine(const struct lgn_update *u, size_t n, void *into,
			const void *delta)
{
	if (u->type == LAGOON_F64)
		lgn_update_join_f64(u->combine, n, into, delta);
	else
		lgn_update_join_f32(u->combine, n, into, delta);
}
