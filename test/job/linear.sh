#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lagoon train logistic, svm and softmax: each method within 1e-3 of the reference
# objective, recomputed from the model file by linear.awk, with 1 to 4 workers on 1
# and 2 pretended nodes and staleness 0 to 2; softmax with the accuracy that it
# should have; the other models; formats that give the same; under bsp the same
# model bit for bit for every grouping of 4 workers; going on from a checkpoint with
# other workers, by every method; and input that is not legal.
# needs: pmix
set -u
share=1e-3
. "$(dirname "$0")/../support/classified"

heart() {
	logistic heart_scale 98.2267995081 "$@"
	hinge heart_scale 96.4983448528 "$@"
	squared heart_scale 121.134724437 "$@"
}

a9a() {
	logistic a9a 10529.5625846 "$@"
	hinge a9a 11433.8186742 "$@"
	squared a9a 13742.3973044 "$@"
}

references() {
	local method
	# Each grouping with each method, each loss with each of both.
	local grouping losses=(logistic hinge squared) turn=0
	local objectives=(98.2267995081 96.4983448528 121.134724437)
	for method in sgd adagrad downpour; do
		heart --method $method
		for grouping in '--workers 2 --staleness 0' '-n 3 --nodes 1 --staleness 2' \
				'-n 2 --workers 2 --nodes 2 --staleness 1'; do
			# Options are words.
			# shellcheck disable=SC2086
			${losses[turn % 3]} heart_scale ${objectives[turn % 3]} --method $method $grouping
			turn=$((turn + 1))
		done
		turn=$((turn + 1))
	done
	a9a --method adagrad --workers 2 --staleness 2
	# Workers in step wait for each other 50 times an epoch: where others have the
	# cores, too, hundreds of epochs take minutes. So those are of one worker.
	logistic agaricus 98.5136447576 --method adagrad --workers 2 --staleness 1
	hinge agaricus 6.62467851902 --method adagrad
	squared agaricus 6.36869058788 --method adagrad
	logistic a9a 10529.5625846 --method sgd --workers 2 --staleness 2
	squared agaricus 6.36869058788 --method sgd
	hinge a9a 11433.8186742 --method downpour --workers 2 --staleness 2
	logistic agaricus 98.5136447576 --method downpour -n 2 --nodes 2 --staleness 0
}

models() {
	local model
	for model in bsp 'essp --staleness 2' asp psp 'vap --change 0.001'; do
		# shellcheck disable=SC2086
		logistic heart_scale 98.2267995081 --method adagrad -n 2 --nodes 2 --consistency $model
		# shellcheck disable=SC2086
		squared heart_scale 121.134724437 --method sgd --workers 3 --consistency $model
	done
	hinge heart_scale 96.4983448528 --method downpour --workers 2 --n-fetch 2 --n-push 3
	hinge heart_scale 96.4983448528 --method downpour -n 2 --nodes 2 --consistency asp
	hinge heart_scale 96.4983448528 --method downpour --workers 2 --consistency bsp
}

# The reference: the three methods agree.
softmax() {
	local method accuracy
	for method in sgd adagrad downpour; do
		one "$data/dna.scale" 168.442 softmax --method $method --workers 2 --test "$data/dna.scale.t"
		awk -v a="$(last test_accuracy)" 'BEGIN { exit !(a >= 0.93) }' ||
			complain "softmax $method: test accuracy $(last test_accuracy)"
	done
	accuracy=$("$lagoon" predict --model "$tmp/model" --data "$data/dna.scale.t" |
		sed -n 's/^accuracy *\([0-9.]*\) %.*/\1/p')
	within "$accuracy" "$(awk -v a="$(last test_accuracy)" 'BEGIN { print 100 * a }')" 1e-5 ||
		complain "softmax: lagoon predict has an accuracy of $accuracy"
}

