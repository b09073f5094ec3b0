/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this process may still have: memory of the machine, of its control
 * group (v1 and v2) and of its own limits. Read before anything is promised,
 * because the kernel promises everything and kills later.
 */
#ifndef LGN_BASE_LIMITS_H
#define LGN_BASE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define LGN_NO_LIMIT UINT64_MAX	/* none, or not known */
#define LGN_HUGE_SIZES 4

struct lgn_huge {
	uint64_t size;		/* bytes a page */
	uint64_t total;		/* pages in the pool */
	uint64_t free;		/* pages */
};

/* All in bytes, LGN_NO_LIMIT where there is none. */
struct lgn_limits {
	uint64_t mem_total;
	uint64_t mem_available;
	int overcommit;		/* vm.overcommit_memory; 2: the next two bind */
	uint64_t commit_limit;
	uint64_t committed;
	uint64_t cgroup_limit;	/* of the group, or one around it, with the
				 * least room */
	uint64_t cgroup_used;	/* its usage without file cache, which the
				 * kernel gives back */
	int cgroup_version;	/* 1 or 2; 0 without a limit */
	char cgroup_path[256];
	uint64_t memlock;	/* RLIMIT_MEMLOCK, soft */
	uint64_t locked;	/* locked and pinned by this process */
	bool memlock_exempt;	/* CAP_IPC_LOCK: the limit is not enforced */
	uint64_t address_space;	/* RLIMIT_AS, soft */
	uint64_t address_used;
	uint64_t nofile;	/* RLIMIT_NOFILE, soft [files] */
	uint64_t nofile_hard;
	int n_huge;
	struct lgn_huge huge[LGN_HUGE_SIZES];
	uint64_t shm_size;	/* of /dev/shm */
	uint64_t shm_free;
};

/* What cannot be read counts as no limit. */
void lgn_limits_read(struct lgn_limits *limits);

/* LAGOON_ENOMEM if this process cannot have that many more bytes (locked:
 * pinned too); the message says how many there are and which setting changes
 * it. Processes that ask at the same time do not see each other's. */
int lgn_limits_check(uint64_t bytes, bool locked);

/* For tests: files below root ("" is the real one). */
void lgn_limits_read_at(const char *root, struct lgn_limits *limits);
int lgn_limits_check_in(const struct lgn_limits *limits, uint64_t bytes,
			bool locked);

/* "512 bytes", "1.5 GiB", "unlimited". Returns text. */
#define LGN_SIZE_TEXT 24
const char *lgn_size_text(uint64_t bytes, char text[LGN_SIZE_TEXT]);

#endif
