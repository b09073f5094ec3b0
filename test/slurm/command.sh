#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The lagoon command in Slurm: train and info under srun, in batch scripts,
# and the refusal of processes that cannot find each other.
# needs: pmix
set -u
src=$(cd "${srcdir:-.}" && pwd)
[ "${1-}" = inside ] || exec bash "$src/test/slurm/slurm" -- bash "$0" inside
export lagoon=${LAGOON_BIN:-$PWD/lagoon}
hello=$PWD/examples/hello
a9a=${LAGOON_DATA:-$src/../shared/data}/classify/a9a
cd "$TMPDIR" || exit 1
failed=0

# ok COMMAND...: it succeeds, its output in out and err
ok() {
	timeout -k 5 400 "$@" >out 2>err </dev/null && return
	echo "not ok: $*: exit status $?"
	sed 's/^/    /' out err
	failed=1
}

# says PATTERN COUNT FILE...: in so many lines
says() {
	[ "$(cat "${@:3}" | grep -Ec -e "$1")" = "$2" ] && return
	echo "not ok: not $2 lines with \"$1\" in:"
	cat "${@:3}" | sed 's/^/    /'
	failed=1
}

pmix() { echo srun --mpi=pmix --overcommit "$@"; }

# --- train
ok "$lagoon" generate logistic --rows 20000 --cols 500 --nnz 20 -o data
ok $(pmix -N2 -n4) "$lagoon" train logistic --data data
awk '/^planted/ { ok = $3 + 0 > 0.95 } END { exit !ok }' out ||
	{ echo "planted weights not found:"; cat out; failed=1; }
if [ -f "$a9a" ]; then
	ok $(pmix -N2 -n4) "$lagoon" train logistic --data "$a9a" --report report
	tail -n 1 report | sed 's/.*"objective":\([^,}]*\).*/\1/' |
		awk '{ print "a9a: " $1; exit !($1 <= 10529.5625846 * 1.001 && $1 > 10529.55) }' ||
		{ echo "a9a: far from the reference objective"; failed=1; }
else
	echo "left out: no $a9a"
fi
# The model does not depend on the launcher.
options="train logistic --data data --consistency bsp --epochs 3"
ok $(pmix -N2 -n4) "$lagoon" $options --model srun.model
ok "$lagoon" $options -n 4 --model run.model
cmp srun.model run.model || failed=1

# --- info: whole, in order, and what Slurm gave
ok $(pmix -N2 -n4) "$lagoon" info
says '^process   rank [0-3] of 4, node 0 of 1$' 4 out
says '^Lagoon |^Topology$|^Limits$|^PMIx$|^RDMA$|^Libraries$' 6 out
says 'server          yes: job slurm.pmix' 1 out
grep '^Placement' out | sort -c || failed=1
if [ "$(nproc)" -ge 2 ]; then
	ok srun --mpi=pmix -N1 -n2 -c1 "$lagoon" info
	[ "$(sed -n 's/^plan.*cores: 0 \[\(P.*\)\]$/\1/p' out | sort -u | wc -l)" = 2 ] ||
		{ echo "not bound to a core each:"; grep ^plan out; failed=1; }
fi
# Nodes of one machine are one node, unless they are pretended.
ok env LAGOON_NODES=2 $(pmix -N2 -n4) "$lagoon" info
says '^process .* node 0 of 2 \(pretended\)$' 2 out
says '^process .* node 1 of 2 \(pretended\)$' 2 out
says '^shards    2, at rank 0 2$' 4 out

# --- processes that have no PMIx
for mpi in none pmi2; do
	for program in "$lagoon info" "$lagoon train logistic --data data" "$hello"; do
		timeout 400 srun --mpi=$mpi -n 2 $program >out 2>err &&
			{ echo "not ok: srun --mpi=$mpi $program"; failed=1; }
		says 'SLURM_STEP_NUM_TASKS is 2, .* start it with srun --mpi=pmix$' 2 err
	done
done
ok srun --mpi=none -n 1 "$lagoon" train logistic --data data --epochs 1

# --- batch: one process that has SLURM_NTASKS
cat >batch <<-'END'
	#!/bin/bash -e
	echo "tasks $SLURM_NTASKS"
	"$lagoon" info | grep '^process'
	"$lagoon" generate logistic --rows 100 --cols 50 --nnz 5 -o batch.data
	"$lagoon" train logistic --data batch.data --epochs 1
	"$lagoon" run -n 2 "$lagoon" info | grep '^process'
	LAGOON_WORKERS=$SLURM_CPUS_PER_TASK "$lagoon" info | grep '^workers'
	srun --mpi=pmix "$lagoon" info | grep '^process'
END
ok sbatch --wait -N2 -n2 -c1 --output batch.out batch
says '^tasks 2$' 1 batch.out
says '^process   rank 0 of 1, ' 1 batch.out
says '^process   rank [01] of 2, ' 4 batch.out
says '^workers   1 here, 1 in the job$' 1 batch.out
[ -s batch.data ] || { echo "no batch.data"; failed=1; }

# --- the example: as it is, stopped by its signals, and started again
PATH=$(dirname "$lagoon"):$PATH
cp "$src/examples/train.sbatch" .
ok sbatch --wait -N2 --overcommit --output train.out train.sbatch data train.model --epochs 3
[ -s train.model ] || { echo "no train.model:"; cat train.out; failed=1; }
# within SECONDS COMMAND: until it is true.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}
# Slurm takes half a minute to end a step that it has not launched completely.
trains() { grep -qs '^epoch' "$1"; }
# It completes, and then waits to be started again.
ended() { state=$(squeue -h -j "$1" -o %T); [[ ! $state =~ RUNNING|COMPLETING ]]; }
options=(--consistency bsp --tolerance 0 --rate 1e-4)
i=0
for signal in '--signal=USR1' '--batch --signal=TERM'; do
	i=$((i + 1))
	id=$(sbatch --parsable -N1 --overcommit --output stop$i.out train.sbatch data \
		stop$i.model "${options[@]}" --epochs 100000000)
	within 300 trains stop$i.out
	# Options are words.
	# shellcheck disable=SC2086
	scancel $signal "$id"
	within 300 ended "$id"
	[ "$state" = PENDING ] ||
		{ echo "not ok: stopped with $signal, it is \"$state\":"; cat stop$i.out; failed=1; }
	[ ! -e stop$i.model ] || { echo "$signal: a model of a run that was stopped"; failed=1; }
	says 'interrupted: checkpoint at clock .*--resume stop'$i'.model.checkpoint$' 1 stop$i.out
	ok "$lagoon" checkpoint verify stop$i.model.checkpoint
	scancel "$id"
done
# Started again, on other nodes, with an end.
options+=(--epochs $(($(sed -n 's/.* in epoch \([0-9]*\);.*/\1/p' stop1.out) + 2)))
ok "$lagoon" train logistic --data data "${options[@]}" --model whole.model -n 2
ok sbatch --wait -N2 --ntasks-per-node=1 --overcommit --output again.out train.sbatch data \
	stop1.model "${options[@]}"
cmp whole.model stop1.model || { cat again.out; failed=1; }
exit $failed
