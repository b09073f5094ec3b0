#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The same stored integers, bit for bit, under every launcher: srun over two
# nodes, mpirun, lagoon run, and the caller's own exchange.
# needs: pmix
set -u
src=${srcdir:-.}
[ "${1-}" = inside ] || exec bash "$src/test/slurm/slurm" -- bash "$0" inside
adds=$(awk -v s="${LAGOON_TEST_SCALE:-1}" 'BEGIN { printf "%d", 1e6 * s }')
export LAGOON_TEST_SEED=${LAGOON_TEST_SEED:-$RANDOM}
echo "seed $LAGOON_TEST_SEED (LAGOON_TEST_SEED)"

# sums LAUNCHER MODEL: prints the hash
sums() {
	local out
	out=$(timeout -k 5 400 bash "$src/test/support/start" "$1" -n 4 --nodes 2 -- \
		./test/job/sums.mp --workers 2 --model "$2" --adds "$adds" 2>&1) ||
		{ echo "$1: $out" >&2; exit 1; }
	sed -n 's/^sums \([0-9a-f]*\) of \([0-9]*\) adds/\1 of \2 adds/p' <<<"$out"
}

missing=
launchers='srun run spawn mpirun'
command -v mpirun >/dev/null || {
	missing='mpirun is not installed: compared without it'
	launchers='srun run spawn'
}
want=
for model in bsp ssp asp; do
	for launcher in $launchers; do
		got=$(sums "$launcher" $model) || exit 1
		[ -n "$got" ] || { echo "no result: $launcher, $model"; exit 1; }
		echo "$got: $launcher, $model"
		[ "${want:=$got}" = "$got" ] || { echo "other sums than before"; exit 1; }
	done
done
[ -z "$missing" ] || { echo "$missing"; exit 77; }