# A few rows, which penalties of both kinds leave few weights.
small() {
	awk 'BEGIN { srand(3)
		for (i = 0; i < 80; i++) {
			a = rand(); b = i % 3 ? 0 : rand(); c = rand() - 0.5
			y = a - 2 * b + c / 9 + rand() / 5
			print a "," b "," c "," (y < -0.1 ? 2 : y < 0.5 ? 5 : 7) } }' >"$tmp/d.csv"
	awk -F, '{ print $4, "1:" $1, "2:" $2, "3:" $3 }' "$tmp/d.csv" >"$tmp/d.svm"
	awk -F, '$4 < 7' "$tmp/d.csv" >"$tmp/two.csv"
	awk '$1 < 7' "$tmp/d.svm" >"$tmp/two.svm"
	for name in d.csv d.svm; do gzip -k "$tmp/$name"; done
	# Column after column, the rows backwards.
	awk -F, '{ for (j = 1; j < 4; j++) x[NR, j] = $j; y[NR] = $4 } END {
		print "%%MatrixMarket matrix coordinate real general\n" NR, 3, 3 * NR >x_out
		for (j = 1; j < 4; j++) for (i = NR; i > 0; i--) print i, j, x[i, j] >x_out
		print "%%MatrixMarket matrix array real general\n" NR, 1 >y_out
		for (i = 1; i <= NR; i++) print y[i] >y_out
	}' x_out="$tmp/d.mtx" y_out="$tmp/y.mtx" "$tmp/d.csv"
	gzip -k "$tmp/d.mtx" "$tmp/y.mtx"
}

# As one worker of the same rows: the same bits; and as several the same minimum.
matrices() {
	local zip options objective accuracy
	train softmax --data "$tmp/d.csv" --test "$tmp/d.csv" --method adagrad --model "$tmp/want" \
		--report "$tmp/report" || complain "matrices: $(tail -n 1 "$tmp/err")"
	accuracy=$(last test_accuracy)
	for zip in '' .gz; do
		rm -f "$tmp/report"
		train softmax --data "$tmp/d.mtx$zip" --target "$tmp/y.mtx$zip" --method adagrad \
			--test "$tmp/d.mtx" --test-target "$tmp/y.mtx" --model "$tmp/model" \
			--report "$tmp/report" || complain "d.mtx$zip: $(tail -n 1 "$tmp/err")"
		cmp "$tmp/want" "$tmp/model" || complain "d.mtx$zip: another model than of d.csv"
		[ "$(last test_accuracy)" = "$accuracy" ] ||
			complain "d.mtx$zip: test accuracy $(last test_accuracy), expected $accuracy"
	done
	for options in '--workers 3' '-n 3 --nodes 2'; do
		# shellcheck disable=SC2086
		train softmax --data "$tmp/d.mtx" --target "$tmp/y.mtx" $options --tolerance 1e-7 \
			--model "$tmp/model" || complain "d.mtx $options: $(tail -n 1 "$tmp/err")"
		read -r objective _ < <(awk -f "$here/linear.awk" "$tmp/model" "$tmp/d.svm")
		within "$objective" "$first" 1e-5 ||
			complain "d.mtx $options: objective $objective, of d.svm $first"
	done
}

formats() {
	local name options
	first=
	for name in d.csv d.svm d.csv.gz d.svm.gz; do
		for options in '' '--workers 3' '-n 3 --nodes 2'; do
			# shellcheck disable=SC2086
			train softmax --data "$tmp/$name" $options --tolerance 1e-7 --model "$tmp/model" ||
				complain "$name $options: $(tail -n 1 "$tmp/err")"
			read -r objective _ < <(awk -f "$here/linear.awk" "$tmp/model" "$tmp/d.svm")
			within "$objective" "${first:=$objective}" 1e-5 ||
				complain "$name $options: objective $objective, first $first"
		done
	done
	grep -q '^labels 2 5 7$' "$tmp/model" || complain "formats: labels of the model"
	train logistic --method sgd --data "$tmp/two.csv" --l1 3 --l2 0.5 --workers 2 \
		--tolerance 1e-6 --model "$tmp/model" --report "$tmp/report" ||
		complain "l1: $(tail -n 1 "$tmp/err")"
	read -r objective _ < <(awk -f "$here/linear.awk" "$tmp/model" "$tmp/two.svm")
	within "$objective" "$(last objective)" 1e-9 || complain "l1: objective $objective"
}

