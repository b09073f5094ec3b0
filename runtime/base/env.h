/* SPDX-License-Identifier: BSD-3-Clause */
/* Typed access to the environment variables of env_table.h. */
#ifndef LGN_BASE_ENV_H
#define LGN_BASE_ENV_H

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
	enum lgn_env_kind kind;
	const char *def;
	const char *help;
};

/* The table row of id; the rows are [0, LGN_ENV_COUNT). */
const struct lgn_env_entry *lgn_env_entry(enum lgn_env_id id);

/* The text in force: from the environment, or the default. Never NULL. */
const char *lgn_env_text(enum lgn_env_id id);

/* An INT within [min, max]; LAGOON_EINVAL with the variable named. */
int lgn_env_int(enum lgn_env_id id, int64_t min, int64_t max, int64_t *value);

/* Calls found() for each variable in the environment whose name is nearly one
 * of ours: off by one or two characters. name is not terminated. */
void lgn_env_typos(void (*found)(void *arg, const char *name, int len,
				 const char *meant), void *arg);

/* The index of the CHOICE in its list; LAGOON_EINVAL with the choices. */
int lgn_env_choice(enum lgn_env_id id, int *value);

#endif
