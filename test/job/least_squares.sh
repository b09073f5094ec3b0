#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# examples/least_squares in C and in Fortran: both find the planted weights,
# and print the same digits, as 4 processes on 2 nodes and as 4 threads.
# needs: pmix
set -u
bad=0
result=

# same HOW COMMAND...
same() {
	local how=$1 line
	shift
	line=$("$@") || { echo "$how: exit status $?"; bad=1; }
	: "${result:=$line}"
	[ "$line" = "$result" ] || { echo "$how printed \"$line\", not \"$result\""; bad=1; }
}

for program in least_squares least_squares_fortran; do
	[ $program = least_squares ] || [ "${LAGOON_HAVE_FORTRAN:-}" = yes ] || continue
	same "$program on 2 nodes" "${LAGOON_BIN:-./lagoon}" run -n 4 --nodes 2 ./examples/$program
	same "$program, 4 threads" env LAGOON_WORKERS=4 ./examples/$program
done
awk '$1 == "weights" && NF == 8 && $8 > 0 && $8 < 1e-4 { ok = 1 } END { exit !ok }' \
	<<<"$result" || { echo "not near the planted weights: $result"; bad=1; }
exit $bad
