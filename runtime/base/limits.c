/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "runtime/base/limits.h"
#include "runtime/base/status.h"

const char *lgn_size_text(uint64_t bytes, char text[LGN_SIZE_TEXT])
{
	static const char *const unit[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t u = 0;

	if (bytes == LGN_NO_LIMIT) {
		snprintf(text, LGN_SIZE_TEXT, "unlimited");
		return text;
	}
	if (bytes < 1024) {
		snprintf(text, LGN_SIZE_TEXT, "%u bytes", (unsigned)bytes);
		return text;
	}
	for (; value >= 1023.95 && u + 1 < LGN_COUNT(unit); u++)
		value /= 1024;
	snprintf(text, LGN_SIZE_TEXT, "%.1f %s", value, unit[u]);
	return text;
}

/* Not sums of two amounts: a request near 2^64 must not wrap. */
static uint64_t room(uint64_t limit, uint64_t used)
{
	if (limit == LGN_NO_LIMIT)
		return LGN_NO_LIMIT;
	return limit > used ? limit - used : 0;
}

static int check_machine(const struct lgn_limits *l, uint64_t bytes)
{
	char need[LGN_SIZE_TEXT], have[LGN_SIZE_TEXT];

	if (bytes <= l->mem_available)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "%s of memory needed, %s available on this machine (MemAvailable): use more machines or smaller tables, or end what else runs here",
			lgn_size_text(bytes, need),
			lgn_size_text(l->mem_available, have));
}

static int check_commit(const struct lgn_limits *l, uint64_t bytes)
{
	uint64_t left = room(l->commit_limit, l->committed);
	char need[LGN_SIZE_TEXT], have[LGN_SIZE_TEXT];

	if (l->overcommit != 2 || bytes <= left)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "%s of memory needed, %s left below CommitLimit: raise sysctl vm.overcommit_ratio, or set vm.overcommit_memory to 0",
			lgn_size_text(bytes, need), lgn_size_text(left, have));
}

static int check_cgroup(const struct lgn_limits *l, uint64_t bytes)
{
	uint64_t left = room(l->cgroup_limit, l->cgroup_used);
	char need[LGN_SIZE_TEXT], have[LGN_SIZE_TEXT], all[LGN_SIZE_TEXT];

	if (bytes <= left)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "%s of memory needed, %s left of the %s that control group %s allows: raise its %s (srun --mem, docker run --memory)",
			lgn_size_text(bytes, need), lgn_size_text(left, have),
			lgn_size_text(l->cgroup_limit, all), l->cgroup_path,
			l->cgroup_version == 2 ? "memory.max" :
						 "memory.limit_in_bytes");
}

static int check_address_space(const struct lgn_limits *l, uint64_t bytes)
{
	uint64_t left = room(l->address_space, l->address_used);
	char need[LGN_SIZE_TEXT], have[LGN_SIZE_TEXT];

	if (bytes <= left)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "%s of memory needed, %s left of the address space of this process (RLIMIT_AS): raise it with ulimit -v",
			lgn_size_text(bytes, need), lgn_size_text(left, have));
}

static int check_locked(const struct lgn_limits *l, uint64_t bytes)
{
	uint64_t left = room(l->memlock, l->locked);
	char need[LGN_SIZE_TEXT], have[LGN_SIZE_TEXT], all[LGN_SIZE_TEXT];

	if (l->memlock_exempt || bytes <= left)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "%s of locked memory needed, %s left of %s (RLIMIT_MEMLOCK): raise it with ulimit -l, memlock in /etc/security/limits.conf, or LimitMEMLOCK=infinity of slurmd",
			lgn_size_text(bytes, need), lgn_size_text(left, have),
			lgn_size_text(l->memlock, all));
}

int lgn_limits_check_in(const struct lgn_limits *l, uint64_t bytes, bool locked)
{
	int rc = check_cgroup(l, bytes);

	if (!rc)
		rc = check_machine(l, bytes);
	if (!rc)
		rc = check_commit(l, bytes);
	if (!rc)
		rc = check_address_space(l, bytes);
	if (!rc && locked)
		rc = check_locked(l, bytes);
	return rc;
}

int lgn_limits_check(uint64_t bytes, bool locked)
{
	struct lgn_limits limits;

	lgn_limits_read(&limits);
	return lgn_limits_check_in(&limits, bytes, locked);
}
