#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lagoon train ridge, lasso and elastic-net: each method within 1e-6 of the
# reference objective, recomputed from the model file by regression.awk, with
# the number of weights that the reference has; under bsp, ssp and asp, with 1 to
# 4 workers on 1 and 2 pretended nodes; from every format, also by gzip; and
# under bsp the same model bit for bit for every grouping of 4 workers.
# needs: pmix
set -u
share=1e-6
. "$(dirname "$0")/../support/fits"
data=${LAGOON_DATA:-../shared/data}/regress

# one FORMAT DATA TARGET REFERENCE NONZEROS SOLVER OPTIONS...
one() {
	local format=$1 data=$2 target=$3 reference=$4 nonzeros=$5 label objective found
	shift 5
	label="$(basename "$data") $*"
	rm -f "$tmp/model" "$tmp/report"
	if ! train "$@" --data "$data" ${target:+--target "$target"} \
	     --model "$tmp/model" --report "$tmp/report"; then
		complain "$label: $(tail -n 1 "$tmp/err")"
		return
	fi
	read -r objective found < <(awk -f "$here/regression.awk" -v format="$format" \
		"$tmp/model" "$data" $target)
	echo "$label: objective $objective nonzeros $found epochs $(last epochs) seconds $(last seconds)"
	within "$objective" "$reference" ||
		complain "$label: objective $objective, reference $reference"
	within "$(last objective)" "$objective" ||
		complain "$label: it reports $(last objective), the model has $objective"
	[ "$(last converged)" = true ] || complain "$label: not converged"
	[ "$found" = "$nonzeros" ] && [ "$(last nonzeros)" = "$nonzeros" ] ||
		complain "$label: $found nonzeros ($(last nonzeros) reported), expected $nonzeros"
	awk -v g="$(last gap)" -v o="$objective" -v r="$reference" \
		'BEGIN { exit !(o - g <= r * (1 + 1e-9)) }' ||
		complain "$label: the gap $(last gap) is not one: it is $objective, reference $reference"
}

abalone() { one libsvm "$data/abalone" '' "$@" --standardise; }

# One worker: all references. l_max is 2.02316254715.
references() {
	abalone 2.41453045437 8 ridge --l2 0 "$@"
	abalone 2.94346908135 8 ridge --l2 0.1 "$@"
	abalone 3.58857135085 8 ridge --l2 1 "$@"
	abalone 4.68474029121 1 lasso --l1 1.011581273575 "$@"
	abalone 3.50307559849 4 lasso --l1 0.202316254715 "$@"
	abalone 2.63554293013 7 lasso --l1 0.0202316254715 "$@"
}

# What several workers settle in short time.
grouped() {
	abalone 3.58857135085 8 ridge --l2 1 --tolerance 1e-6 "$@"
	abalone 3.50307559849 4 lasso --l1 0.202316254715 --tolerance 1e-6 "$@"
}

methods() {
	local method
	for method in cd sdca mspg; do
		references --method $method
		grouped --method $method --workers 2 --consistency bsp
		grouped --method $method -n 2 --nodes 2 --consistency ssp --staleness 0
		[ $method = mspg ] ||
			grouped --method $method -n 3 --nodes 1 --consistency ssp --staleness 1
		[ $method = mspg ] ||
			grouped --method $method -n 2 --workers 2 --nodes 2 --consistency ssp --staleness 0
	done
	grouped --method cd --workers 2 --consistency asp
	grouped --method cd -n 2 --nodes 2 --consistency essp --staleness 2
	grouped --method sdca -n 2 --nodes 2 --consistency psp --sample 1
}

