#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Time of an epoch with 1 and with 2 workers, of each solver, on generated rows.
# Runs alternate; a figure is the median of all epochs but the first of each run,
# the ratio that of the medians. With two free cores it should be at least 1.7:
# the load of the machine is shown, and so is how much faster two plain loops
# were than one after the other, which is the most that there is to gain.
#
#	bench/epochs.sh [RUNS [ROWS COLS NNZ]]	[5 100000 10000 50]
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
runs=${1:-5} rows=${2:-100000} cols=${3:-10000} nnz=${4:-50}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

"$lagoon" generate logistic --rows "$rows" --cols "$cols" --nnz "$nnz" -o "$tmp/data" >"$tmp/out" ||
	{ cat "$tmp/out"; exit 1; }

solvers=(
	'logistic --epochs 9'
	'logistic --method sdca --epochs 9'
	'ridge --method sdca --l2 1e-7 --no-intercept --epochs 9'
	'lasso --method cd --l1 1e-5 --no-intercept --epochs 9'
	'lasso --method mspg --l1 1e-5 --no-intercept --epochs 9'
)

# epochs NAME OPTION...: append the seconds of each epoch but the first
epochs() {
	local name=$1
	shift
	rm -f "$tmp/report"
	"$lagoon" train "$@" --data "$tmp/data" --tolerance 0 --report "$tmp/report" \
		>"$tmp/out" 2>&1 || { cat "$tmp/out"; exit 1; }
	sed -nE 's/^\{"epoch":.*"seconds":([0-9.e+-]+)\}$/\1/p' "$tmp/report" |
		awk 'NR > 1 { printf "%.6f\n", $1 - last } { last = $1 }' >>"$tmp/$name"
}

loop() { awk 'BEGIN { for (i = 0; i < 3000000; i++) s += i }'; }

# room: two loops at once against one after the other
room() {
	local a b c
	a=$(date +%s%N)
	loop; loop
	b=$(date +%s%N)
	loop & loop; wait $!
	c=$(date +%s%N)
	awk -v a="$a" -v b="$b" -v c="$c" 'BEGIN { printf "%.2f\n", (b - a) / (c - b) }' >>"$tmp/room"
}

median() { sort -g "$tmp/$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

for i in $(seq "$runs"); do
	for s in "${!solvers[@]}"; do
		room
		for workers in 1 2; do
			# Options are words.
			# shellcheck disable=SC2086
			epochs "$s.$workers" ${solvers[s]} --workers $workers
		done
	done
done
printf '%-56s %9s %9s %6s\n' "$rows x $cols x $nnz" '1 worker' 2 ratio
for s in "${!solvers[@]}"; do
	awk -v name="${solvers[s]}" -v a="$(median "$s.1")" -v b="$(median "$s.2")" \
		'BEGIN { printf "%-56s %7.1f ms %6.1f ms %6.2f\n", name, a * 1e3, b * 1e3, a / b }'
done
printf 'two loops at once: %s; load %s\n' "$(median room)" "$(cut -d' ' -f1-3 /proc/loadavg)"