bit_for_bit() {
	local grouping method sum now
	for method in sgd adagrad downpour; do
		sum=
		for grouping in '-n 4 --nodes 1' '-n 4 --nodes 2' '-n 2 --workers 2 --nodes 2' \
				'--workers 4'; do
			# shellcheck disable=SC2086
			train svm --data "$tmp/two.csv" --method $method --consistency bsp \
				--epochs 3 --tolerance 0 $grouping --model "$tmp/model" ||
				complain "bsp $method $grouping: $(tail -n 1 "$tmp/err")"
			now=$(cksum <"$tmp/model")
			[ "${sum:=$now}" = "$now" ] || complain "bsp $method $grouping: another model"
		done
	done
}

# goes_on METHOD EPOCHS SHARE: these epochs by one grouping, the others by another:
# what it had come to is not lost, and it ends where it would have.
goes_on() {
	local method=$1 epochs=$2 share=$3 before problem after
	problem=(svm --data "$tmp/two.svm" --method "$method" --loss squared-hinge)
	rm -rf "$tmp/ck" "$tmp/report"
	train "${problem[@]}" --workers 2 --epochs "$epochs" --tolerance 0 --checkpoint "$tmp/ck" \
		--every "$epochs" --report "$tmp/report" ||
		complain "checkpoint $method: $(tail -n 1 "$tmp/err")"
	before=$(last objective)
	rm -f "$tmp/report"
	train "${problem[@]}" -n 3 --nodes 2 --tolerance 1e-6 --resume "$tmp/ck" \
		--model "$tmp/model" --report "$tmp/report" ||
		complain "resume $method: $(tail -n 1 "$tmp/err")"
	after=$(sed -n "1s/.*\"epoch\":$((epochs + 1)),\"objective\":\([^,]*\),.*/\1/p" "$tmp/report")
	awk -v a="${after:-1e99}" -v b="$before" 'BEGIN { exit !(a < b * 1.01) }' ||
		complain "resume $method: the first epoch is $(head -n 1 "$tmp/report"), before $before"
	within "$(awk -f "$here/linear.awk" "$tmp/model" "$tmp/two.svm" | cut -d' ' -f1)" \
		"$best" "$share" || complain "resume $method: another objective than $best"
	train "${problem[@]}" --epochs "$epochs" --resume "$tmp/ck" --model "$tmp/model" ||
		complain "resume $method at its end: $(tail -n 1 "$tmp/err")"
	within "$(awk -f "$here/linear.awk" "$tmp/model" "$tmp/two.svm" | cut -d' ' -f1)" \
		"$before" 1e-9 || complain "resume $method at its end: other weights"
}

go_on() {
	local method
	train svm --data "$tmp/two.svm" --method lbfgs --loss squared-hinge --tolerance 1e-8 \
		--model "$tmp/best" || complain "best: $(tail -n 1 "$tmp/err")"
	best=$(awk -f "$here/linear.awk" "$tmp/best" "$tmp/two.svm" | cut -d' ' -f1)
	for method in sgd adagrad downpour; do
		goes_on $method 3 1e-4
	done
	goes_on lbfgs 1 1e-6
	goes_on gradient 1 1e-6
	goes_on sdca 8 1e-4
	goes_on proximal 3 1e-4
	goes_on ftrl 30 1e-3
	# Of another method.
	refused 2 'a checkpoint of loss 2 and method' svm \
		--data "$tmp/two.svm" --loss squared-hinge --method sgd --resume "$tmp/ck"
}

