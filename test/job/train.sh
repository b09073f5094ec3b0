#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lagoon train with default options, 2 workers, every consistency model, on 1
# and 2 pretended nodes: within 0.1 % of the reference objective, recomputed
# from the model file by objective.awk, in at most 200 epochs; and under bsp
# the same model bit for bit for every grouping of 4 workers. At a smaller scale,
# as under sanitizers, the smallest set alone, on two nodes.
# needs: pmix
set -u
here=$(dirname "$0")
lagoon=${LAGOON_BIN:-$PWD/lagoon}
data=${LAGOON_DATA:-../shared/data}/classify
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0
ran=0
missed=
all=1
[ "${LAGOON_TEST_SCALE:-1}" = 1 ] || all=

complain() { echo "train.sh: $*"; failed=1; }

train() { timeout 400 "$lagoon" train logistic "$@" >"$tmp/out" 2>"$tmp/err"; }

# within VALUE REFERENCE: at most 0.1 % above, and not below
within() { awk -v v="$1" -v r="$2" 'BEGIN { exit !(v <= r * 1.001 && v >= r * (1 - 1e-6)) }'; }

# last KEY: of the last object of the report
last() { tail -n 1 "$tmp/report" | sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p"; }

# one NAME REFERENCE TEST-ACCURACY OPTIONS...
one() {
	local name=$1 reference=$2 accuracy=$3 label test=()
	shift 3
	label="$name $*"
	[ -f "$data/$name.t" ] && test=(--test "$data/$name.t")
	rm -f "$tmp/model" "$tmp/report"
	if ! train --data "$data/$name" "${test[@]}" --model "$tmp/model" \
	     --report "$tmp/report" "$@"; then
		complain "$label: $(tail -n 1 "$tmp/err")"
		return
	fi
	ran=$((ran + 1))
	read -r objective share < <(awk -f "$here/objective.awk" "$tmp/model" "$data/$name")
	echo "$label: objective $objective accuracy $share epochs $(last epochs) test $(last test_accuracy)"
	within "$objective" "$reference" ||
		complain "$label: objective $objective, reference $reference"
	within "$(last objective)" "$objective" && within "$objective" "$(last objective)" ||
		complain "$label: it reports $(last objective), the model has $objective"
	[ "$(last epochs)" -le 200 ] || complain "$label: $(last epochs) epochs"
	[ "$(wc -l <"$tmp/report")" = $(($(last epochs) + 1)) ] ||
		complain "$label: the report has $(wc -l <"$tmp/report") lines"
	[ -z "${test[*]}" ] ||
		awk -v a="$(last test_accuracy)" -v r="$accuracy" 'BEGIN { exit !(a >= r) }' ||
		complain "$label: test accuracy $(last test_accuracy)"
}

every_model() {
	local nodes model
	if [ ! -f "$data/$1" ]; then
		missed="$missed $data/$1"
		return
	fi
	for nodes in ${all:+1} 2; do
		for model in 'bsp' 'ssp --staleness 0' 'ssp --staleness 1' \
			     'ssp --staleness 4' 'essp --staleness 2' 'psp --sample 1' \
			     'vap --change 0.001' 'asp'; do
			# Options are words.
			# shellcheck disable=SC2086
			one "$@" -n 2 --nodes $nodes --consistency $model
		done
	done
	one "$@" --workers 2
}

# The weights found on generated data are those planted.
generated() {
	"$lagoon" generate logistic --rows 20000 --cols 500 --nnz 20 -o "$tmp/data" ||
		complain "generate failed"
	train --data "$tmp/data" -n 2 --nodes 2 || complain "generated: $(tail -n 1 "$tmp/err")"
	awk '/^planted/ { ok = $3 + 0 > 0.95 } END { exit !ok }' "$tmp/out" ||
		complain "planted weights were not recovered: $(cat "$tmp/out")"
}

bit_for_bit() {
	local grouping sum= now
	for grouping in '-n 4 --nodes 1' '-n 4 --nodes 2' '-n 2 --workers 2 --nodes 2' \
			'--workers 4' '-n 4 --nodes 4'; do
		# shellcheck disable=SC2086
		train --data "$tmp/data" --consistency bsp --epochs 3 $grouping \
			--seed 5 --model "$tmp/model" || complain "bsp $grouping: $(tail -n 1 "$tmp/err")"
		now=$(cksum <"$tmp/model")
		echo "bsp $grouping: $now"
		[ "${sum:=$now}" = "$now" ] || complain "bsp $grouping: another model"
	done
	train --data "$tmp/data" --consistency bsp --epochs 3 --workers 4 \
		--seed 6 --model "$tmp/model"
	[ "$sum" != "$(cksum <"$tmp/model")" ] || complain "another seed: the same model"
}

if [ -n "$all" ]; then
	every_model a9a 10529.5625846 0.848
	every_model agaricus 98.5136447576 1
fi
every_model heart_scale 98.2267995081 0
generated
bit_for_bit
[ $failed = 0 ] || exit 1
[ $ran != 0 ] || { echo "not there:$missed"; exit 77; }
