#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# I3 when a process dies that shares its cache and its deltas with others of its
# node: kill -9 at random moments; test/job/mate.c checks the survivors.
# needs: pmix
set -u
program=${LAGOON_MATE:-./test/job/mate.mp}
lagoon=${LAGOON_BIN:-./lagoon}
seed=${LAGOON_TEST_SEED:-$RANDOM}
failed=0
runs=0
told=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

# one N NODES VICTIM [options]
one() {
	local n=$1 nodes=$2 victim=$3 status
	shift 3
	runs=$((runs + 1))
	LAGOON_TEST_SEED=$((seed + runs)) timeout -k 5 400 "$lagoon" run -n "$n" \
		--nodes "$nodes" -- "$program" --victim "$victim" "$@" >"$out" 2>&1
	status=$?
	grep -q '^survivor .* [1-9][0-9]* words uncertain' "$out" &&
		told=$((told + 1))
	[ $status -ne 124 ] && [ "$(grep -c '^survivor' "$out")" -eq $((n - 1)) ] &&
		return
	failed=$((failed + 1))
	echo "not ok: $n processes, $nodes nodes, victim $victim $*, seed $((seed + runs)):"
	sed 's/^/    /' "$out"
}

# Three times; once at a smaller scale, as under sanitizers.
again='2 3'
[ "${LAGOON_TEST_SCALE:-1}" = 1 ] || again=
for i in 1 $again; do
	one 4 2 1
	one 4 2 3 --workers 2
	one 4 2 3 --delay --pushing
	one 4 2 1 --delay --pushing --workers 2
	one 4 2 3 --delay --pushing --vap
	one 4 1 2 --delay
	one 8 2 6 --delay --pushing
done
echo "$runs deaths, $told with uncertain words, $failed failed"
[ $told -gt 0 ] || { echo "nobody died while it pushed"; failed=1; }
[ $failed -eq 0 ]
