/* SPDX-License-Identifier: BSD-3-Clause */
/* --report: JSON objects, one a line. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/train.h"

/* A report is appended to: what is there must take it. */
int train_report_check(const char *path)
{
	if (!access(path, W_OK))
		return 0;
	return lagoon_model_check_path(path);
}

void train_report_object(struct train_report *r, json_t *object)
{
	if (!r->path || r->failed) {
		json_decref(object);
		return;
	}
	if (!r->out)
		r->out = fopen(r->path, "ae");
	if (!r->out || !object ||
	    json_dumpf(object, r->out, JSON_COMPACT | JSON_REAL_PRECISION(17)) ||
	    fputc('\n', r->out) == EOF || fflush(r->out)) {
		fprintf(stderr, "lagoon train: %s: cannot write the report: %s\n",
			r->path, strerror(errno));
		r->failed = true;
	}
	json_decref(object);
}

void train_report_close(struct train_report *r)
{
	if (r->out)
		fclose(r->out);
	free(r->point);
	r->out = NULL;
	r->point = NULL;
}
