/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/status.h"

static _Thread_local char message[512];
static _Atomic int job_rank = -1;

int lgn_fail(int code, const char *fmt, ...)
{
	int keep = errno;
	int rank = atomic_load(&job_rank);
	size_t used = 0;
	va_list ap;

	if (rank >= 0)
		used = (size_t)snprintf(message, sizeof(message), "rank %d: ", rank);
	va_start(ap, fmt);
	vsnprintf(message + used, sizeof(message) - used, fmt, ap);
	va_end(ap);
	errno = keep;
	return code;
}

int lgn_fail_text(int code, const char *text)
{
	return lgn_fail(code, "%s", text);
}

void lgn_errmsg_set(const char *text)
{
	snprintf(message, sizeof(message), "%s", text);
}

void lgn_status_set_rank(int rank)
{
	atomic_store(&job_rank, rank);
}

int lgn_status_rank(void)
{
	return atomic_load(&job_rank);
}

LGN_EXPORT const char *lagoon_errmsg(void)
{
	return message;
}

LGN_EXPORT const char *lagoon_strerror(int status)
{
	static const char *const text[] = {
		"success",
		"invalid argument",
		"no such table, file or rank",
		"exists with another shape",
		"not supported here",
		"not enough memory",
		"no usable device",
		"system call, file or device failed",
		"try again: every slot is in use",
		"timed out",
		"element out of its legal range",
		"stored data is corrupt",
		"another process of the job is dead",
		"this process has lost its job",
	};

	if (status > 0 || (size_t)-(long)status >= LGN_COUNT(text))
		return "unknown status";
	return text[-status];
}
