/* SPDX-License-Identifier: BSD-3-Clause */
/* What is around the library: launcher, devices, other libraries. */
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "numa/place.h"
#include "runtime/base/attr.h"
#include "runtime/job.h"
#include "tools/info.h"

static void print_pmix(FILE *out)
{
	const char *job = getenv("PMIX_NAMESPACE");
	const char *rank = getenv("PMIX_RANK");

	fprintf(out, "  library         %s\n", lgn_job_pmix_version());
	if (job)
		fprintf(out, "  server          yes: job %s, rank %s\n", job,
			rank ? rank : "unknown");
	else
		fputs("  server          none: not started by a launcher\n", out);
}

/* One library whose file name tells its version: libjansson.so.4.14.0. Asked
 * of the linker because it is the one in use that matters, and because
 * libibverbs has no call for it. */
struct library {
	const char *name;	/* "libjansson.so" */
	char file[NAME_MAX + 1];
};

static int match(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct library *lib = arg;
	char path[PATH_MAX];
	const char *base = strrchr(info->dlpi_name, '/');

	(void)size;
	if (!base || strncmp(base + 1, lib->name, strlen(lib->name)))
		return 0;
	base = realpath(info->dlpi_name, path) ? strrchr(path, '/') : base;
	snprintf(lib->file, sizeof(lib->file), "%s", base + 1);
	return 1;
}

static void print_libraries(FILE *out)
{
	static const char *const name[] = {
		"libisal.so", "libjansson.so", "libibverbs.so", "librdmacm.so",
	};

	fprintf(out, "  hwloc           %s\n", lgn_topo_library());
	for (size_t i = 0; i < LGN_COUNT(name); i++) {
		struct library lib = { name[i], "not loaded" };
		int dot = (int)strlen(name[i]) - 3;

		dl_iterate_phdr(match, &lib);
		fprintf(out, "  %-15.*s %s\n", dot - 3, name[i] + 3, lib.file);
	}
}

void info_surroundings(FILE *out)
{
	fputs("PMIx\n", out);
	print_pmix(out);
	fputs("Libraries\n", out);
	print_libraries(out);
}
