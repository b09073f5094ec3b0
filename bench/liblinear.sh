#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Whole-program time of lagoon train with 2 workers against liblinear-train
# -s 0, reading included, on generated data; both objectives recomputed by
# test/job/objective.awk. Alternating, medians; exit status 1 if a ratio is
# above 1.5 or an objective more than 0.1 % above liblinear's.
#
#	bench/liblinear.sh [RUNS [ROWS COLS NNZ]]	[5 200000 10000 50]
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
lagoon=${LAGOON_BIN:-$PWD/lagoon}
runs=${1:-5} rows=${2:-200000} cols=${3:-10000} nnz=${4:-50}
command -v liblinear-train >/dev/null ||
	{ echo "liblinear.sh: needs liblinear-train (Debian: liblinear-tools)"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

"$lagoon" generate logistic --rows "$rows" --cols "$cols" --nnz "$nnz" -o "$tmp/data" || exit 1

# timed NAME COMMAND...: append its seconds to NAME
timed() {
	local name=$1 start end
	shift
	start=$(date +%s%N)
	"$@" >"$tmp/out" 2>&1 || { cat "$tmp/out"; exit 1; }
	end=$(date +%s%N)
	awk -v a="$start" -v b="$end" 'BEGIN { printf "%.3f\n", (b - a) / 1e9 }' >>"$tmp/$name"
}

median() { sort -n "$tmp/$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

models=('bsp' 'ssp --staleness 1' 'asp')
for i in $(seq "$runs"); do
	timed liblinear liblinear-train -s 0 -q "$tmp/data" "$tmp/liblinear.model"
	for m in "${!models[@]}"; do
		# Options are words.
		# shellcheck disable=SC2086
		timed "lagoon$m" "$lagoon" train logistic -n 2 --data "$tmp/data" \
			--consistency ${models[m]} --model "$tmp/lagoon$m.model"
	done
done

# The model of liblinear in the format of objective.awk. It names the label
# of its positive side first.
awk '$1 == "label" { plus = $2; minus = $3 }
     p { w[n++] = $1 }
     $1 == "w" {
	p = 1
     }
     END {
	print "lagoon-model 1\nsolver liblinear\nc 1\nlabels " minus " " plus
	print "features " n "\nweights"
	for (i = 0; i < n; i++) print w[i]
	print "end"
     }' "$tmp/liblinear.model" >"$tmp/liblinear.lagoon"
read -r reference _ < <(awk -f "$top/test/job/objective.awk" "$tmp/liblinear.lagoon" "$tmp/data")
base=$(median liblinear)
printf '%-20s %8s s  objective %s\n' 'liblinear -s 0' "$base" "$reference"
status=0
for m in "${!models[@]}"; do
	seconds=$(median "lagoon$m")
	read -r objective _ < <(awk -f "$top/test/job/objective.awk" "$tmp/lagoon$m.model" "$tmp/data")
	awk -v name="lagoon ${models[m]}" -v s="$seconds" -v b="$base" \
	    -v o="$objective" -v r="$reference" 'BEGIN {
		printf "%-20s %8s s  objective %s (%+.4f %%)  ratio %.2f\n", name, s, o, 100 * (o / r - 1), s / b
		exit s / b > 1.5 || o / r > 1.001
	}' || status=1
done
exit $status
