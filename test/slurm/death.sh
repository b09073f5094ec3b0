#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# kill -9 of a rank under srun --mpi=pmix on two nodes: the others end within
# 5 s with the rank in their message, or go on with LAGOON_ON_DEATH=continue
# and are not ended by Slurm; no step and no process is left.
# needs: pmix
set -u
src=${srcdir:-.}
[ "${1-}" = inside ] || exec bash "$src/test/slurm/slurm" -- bash "$0" inside
lagoon=${LAGOON_BIN:-$PWD/lagoon}
failed=0

# fail FILE MESSAGE
fail() {
	failed=1
	printf 'not ok: %s: %s\n' "$what" "$2"
	sed 's/^/    /' "$1"
}

# within SECONDS COMMAND: until it is true.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

no_step() { [ -z "$(squeue -h)" ]; }
no_process() { ! pgrep -f 'victim\.mp|lagoon train' >/dev/null; }

# victim OUTPUT OPTIONS OF SRUN -- OPTIONS: the program checks what each
# survivor sees, within which time.
victim() {
	local out=$1 options=()
	shift
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	timeout -k 5 100 srun --mpi=pmix -N2 -n4 "${options[@]}" \
		./test/job/victim.mp "$@" >"$out" 2>&1
	echo $? >"$out.status"
}

# judge OUTPUT: three survivors, and an exit status that tells of the death
judge() {
	local n status
	n=$(grep -c '^survivor' "$1")
	status=$(cat "$1.status")
	[ "$n" = 3 ] || fail "$1" "$n survivors ended well"
	[ "$status" = 137 ] || fail "$1" "exit status $status, expected 137"
}

# A rank that ends before lagoon_open(), on another node, is missed for 10 time
# limits. This waits while the rest goes on. (Slurm may lose what is said in a
# step where a task ends at once.)
LAGOON_TIMEOUT=1 timeout -k 5 100 srun --mpi=pmix -N2 -n4 bash -c \
	'[ $PMIX_RANK = 3 ] && { sleep 0.5; exit 1; }
	exec ./test/job/victim.mp --mode pull --victim 3' >"$TMPDIR/missed" 2>&1 &
missed=$!

for mode in pull barrier clock; do
	for rank in 0 3; do
		what="$mode, rank $rank"
		victim "$TMPDIR/out" -- --mode $mode --victim $rank
		judge "$TMPDIR/out"
	done
done

# Slurm ends a step about 1 s after a death that it does not let pass.
export LAGOON_ON_DEATH=continue
for option in -K0 --no-kill; do
	LAGOON_NODES=2 victim "$TMPDIR/$option" $option -- \
		--mode pull --victim 3 --linger 3000 &
done
wait $(jobs -p | grep -vx $missed)
for option in -K0 --no-kill; do
	what="continue $option"
	judge "$TMPDIR/$option"
done
unset LAGOON_ON_DEATH

# With -K1 a rank that ends before lagoon_open() does not keep the others.
what='before lagoon_open, -K1'
timeout -k 5 60 srun --mpi=pmix -N2 -n4 -K1 bash -c '[ $PMIX_RANK = 3 ] && kill -9 $$
	exec ./test/job/victim.mp --mode pull --victim 3' >"$TMPDIR/out" 2>&1
status=$?
[ $status -gt 128 ] || fail "$TMPDIR/out" "exit status $status"

# The command says which rank died.
what='lagoon train'
"$lagoon" generate logistic --rows 20000 --cols 500 --nnz 20 -o "$TMPDIR/data" >/dev/null
srun --mpi=pmix -N2 -n4 "$lagoon" train logistic --data "$TMPDIR/data" \
	--tolerance 0 --epochs 1000000 --report "$TMPDIR/report" >"$TMPDIR/out" 2>&1 &
train=$!
within 100 test -s "$TMPDIR/report" || fail "$TMPDIR/out" 'does not train'
rank2=$(grep -lz '^SLURM_PROCID=2$' $(pgrep -f 'lagoon train' | sed 's|.*|/proc/&/environ|') 2>/dev/null)
kill -9 "$(basename "$(dirname "$rank2")")"
start=$SECONDS
wait $train
status=$?
[ $((SECONDS - start)) -le 20 ] || fail "$TMPDIR/out" "took $((SECONDS - start)) s"
[ $status -ne 0 ] || fail "$TMPDIR/out" "exit status 0"
grep -q 'rank 2 is dead' "$TMPDIR/out" || fail "$TMPDIR/out" "rank 2 is not named"

what='before lagoon_open'
wait $missed
status=$?
[ $status = 1 ] || fail "$TMPDIR/missed" "exit status $status"
grep -q 'not every process .* within 10 s' "$TMPDIR/missed" ||
	fail "$TMPDIR/missed" 'the time limit is not named'

what='at the end'
within 50 no_process || fail <(ps ax) 'a process is left'
within 50 no_step || fail <(squeue) 'a step is left'
[ -z "$(ls -A /dev/shm)" ] || fail <(ls -lA /dev/shm) 'shared memory is left'
exit $failed
