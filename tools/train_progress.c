/* SPDX-License-Identifier: BSD-3-Clause */
/* How a run goes: a bar on a terminal, lines in a log; and the points that are
 * drawn at its end. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/train.h"

#define BAR 10
#define LINE 256

static int columns(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

/* "[####------] text", which must not wrap: a line that does is not redrawn
 * in place. */
static void draw(struct train_report *r, int epoch, const char *text)
{
	char line[LINE + BAR + 8], bar[BAR + 1];
	int most = r->epochs > epoch ? r->epochs : epoch;
	int done = (int)((double)BAR * epoch / most);
	int width = columns() - 1;

	memset(bar, '-', BAR);
	memset(bar, '#', (size_t)done);
	bar[BAR] = 0;
	snprintf(line, sizeof(line), "[%s] %s", bar, text);
	fprintf(stderr, "\r%.*s\033[K", width, line);
	r->drawn = true;
}

static void keep(struct train_report *r, int epoch, double objective,
		 double seconds)
{
	int room = r->room ? 2 * r->room : 64;
	struct train_point *p;

	if (r->points == r->room) {
		p = realloc(r->point, (size_t)room * sizeof(*p));
		if (!p) {
			r->lost = true;
			return;
		}
		r->point = p;
		r->room = room;
	}
	r->point[r->points++] = (struct train_point){
		epoch, seconds, objective,
	};
}

void train_progress(struct train_report *r, int epoch, double objective,
		    double seconds, const char *fmt, ...)
{
	char text[LINE];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "%s %3d  %s %.10g  ", r->unit, epoch,
		     r->measure, objective);
	va_start(ap, fmt);
	n += vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	if (n < LINE)
		snprintf(text + n, sizeof(text) - (size_t)n, "  %.2f s",
			 seconds);
	if (r->terminal)
		draw(r, epoch, text);
	else
		fprintf(stderr, "%s\n", text);
	if (r->plot)
		keep(r, epoch, objective, seconds);
}

void train_progress_end(struct train_report *r)
{
	if (r->drawn)
		fputc('\n', stderr);
	r->drawn = false;
}
