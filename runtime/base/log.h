/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line to stderr for each message, "lagoon[rank] level: text", by one
 * write(2). LAGOON_LOG=error|warn|info|debug, default error. Keeps errno.
 */
#ifndef LGN_BASE_LOG_H
#define LGN_BASE_LOG_H

#include "runtime/base/attr.h"

enum lgn_log_level { LGN_ERROR, LGN_WARN, LGN_INFO, LGN_DEBUG };

LGN_EXPORT void lgn_log(enum lgn_log_level level, const char *fmt, ...) LGN_PRINTF(2, 3);

#endif
