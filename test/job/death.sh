#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# I6: kill -9 of a worker and of a shard home, wherever the others are. They
# end within 5 s with an error that names the rank (the program checks that),
# or go on with on_death=continue; no process, file or shared memory is left.
# needs: pmix
set -u
program=${LAGOON_VICTIM:-./test/job/victim.mp}
n=4
failed=0
runs=0
tag=death.$$
export TMPDIR
TMPDIR=$(mktemp -d) || exit 1
shm_before=$(ls -A /dev/shm)

launch() { timeout -k 5 400 ${LAGOON_LAUNCH:-"${LAGOON_BIN:-./lagoon}" run} "$@"; }

fail() {
	failed=$((failed + 1))
	printf 'not ok: %s: %s\n' "$what" "$1"
	sed 's/^/    /' "$TMPDIR.out"
}

# Processes of this run: they carry the tag on their command line.
left_over() { grep -lszx -- "[d]eath\.$$\.$runs" /proc/[0-9]*/cmdline; }

# one NODES VICTIM MODE [options]
one() {
	local nodes=$1 victim=$2 mode=$3 status survivors
	shift 3
	runs=$((runs + 1))
	what="nodes $nodes, victim $victim, $mode $*"
	launch -n "$n" --nodes "$nodes" -- "$program" --victim "$victim" \
		--mode "$mode" --tag "$tag.$runs" "$@" >"$TMPDIR.out" 2>&1
	status=$?
	survivors=$(grep -c '^survivor' "$TMPDIR.out")
	[ "$status" -ne 0 ] || fail "a killed rank must show in the exit status"
	[ "$status" -ne 124 ] || fail "no end in 60 s"
	[ "$survivors" -eq $((n - 1)) ] || fail "$survivors survivors ended well"
	[ -z "$(left_over)" ] || fail "processes are left: $(left_over)"
	[ -z "$(ls -A "$TMPDIR")" ] || fail "files are left: $(ls -A "$TMPDIR")"
}

trap 'rm -rf "$TMPDIR" "$TMPDIR.out"' EXIT
# At a smaller scale, as under sanitizers, each kind of death in one place, in
# turn. Nodes and victim: home of the board and of a shard; home of a shard, on
# the other node; a worker; a worker of one node.
all=1
[ "${LAGOON_TEST_SCALE:-1}" = 1 ] || all=
places=('2 0' '2 2' '2 3' '1 3')
turn=0
for mode in compute pull clock barrier close create run; do
	turn=$((turn + 1))
	for i in ${all:+0 1 2} 3; do
		# Words.
		# shellcheck disable=SC2086
		one ${places[(turn + i) % 4]} "$mode"
	done
done
one 1 0 pull --workers 2
one 2 1 pull --workers 2
for i in ${all:+1 2} 3 4; do
	LAGOON_TEST_SEED=$((i + ${LAGOON_TEST_SEED:-RANDOM})) one $((i % 2 + 1)) "$((i - 1))" any
done
for mode in compute pull barrier create run close any; do
	turn=$((turn + 1))
	[ -z "$all" ] && [ $((turn % 2)) = 0 ] || one 2 3 "$mode" --continue
	[ -z "$all" ] && [ $((turn % 2)) = 1 ] || one 1 3 "$mode" --continue
done
one 2 3 pull --continue --workers 2
one 2 0 pull --continue		# the board is gone
one 2 3 clock --continue	# a death ends a bsp job
what='at the end'
for i in 1 2 3 4 5; do
	shm_left=$(comm -13 <(echo "$shm_before") <(ls -A /dev/shm))
	[ -n "$shm_left" ] || break
	sleep 1			# other tests may run beside this one
done
[ -z "$shm_left" ] || fail "left in /dev/shm: $shm_left"
echo "$runs deaths, $failed failed"
[ "$failed" -eq 0 ]
