#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# I6: a process that dies inside a page's lock leaves the page uncertain; see
# uncertain.c. One that dies while it pushes, and a checkpoint: outlived.c.
# needs: pmix
set -u
program=${LAGOON_UNCERTAIN:-./test/job/uncertain.mp}
outlived=${LAGOON_OUTLIVED:-./test/job/outlived.mp}
plugin=${LAGOON_PLUGIN:-./test/plugin/dies.so}:dies
failed=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

# PROCESSES VICTIM COMMAND...
one() {
	local status survivors
	# Options are words.
	# shellcheck disable=SC2086
	timeout -k 5 400 ${LAGOON_LAUNCH:-"${LAGOON_BIN:-./lagoon}" run} -n $1 \
		-- "${@:3}" >"$out" 2>&1
	status=$?
	survivors=$(grep -c '^survivor' "$out")
	[ "$status" -ne 0 ] && [ "$status" -ne 124 ] &&
		[ "$survivors" -eq $((${1%% *} - 1)) ] && return
	failed=$((failed + 1))
	echo "not ok: $1 processes, victim $2: status $status, $survivors survivors"
	sed 's/^/    /' "$out"
}

one 2 1 "$program" "$plugin" 1
one 4 2 "$program" "$plugin" 2
one 4 3 "$program" "$plugin" 3
one '4 --nodes 2' 3 "$outlived"
[ "$failed" -eq 0 ]
