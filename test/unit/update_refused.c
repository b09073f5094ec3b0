/* SPDX-License-Identifier: BSD-3-Clause */
/* What lgn_update_open() does not take, and why it says so. */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/update.h"

TestSuite(update_refused, .timeout = 60);

struct refusal {
	const char *text;
	int status;
	const char *reason;	/* a part of the message */
};

/* u stays as it is, and the message names the function as it was written. */
static void refused(const struct refusal *r, int type, const char *folder)
{
	struct lgn_update u, before;
	char text[600];
	const char *shown;

	snprintf(text, sizeof(text), "%s%s", folder, r->text);
	memset(&u, 0x5a, sizeof(u));
	before = u;
	cr_assert_eq(lgn_update_open(text, type, &u), r->status, "%s: %s", text,
		     lagoon_errmsg());
	cr_assert(strstr(lagoon_errmsg(), r->reason), "%s: %s", text,
		  lagoon_errmsg());
	text[strcspn(text, ",")] = 0;
	shown = strlen(text) < 128 ? text : text + strlen(text) - 100;
	cr_assert(strstr(lagoon_errmsg(), shown), "%s: %s", text,
		  lagoon_errmsg());
	cr_assert_eq(memcmp(&u, &before, sizeof(u)), 0);
}

static const struct refusal texts[] = {
	{ "ad", LAGOON_ENOENT, "it is one of add, assign, min, max, sgd, momentum, nesterov, prox-l1, prox-l2, adagrad, adam, ftrl, or ./FILE.so:SYMBOL" },
	{ "Add", LAGOON_ENOENT, "no update function \"Add\"" },
	{ ",rate=1", LAGOON_ENOENT, "no update function \"\"" },
	{ " add", LAGOON_ENOENT, "no update function \" add\"" },
	{ "add,", LAGOON_EINVAL, "\"\": expected key=value" },
	{ "add,scale=2", LAGOON_EINVAL, "no parameter \"scale\"; it has combine" },
	{ "adam,lr=1", LAGOON_EINVAL, "no parameter \"lr\"; it has rate, beta1, beta2, epsilon, combine" },
	{ "adam,rate", LAGOON_EINVAL, "\"rate\": expected key=value" },
	{ "adam,rate=0.1,", LAGOON_EINVAL, "expected key=value" },
	{ "adam,,rate=0.1", LAGOON_EINVAL, "expected key=value" },
	{ "adam,rate=0.1,rate=0.1", LAGOON_EINVAL, "rate= is there twice" },
	{ "adam,rate=", LAGOON_EINVAL, "rate= is not a number" },
	{ "adam,rate=fast", LAGOON_EINVAL, "rate=fast is not a number" },
	{ "adam,rate=0.1x", LAGOON_EINVAL, "rate=0.1x is not a number" },
	{ "adam,rate=0", LAGOON_EINVAL, "rate=0: expected a number in (0, inf)" },
	{ "adam,rate=-1", LAGOON_EINVAL, "rate=-1: expected a number in (0, inf)" },
	{ "adam,rate=nan", LAGOON_EINVAL, "expected a number in (0, inf)" },
	{ "adam,rate=inf", LAGOON_EINVAL, "expected a number in (0, inf)" },
	{ "adam,rate=1e999", LAGOON_EINVAL, "expected a number in (0, inf)" },
	{ "adam,beta1=1", LAGOON_EINVAL, "beta1=1: expected a number in [0, 1)" },
	{ "adam,beta2=-0.1", LAGOON_EINVAL, "expected a number in [0, 1)" },
	{ "adam,combine=max", LAGOON_EINVAL, "combine=max is not one that it takes; it declares none" },
	{ "add,combine=none", LAGOON_EINVAL, "it declares sum" },
	{ "add,combine=", LAGOON_EINVAL, "combine= is not one" },
	{ "sgd", LAGOON_EINVAL, "rate has no default: give sgd,rate=..." },
	{ "momentum,momentum=0.5", LAGOON_EINVAL, "rate has no default" },
	{ "momentum,rate=0.1,momentum=1", LAGOON_EINVAL, "[0, 1)" },
	{ "nesterov", LAGOON_EINVAL, "rate has no default" },
	{ "adagrad", LAGOON_EINVAL, "rate has no default" },
	{ "adagrad,rate=1,initial=-1", LAGOON_EINVAL, "[0, inf)" },
	{ "ftrl", LAGOON_EINVAL, "alpha has no default" },
	{ "ftrl,alpha=0.1,l1=-1", LAGOON_EINVAL, "[0, inf)" },
	{ "prox-l1,rate=0.1", LAGOON_EINVAL, "lambda has no default" },
	{ "prox-l2,lambda=0.1", LAGOON_EINVAL, "rate has no default" },
	{ "min,initial=nan", LAGOON_EINVAL, "[-inf, inf]" },
};

