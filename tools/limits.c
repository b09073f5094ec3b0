/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <sys/resource.h>

#include "runtime/base/limits.h"
#include "tools/info.h"

static void print_memory(FILE *out, const struct lgn_limits *l)
{
	static const char *const mode[] = { "heuristic", "always", "strict" };
	char a[LGN_SIZE_TEXT], b[LGN_SIZE_TEXT];
	int m = l->overcommit;

	fprintf(out, "  memory          %s, %s available\n",
		lgn_size_text(l->mem_total, a),
		lgn_size_text(l->mem_available, b));
	fprintf(out, "  overcommit      %s (vm.overcommit_memory %d)\n",
		m >= 0 && m <= 2 ? mode[m] : "unknown", m);
	if (m == 2)
		fprintf(out, "  commit limit    %s, %s in use\n",
			lgn_size_text(l->commit_limit, a),
			lgn_size_text(l->committed, b));
	fprintf(out, "  /dev/shm        %s, %s free\n",
		lgn_size_text(l->shm_size, a), lgn_size_text(l->shm_free, b));
}

static void print_group(FILE *out, const struct lgn_limits *l)
{
	char a[LGN_SIZE_TEXT], b[LGN_SIZE_TEXT];

	if (!l->cgroup_version) {
		fputs("  control group   no memory limit\n", out);
		return;
	}
	fprintf(out, "  control group   %s (v%d), %s in use without file cache, %s\n",
		lgn_size_text(l->cgroup_limit, a), l->cgroup_version,
		lgn_size_text(l->cgroup_used, b), l->cgroup_path);
}

static void print_process(FILE *out, const struct lgn_limits *l)
{
	char a[LGN_SIZE_TEXT], b[LGN_SIZE_TEXT];

	fprintf(out, "  locked memory   %s (RLIMIT_MEMLOCK), %s in use%s\n",
		lgn_size_text(l->memlock, a), lgn_size_text(l->locked, b),
		l->memlock_exempt ? "; not enforced: CAP_IPC_LOCK" : "");
	if (l->address_space != LGN_NO_LIMIT)
		fprintf(out, "  address space   %s (RLIMIT_AS), %s in use\n",
			lgn_size_text(l->address_space, a),
			lgn_size_text(l->address_used, b));
	if (l->nofile == LGN_NO_LIMIT)
		fputs("  open files      unlimited (RLIMIT_NOFILE)\n", out);
	else if (l->nofile_hard == RLIM_INFINITY)
		fprintf(out, "  open files      %" PRIu64 " (RLIMIT_NOFILE), no hard limit\n",
			l->nofile);
	else
		fprintf(out, "  open files      %" PRIu64 " (RLIMIT_NOFILE), hard limit %" PRIu64 "\n",
			l->nofile, l->nofile_hard);
}

static void print_huge(FILE *out, const struct lgn_limits *l)
{
	char size[LGN_SIZE_TEXT];

	if (!l->n_huge)
		fputs("  huge pages      none\n", out);
	for (int i = 0; i < l->n_huge; i++)
		fprintf(out, "  huge pages      %" PRIu64 " of %" PRIu64 " free, %s each\n",
			l->huge[i].free, l->huge[i].total,
			lgn_size_text(l->huge[i].size, size));
}

void info_limits(FILE *out)
{
	struct lgn_limits limits;

	lgn_limits_read(&limits);
	fputs("Limits\n", out);
	print_memory(out, &limits);
	print_group(out, &limits);
	print_process(out, &limits);
	print_huge(out, &limits);
}
