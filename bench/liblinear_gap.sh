#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Time to a relative gap of 1e-6 of the objective, lagoon train with 2 workers
# against liblinear-train with its -e tightened until its own gap is at most
# 1e-6: L2 (--method lbfgs, -s 0) and L1 (--method proximal, -s 6), C = 1, on
# generated data. Whole time, reading included, and without reading: that of
# liblinear is measured by a call whose -e lets it end at once. Objectives are
# recomputed from the models by test/job/linear.awk; the best of all is the
# reference. Alternating, medians. Exit status 1 if a whole time is longer than
# liblinear's, or for L2 the time without reading, or a gap larger.
#
#	bench/liblinear_gap.sh [RUNS [ROWS COLS NNZ [PENALTIES]]]
#						[5 100000 10000 50 "l2 l1"]
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
lagoon=${LAGOON_BIN:-$PWD/lagoon}
runs=${1:-5} rows=${2:-100000} cols=${3:-10000} nnz=${4:-50}
gap=1e-6
command -v liblinear-train >/dev/null ||
	{ echo "liblinear_gap.sh: needs liblinear-train (Debian: liblinear-tools)"; exit 77; }
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

# liblinear PENALTY E: its model in the format of linear.awk; it names the label
# of its positive side first
liblinear() {
	local solver=0
	[ "$1" = l2 ] || solver=6
	liblinear-train -q -s $solver -e "$2" "$tmp/data" "$tmp/liblinear.model"
}

convert() {
	awk -v l1="$([ "$1" = l1 ] && echo 1 || echo 0)" \
	    '$1 == "label" { plus = $2; minus = $3 }
	     p { w[n++] = $1 }
	     $1 == "w" { p = 1 }
	     END {
		print "lagoon-model 1\nsolver logistic\nc 1\nl1 " l1 "\nl2 " 1 - l1
		print "labels " minus " " plus "\nfeatures " n "\nweights"
		for (i = 0; i < n; i++) print w[i]
		print "end"
	     }' "$tmp/liblinear.model" >"$tmp/converted"
}

objective() { awk -f "$top/test/job/linear.awk" "$1" "$tmp/data" | cut -d' ' -f1; }

fit() {
	local penalty=(--method lbfgs)
	[ "$1" = l2 ] || penalty=(--method proximal --l1 1 --l2 0)
	"$lagoon" train logistic "${penalty[@]}" --data "$tmp/data" --workers 2 \
		--tolerance "$2" --model "$tmp/lagoon.model"
}

# is_within OBJECTIVE REFERENCE
is_within() { awk -v o="$1" -v r="$2" -v g="$gap" 'BEGIN { exit !(o - r <= g * r) }'; }

status=0
for penalty in ${5:-l2 l1}; do
	fit $penalty 1e-10 >"$tmp/out" 2>&1 || { cat "$tmp/out"; exit 1; }
	best=$(objective "$tmp/lagoon.model")
	for e in 0.01 0.003 0.001 0.0003 0.0001 0.00003; do
		liblinear $penalty $e && convert $penalty
		theirs=$(objective "$tmp/converted")
		best=$(awk -v a="$best" -v b="$theirs" 'BEGIN { printf "%.10f", a < b ? a : b }')
		! is_within "$theirs" "$best" || break
	done
	rm -f "$tmp"/time-*
	for i in $(seq "$runs"); do
		timed time-theirs liblinear $penalty $e
		timed time-reading liblinear l2 1e30
		timed time-ours fit $penalty $gap
		sed -n "s/^seconds .* of it \([0-9.]*\) reading/\1/p" "$tmp/out" >>"$tmp/time-our-reading"
	done
	ours=$(objective "$tmp/lagoon.model")
	is_within "$ours" "$best" || { echo "$penalty: objective $ours, best $best"; status=1; }
	awk -v p=$penalty -v e=$e -v o="$ours" -v t="$theirs" -v b="$best" \
	    -v ours="$(median time-ours)" -v theirs="$(median time-theirs)" \
	    -v our_read="$(median time-our-reading)" -v their_read="$(median time-reading)" 'BEGIN {
		printf "%s  liblinear -e %s  %.3f s (reading %.3f), gap %.1e\n", p, e, theirs, their_read, t / b - 1
		printf "%s  lagoon           %.3f s (reading %.3f), gap %.1e\n", p, ours, our_read, o / b - 1
		whole = ours / theirs; rest = (ours - our_read) / (theirs - their_read)
		printf "%s  ratio            %.2f, without reading %.2f\n", p, whole, rest
		exit whole > 1 || (p == "l2" && rest > 1)
	}' || status=1
done
exit $status