# More columns than rows. The reference is coordinate descent, one worker, to a
# gap of 1e-10.
wide() {
	local x=$data/lasso500by1K.X.mmt y=$data/lasso500by1K.Y.mmt method l1 best count
	for l1 in 1.6e-4 1e-4 3e-5; do
		train lasso --l1 $l1 --no-intercept --data "$x" --target "$y" --tolerance 1e-10 \
			--epochs 10000 --model "$tmp/best" || complain "wide: $(tail -n 1 "$tmp/err")"
		read -r best count < <(awk -f "$here/regression.awk" -v format=matrix "$tmp/best" "$x" "$y")
		for method in cd sdca mspg; do
			[ "$l1 $method" != '3e-5 mspg' ] || continue
			one matrix "$x" "$y" "$best" "$count" lasso --l1 $l1 --no-intercept --method $method
		done
		[ $l1 = 1.6e-4 ] || continue
		one matrix "$x" "$y" "$best" "$count" lasso --l1 $l1 --no-intercept \
			--method cd --workers 2 --consistency bsp --tolerance 1e-6
		one matrix "$x" "$y" "$best" "$count" lasso --l1 $l1 --no-intercept \
			--method sdca -n 2 --nodes 2 --tolerance 1e-6
	done
}

# same MODEL MODEL
same() {
	awk 'NR == FNR { was[FNR] = $NF; n++; next }
		{ d = $NF - was[FNR]; bad = bad || d > 1e-5 || d < -1e-5 }
		END { exit bad || FNR != n }' "$1" "$2"
}

# Formats that give the same: the model of one is that of the others.
formats() {
	local name
	awk 'BEGIN { srand(3); print "a,b,c,y"
		for (i = 0; i < 60; i++) {
			a = rand(); b = i % 3 ? 0 : rand(); c = 10 * rand()
			print a "," b "," c "," a - 2 * b + c / 9 + rand() / 5 } }' >"$tmp/d.csv"
	awk -F, 'NR > 1 { print $4, "1:" $1, "2:" $2, "3:" $3 }' "$tmp/d.csv" >"$tmp/d.svm"
	awk -F, 'BEGIN { print "%%MatrixMarket matrix coordinate real general\n% c\n60 3 180" }
		NR > 1 { for (j = 1; j < 4; j++) print NR - 1, j, $j }' "$tmp/d.csv" >"$tmp/d.mtx"
	awk -F, 'BEGIN { print "%%MatrixMarket matrix array real general\n60 1" }
		NR > 1 { print $4 }' "$tmp/d.csv" >"$tmp/y.mtx"
	for name in d.csv d.svm d.mtx y.mtx; do gzip -k "$tmp/$name"; done
	for name in d.csv d.svm 'd.mtx y.mtx' d.csv.gz d.svm.gz 'd.mtx.gz y.mtx' 'd.mtx y.mtx.gz'; do
		for options in '' '--workers 3 --method sdca' '-n 3 --nodes 2'; do
			set -- $name
			# shellcheck disable=SC2086
			train elastic-net --l1 0.01 --l2 0.1 --standardise --tolerance 1e-12 \
				--data "$tmp/$1" ${2:+--target "$tmp/$2"} $options --model "$tmp/model" ||
				complain "$name $options: $(tail -n 1 "$tmp/err")"
			[ ! -f "$tmp/first" ] || same "$tmp/first" "$tmp/model" ||
				complain "$name $options: another model"
			[ -f "$tmp/first" ] || cp "$tmp/model" "$tmp/first"
		done
	done
}

bit_for_bit() {
	local grouping method sum now
	for method in cd sdca mspg; do
		sum=
		for grouping in '-n 4 --nodes 1' '-n 4 --nodes 2' '-n 2 --workers 2 --nodes 2' \
				'--workers 4'; do
			# shellcheck disable=SC2086
			train lasso --l1 0.01 --data "$tmp/d.csv" --method $method --consistency bsp \
				--epochs 3 --tolerance 0 $grouping --model "$tmp/model" ||
				complain "bsp $method $grouping: $(tail -n 1 "$tmp/err")"
			now=$(cksum <"$tmp/model")
			[ "${sum:=$now}" = "$now" ] || complain "bsp $method $grouping: another model"
		done
	done
}

