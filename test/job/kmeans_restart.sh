#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checkpoints of k-means: by number of rounds, by signal and behind kill -9. With
# lloyd, under bsp and with staleness 0, a fit that goes on reports the rest of the
# rounds bit for bit, and has the model of one in one go; with other workers the
# centroids are the same, and the sum but for the last bits. With minibatch that
# holds for as many workers; others begin with the same sums.
# needs: pmix
set -u
. "$(dirname "$0")/../support/checkpoint"

seed=${LAGOON_TEST_SEED:-$$}
RANDOM=$seed
echo "seed $seed"
# Groups that overlap: it takes many rounds.
awk 'BEGIN {
	srand(3)
	for (i = 0; i < 1200; i++)
		print i % 20 * 3 + rand() * 2.5, i * 7 % 13 * 2 + rand() * 3, rand() * 5
}' >rows

fit() { "$lagoon" train kmeans --data rows --k 25 "$@"; }
export -f fit
within() { status "$1" "$2" bash -c 'fit "$@"' fit "${@:3}"; }
# member NAME LINE: of an object of a report
member() { sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p" <<<"$2"; }
# rest N FILE: the last N rounds of a report, without their times
rest() { grep '"round":' "$2" | sed 's/,"seconds.*//' | tail -n "$1"; }
# alike A B: the sum to 1e-12, the rest bit for bit
alike() {
	awk 'FNR == NR { a[FNR] = $0; n = FNR; next }
	{
		split(a[FNR], was); d = $2 - was[2]
		if ($1 == "sse" ? d * d > (1e-12 * $2) ^ 2 : $0 != a[FNR]) bad = 1
	}
	END { exit bad || FNR != n }' "$1" "$2"
}

# --- as in one go
while read -r run; do
	rm -rf one whole.model whole more.model more
	# shellcheck disable=SC2086
	within 0 '' --method $run --restarts 3 --model whole.model --report whole
	# The last checkpoint is in the second start.
	# shellcheck disable=SC2086
	within 0 '' --method $run --restarts 2 --checkpoint one --every 7
	verify one
	tidy one
	# shellcheck disable=SC2086
	within 0 '' --method $run --restarts 3 --resume one --model more.model --report more
	same whole.model more.model "$run"
	n=$(rest 1000000 more | wc -l)
	[ "$(rest "$n" whole)" = "$(rest "$n" more)" ] || complain "$run: other rounds"
	[ "$n" -gt 0 ] && [ "$n" -lt "$(rest 1000000 whole | wc -l)" ] || complain "$run: $n rounds"
	[ "$(member all_rounds "$(tail -n 1 whole)")" = "$(member all_rounds "$(tail -n 1 more)")" ] ||
		complain "$run: as many rounds in all: $(tail -n 1 more)"
	case $run in lloyd*) ;; *) continue ;; esac
	for others in '--workers 1' '-n 3 --nodes 2'; do
		# shellcheck disable=SC2086
		within 0 '' --method lloyd $others --consistency bsp --seed 5 --init random --restarts 3 --resume one \
			--model more.model
		alike whole.model more.model || complain "$run, then $others: another model"
	done
done <<-END
	lloyd --init random --workers 2 --consistency bsp --seed 5
	lloyd --init random --measure 3 -n 2 --nodes 2 --staleness 0 --seed 5
	minibatch --batch 1 --rounds 30 -n 2 --consistency bsp --seed 2
	minibatch --batch 50 --rounds 30 --workers 2 --consistency bsp --seed 5
END

# --- minibatch: others go on from the same sums, in units of their own
rm -rf one
mini=(--method minibatch --restarts 1 --rounds 40 --consistency bsp)
within 0 '' "${mini[@]}" --batch 20 --workers 2 --checkpoint one --every 40 --model whole.model
for other in '--workers 1 --batch 20' '-n 3 --nodes 2 --batch 1000000' '--workers 2 --batch 1'; do
	# shellcheck disable=SC2086
	within 0 '' "${mini[@]}" $other --resume one --model more.model
	paste -d' ' whole.model more.model | awk '/^[0-9]/ {
		for (i = 1; i <= NF / 2; i++) { d = $i - $(i + NF / 2); if (d * d > 1e-18) exit 1 }
		n++
	} END { exit n != 25 }' || complain "minibatch, then $other: other centroids"
