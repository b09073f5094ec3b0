/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers of the command line. A wrong one ends the program with status
 * argp_err_exit_status and a sentence that names option and value. */
#ifndef LGN_TOOLS_ARGS_H
#define LGN_TOOLS_ARGS_H

#include <argp.h>
#include <stdint.h>

uint64_t args_count(struct argp_state *state, const char *name,
		    const char *text, uint64_t min, uint64_t max);
int args_int(struct argp_state *state, const char *name, const char *text,
	     int min, int max);

/* Above 0; or, with may_be_zero, not below. Finite. */
double args_number(struct argp_state *state, const char *name,
		   const char *text, int may_be_zero);

/* The place of the text among names; expected: for the sentence. */
int args_choice(struct argp_state *state, const char *name, const char *text,
		const char *const *names, int n, const char *expected);

/* Of --format: enum lagoon_file_format. */
int args_format(struct argp_state *state, const char *text);

#endif
