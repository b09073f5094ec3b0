/* SPDX-License-Identifier: BSD-3-Clause */
/* The readers behind limits.h. Every path is below a root, so that a test can
 * make a tree of files. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/base/limits.h"

enum {
	TEXT_MAX = 16384,		/* of a file in /proc or /sys */
	CAP_IPC_LOCK_BIT = 14,
};

/* cgroup v1 says "no limit" by the largest multiple of the page size */
static const uint64_t CGROUP1_NONE = (uint64_t)1 << 62;

struct cgroup_kind {
	int version;
	const char *mount;
	const char *limit;
	const char *usage;
	const char *cache[2];	/* fields of memory.stat: file pages */
};

static const struct cgroup_kind cgroup1 = {
	1, "/sys/fs/cgroup/memory", "memory.limit_in_bytes",
	"memory.usage_in_bytes", { "total_inactive_file ", "total_active_file " },
};

static const struct cgroup_kind cgroup2 = {
	2, "/sys/fs/cgroup", "memory.max",
	"memory.current", { "inactive_file ", "active_file " },
};

static bool read_text(const char *root, const char *path, char *text)
{
	char full[PATH_MAX];
	ssize_t n, used = 0;
	int fd;

	snprintf(full, sizeof(full), "%s%s", root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while ((n = read(fd, text + used, (size_t)(TEXT_MAX - 1 - used))) > 0)
		used += n;
	close(fd);
	text[used] = '\0';
	return n >= 0;
}

/* The text behind a name that begins a line; NULL if there is none. */
static const char *find(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, name, len))
			return text + len;
	}
	return NULL;
}

static uint64_t field(const char *text, const char *name, uint64_t unit,
		      uint64_t otherwise)
{
	const char *at = find(text, name);

	return at ? strtoull(at, NULL, 10) * unit : otherwise;
}

/* A file that holds one number, or "max". */
static uint64_t read_number(const char *root, const char *path,
			    uint64_t otherwise)
{
	char text[TEXT_MAX];
	char *end;
	uint64_t value;

	if (!read_text(root, path, text))
		return otherwise;
	value = strtoull(text, &end, 10);
	return end == text ? LGN_NO_LIMIT : value;
}

static void read_machine(const char *root, struct lgn_limits *l)
{
	char text[TEXT_MAX];

	if (!read_text(root, "/proc/meminfo", text))
		return;
	l->mem_total = field(text, "MemTotal:", 1024, LGN_NO_LIMIT);
	l->mem_available = field(text, "MemAvailable:", 1024, LGN_NO_LIMIT);
	l->commit_limit = field(text, "CommitLimit:", 1024, LGN_NO_LIMIT);
	l->committed = field(text, "Committed_AS:", 1024, 0);
	l->overcommit = (int)read_number(root, "/proc/sys/vm/overcommit_memory", 0);
}

static uint64_t file_cache(const char *root, const char *dir,
			   const struct cgroup_kind *kind)
{
	char path[PATH_MAX], text[TEXT_MAX];

	snprintf(path, sizeof(path), "%s/memory.stat", dir);
	if (!read_text(root, path, text))
		return 0;
	return field(text, kind->cache[0], 1, 0) +
	       field(text, kind->cache[1], 1, 0);
}

static uint64_t read_number_in(const char *root, const char *dir,
			       const char *name, uint64_t otherwise)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return read_number(root, path, otherwise);
}

static uint64_t room(uint64_t limit, uint64_t used)
{
	return limit > used ? limit - used : 0;
}

/* Keep this group if it leaves less room than the one kept so far. */
static void read_group(const char *root, const struct cgroup_kind *kind,
		       const char *path, struct lgn_limits *l)
{
	char dir[PATH_MAX / 2];
	uint64_t limit, used, cache;

	snprintf(dir, sizeof(dir), "%s%s", kind->mount, path);
	limit = read_number_in(root, dir, kind->limit, LGN_NO_LIMIT);
	if (limit >= CGROUP1_NONE)
		return;
	used = read_number_in(root, dir, kind->usage, 0);
	cache = file_cache(root, dir, kind);
	used -= cache < used ? cache : used;
	if (l->cgroup_limit != LGN_NO_LIMIT &&
	    room(limit, used) >= room(l->cgroup_limit, l->cgroup_used))
		return;
	l->cgroup_limit = limit;
	l->cgroup_used = used;
	l->cgroup_version = kind->version;
	snprintf(l->cgroup_path, sizeof(l->cgroup_path), "%s",
		 *path ? path : "/");
}

/* The group and all around it. In a container the path may be the host's and
 * not be there; the mount's root is the container's then, and comes last. */
