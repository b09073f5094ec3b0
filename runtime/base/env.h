/* SPDX-License-Identifier: BSD-3-Clause */
/* Typed access to the environment variables of env_table.h. */
#ifndef LGN_BASE_ENV_H
#define LGN_BASE_ENV_H

#include <stdbool.h>
#include <stdint.h>

enum lgn_env_kind { LGN_ENV_INT, LGN_ENV_CHOICE, LGN_ENV_TEXT };

enum lgn_env_id {
#define LGN_ENV(name, kind, def, help) LGN_ENV_ID_##name,
#include "runtime/base/env_table.h"
#undef LGN_ENV
	LGN_ENV_COUNT
};
_Static_assert(LGN_ENV_COUNT <= 25, "cut before you add");

struct lgn_env_entry {
	const char *name;	/* with LAGOON_ */
	const char *def;
	const char *help;
	enum lgn_env_kind kind;
	int64_t min, max;	/* of an INT */
	const char *choices;	/* of a CHOICE, with | between them */
};

/* The table row of id; the rows are [0, LGN_ENV_COUNT). */
const struct lgn_env_entry *lgn_env_entry(enum lgn_env_id id);

/* Whether the environment says anything; the empty text does not. */
bool lgn_env_set(enum lgn_env_id id);

/* The text in force: from the environment, or the default. Never NULL. */
const char *lgn_env_text(enum lgn_env_id id);

/* An INT within its bounds; LAGOON_EINVAL with variable, value and bounds. */
int lgn_env_int(enum lgn_env_id id, int64_t *value);

/* The index of the CHOICE in its list; LAGOON_EINVAL with the choices. */
int lgn_env_choice(enum lgn_env_id id, int *value);

/* Whether id can be set to this text. A TEXT is judged by who uses it: here
 * any will do. Says nothing. */
bool lgn_env_legal(enum lgn_env_id id, const char *text);

/* 0 if the text in force is legal, else LAGOON_EINVAL with the sentence. */
int lgn_env_check(enum lgn_env_id id);

/* The first option that is not. */
int lgn_env_check_all(void);

/* Calls found() for each variable in the environment that looks like one of
 * ours, misspelt: a slip or two in the name, and a value that is legal for
 * the option meant. Variables of other programs (and of the tests) may have
 * names as near as LAGOON_BIN, but then a path, say, where the option is yes
 * or no. name is not terminated. */
void lgn_env_typos(void (*found)(void *arg, const char *name, int len,
				 const char *meant), void *arg);

#endif
