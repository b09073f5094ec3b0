/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of models as text: one "key value" a line, then lines of their own. What
 * is not as expected is LAGOON_ECORRUPT, with its line. */
#ifndef LGN_DATA_KEYED_H
#define LGN_DATA_KEYED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One line in work; numbers for the message of a line that is wrong. */
struct lgn_keyed {
	const char *path;
	FILE *stream;
	char *text;		/* without '\n' */
	size_t room;
	size_t number;
};

/* LAGOON_ENOENT, LAGOON_EIO. */
int lgn_keyed_open(const char *path, struct lgn_keyed *l);
void lgn_keyed_close(struct lgn_keyed *l);

int lgn_keyed_fail(const struct lgn_keyed *l, const char *expected);

/* The next line; LAGOON_EIO. */
int lgn_keyed_next(struct lgn_keyed *l);

/* The next line is this; "key number", finite; "key number", whole. */
int lgn_keyed_text(struct lgn_keyed *l, const char *text);
int lgn_keyed_number(struct lgn_keyed *l, const char *key, double *value);
int lgn_keyed_whole(struct lgn_keyed *l, const char *key, uint64_t least,
		    uint64_t most, uint64_t *value);

/* Nothing stands behind this line, which is "end". */
int lgn_keyed_last(struct lgn_keyed *l);

/* Digits at *at, which moves behind them and stop, which must follow. */
bool lgn_keyed_parse(const char **at, char stop, uint64_t most, uint64_t *x);

#endif
