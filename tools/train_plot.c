/* SPDX-License-Identifier: BSD-3-Clause */
/* --plot: the objective or likelihood over epochs and over time, drawn by
 * gnuplot. It gets a script and numbers on its standard input and gives the
 * picture on its standard output: names of files do not go through it, nor
 * through a shell. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <spawn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/train.h"

extern char **environ;

/* Is there a program of this name on the PATH? */
static bool on_path(const char *name)
{
	const char *at = getenv("PATH");
	char file[PATH_MAX];

	while (at && *at) {
		size_t len = strcspn(at, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)len, at, name);
		if (!access(file, X_OK))
			return true;
		at += len + (at[len] == ':');
	}
	return false;
}

int train_plot_check(const char *path)
{
	if (on_path("gnuplot"))
		return lagoon_model_check_path(path);
	return lgn_fail(LAGOON_ENOTSUP, "--plot: gnuplot is not on the PATH: "
			"install it (on Debian: gnuplot-nox)");
}

/* ------------------------------------------------------------- script */

static void write_points(FILE *out, const struct train_report *r)
{
	fputs("$points << END_OF_POINTS\n", out);
	for (int i = 0; i < r->points; i++)
		fprintf(out, "%d %.17g %.17g\n", r->point[i].epoch,
			r->point[i].seconds, r->point[i].objective);
	fputs("END_OF_POINTS\n", out);
}

/* gnuplot warns of axes that it must make up, as for one point. */
static void write_range(FILE *out, const struct train_report *r)
{
	double low = HUGE_VAL, high = -HUGE_VAL, margin;

	for (int i = 0; i < r->points; i++) {
		low = fmin(low, r->point[i].objective);
		high = fmax(high, r->point[i].objective);
	}
	margin = fmax(0.05 * (high - low), 1e-6 * fabs(high) + 1e-300);
	fprintf(out, "set yrange [%.17g:%.17g]\n", low - margin, high + margin);
}

static void write_script(FILE *out, const struct train_report *r)
{
	const struct train_point *last = &r->point[r->points - 1];
	static const char plot[] = "with linespoints pointtype 7 pointsize 0.4";
	const char *many = r->unit[strlen(r->unit) - 1] == 's' ? "es" : "s";

	fputs("set terminal svg size 960,400 dynamic background rgb 'white'\n",
	      out);
	write_points(out, r);
	write_range(out, r);
	fprintf(out, "set multiplot layout 1,2 title 'lagoon train %s' noenhanced\n"
		"set grid\nset key off\nset ylabel '%s'\n"
		"set format y '%%.6g'\nset xlabel '%s%s'\n"
		"set xrange [0:%d]\nplot $points using 1:3 %s\n"
		"set xlabel 'seconds'\nset xrange [0:%.17g]\n"
		"plot $points using 2:3 %s\nunset multiplot\n",
		r->solver, r->measure, r->unit, many, last->epoch, plot,
		last->seconds + 1e-9, plot);
}

/* ------------------------------------------------------------ gnuplot */

static int start(int script, int picture, pid_t *pid)
{
	static const char *const argv[] = { "gnuplot", "-", NULL };
	posix_spawn_file_actions_t files;
	int err;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, script, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, picture, STDOUT_FILENO);
	err = posix_spawnp(pid, argv[0], &files, NULL, (char *const *)argv,
			   environ);
	posix_spawn_file_actions_destroy(&files);
	return err;
}

/* 0, or -1 with a sentence. gnuplot writes its own to standard error. */
static int run(int script, int picture)
{
	int status = 0, err;
	pid_t pid;

	err = start(script, picture, &pid);
	if (err) {
		fprintf(stderr, "lagoon train: gnuplot: %s\n", strerror(err));
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status) &&
	    lseek(picture, 0, SEEK_END) > 0)
		return 0;
	fprintf(stderr, "lagoon train: gnuplot failed (%s %d)\n",
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return -1;
}

/* Of unlinked scratch: gnuplot reads at its own pace. */
static FILE *make_script(const struct train_report *r)
{
	FILE *script = tmpfile();

	if (!script)
		return NULL;
	write_script(script, r);
	if (!fflush(script) && !ferror(script) && !fseek(script, 0, SEEK_SET))
		return script;
	fclose(script);
	return NULL;
}

static int fail(const char *path)
{
	fprintf(stderr, "lagoon train: %s: cannot write: %s\n", path,
		strerror(errno));
	return -1;
}

/* Under another name until it is whole. */
static int draw(const struct train_report *r, int script)
{
	char temp[PATH_MAX];
	int fd, rc;

	if (snprintf(temp, sizeof(temp), "%s.%ld", r->plot, (long)getpid()) >=
	    (int)sizeof(temp)) {
		errno = ENAMETOOLONG;
		return fail(r->plot);
	}
	fd = open(temp, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0666);
	if (fd < 0)
		return fail(r->plot);
	rc = run(script, fd);
	if (!rc && (fsync(fd) || rename(temp, r->plot)))
		rc = fail(r->plot);
	if (rc)
		unlink(temp);
	close(fd);
	return rc;
}

int train_plot(const struct train_report *r)
{
	FILE *script;
	int rc;

	if (!r->plot || !r->points)
		return 0;
	if (r->lost) {
		errno = ENOMEM;
		return fail(r->plot);
	}
	script = make_script(r);
	if (!script)
		return fail(r->plot);
	rc = draw(r, fileno(script));
	fclose(script);
	return rc;
}
