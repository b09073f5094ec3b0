#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The most similar rows: lagoon similar with one worker beside looking at all pairs
# on one core (bench/similar.c), sparse and dense, in seconds of the processor
# (Lagoon's of the whole command, with reading and writing); then with two workers
# beside one, in seconds of the clock without reading. Alternating, medians; exit
# status 1 if the lines are not the same bytes, or all pairs take less.
#
#	bench/similar.sh [RUNS [ROWS [TOP]]]	[5 8000 10]
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
lagoon=${LAGOON_BIN:-$PWD/lagoon}
runs=${1:-5} rows=${2:-8000} k=${3:-10}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# A compiler and its options: words.
# shellcheck disable=SC2086
${CC:-cc} -O3 -o "$tmp/pairs" "$top/bench/similar.c" -lm || exit 1
"$lagoon" generate logistic --rows "$rows" --cols 2000 --nnz 50 -o "$tmp/sparse.libsvm" || exit 1
awk -v rows="$rows" 'BEGIN {
	srand(1)
	for (i = 0; i < rows; i++) {
		line = rand() - 0.5
		for (j = 1; j < 100; j++) line = line "," rand() - 0.5
		print line
	}
}' >"$tmp/dense.csv"

TIMEFORMAT=%U
# workers FILE N: the processor's seconds to FILE.N, the clock's to FILE.wallN
workers() {
	{ time "$lagoon" similar --data "$tmp/$1" --top "$k" --workers "$2" -o "$tmp/found" \
		--report "$tmp/report" >"$tmp/out" 2>"$tmp/err" ||
		{ cat "$tmp/err"; exit 1; }; } 2>>"$tmp/$1.$2"
	sed -E 's/.*"seconds":([0-9.e-]+),"read_seconds":([0-9.e-]+).*/\1 \2/' "$tmp/report" |
		awk 'END { print $1 - $2 }' >>"$tmp/$1.wall$2"
	cmp -s "$tmp/all" "$tmp/found" || { echo "$1, $2 workers: other lines than of all pairs"; exit 1; }
}
for _ in $(seq "$runs"); do
	for file in sparse.libsvm dense.csv; do
		"$tmp/pairs" "$tmp/$file" "$k" "$tmp/all" >>"$tmp/$file.pairs" || exit 1
		workers $file 1
		workers $file 2
	done
done

median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

echo "$rows rows, the best $k of each, $runs runs, medians; the same lines each time"
status=0
for file in sparse.libsvm dense.csv; do
	awk -v file="${file%.*}" -v pairs="$(median "$tmp/$file.pairs")" -v one="$(median "$tmp/$file.1")" \
		-v wall1="$(median "$tmp/$file.wall1")" -v wall2="$(median "$tmp/$file.wall2")" 'BEGIN {
		printf "%-7s all pairs %.3f s, one worker %.3f s: %.1f times as fast\n",
			file, pairs, one, pairs / one
		printf "%-7s one worker %.3f s, two %.3f s: %.2f times as fast\n",
			file, wall1, wall2, wall1 / wall2
		exit one > pairs
	}' || status=1
done
exit $status