Test(update_refused, texts)
{
	for (size_t k = 0; k < LGN_COUNT(texts); k++)
		for (int type = LAGOON_F64; type <= LAGOON_F32; type++)
			refused(&texts[k], type, "");
}

static const struct refusal objects[] = {
	{ "none.so:counted", LAGOON_ENOENT, "none.so:counted: open: No such file" },
	{ "fits.so:none", LAGOON_ENOENT, "the file has no symbol none" },
	{ "fits.so:", LAGOON_EINVAL, "expected FILE.so:SYMBOL" },
	{ "fits.so", LAGOON_EINVAL, "expected FILE.so:SYMBOL" },
	{ ":counted", LAGOON_EIO, "Is a directory" },
	{ "unresolved.so:unresolved", LAGOON_ENOTSUP, "lagoon_is_not_there" },
	{ "../unit/update.unit:main", LAGOON_ENOTSUP, "update.unit" },
	{ "../../Makefile:all", LAGOON_ENOTSUP, "Makefile" },
	{ "fits.so:counted,rate=1", LAGOON_EINVAL, "no parameter \"rate\"; it has scale, pushes, combine" },
	{ "fits.so:counted,scale=4", LAGOON_EINVAL, "expected a number in [-4, 4)" },
	{ "fits.so:counted,pushes=1.5", LAGOON_EINVAL, "expected a whole number in [1, 1e+09]" },
	{ "fits.so:counted,combine=min", LAGOON_EINVAL, "it declares sum" },
	{ "misfits.so:a_function", LAGOON_ENOTSUP, "a_function is not a variable" },
	{ "misfits.so:a_number", LAGOON_ENOTSUP, "4 bytes are no struct lagoon_update" },
	{ "misfits.so:older", LAGOON_ENOTSUP, "made for interface 0, this library has 1" },
	{ "misfits.so:newer", LAGOON_ENOTSUP, "made for interface 2, this library has 1" },
	{ "misfits.so:shorter", LAGOON_ENOTSUP, "set .size" },
	{ "misfits.so:longer", LAGOON_ENOTSUP, "set .size" },
	{ "misfits.so:nameless", LAGOON_ENOTSUP, "it has no name" },
	{ "misfits.so:idle", LAGOON_ENOTSUP, "it has no apply()" },
	{ "misfits.so:other_combine", LAGOON_ENOTSUP, "combine is 5" },
	{ "misfits.so:negative_combine", LAGOON_ENOTSUP, "combine is -1" },
	{ "misfits.so:other_combines", LAGOON_ENOTSUP, "of 0x20" },
	{ "misfits.so:typeless", LAGOON_ENOTSUP, "its types are 0x0" },
	{ "misfits.so:other_type", LAGOON_ENOTSUP, "its types are 0x5" },
	{ "misfits.so:single", LAGOON_ENOTSUP, "it has no double" },
	{ "misfits.so:many_states", LAGOON_ENOTSUP, "5 arrays of state, the most is 4" },
	{ "misfits.so:blind", LAGOON_ENOTSUP, "needs a view()" },
	{ "misfits.so:listless", LAGOON_ENOTSUP, "1 parameters without a list" },
	{ "misfits.so:many_params", LAGOON_ENOTSUP, "9 parameters, the most is 8" },
	{ "misfits.so:unnamed_param", LAGOON_ENOTSUP, "parameter 0 has no legal name" },
	{ "misfits.so:spaced_param", LAGOON_ENOTSUP, "parameter 0 has no legal name" },
	{ "misfits.so:reserved_param", LAGOON_ENOTSUP, "parameter 0 has no legal name" },
	{ "misfits.so:twin_params", LAGOON_ENOTSUP, "two parameters twin" },
	{ "misfits.so:outside_param", LAGOON_ENOTSUP, "parameter far: its default" },
	{ "misfits.so:edge_param", LAGOON_ENOTSUP, "parameter edge: its default" },
	{ "misfits.so:inverted_param", LAGOON_ENOTSUP, "parameter range: its default or its range" },
	{ "misfits.so:unset_param", LAGOON_ENOTSUP, "parameter unset: its default" },
	{ "misfits.so:flagged_param", LAGOON_ENOTSUP, "parameter flags: its default" },
};