# refused STATUS PATTERN OPTIONS...: one sentence, and no model, with one process
# and with three; at a smaller scale, as under sanitizers, with three.
groupings=('--workers 2' '-n 3 --nodes 2')
[ "${LAGOON_TEST_SCALE:-1}" = 1 ] || unset 'groupings[0]'
refused() {
	local want=$1 pattern=$2 got grouping
	shift 2
	for grouping in "${groupings[@]}"; do
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
	local x=$tmp/x
	refused 2 'd.svm: line [0-9]*: label .*: expected two distinct labels' svm --data "$tmp/d.svm"
	refused 2 'd.csv: label .*: expected two distinct labels' svm --data "$tmp/d.csv"
	printf '1 1:1\n1 2:1\n1 1:3\n' >"$x"
	refused 2 'every label is 1: expected two distinct' svm --data "$x"
	refused 2 'every label is 1: expected two distinct' softmax --data "$x"
	printf '1 1:1\nnan 2:1\n2 1:3\n' >"$x"
	refused 2 'x: line 2: label is "nan": expected a finite' softmax --data "$x"
	printf '1 1:1\n2 0:1\n2 1:3\n' >"$x"
	refused 2 'x: line 2: index 0: expected indices from 1' svm --data "$x"
	refused 2 'missing: cannot open' svm --data "$tmp/missing"
	printf '5 1:1\n' >"$x"
	refused 2 'x: label 5: expected one of the training' softmax \
		--test "$x" --data "$tmp/four"
	refused 2 'd.mtx: expected a file of its labels beside' svm --data "$tmp/d.mtx"
	refused 2 'y.mtx: labels in a file of their own: expected for Mat' svm --data "$tmp/d.svm" \
		--target "$tmp/y.mtx"
	refused 2 'd.mtx: expected a file of its labels beside' softmax --data "$tmp/d.mtx" \
		--target "$tmp/y.mtx" --test "$tmp/d.mtx"
	refused 2 'd.mtx: rows of a MatrixMarket file cannot be streamed' softmax --data "$tmp/d.mtx" \
		--target "$tmp/y.mtx" --stream --method sgd
	printf '%%%%MatrixMarket matrix array real general\n3 1\n1\n2\n1\n' >"$tmp/three.mtx"
	refused 2 'three.mtx: 3 rows: expected 80, as in .*d.mtx' softmax --data "$tmp/d.mtx" \
		--target "$tmp/three.mtx"
	printf '%%%%MatrixMarket matrix coordinate real general\n3 2 3\n1 1 1\n3 2 1\n3 2 4\n' \
		>"$tmp/twice.mtx"
	refused 2 'row 3: column 2 stands there twice' svm --data "$tmp/twice.mtx" --target "$tmp/three.mtx"
	printf '%%%%MatrixMarket matrix coordinate real general\n3 1 2\n2 1 5\n2 1 5\n' >"$tmp/two.mtx"
	sed -i '$d; s/^3 2 3/3 2 2/' "$tmp/twice.mtx"
	refused 2 'two.mtx: a row has two labels' svm --data "$tmp/twice.mtx" --target "$tmp/two.mtx"
	sed 's/^3 2 2/3 2 3/' "$tmp/twice.mtx" >"$tmp/short.mtx"
	refused 2 'short.mtx: 2 entries: the line of sizes says 3' svm --data "$tmp/short.mtx" \
		--target "$tmp/three.mtx"
	printf '3 4 x\n' >>"$tmp/twice.mtx"
	refused 2 'twice.mtx: line 5: column is "4": expected 1 to 2' svm --data "$tmp/twice.mtx" \
		--target "$tmp/three.mtx"
	refused 2 'method is "x"' svm --data "$x" --method x
	refused 2 'downpour: l1 is 1: it can do 0 only' svm --data "$x" --method downpour --l1 1
	refused 2 'downpour: it cannot work under vap' svm --data "$x" --method downpour --consistency vap
	refused 2 'loss with softmax: expected svm' softmax --data "$x" --loss hinge
	refused 2 'loss is "logistic": expected hinge' svm --data "$x" --loss logistic
	refused 2 'no --data FILE' svm
	refused 2 'every without --checkpoint DIR' svm --data "$x" --every 3
	refused 2 'none/manifest: cannot open' svm --data "$tmp/two.svm" --resume "$tmp/none"
}

small
printf '1 1:1\n2 2:1\n3 1:3\n1 1:2\n2 2:2\n' >"$tmp/four"
formats
matrices
bit_for_bit
go_on
bad_input
if there "$data"/{heart_scale,agaricus,a9a,dna.scale} && [ $sets = yes ]; then
	references
	models
	softmax
fi
finish
