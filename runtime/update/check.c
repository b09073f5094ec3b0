/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/update/object.h"
#include "runtime/update/param.h"

enum { COMBINES = LAGOON_COMBINE_NONE + 1 };

/* What every version of the structure begins with. */
static int check_version(const char *who, const struct lagoon_update *fn,
			 size_t room)
{
	if (room < offsetof(struct lagoon_update, name))
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: %zu bytes are no struct lagoon_update",
				who, room);
	if (fn->abi != LAGOON_UPDATE_ABI)
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: made for interface %u, this library has %d: compile it with this lagoon_update.h",
				who, (unsigned)fn->abi, LAGOON_UPDATE_ABI);
	if (fn->size < sizeof(*fn) || room < fn->size)
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: its size is %u in %zu bytes, expected at least %zu: set .size = sizeof(struct lagoon_update)",
				who, (unsigned)fn->size, room, sizeof(*fn));
	return 0;
}

static int check_type(const char *who, int type, const struct lagoon_update *fn)
{
	uint32_t known = LAGOON_UPDATE_F64 | LAGOON_UPDATE_F32;

	if (!fn->types || (fn->types & ~known))
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: its types are 0x%x, expected LAGOON_UPDATE_F64, LAGOON_UPDATE_F32 or both",
				who, (unsigned)fn->types);
	if (!(fn->types & 1u << type))
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: it has no %s, the table's type",
				who, type == LAGOON_F64 ? "double" : "float");
	return 0;
}

static int check_param(const char *who, const struct lagoon_update *fn,
		       uint32_t i)
{
	const struct lagoon_update_param *p = &fn->param[i];
	bool required = p->flags & LAGOON_UPDATE_REQUIRED;
	uint32_t known = LAGOON_UPDATE_ABOVE | LAGOON_UPDATE_BELOW |
			 LAGOON_UPDATE_REQUIRED | LAGOON_UPDATE_INTEGER;

	if (!p->name || !*p->name || !strcmp(p->name, "combine") ||
	    p->name[strspn(p->name, "abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: parameter %u has no legal name",
				who, (unsigned)i);
	for (uint32_t k = 0; k < i; k++)
		if (!strcmp(p->name, fn->param[k].name))
			return lgn_fail(LAGOON_ENOTSUP,
					"update function %s: two parameters %s",
					who, p->name);
	if (!(p->least <= p->most) || (p->flags & ~known) ||
	    (!required && !lgn_update_param_legal(p, p->value)))
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: parameter %s: its default or its range is not legal",
				who, p->name);
	return 0;
}

int lgn_update_check(const char *who, int type, const struct lagoon_update *fn,
		     size_t room)
{
	int rc = check_version(who, fn, room);

	if (!rc)
		rc = check_type(who, type, fn);
	if (rc)
		return rc;
	if (!fn->name || !fn->apply)
		return lgn_fail(LAGOON_ENOTSUP, "update function %s: it has no %s",
				who, fn->name ? "apply()" : "name");
	if (fn->combine < 0 || fn->combine >= COMBINES ||
	    fn->combines >= 1u << COMBINES)
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: combine is %d, of 0x%x: not of enum lagoon_combine",
				who, fn->combine, (unsigned)fn->combines);
	if (fn->states > LAGOON_UPDATE_STATES)
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: %u arrays of state, the most is %d",
				who, (unsigned)fn->states, LAGOON_UPDATE_STATES);
	if (fn->local_view && fn->states && !fn->view)
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: local_view needs a view(): apply() has state",
				who);
	if (fn->params > LAGOON_UPDATE_PARAMS || (fn->params && !fn->param))
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: %u parameters%s, the most is %d",
				who, (unsigned)fn->params,
				fn->param ? "" : " without a list",
				LAGOON_UPDATE_PARAMS);
	for (uint32_t i = 0; i < fn->params && !rc; i++)
		rc = check_param(who, fn, i);
	return rc;
}