# Columns of which each is nearly the one before: where sdca was slowed down again
# and again by one rise it was nowhere after 60 000 epochs.
nearly_dependent() {
	awk 'BEGIN { srand(3)
		for (i = 0; i < 400; i++) {
			x = rand(); y = rand(); line = ""
			for (j = 1; j <= 15; j++) {
				x = 0.997 * x + 0.003 * rand()
				line = line " " j ":" x
				y += j % 4 ? 0 : (j - 7) * x / 0.003
			}
			print y line
		} }' >"$tmp/long.svm"
	for grouping in '--workers 2' '--workers 3'; do
		rm -f "$tmp/report"
		# shellcheck disable=SC2086
		train lasso --l1 1e-4 --data "$tmp/long.svm" --method sdca --tolerance 1e-3 \
			--epochs 6000 --consistency bsp $grouping --report "$tmp/report"
		[ "$(last converged)" = true ] ||
			complain "nearly dependent columns, sdca $grouping: $(tail -n 1 "$tmp/report")"
	done
}

# refused STATUS PATTERN OPTIONS...: one sentence, and no model, with one process
# and with three.
refused() {
	local want=$1 pattern=$2 got grouping
	shift 2
	for grouping in '--workers 2' '-n 3 --nodes 2'; do
		# shellcheck disable=SC2086
		train "$@" $grouping --model "$tmp/made.model"
		got=$?
		[ $got = "$want" ] || complain "$*: exit status $got, expected $want"
		[ "$(grep -c -e "$pattern" "$tmp/err")" = 1 ] ||
			complain "$*: expected \"$pattern\" once, told: $(cat "$tmp/err")"
		[ ! -s "$tmp/out" ] && [ ! -e "$tmp/made.model" ] || complain "$*: left output"
	done
}

bad_input() {
	local x=$tmp/x.csv m=$tmp/x.mtx t=$tmp/t.mtx banner='%%MatrixMarket matrix coordinate real general'
	printf '1,2\n3,4\n5,6,7\n8,9\n' >"$x"
	refused 2 'x.csv: line 3: more than 2 numbers' lasso --data "$x"
	printf '1 1:1\n2 1:x\n' >"$tmp/x"
	refused 2 'x: line 2: value is "x"' ridge --data "$tmp/x"
	printf '1,2\n3,4\n5,6\n' | gzip >"$x.gz"
	head -c 20 "$x.gz" >"$tmp/cut.csv.gz"
	refused 2 'cut.csv.gz: cannot inflate: the file is cut' lasso --data "$tmp/cut.csv.gz"
	refused 2 'missing.csv: cannot open' lasso --data "$tmp/missing.csv"
	printf '%s\n3 2 3\n1 1 1\n2 2 1\n' "$banner" >"$m"
	printf '%s\n3 1 3\n1 1 1\n2 1 1\n3 1 2\n' "$banner" >"$t"
	refused 2 'x.mtx: 2 entries: the line of sizes says 3' lasso --data "$m" --target "$t"
	printf '%s\n3 2 3\n1 1 1\n2 2 1\n1 1 1\n' "$banner" >"$m"
	refused 2 'row 1: column 1 stands there twice' lasso --data "$m" --target "$t"
	printf '%s\n2 2 1\n1 1 1\n' "$banner" >"$m"
	refused 2 't.mtx: 3 rows: expected 2' lasso --data "$m" --target "$t"
	refused 2 'x.mtx: expected a file of its targets' lasso --data "$m"
	printf '1,2\n3,4\n' >"$x"
	refused 2 'expected elastic-net' lasso --data "$x" --l2 1
	refused 2 'expected elastic-net' ridge --data "$x" --l1 1
	refused 2 'l1 is "-1"' lasso --data "$x" --l1 -1
	refused 2 'method is "x"' lasso --data "$x" --method x
	refused 2 'model 5: expected ssp' lasso --data "$x" --consistency vap
}

formats
bit_for_bit
nearly_dependent
bad_input
# Ordinary least squares: the reference is half of the mean square.
if there "$data/prostate.csv"; then
	one csv "$data/prostate.csv" '' 0.2195999 8 ridge
	one csv "$data/prostate.csv" '' 0.2195999 8 ridge --workers 2 --standardise
fi
if [ $sets = yes ]; then
	! there "$data/abalone" || methods
	! there "$data/lasso500by1K.X.mmt" || wide
fi
finish
