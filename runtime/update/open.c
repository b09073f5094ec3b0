/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/base/status.h"
#include "runtime/update.h"
#include "runtime/update/builtin.h"
#include "runtime/update/object.h"
#include "runtime/update/param.h"

/* By type, in the order of lgn_update_name(). */
static const struct lagoon_update *const list[][2] = {
	{ lgn_update_plain_f64, lgn_update_plain_f32 },
	{ lgn_update_step_f64, lgn_update_step_f32 },
	{ lgn_update_adaptive_f64, lgn_update_adaptive_f32 },
};

static const struct lagoon_update *builtin(size_t i, int type)
{
	for (size_t l = 0; l < LGN_COUNT(list); l++)
		for (const struct lagoon_update *fn = list[l][type]; fn->name; fn++)
			if (i-- == 0)
				return fn;
	return NULL;
}

const char *lgn_update_name(size_t i)
{
	const struct lagoon_update *fn = builtin(i, LAGOON_F64);

	return fn ? fn->name : NULL;
}

static int find_builtin(const char *name, const char *who, int type,
			const struct lagoon_update **fn)
{
	char known[256] = "";
	size_t used = 0;

	for (size_t i = 0; (*fn = builtin(i, type)); i++) {
		if (!strcmp((*fn)->name, name))
			return 0;
		used += (size_t)snprintf(known + used, sizeof(known) - used,
					 "%s, ", (*fn)->name);
	}
	return lgn_fail(LAGOON_ENOENT,
			"no update function \"%s\": it is one of %sor ./FILE.so:SYMBOL",
			who, known);
}

static uint64_t digest_of(const struct lgn_update *u, const char *name,
			  uint64_t content)
{
	struct {
		uint64_t name, content, type, combine;
		double param[LAGOON_UPDATE_PARAMS];
	} all = {
		.name = XXH64(name, strlen(name), LAGOON_UPDATE_ABI),
		.content = content, .type = (uint64_t)u->type,
		.combine = (uint64_t)u->combine,
	};

	memcpy(all.param, u->param, sizeof(all.param));
	return XXH64(&all, sizeof(all), 0);
}

/* What messages call it: the end of a long path tells more than its begin. */
static void shorten(const char *name, char who[128])
{
	size_t len = strlen(name);

	if (len < 128)
		memcpy(who, name, len + 1);
	else
		snprintf(who, 128, "...%s", name + len - 100);
}

static int open_name(const char *name, const char *who, struct lgn_update *u,
		     uint64_t *content)
{
	if (u->type != LAGOON_F64 && u->type != LAGOON_F32)
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: elements have to be double or float",
				who);
	u->type_size = u->type == LAGOON_F64 ? sizeof(double) : sizeof(float);
	if (strpbrk(name, "/:"))
		return lgn_update_load(name, who, u->type, &u->object, &u->fn,
				       content);
	return find_builtin(name, who, u->type, &u->fn);
}

int lgn_update_open(const char *text, int type, struct lgn_update *u)
{
	struct lgn_update new = { .type = type };
	char name[LGN_UPDATE_TEXT_MAX + 1], who[128];
	uint64_t content = 0;
	size_t len;
	int rc;

	if (!text || !*text)
		text = "add";
	if (strlen(text) > LGN_UPDATE_TEXT_MAX)
		return lgn_fail(LAGOON_EINVAL,
				"update function %.40s...: more than %d characters",
				text, LGN_UPDATE_TEXT_MAX);
	len = strcspn(text, ",");
	memcpy(name, text, len);
	name[len] = 0;
	shorten(name, who);
	rc = open_name(name, who, &new, &content);
	if (rc)
		return rc;
	rc = lgn_update_params(who, text + len, &new);
	if (rc) {
		lgn_update_close(&new);
		return rc;
	}
	/* of an object the symbol alone: its file is in content */
	new.digest = digest_of(&new, new.object ? strrchr(name, ':') : name,
			       content);
	*u = new;
	return 0;
}

void lgn_update_close(struct lgn_update *u)
{
	if (u->object)
		dlclose(u->object);
	u->object = NULL;
	u->fn = NULL;
}
