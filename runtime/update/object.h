/* SPDX-License-Identifier: BSD-3-Clause */
/* A user's shared object: load it, and refuse what does not fit. */
#ifndef LGN_RUNTIME_UPDATE_OBJECT_H
#define LGN_RUNTIME_UPDATE_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/lagoon_update.h"

/*
 * name: "FILE:SYMBOL"; who: as much of it as messages have room for. On success
 * *object is for dlclose(), *content a digest of the file's bytes.
 */
int lgn_update_load(const char *name, const char *who, int type, void **object,
		    const struct lagoon_update **fn, uint64_t *content);

/* Whether a function fits: room is what its symbol has [bytes]. */
int lgn_update_check(const char *who, int type, const struct lagoon_update *fn,
		     size_t room);

#endif