done

# --- refused: what is not of the same fit
within 2 'of 25 clusters by method 1, here they are 24 by 1' "${mini[@]}" --resume one --k 24
within 2 'of 25 clusters by method 1, here they are 25 by 0' --resume one
within 2 'after round 40 of restart 1: expected 39 of 1' "${mini[@]}" --resume one --rounds 39
sed '7s/^[^ ]*/1.5/' rows >other
within 2 'one: a checkpoint of other data: as many rows' "${mini[@]}" --resume one --data other
head -n 1000 rows >other
within 2 'one: a checkpoint of other data: of 1200 rows' "${mini[@]}" --resume one --data other --workers 3
awk '{ print 1, 1 + NR % 9, 1 + NR % 5 }' rows >ratings
status 0 '' "$lagoon" train mf --data ratings --rank 2 --epochs 2 --checkpoint mf --every 2
within 2 'mf: ' --resume mf
within 2 'every without --checkpoint' --every 3
within 2 'none/manifest: cannot open' --resume none

# --- signals: a checkpoint, status 75, no model, and on from there
for run in 'USR1 lloyd bsp' 'TERM minibatch asp'; do
	read -r signal method model <<<"$run"
	rm -rf one report stop.model
	fit --method "$method" --consistency "$model" --restarts 1000000 -n 2 --nodes 2 --checkpoint one \
		--model stop.model --report report >out 2>&1 </dev/null &
	pid=$!
	for _ in $(seq 900); do
		[ -e report ] && [ "$(wc -l <report)" -ge 10 ] && break
		sleep 0.05
	done
	# The function is a process of bash that waits for the command.
	kill -"$signal" "$(pgrep -P $pid || echo $pid)"
	wait $pid
	got=$?
	[ $got = 75 ] || complain "$run: exit status $got: $(tail -n 2 out)"
	grep -q 'interrupted: checkpoint after round [1-9][0-9]*; go on with --resume one$' out ||
		complain "$run: $(tail -n 2 out)"
	[ ! -e stop.model ] || complain "$run: a model"
	verify one
	last=$(tail -n 1 report)
	restart=$(member restart "$last")
	within 0 '' --method "$method" --consistency "$model" --restarts $((restart + 1)) --workers 3 \
		--resume one --report more.report --model stop.model
	first=$(head -n 1 more.report)
	case $(member restart "$first") in
	"$restart") [ "$(member round "$first")" -gt "$(member round "$last")" ] ;;
	*) [ "$(member restart "$first")" = $((restart + 1)) ] ;;
	esac || complain "$run: from $last to $first"
	rm -f more.report
done

# --- kill -9 at any moment of a run that always writes, again and again
kills=$(awk -v s="$scale" 'BEGIN { n = int(6 * s); print (n < 2 ? 2 : n > 6 ? 6 : n) }')
begin() {
	"$lagoon" train kmeans --data rows --k 25 --consistency bsp --init random --restarts 1000000 \
		--checkpoint one --every 1 "$@" >out 2>&1 </dev/null &
	pid=$!
}
kill_often "$kills"
# A signal tells where it stands; from there to the end.
rm -f report
begin --resume one --workers 2 --report report
await 600 [ -s report ]
kill -TERM $pid
wait $pid
got=$?
[ $got = 75 ] || complain "after kills: exit status $got: $(tail -n 2 out)"
tidy one
ends=$(($(member restart "$(tail -n 1 report)") + 1))
echo "$kills kills, then start $((ends - 1))"
for run in '--resume one --model more.model' '--model whole.model'; do
	# shellcheck disable=SC2086
	within 0 '' --consistency bsp --init random --restarts $ends --workers 2 $run
done
alike whole.model more.model || complain "$kills kills: another model"

exit $failed
