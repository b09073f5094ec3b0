/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables, plain memory for twins, indices; messages; other jobs. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char message[512];

/* From any thread; the first one counts. */
int bench_fail(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&lock);
	if (!message[0])
		vsnprintf(message, sizeof(message), format, args);
	pthread_mutex_unlock(&lock);
	va_end(args);
	return code;
}

const char *bench_errmsg(void)
{
	return message[0] ? message : lagoon_errmsg();
}

void *bench_plain(uint64_t bytes)
{
	const uint64_t align = 1u << 21;
	uint64_t len = (bytes + align - 1) / align * align;
	void *p = aligned_alloc(align, len);

	if (p)
		memset(p, 0, len);
	return p;
}

void bench_draw(uint64_t *index, uint64_t n, uint64_t below, uint64_t seed)
{
	uint64_t x = 88172645463325252u ^ (seed * 0x9e3779b97f4a7c15u);

	for (uint64_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		index[i] = (uint64_t)(((unsigned __int128)x * below) >> 64);
	}
}

void bench_shuffle(uint64_t *index, uint64_t n)
{
	for (uint64_t i = n; i > 1; i--) {
		uint64_t k, old = index[i - 1];

		bench_draw(&k, 1, i, i);
		index[i - 1] = index[k];
		index[k] = old;
	}
}

int bench_lanes(int format)
{
	return format == LAGOON_Q32 || format == LAGOON_I32 ? 2 : 1;
}

void *bench_deltas(int format, uint64_t words)
{
	uint64_t n = words * (uint64_t)bench_lanes(format);
	bool real = format == LAGOON_Q64 || format == LAGOON_Q32 ||
		format == LAGOON_FLOAT64;
	double *d = malloc(n * 8);

	for (uint64_t i = 0; d && i < n; i++) {
		if (real)
			d[i] = 1.0 / 1024;
		else
			((int64_t *)d)[i] = 1;
	}
	return d;
}

bool bench_has_twin(const struct bench *b)
{
	return !strcmp(b->wire, "shm");
}

void bench_decode(int format, void *out, const int64_t *words, uint64_t n)
{
	const double unit = format == LAGOON_Q64 ? 0x1p-32 : 0x1p-20;
	double *real = out;
	int64_t *integer = out;

	switch (format) {
	case LAGOON_Q64:
		for (uint64_t i = 0; i < n; i++)
			real[i] = (double)words[i] * unit;
		break;
	case LAGOON_Q32:
		for (uint64_t i = 0; i < n; i++) {
			int32_t low = (int32_t)words[i];

			real[2 * i] = (double)((words[i] - low) >> 32) * unit;
			real[2 * i + 1] = (double)low * unit;
		}
		break;
	case LAGOON_I32:
		for (uint64_t i = 0; i < n; i++) {
			int32_t low = (int32_t)words[i];

			integer[2 * i] = (words[i] - low) >> 32;
			integer[2 * i + 1] = low;
		}
		break;
	default:
		memcpy(out, words, n * 8);
	}
	/* every result is wanted */
	__asm__ __volatile__("" : : "r"(out) : "memory");
}

int bench_table(struct bench *b, struct lagoon_table_attr *attr,
		struct lagoon_table **t)
{
	char name[LAGOON_NAME_MAX + 1];

	snprintf(name, sizeof(name), "bench%d", b->tables++);
	return lagoon_table_create(b->lg, name, attr, t);
}

int bench_touch(const struct bench *b, struct lagoon_worker *w,
		struct lagoon_table *t, bool add)
{
	struct lagoon_table_attr attr = { .size = sizeof(attr) };
	uint64_t step = 4096;
	void *out, *one;
	int rc = 0;

	if (!bench_has_twin(b))
		return 0;
	lagoon_table_get_attr(t, &attr);
	if (step > attr.rows)
		step = attr.rows;
	out = malloc(step * attr.cols * 8);
	one = bench_deltas(attr.format, step * attr.cols);
	if (!out || !one)
		rc = bench_fail(LAGOON_ENOMEM, "no memory for %u columns", attr.cols);
	for (uint64_t i = 0; i < attr.rows && !rc; i += step) {
		if (step > attr.rows - i)
			step = attr.rows - i;
		rc = lagoon_pull(w, t, i, step, out);
		if (!rc && add)
			rc = lagoon_add(w, t, i, step, one);
	}
	if (!rc && add)
		rc = lagoon_clock(w);
	free(out);
	free(one);
	return rc;
}

uint64_t bench_far_rows(const struct bench *b, const struct lagoon_table *t,
			uint64_t *rows, uint64_t n)
{
	struct lagoon_table_attr attr = { .size = sizeof(attr) };
	uint64_t found = 0;

	lagoon_table_get_attr(t, &attr);
	for (uint64_t i = 0; !b->o.own_home && i < attr.rows && found < n; i++)
		if (lagoon_table_home(t, i) != lagoon_rank(b->lg))
			rows[found++] = i;
	for (uint64_t i = 0; !found && i < attr.rows && i < n; i++)
		rows[i] = i;
	return found ? found : attr.rows < n ? attr.rows : n;
}

bool bench_launched(void)
{
	return getenv("PMIX_NAMESPACE") && getenv("PMIX_RANK");
}

static int run_child(char *const argv[], int out)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return bench_fail(LAGOON_EIO, "fork: %s", strerror(errno));
	if (!pid) {
		if (out >= 0)
			dup2(out, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return bench_fail(LAGOON_EIO, "waitpid: %s",
					  strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int self_path(char self[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", self, PATH_MAX - 1);

	if (len <= 0)
		return bench_fail(LAGOON_EIO, "cannot find the program itself");
	self[len] = 0;
	return 0;
}

int bench_launch(int processes, int nodes, char *const argv[], int out)
{
	char self[PATH_MAX], n[16], k[24];
	char *args[64] = { self, (char *)"run", (char *)"-n", n };
	int used = 4, rc = self_path(self);

	if (rc)
		return rc;
	snprintf(n, sizeof(n), "%d", processes);
	snprintf(k, sizeof(k), "--nodes=%d", nodes);
	if (nodes)
		args[used++] = k;
	args[used++] = (char *)"--";
	args[used++] = self;
	args[used++] = (char *)"bench";
	for (int i = 0; argv[i]; i++) {
		if (used == 63)
			return bench_fail(LAGOON_EINVAL, "too many arguments");
		args[used++] = argv[i];
	}
	return run_child(args, out);
}

int bench_launch_program(int processes, const char *program)
{
	char self[PATH_MAX], n[16];
	char *args[] = { self, (char *)"run", (char *)"-n", n, (char *)"--",
		(char *)program, NULL };
	int rc = self_path(self);

	snprintf(n, sizeof(n), "%d", processes);
	return rc ? rc : run_child(args, -1);
}
