/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/support/snapshot.h"
#include "test/support/test.h"

enum { CPUS = 4096, LIMITS = 16, SIGNALS = 64 };

extern char **environ;

/* Calls each(to, number) for every number that names an entry of a folder. */
static void for_numbers(FILE *to, const char *path, void (*each)(FILE *to, int n))
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	T_CHECK(dir, "%s: %s", path, strerror(errno));
	while ((entry = readdir(dir))) {
		int n = atoi(entry->d_name);

		if (isdigit((unsigned char)entry->d_name[0]) && n != dirfd(dir))
			each(to, n);
	}
	closedir(dir);
}

static void print_descriptor(FILE *to, int fd)
{
	char path[64], target[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target));
	fprintf(to, "descriptor %d: %.*s\n", fd, n > 0 ? (int)n : 0, target);
}

/* Copies the value of a field of /proc/self/task/N/status. */
static void status_field(int tid, const char *name, char *value, size_t len)
{
	char path[64], line[512];
	size_t n = strlen(name);
	FILE *f;

	*value = 0;
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, n) && line[n] == ':')
			snprintf(value, len, "%.*s",
				 (int)strcspn(line + n + 2, "\n"), line + n + 2);
	if (f)
		fclose(f);
}

/* A thread that ends meanwhile is none. */
static void print_thread(FILE *to, int tid)
{
	unsigned char mask[CPUS / 8] = { 0 };
	char name[64], blocked[64];
	int bytes = sched_getaffinity(tid, sizeof(mask), (cpu_set_t *)mask);

	if (bytes < 0)
		return;
	status_field(tid, "Name", name, sizeof(name));
	status_field(tid, "SigBlk", blocked, sizeof(blocked));
	fprintf(to, "thread %d: %s, blocks %s, policy %d, nice %d, CPUs ", tid,
		name, blocked, sched_getscheduler(tid),
		getpriority(PRIO_PROCESS, (id_t)tid));
	for (size_t i = 0; i < sizeof(mask); i++)
		if (mask[i])
			fprintf(to, " %zu:%02x", i, mask[i]);
	fputc('\n', to);
}

static void print_signals(FILE *to)
{
	for (int sig = 1; sig <= SIGNALS; sig++) {
		struct sigaction act;

		memset(&act, 0, sizeof(act));
		if (sigaction(sig, NULL, &act))
			continue;	/* the C library's own */
		fprintf(to, "signal %d: handler %p, flags %x, mask", sig,
			(void *)act.sa_handler, (unsigned)act.sa_flags);
		for (int other = 1; other <= SIGNALS; other++)
			if (sigismember(&act.sa_mask, other) > 0)
				fprintf(to, " %d", other);
		fputc('\n', to);
	}
}

static void print_floating_point(FILE *to)
{
	fenv_t env;

	fegetenv(&env);
	fprintf(to, "rounding mode %d\n", fegetround());
#if defined(__x86_64__)
	/* without the bits that say what has happened */
	fprintf(to, "control words %x %x\n", env.__mxcsr & ~0x3fu,
		env.__control_word);
#elif defined(__aarch64__)
	fprintf(to, "control word %x\n", env.__fpcr);
#endif
}

static void print_limits(FILE *to)
{
	struct rlimit limit;

	for (int i = 0; i < LIMITS; i++)
		if (!getrlimit((__rlimit_resource_t)i, &limit))
			fprintf(to, "limit %d: %llu of %llu\n", i,
				(unsigned long long)limit.rlim_cur,
				(unsigned long long)limit.rlim_max);
}

static void print_memory(FILE *to)
{
	unsigned long nodes[64] = { 0 };
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4096];
	int policy = -1;

	syscall(SYS_get_mempolicy, &policy, nodes, 8 * sizeof(nodes), NULL, 0);
	fprintf(to, "memory policy %d\n", policy);
	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "memfd:lagoon"))
			fprintf(to, "mapping %s", line);
	if (maps)
		fclose(maps);
}

char *t_snapshot(t_more_fn more)
{
	mode_t mask = umask(0);
	char cwd[4096], *text;
	size_t len;
	FILE *to;

	umask(mask);
	to = open_memstream(&text, &len);
	T_CHECK(to && getcwd(cwd, sizeof(cwd)), "snapshot: %s", strerror(errno));
	fprintf(to, "umask %o\nfolder %s\nlocale %s\n", mask, cwd,
		setlocale(LC_ALL, NULL));
	for (char **var = environ; *var; var++)
		fprintf(to, "environment %s\n", *var);
	print_signals(to);
	print_floating_point(to);
	print_limits(to);
	print_memory(to);
	for_numbers(to, "/proc/self/task", print_thread);
	for_numbers(to, "/proc/self/fd", print_descriptor);
	if (more)
		more(to);
	fclose(to);
	return text;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *p = text; *p; p = strchr(p, '\n') + 1)
		if (!strncmp(p, line, len) && p[len] == '\n')
			return true;
	return false;
}

static bool may_come(const char *line)
{
	return !strncmp(line, "thread ", 7) || !strncmp(line, "mapping ", 8) ||
		!strncmp(line, "descriptor ", 11);
}

void t_same(const char *before, t_more_fn more, bool open, const char *when)
{
	char *now = t_snapshot(more);
	const char *p;
	size_t len;

	for (p = before; *p; p += len + 1) {
		len = strcspn(p, "\n");
		T_CHECK(has_line(now, p, len), "%s: gone or changed: %.*s", when,
			(int)len, p);
	}
	for (p = now; *p; p += len + 1) {
		len = strcspn(p, "\n");
		T_CHECK(has_line(before, p, len) || (open && may_come(p)),
			"%s: came: %.*s", when, (int)len, p);
	}
	free(now);
}

static void handler(int sig)
{
	(void)sig;
}

void t_unusual(void)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_RESTART };
	sigset_t blocked;

	sigemptyset(&act.sa_mask);
	sigaddset(&act.sa_mask, SIGALRM);
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	signal(SIGWINCH, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	umask(027);
	setlocale(LC_ALL, "C.UTF-8");
	setenv("LAGOON_LOG", "error", 0);
	setenv("OMP_DISPLAY_ENV", "false", 0);
	fesetround(FE_TOWARDZERO);
#if defined(__x86_64__)
	__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#endif
}
