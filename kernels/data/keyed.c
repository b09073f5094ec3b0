/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/decimal.h"
#include "kernels/data/keyed.h"
#include "runtime/base/status.h"

int lgn_keyed_open(const char *path, struct lgn_keyed *l)
{
	*l = (struct lgn_keyed){ .path = path, .stream = fopen(path, "re") };
	if (l->stream)
		return 0;
	return lgn_fail(errno == ENOENT ? LAGOON_ENOENT : LAGOON_EIO,
			"%s: cannot open: %s", path, strerror(errno));
}

void lgn_keyed_close(struct lgn_keyed *l)
{
	fclose(l->stream);
	free(l->text);
}

int lgn_keyed_fail(const struct lgn_keyed *l, const char *expected)
{
	return lgn_fail(LAGOON_ECORRUPT, "%s: line %zu: expected %s, found "
			"\"%.40s\"", l->path, l->number, expected, l->text);
}

/* A last line without '\n' is a cut file, even when it looks complete. */
int lgn_keyed_next(struct lgn_keyed *l)
{
	ssize_t len = getline(&l->text, &l->room, l->stream);

	l->number++;
	if (len < 0 && ferror(l->stream))
		return lgn_fail(LAGOON_EIO, "%s: line %zu: %s", l->path,
				l->number, strerror(errno));
	if (len <= 0 || l->text[len - 1] != '\n')
		return lgn_fail(LAGOON_ECORRUPT, "%s: line %zu: the file ends "
				"before \"end\"", l->path, l->number);
	l->text[len - 1] = 0;
	return 0;
}

int lgn_keyed_text(struct lgn_keyed *l, const char *text)
{
	int rc = lgn_keyed_next(l);

	return !rc && strcmp(l->text, text) ? lgn_keyed_fail(l, text) : rc;
}

int lgn_keyed_last(struct lgn_keyed *l)
{
	if (fgetc(l->stream) == EOF)
		return 0;
	return lgn_fail(LAGOON_ECORRUPT, "%s: line %zu: expected nothing "
			"behind \"end\"", l->path, l->number + 1);
}

bool lgn_keyed_parse(const char **at, char stop, uint64_t most, uint64_t *x)
{
	const char *p = *at;

	for (*x = 0; *p >= '0' && *p <= '9' && *x <= most; p++)
		*x = *x * 10 + (uint64_t)(*p - '0');
	if (p == *at || *p != stop || *x > most)
		return false;
	*at = p + (stop != 0);
	return true;
}

/* "key number" */
int lgn_keyed_number(struct lgn_keyed *l, const char *key, double *value)
{
	size_t len = strlen(key);
	int rc = lgn_keyed_next(l);
	const char *end;

	if (rc)
		return rc;
	end = !strncmp(l->text, key, len) && l->text[len] == ' ' ?
		lgn_decimal_parse(l->text + len + 1, value) : NULL;
	return end && !*end && isfinite(*value) ? 0 : lgn_keyed_fail(l, key);
}

int lgn_keyed_whole(struct lgn_keyed *l, const char *key, uint64_t least,
		    uint64_t most, uint64_t *value)
{
	size_t len = strlen(key);
	int rc = lgn_keyed_next(l);
	const char *p = rc ? NULL : l->text + len + 1;

	if (rc)
		return rc;
	if (strncmp(l->text, key, len) || l->text[len] != ' ' ||
	    !lgn_keyed_parse(&p, 0, most, value) || *value < least)
		return lgn_keyed_fail(l, key);
	return 0;
}