static void walk_groups(const char *root, const struct cgroup_kind *kind,
			const char *begin, struct lgn_limits *l)
{
	char path[PATH_MAX / 4];
	char *slash;

	snprintf(path, sizeof(path), "%.*s", (int)strcspn(begin, "\n"), begin);
	while ((slash = strrchr(path, '/'))) {
		if (slash[1])
			read_group(root, kind, path, l);
		*slash = '\0';
	}
	read_group(root, kind, "", l);
}

/* Lines "ID:CONTROLLERS:PATH"; v2 has ID 0 and no controllers. */
static void read_cgroup(const char *root, struct lgn_limits *l)
{
	char text[TEXT_MAX];
	const char *line = text;

	if (!read_text(root, "/proc/self/cgroup", text))
		return;
	for (; line; line = strchr(line, '\n')) {
		const char *list, *path;

		line += *line == '\n';
		list = strchr(line, ':');
		path = list ? strchr(list + 1, ':') : NULL;
		if (!path)
			break;
		if (!strncmp(line, "0::", 3))
			walk_groups(root, &cgroup2, path + 1, l);
		else if (!strncmp(list, ":memory:", 8))
			walk_groups(root, &cgroup1, path + 1, l);
	}
}

static uint64_t soft(const struct rlimit *limit)
{
	return limit->rlim_cur == RLIM_INFINITY ? LGN_NO_LIMIT : limit->rlim_cur;
}

static void read_rlimits(struct lgn_limits *l)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_MEMLOCK, &limit))
		l->memlock = soft(&limit);
	if (!getrlimit(RLIMIT_AS, &limit))
		l->address_space = soft(&limit);
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		l->nofile = soft(&limit);
		l->nofile_hard = limit.rlim_max;
	}
}

/* mlock and registration count apart, each against the whole limit: the
 * larger is what the next registration or lock may meet. */
static void read_self(const char *root, struct lgn_limits *l)
{
	char text[TEXT_MAX];
	const char *caps;
	uint64_t pinned;

	if (!read_text(root, "/proc/self/status", text))
		return;
	l->address_used = field(text, "VmSize:", 1024, 0);
	l->locked = field(text, "VmLck:", 1024, 0);
	pinned = field(text, "VmPin:", 1024, 0);
	if (pinned > l->locked)
		l->locked = pinned;
	caps = find(text, "CapEff:");
	l->memlock_exempt = caps &&
			    strtoull(caps, NULL, 16) >> CAP_IPC_LOCK_BIT & 1;
}

static void read_huge_size(const char *root, const char *name,
			   struct lgn_limits *l)
{
	struct lgn_huge *huge = &l->huge[l->n_huge];
	char dir[PATH_MAX / 2];
	unsigned long kib;

	if (l->n_huge == LGN_HUGE_SIZES ||
	    sscanf(name, "hugepages-%lukB", &kib) != 1)
		return;
	snprintf(dir, sizeof(dir), "/sys/kernel/mm/hugepages/%s", name);
	huge->size = (uint64_t)kib * 1024;
	huge->total = read_number_in(root, dir, "nr_hugepages", 0);
	huge->free = read_number_in(root, dir, "free_hugepages", 0);
	l->n_huge++;
}

static void read_huge(const char *root, struct lgn_limits *l)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/kernel/mm/hugepages", root);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		read_huge_size(root, entry->d_name, l);
	closedir(dir);
}

static void read_shm(const char *root, struct lgn_limits *l)
{
	char path[PATH_MAX];
	struct statvfs fs;

	snprintf(path, sizeof(path), "%s/dev/shm", root);
	if (statvfs(path, &fs))
		return;
	l->shm_size = (uint64_t)fs.f_blocks * fs.f_frsize;
	l->shm_free = (uint64_t)fs.f_bavail * fs.f_frsize;
}

void lgn_limits_read_at(const char *root, struct lgn_limits *l)
{
	*l = (struct lgn_limits){
		.mem_total = LGN_NO_LIMIT, .mem_available = LGN_NO_LIMIT,
		.commit_limit = LGN_NO_LIMIT, .cgroup_limit = LGN_NO_LIMIT,
		.memlock = LGN_NO_LIMIT, .address_space = LGN_NO_LIMIT,
		.nofile = LGN_NO_LIMIT, .nofile_hard = LGN_NO_LIMIT,
		.shm_size = LGN_NO_LIMIT, .shm_free = LGN_NO_LIMIT,
	};
	read_machine(root, l);
	read_cgroup(root, l);
	read_rlimits(l);
	read_self(root, l);
	read_huge(root, l);
	read_shm(root, l);
}

void lgn_limits_read(struct lgn_limits *limits)
{
	lgn_limits_read_at("", limits);
}
