#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# I3 bit for bit: the same stored integers in three runs of 8 processes with
# ten million adds (times LAGOON_TEST_SCALE), and however 8 workers are grouped
# in processes and nodes, under every model.
# needs: pmix
set -u
program=${LAGOON_SUMS:-./test/job/sums.mp}
export LAGOON_TEST_SEED=${LAGOON_TEST_SEED:-$RANDOM}
# The groupings are compared on a tenth of the adds.
less=$(awk -v s="${LAGOON_TEST_SCALE:-1}" 'BEGIN { printf "%d", 1e6 * s }')
echo "seed $LAGOON_TEST_SEED (LAGOON_TEST_SEED)"

# sums PROCESSES NODES MODEL [options]: prints the hash
sums() {
	local n=$1 nodes=$2 model=$3 out
	shift 3
	out=$(timeout -k 5 400 ${LAGOON_LAUNCH:-"${LAGOON_BIN:-./lagoon}" run} \
		-n "$n" --nodes "$nodes" -- "$program" --model "$model" \
		--workers $((8 / n)) "$@" 2>&1) || { echo "$out" >&2; exit 1; }
	sed -n 's/^sums \([0-9a-f]*\) of \([0-9]*\) adds/\1 of \2 adds/p' <<<"$out"
}

want=
compare() {
	local got
	got=$(sums "$@") || exit 1
	[ -n "$got" ] || { echo "no result: $*"; exit 1; }
	echo "$got: $*"
	if [ "${want:=$got}" != "$got" ]; then
		echo "other sums than before: $got, not $want"
		exit 1
	fi
}

for _ in 1 2 3; do
	compare 8 2 ssp
done
want=
for model in bsp ssp asp; do
	for grouping in "8 1" "8 4" "4 2" "2 1" "2 2" "1 1"; do
		read -r n nodes <<<"$grouping"
		compare "$n" "$nodes" "$model" --adds "$less"
	done
done
