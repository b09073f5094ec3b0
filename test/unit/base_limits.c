/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits read from trees of files, and what is refused because of them. */
#include <criterion/criterion.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/limits.h"
#include "runtime/base/status.h"
#include "test/support/temp.h"

#define GIB ((uint64_t)1 << 30)
#define MIB ((uint64_t)1 << 20)

static char root[TEMP_PATH];

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void make_root(void)
{
	cr_assert(temp_folder(root));
}

static void remove_root(void)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Write a file of the tree and the folders above it. */
static void put(const char *path, const char *fmt, ...)
{
	char full[PATH_MAX];
	va_list ap;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	cr_assert(f, "%s", full);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

static void put_machine(uint64_t total, uint64_t available)
{
	put("/proc/meminfo",
	    "MemTotal: %llu kB\nMemFree: 1 kB\nMemAvailable:   %llu kB\n"
	    "CommitLimit: %llu kB\nCommitted_AS: 1024 kB\n",
	    total >> 10, available >> 10, 2 * GIB >> 10);
}

static struct lgn_limits limits_here(void)
{
	struct lgn_limits limits;

	lgn_limits_read_at(root, &limits);
	return limits;
}

static int check(uint64_t bytes, bool locked)
{
	struct lgn_limits limits = limits_here();

	return lgn_limits_check_in(&limits, bytes, locked);
}

/* The most that is allowed is allowed, one byte more is not, and the message
 * has all the words. */
static void expect_edge(uint64_t most, bool locked, const char *word1,
			const char *word2)
{
	cr_expect_eq(check(most, locked), 0, "%s", lagoon_errmsg());
	cr_expect_eq(check(most + 1, locked), LAGOON_ENOMEM);
	cr_expect(strstr(lagoon_errmsg(), word1), "%s", lagoon_errmsg());
	cr_expect(strstr(lagoon_errmsg(), word2), "%s", lagoon_errmsg());
	cr_expect_eq(check(UINT64_MAX - 1, locked), LAGOON_ENOMEM);
}

TestSuite(base_limits, .init = make_root, .fini = remove_root);

Test(base_limits, an_empty_tree_limits_nothing)
{
	struct lgn_limits l = limits_here();

	cr_expect_eq(l.mem_available, LGN_NO_LIMIT);
	cr_expect_eq(l.cgroup_limit, LGN_NO_LIMIT);
	cr_expect_eq(l.cgroup_version, 0);
	cr_expect_eq(l.n_huge, 0);
	cr_expect_eq(l.shm_size, LGN_NO_LIMIT);
	cr_expect_eq(check((uint64_t)1 << 60, false), 0, "%s", lagoon_errmsg());
}

Test(base_limits, memory_of_the_machine)
{
	put_machine(16 * GIB, 3 * GIB);
	expect_edge(3 * GIB, false, "3.0 GiB", "MemAvailable");
}

Test(base_limits, strict_overcommit_binds_only_when_set)
{
	put_machine(16 * GIB, 12 * GIB);
	put("/proc/sys/vm/overcommit_memory", "0\n");
	cr_expect_eq(check(8 * GIB, false), 0);
	put("/proc/sys/vm/overcommit_memory", "2\n");
	expect_edge(2 * GIB - MIB, false, "CommitLimit", "vm.overcommit_ratio");
}

static void put_cgroup1(const char *dir, uint64_t limit, uint64_t used,
			uint64_t cache)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/memory%s/memory.limit_in_bytes", dir);
	put(path, "%llu\n", (unsigned long long)limit);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/memory%s/memory.usage_in_bytes", dir);
	put(path, "%llu\n", (unsigned long long)used);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/memory%s/memory.stat", dir);
	put(path, "cache 5\ninactive_file 7\ntotal_inactive_file %llu\ntotal_active_file 4096\n",
	    (unsigned long long)cache);
}

static void put_cgroup2(const char *dir, const char *limit, uint64_t used,
			uint64_t cache)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", dir);
	put(path, "%s\n", limit);
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.current", dir);
	put(path, "%llu\n", (unsigned long long)used);
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.stat", dir);
	put(path, "anon 1\nfile 9\ninactive_file %llu\nactive_file 0\n",
	    (unsigned long long)cache);
}

Test(base_limits, group_v1_with_an_unlimited_root)
{
	put("/proc/self/cgroup", "12:cpuset:/x\n4:memory:/slurm/job_7\n0::/x\n");
	put_cgroup1("", 9223372036854771712u, 20 * GIB, 0);
	put_cgroup1("/slurm", 9223372036854771712u, 18 * GIB, 0);
	put_cgroup1("/slurm/job_7", 4 * GIB, 3 * GIB, GIB - 4096);
	expect_edge(2 * GIB, false, "/slurm/job_7", "memory.limit_in_bytes");
	cr_expect_eq(limits_here().cgroup_version, 1);
}

Test(base_limits, group_v1_without_a_limit)
{
	put("/proc/self/cgroup", "4:memory:/\n");
	put_cgroup1("", 9223372036854771712u, GIB, 0);
	cr_expect_eq(limits_here().cgroup_version, 0);
	cr_expect_eq(limits_here().cgroup_limit, LGN_NO_LIMIT);
}

Test(base_limits, group_v2_and_file_cache_is_not_used_memory)
{
	put("/proc/self/cgroup", "0::/system.slice/a.scope\n");
	put_cgroup2("/system.slice/a.scope", "1073741824", GIB, GIB / 4);
	put_cgroup2("/system.slice", "max", 20 * GIB, 0);
	expect_edge(GIB / 4, false, "/system.slice/a.scope", "memory.max");
	cr_expect_eq(limits_here().cgroup_version, 2);
}

