#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checkpoints: what was interrupted ends as if it had not been, bit for bit
# under bsp with the same workers, near the same objective otherwise.
# needs: pmix
set -u
. "$(dirname "$0")/../support/checkpoint"

# At a smaller scale, as under sanitizers: fewer of them.
clocks=(11)
models=('ssp --staleness 2')
makers=('-n 3 --nodes 2 -- SAVED --workers 1,1,0')
others=('-n 1 -- SAVED --workers 2'
	'-n 4 --nodes 3 -- SAVED --workers 0,1,0,1 --pages 900')
[ "$scale" != 1 ] || {
	makers+=('-n 1 -- SAVED --workers 2')
	others+=('-n 2 --nodes 2 -- SAVED --pages 3')
	clocks=(1 11 70)
	models+=('essp --staleness 1' 'psp --sample 1' 'vap --change 0.001' asp bsp)
}

# --- the library: every format, pages and homes other than before
run -n 2 -- "$saved" --dump straight
for made in "${makers[@]}"; do
	rm -rf one two
	# Options are words.
	# shellcheck disable=SC2086
	run ${made/SAVED/"$saved"} --save one --every 5 --dump whole
	same straight whole "$made"
	# Stopped just after another clock: on the disk when the job has closed.
	run ${made/SAVED/"$saved"} --save two --every 7 --stop 7
	for dir in one two; do
		verify $dir
		tidy $dir
		for resumed in "${others[@]}"; do
			run ${resumed/SAVED/"$saved"} --resume $dir --dump rest
			same straight rest "$made, then $resumed from $dir"
		done
	done
done
status 0 'f64: 2203 x 3, f64, bsp, push apply, update adam,rate=0.01, 3 arrays of state' \
	"$lagoon" checkpoint inspect one
status 0 'q32: 4001 x 5, q32, .*, push atomic, ' "$lagoon" checkpoint inspect one
# With LAGOON_CHECK, which adds words to pages: to such jobs, and from them.
for checks in '1 0' '0 1' '1 1'; do
	read -r first second <<<"$checks"
	rm -rf one
	LAGOON_CHECK=$first run -n 2 --nodes 2 -- "$saved" --save one --every 5 --stop 5
	# shellcheck disable=SC2086
	for resumed in '-n 2 -- SAVED --pages 100' '-n 3 --nodes 3 -- SAVED --workers 1,0,1'; do
		LAGOON_CHECK=$second run ${resumed/SAVED/"$saved"} --resume one --dump rest
		same straight rest "checks $checks, then $resumed"
	done
done
# Other workers: the sums of deltas that are not rounded.
rm -rf one
run -n 2 -- "$saved" --exact --save one --every 5 --stop 5
run -n 3 --nodes 3 -- "$saved" --exact --resume one --workers 2,0,1 --dump other
run -n 1 -- "$saved" --exact --dump straight
same straight other 'other workers'

# --- the solver, bit for bit: interrupted at several clocks, other groupings
generate data 3000 200
ok "${bsp[@]}" --workers 2 --model straight.model
for every in "${clocks[@]}"; do
	rm -rf one
	ok "${bsp[@]}" -n 2 --checkpoint one --every $every --epochs 3 --model part.model
	verify one
	tidy one
	for grouping in '--workers 2' '-n 2 --nodes 2'; do
		# shellcheck disable=SC2086
		ok "${bsp[@]}" $grouping --resume one --model resumed.model
		same straight.model resumed.model "every $every, then $grouping"
	done
done
[ "$scale" != 1 ] || status 0 '^clock     140$' "$lagoon" checkpoint inspect one
status 0 'logistic weights: 200 x 1, q64' "$lagoon" checkpoint inspect one

# --- near the same objective: other workers, other models
objective() { sed -n 's/^objective *\([^ ]*\).*/\1/p' out; }
converged=(--tolerance 1e-6 --epochs 200)
ok "${bsp[@]}" --workers 2 "${converged[@]}"
reference=$(objective)
for model in "${models[@]}"; do
	rm -rf one
	# shellcheck disable=SC2086
	ok --consistency $model -n 2 --checkpoint one --every 90 --epochs 4
	for grouping in '--workers 3' '-n 3 --nodes 3'; do
		# shellcheck disable=SC2086
		ok --consistency $model $grouping --resume one "${converged[@]}"
		awk -v a="$(objective)" -v r="$reference" \
			'BEGIN { exit !(a <= r * 1.001 && a >= r * 0.999) }' ||
			complain "$model, then $grouping: objective $(objective), reference $reference"
	done
done

exit $failed
