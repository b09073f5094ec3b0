/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/env.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

static const char *const level_name[] = { "error", "warn", "info", "debug" };

/* The environment is read once; a malformed value counts as "error". */
static enum lgn_log_level threshold(void)
{
	static _Atomic int cached = -1;
	int level = atomic_load(&cached);

	if (level < 0) {
		const char *text = lgn_env_text(LGN_ENV_ID_LOG);

		level = LGN_ERROR;
		for (int i = 0; i < (int)LGN_COUNT(level_name); i++)
			if (!strcmp(text, level_name[i]))
				level = i;
		atomic_store(&cached, level);
	}
	return (enum lgn_log_level)level;
}

void lgn_log(enum lgn_log_level level, const char *fmt, ...)
{
	int keep = errno;
	char line[640];
	int n, m;
	va_list ap;

	if (level > threshold())
		return;
	n = snprintf(line, sizeof(line), "lagoon[%d] %s: ", lgn_status_rank(),
		     level_name[level]);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	n += m < (int)sizeof(line) - n - 1 ? m : (int)sizeof(line) - n - 2;
	line[n++] = '\n';
	while (write(STDERR_FILENO, line, (size_t)n) < 0 && errno == EINTR)
		;
	errno = keep;
}
