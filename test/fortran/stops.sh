#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A call without ierr that fails ends the program, with the call and the
# library's sentence on standard error.
set -u
[ "${LAGOON_HAVE_FORTRAN:-}" = yes ] || { echo "built without Fortran"; exit 77; }
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
bad=0

# stops WHAT SENTENCE
stops() {
	if (ulimit -c 0; exec ./test/fortran/stops "$1") >"$dir/out" 2>"$dir/err"; then
		echo "$1: exit status 0"
		bad=1
	fi
	[ ! -s "$dir/out" ] || { echo "$1: went on: $(cat "$dir/out")"; bad=1; }
	grep -q "^$2" "$dir/err" || { echo "$1: printed: $(cat "$dir/err")"; bad=1; }
}

stops handle 'lagoon_rank: invalid argument: this job handle stands for nothing'
stops c 'lagoon_table_create: invalid argument: a table of 0 rows'
stops kind 'lagoon_add: invalid argument: table one: elements are real64, the buffer is real32'
stops worker 'lagoon_run: a worker returned 4'
[ "$(./test/fortran/stops none)" = 'went on' ] || { echo 'no error: it did not end'; bad=1; }
exit $bad
