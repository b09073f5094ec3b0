#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Time of a round of Lloyd's, of lagoon train kmeans with 1 and 2 workers and on
# one core without tables: plain loops, and the kernel alone. Alternating, medians.
# Other work on the machine matters: its load is shown, and how much faster two
# plain loops were at once than one after the other, which is the most that two
# workers can gain.
#
#	bench/kmeans.sh [RUNS [ROWS COLS K [ROUNDS]]]	[5 200000 16 64 10]
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
lloyd=${LLOYD_BIN:-$PWD/bench/lloyd}
runs=${1:-5} rows=${2:-200000} cols=${3:-16} k=${4:-64} rounds=${5:-10}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

"$lloyd" "$tmp/rows" "$rows" "$cols" "$k" || exit 1

# fit NAME OPTION...: append the seconds of a round
fit() {
	local name=$1
	shift
	rm -f "$tmp/report"
	"$lagoon" train kmeans --data "$tmp/rows" --k "$k" --init random --restarts 1 \
		--rounds "$rounds" --report "$tmp/report" "$@" >"$tmp/out" 2>&1 ||
		{ cat "$tmp/out"; exit 1; }
	tail -n 1 "$tmp/report" | sed -E 's/.*"all_rounds":([0-9]+).*"round_seconds":([0-9.e+-]+).*/\2 \1/' |
		awk '{ print $1 / $2 }' >>"$tmp/$name"
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
	room
	"$lloyd" plain "$rows" "$cols" "$k" "$rounds" >>"$tmp/plain" || exit 1
	"$lloyd" kernel "$rows" "$cols" "$k" "$rounds" >>"$tmp/kernel" || exit 1
	fit one --workers 1 --seed "$i"
	fit two --workers 2 --seed "$i"
	fit processes -n 2 --seed "$i"
done

echo "$rows rows, $cols columns, $k clusters, $rounds rounds, medians of $runs; load $(cut -d' ' -f1 /proc/loadavg)"
one=$(median one)
while read -r name what; do
	awk -v s="$(median "$name")" -v one="$one" -v what="$what" \
		'BEGIN { printf "%-32s %8.4f s a round  %5.2f of one worker\n", what, s, s / one }'
done <<-END
	plain plain loops
	kernel the kernel without tables
	one one worker
	two two workers
	processes two processes
END
echo "two loops at once: $(median room) times as fast"