Test(base_limits, the_group_with_the_least_room_counts)
{
	put("/proc/self/cgroup", "0::/outer/inner\n");
	put_cgroup2("/outer/inner", "4294967296", GIB, 0);
	put_cgroup2("/outer", "8589934592", 7 * GIB, 0);
	expect_edge(GIB, false, "control group /outer allows", "8.0 GiB");
	put_cgroup2("/outer/inner", "1073742848", GIB, 0);
	expect_edge(1024, false, "control group /outer/inner allows", "1.0 KiB");
}

/* A container shows the host's path, and its own group at the root. */
Test(base_limits, a_path_that_is_not_there_falls_back_to_the_root)
{
	put("/proc/self/cgroup", "4:memory:/docker/0123abc\n");
	put_cgroup1("", 2 * GIB, GIB, 0);
	expect_edge(GIB + 4096, false, "control group / allows", "2.0 GiB");
}

Test(base_limits, usage_above_the_limit_leaves_nothing)
{
	put("/proc/self/cgroup", "0::/a\n");
	put_cgroup2("/a", "4096", 8192, 0);
	cr_expect_eq(check(0, false), 0);
	cr_expect_eq(check(1, false), LAGOON_ENOMEM);
}

static void put_self(const char *caps)
{
	put("/proc/self/status",
	    "Name:\tx\nVmSize:\t 1048576 kB\nVmLck:\t 64 kB\nVmPin:\t 1024 kB\nCapEff:\t%s\n",
	    caps);
}

static void set_limit(int which, rlim_t value)
{
	struct rlimit limit;

	getrlimit(which, &limit);
	limit.rlim_cur = value;
	cr_assert_eq(setrlimit(which, &limit), 0);
}

Test(base_limits, locked_memory_less_what_is_pinned)
{
	set_limit(RLIMIT_MEMLOCK, 4 * MIB);
	put_self("0000000000000000");
	cr_expect_eq(check(GIB, false), 0);
	expect_edge(3 * MIB, true, "RLIMIT_MEMLOCK", "ulimit -l");
	cr_expect(strstr(lagoon_errmsg(), "4.0 MiB"), "%s", lagoon_errmsg());
}

Test(base_limits, the_capability_lifts_the_lock_limit)
{
	set_limit(RLIMIT_MEMLOCK, 4 * MIB);
	put_self("0000000000004000");
	cr_expect_eq(check(GIB, true), 0);
	put_self("ffffffffffffbfff");
	cr_expect_eq(check(GIB, true), LAGOON_ENOMEM);
}

Test(base_limits, address_space_less_what_is_mapped)
{
	struct lgn_limits l;

	put_self("0000000000000000");
	l = limits_here();
	cr_expect_eq(l.address_used, GIB);
	l.address_space = 3 * GIB;
	cr_expect_eq(lgn_limits_check_in(&l, 2 * GIB, false), 0);
	cr_expect_eq(lgn_limits_check_in(&l, 2 * GIB + 1, false), LAGOON_ENOMEM);
	cr_expect(strstr(lagoon_errmsg(), "ulimit -v"));
}

Test(base_limits, huge_pages_of_each_size)
{
	struct lgn_limits l;

	put("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "32\n");
	put("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "30\n");
	put("/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "2\n");
	put("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "1\n");
	l = limits_here();
	cr_assert_eq(l.n_huge, 2);
	for (int i = 0; i < 2; i++) {
		bool small = l.huge[i].size == 2 * MIB;

		cr_expect(small || l.huge[i].size == GIB);
		cr_expect_eq(l.huge[i].total, small ? 32 : 2);
		cr_expect_eq(l.huge[i].free, small ? 30 : 1);
	}
}

Test(base_limits, broken_files_are_survived)
{
	put("/proc/meminfo", "MemAvailable");
	put("/proc/self/cgroup", "nonsense\n0:\n");
	put("/proc/self/status", "CapEff:\n");
	put("/sys/kernel/mm/hugepages/other/nr_hugepages", "x");
	cr_expect_eq(check(GIB, false), 0, "%s", lagoon_errmsg());
}

/* Here and now: something is known, little is allowed, too much is not. */
Test(base_limits, this_machine)
{
	struct lgn_limits l;

	lgn_limits_read(&l);
	cr_expect_neq(l.mem_total, LGN_NO_LIMIT);
	cr_expect_leq(l.mem_available, l.mem_total);
	cr_expect_gt(l.address_used, 0);
	cr_expect_eq(lgn_limits_check(4096, false), 0, "%s", lagoon_errmsg());
	cr_expect_eq(lgn_limits_check((uint64_t)1 << 60, false), LAGOON_ENOMEM);
}

Test(base_limits, sizes_as_text)
{
	static const struct { uint64_t bytes; const char *text; } cases[] = {
		{ 0, "0 bytes" }, { 1023, "1023 bytes" }, { 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" }, { MIB - 1, "1.0 MiB" }, { GIB, "1.0 GiB" },
		{ LGN_NO_LIMIT, "unlimited" }, { LGN_NO_LIMIT - 1, "16.0 EiB" },
	};
	char text[LGN_SIZE_TEXT];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(lgn_size_text(cases[i].bytes, text),
				 cases[i].text);
}