Test(update_refused, objects)
{
	for (size_t k = 0; k < LGN_COUNT(objects); k++)
		refused(&objects[k], LAGOON_F64, "./test/plugin/");
}

/* dlopen() would search its paths for these. */
Test(update_refused, files_that_would_be_searched_for)
{
	static const struct refusal r[] = {
		{ "fits.so:counted", LAGOON_EINVAL, "write ./FILE.so or an absolute path" },
		{ "test/plugin/fits.so:counted", LAGOON_EINVAL, "is not searched for" },
		{ ".so:x", LAGOON_EINVAL, "is not searched for" },
		{ ":x", LAGOON_EINVAL, "expected FILE.so:SYMBOL" },
	};

	for (size_t k = 0; k < LGN_COUNT(r); k++)
		refused(&r[k], LAGOON_F64, "");
}

Test(update_refused, types)
{
	static const struct refusal integer = { "add", LAGOON_ENOTSUP, "double or float" };
	static const struct refusal no_float = {
		"./test/plugin/fits.so:counted", LAGOON_ENOTSUP, "it has no float",
	};

	refused(&integer, LAGOON_INT64, "");
	refused(&integer, LAGOON_INT32, "");
	refused(&integer, -1, "");
	refused(&no_float, LAGOON_F32, "");
}

/* The reason has room behind the end of the name. */
Test(update_refused, long_texts)
{
	char text[LGN_UPDATE_TEXT_MAX + 2];
	struct refusal r = { text, LAGOON_ENOENT, "it is one of add" };
	struct lgn_update u;

	memset(text, 'a', sizeof(text));
	text[LGN_UPDATE_TEXT_MAX + 1] = 0;
	cr_assert_eq(lgn_update_open(text, LAGOON_F64, &u), LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "more than 511 characters"));
	text[LGN_UPDATE_TEXT_MAX] = 0;
	refused(&r, LAGOON_F64, "");
	text[0] = '/';
	text[LGN_UPDATE_TEXT_MAX - 1] = ':';
	r.status = LAGOON_EINVAL;
	r.reason = "expected FILE.so:SYMBOL";
	refused(&r, LAGOON_F64, "");
	text[LGN_UPDATE_TEXT_MAX - 2] = ':';
	text[LGN_UPDATE_TEXT_MAX - 1] = 'a';
	r.status = LAGOON_EIO;
	r.reason = "File name too long";
	refused(&r, LAGOON_F64, "");
}

/* Numbers have a point in every locale. */
Test(update_refused, not_by_a_locale_with_a_comma)
{
	static const char *const commas[] = {
		"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR", "it_IT.UTF-8",
		"es_ES.UTF-8", "pl_PL.UTF-8", "ru_RU.UTF-8",
	};
	struct lgn_update u;
	size_t k = 0;

	while (k < LGN_COUNT(commas) && !setlocale(LC_ALL, commas[k]))
		k++;
	if (k == LGN_COUNT(commas))
		cr_skip_test("no locale with a comma here");
	cr_assert_str_eq(localeconv()->decimal_point, ",");
	cr_assert_eq(lgn_update_open("sgd,rate=0.5", LAGOON_F64, &u), 0, "%s",
		     lagoon_errmsg());
	cr_assert_eq(u.param[0], 0.5);
	lgn_update_close(&u);
}
