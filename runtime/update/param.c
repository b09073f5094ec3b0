/* SPDX-License-Identifier: BSD-3-Clause */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/update/param.h"

static const char *const combine_name[] = {
	[LAGOON_COMBINE_SUM] = "sum",	[LAGOON_COMBINE_MIN] = "min",
	[LAGOON_COMBINE_MAX] = "max",	[LAGOON_COMBINE_LAST] = "last",
	[LAGOON_COMBINE_NONE] = "none",
};

bool lgn_update_param_legal(const struct lagoon_update_param *p, double value)
{
	if (!(value >= p->least && value <= p->most))
		return false;	/* NaN, too */
	if ((p->flags & LAGOON_UPDATE_ABOVE) && value == p->least)
		return false;
	if ((p->flags & LAGOON_UPDATE_BELOW) && value == p->most)
		return false;
	return !(p->flags & LAGOON_UPDATE_INTEGER) || value == floor(value);
}

/* With a point whatever the program's locale is. */
static bool number_of(const char *text, double *value)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	char *end;

	if (!plain)
		return false;
	*value = strtod_l(text, &end, plain);
	freelocale(plain);
	return end != text && !*end;
}

static int set_param(const char *who, const struct lagoon_update_param *p,
		     const char *text, double *value)
{
	double x;

	if (!number_of(text, &x))
		return lgn_fail(LAGOON_EINVAL,
				"update function %s: %s=%s is not a number", who,
				p->name, text);
	if (!lgn_update_param_legal(p, x))
		return lgn_fail(LAGOON_EINVAL,
				"update function %s: %s=%s: expected a %snumber in %c%g, %g%c",
				who, p->name, text,
				p->flags & LAGOON_UPDATE_INTEGER ? "whole " : "",
				p->flags & LAGOON_UPDATE_ABOVE ? '(' : '[',
				p->least, p->most,
				p->flags & LAGOON_UPDATE_BELOW ? ')' : ']');
	*value = x;
	return 0;
}

static int set_combine(const char *who, const char *text, struct lgn_update *u)
{
	for (unsigned c = 0; c < LGN_COUNT(combine_name); c++) {
		if (strcmp(text, combine_name[c]))
			continue;
		if ((int)c != u->fn->combine && !(u->fn->combines & 1u << c))
			break;
		u->combine = (enum lagoon_combine)c;
		return 0;
	}
	return lgn_fail(LAGOON_EINVAL,
			"update function %s: combine=%s is not one that it takes; it declares %s",
			who, text, combine_name[u->fn->combine]);
}

/* Which parameter; params for "combine"; -1 for no such key. */
static int index_of(const struct lagoon_update *fn, const char *key)
{
	for (uint32_t i = 0; i < fn->params; i++)
		if (!strcmp(key, fn->param[i].name))
			return (int)i;
	return strcmp(key, "combine") ? -1 : (int)fn->params;
}

static int fail_key(const char *who, const char *key,
		    const struct lagoon_update *fn)
{
	char known[256] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < fn->params && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used,
					 "%s, ", fn->param[i].name);
	return lgn_fail(LAGOON_EINVAL,
			"update function %s: no parameter \"%s\"; it has %scombine",
			who, key, known);
}

/* One "key=value"; seen has a bit for each key that was given. */
static int set(const char *who, char *pair, struct lgn_update *u, unsigned *seen)
{
	char *value = strchr(pair, '=');
	int i;

	if (!value)
		return lgn_fail(LAGOON_EINVAL,
				"update function %s: \"%s\": expected key=value",
				who, pair);
	*value++ = 0;
	i = index_of(u->fn, pair);
	if (i < 0)
		return fail_key(who, pair, u->fn);
	if (*seen & 1u << i)
		return lgn_fail(LAGOON_EINVAL, "update function %s: %s= is there twice",
				who, pair);
	*seen |= 1u << i;
	if (i == (int)u->fn->params)
		return set_combine(who, value, u);
	return set_param(who, &u->fn->param[i], value, &u->param[i]);
}

int lgn_update_params(const char *who, const char *text, struct lgn_update *u)
{
	const struct lagoon_update *fn = u->fn;
	char pairs[LGN_UPDATE_TEXT_MAX + 1];
	unsigned seen = 0;
	char *rest = pairs, *pair;
	int rc;

	u->combine = (enum lagoon_combine)fn->combine;
	for (uint32_t i = 0; i < fn->params; i++)
		u->param[i] = fn->param[i].value;
	strcpy(pairs, *text ? text + 1 : "");
	while (*text && (pair = strsep(&rest, ","))) {
		rc = set(who, pair, u, &seen);
		if (rc)
			return rc;
	}
	for (uint32_t i = 0; i < fn->params; i++)
		if ((fn->param[i].flags & LAGOON_UPDATE_REQUIRED) &&
		    !(seen & 1u << i))
			return lgn_fail(LAGOON_EINVAL,
					"update function %s: %s has no default: give %s,%s=...",
					who, fn->param[i].name, who,
					fn->param[i].name);
	return 0;
}
