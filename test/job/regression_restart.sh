#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checkpoints of lasso, ridge and elastic net: by number of epochs, by signal and
# behind kill -9; each method goes on where it stood, also with another number of
# workers, and comes to the minimum of a run that was not interrupted.
# needs: pmix
set -u
. "$(dirname "$0")/../support/checkpoint"
nm "$lagoon" 2>/dev/null | grep -q '__tsan_\|__asan_init' &&
	{ echo "with sanitizers its fits take minutes; regression_arrays.mp resumes there"; exit 77; }

seed=${LAGOON_TEST_SEED:-$$}
RANDOM=$seed
echo "seed $seed"

# rows ROWS NOISE: columns of which each is the one before and some noise; the
# less, the longer it takes.
rows() {
	awk -v rows="$1" -v noise="$2" 'BEGIN {
		srand(3)
		for (i = 0; i < rows; i++) {
			x = rand(); y = rand(); line = ""
			for (j = 1; j <= 15; j++) {
				x = x * (1 - noise) + noise * rand()
				line = line " " j ":" x
				y += j % 4 ? 0 : (j - 7) * x / noise
			}
			print y line
		}
	}'
}
rows 120 0.5 >short
rows 400 0.003 >long

# fit OPTION...: its command, in the background of go or within a time limit
fit() { "$lagoon" train elastic-net --l1 0.01 --l2 1e-4 "$@"; }
export -f fit
within() { status "$1" "$2" bash -c 'fit "$@"' fit "${@:3}"; }
# number NAME LINE: a member of an object of a report
number() { sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p" <<<"$2"; }
# near A B SHARE: A is at most this share above B
near() { awk -v a="$1" -v b="$2" -v s="$3" 'BEGIN { exit !(a != "" && a <= b * (1 + s)) }'; }

# --- the same minimum, with any number of workers
for method in cd sdca mspg; do
	rm -rf one whole ahead
	within 0 '' --data short --method $method --workers 2 --tolerance 1e-9 --epochs 100000 --report whole
	best=$(number objective "$(tail -n 1 whole)")
	epochs=$(number epochs "$(tail -n 1 whole)")
	half=$((epochs / 2))
	[ $half -gt 1 ] || complain "$method: only $epochs epochs"
	within 0 '' --data short --method $method --workers 2 --tolerance 1e-9 --epochs $((half + 1)) \
		--checkpoint one --every $half --report ahead
	verify one
	tidy one
	for grouping in '--workers 2' '-n 3 --nodes 2' '--workers 1'; do
		rm -f report
		# shellcheck disable=SC2086
		within 0 converged --data short --method $method $grouping --tolerance 1e-9 \
			--epochs 100000 --resume one --report report
		first=$(head -n 1 report)
		[ "$(number epoch "$first")" = $((half + 1)) ] ||
			complain "$method $grouping: it went on with $first, expected epoch $((half + 1))"
		near "$(number objective "$first")" "$(number objective "$(sed -n ${half}p ahead)")" 1e-4 ||
			complain "$method $grouping: from $(sed -n ${half}p ahead) to $first"
		near "$(number objective "$(tail -n 1 report)")" "$best" 2e-9 ||
			complain "$method $grouping: $(tail -n 1 report), expected $best"
	done
done

# --- refused: what is not of the same fit
within 2 'with l1 0.01 and l2 0.0001, here they are 0.02' --data short --method mspg --resume one --l1 0.02
within 2 'a checkpoint of method 2' --data short --method cd --resume one
within 2 'standardise 0 and intercept 1, here' --data short --method mspg --resume one --standardise
awk '{ $1 += 1e-3; print }' short >other
within 2 'a checkpoint of other targets' --data other --method mspg --resume one
head -n 100 short >other
within 2 'a checkpoint of other data' --data other --method mspg --resume one
within 2 'expected 1 at most' --data short --method mspg --resume one --epochs 1
within 2 'every without --checkpoint' --data short --every 3
within 2 'none/manifest: cannot open' --data short --resume none

# --- signals: a checkpoint, status 75, no model, and on from there
forever=(--data long --tolerance 0 --epochs 100000000 --rounds 1)
for run in 'cd USR1 bsp' 'sdca TERM ssp' 'mspg USR1 asp'; do
	read -r method signal model <<<"$run"
	rm -rf one report
	fit "${forever[@]}" --method "$method" --consistency "$model" -n 2 --nodes 2 --checkpoint one \
		--model stop.model --report report >out 2>&1 </dev/null &
	pid=$!
	# Before that sdca goes up and down.
	for _ in $(seq 900); do
		[ -e report ] && [ "$(wc -l <report)" -ge 300 ] && break
		sleep 0.05
	done
	# The function is a process of bash that waits for the command.
	kill -"$signal" "$(pgrep -P $pid || echo $pid)"
	wait $pid
	got=$?
	[ $got = 75 ] || complain "$run: exit status $got: $(tail -n 2 out)"
	epoch=$(sed -n 's/.*interrupted: checkpoint after epoch \([0-9]*\); go on with --resume one$/\1/p' out)
	[ "$epoch" = "$(number epoch "$(tail -n 1 report)")" ] ||
		complain "$run: $(tail -n 2 out), the last epoch was $(tail -n 1 report)"
	[ ! -e stop.model ] || complain "$run: a model"
	verify one
	within 0 '' "${forever[@]}" --method "$method" --consistency "$model" --workers 3 --resume one \
		--epochs $((epoch + 1)) --report more --model stop.model
	near "$(number objective "$(head -n 1 more)")" "$(number objective "$(tail -n 1 report)")" 1e-3 ||
		complain "$run: from $(tail -n 1 report) to $(head -n 1 more)"
	rm -f more stop.model
done

# --- kill -9 at any moment of a run that always writes, again and again
kills=$(awk -v s="$scale" 'BEGIN { n = int(9 * s); print (n < 3 ? 3 : n > 9 ? 9 : n) }')
# begin OPTION...: in the background, as pid
begin() {
	"$lagoon" train lasso --l1 1e-4 "${forever[@]}" --method sdca --checkpoint one --every 1 "$@" \
		>out 2>&1 </dev/null &
	pid=$!
}
kill_often "$kills"
rm -f report
status 0 '' "$lagoon" train lasso --l1 1e-4 "${forever[@]}" --method sdca --checkpoint one --every 1 \
	--resume one --epochs 100000 --tolerance 1e-3 --rounds 100 --report report
echo "$kills kills, then from epoch $(number epoch "$(head -n 1 report)")"
tidy one

exit $failed
