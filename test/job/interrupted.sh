#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Signals and kills: a checkpoint that is whole, whatever ends the run and when,
# and from there to the result of a run that was not interrupted.
# needs: pmix
set -u
. "$(dirname "$0")/../support/checkpoint"

seed=${LAGOON_TEST_SEED:-$$}
RANDOM=$seed
echo "seed $seed"
generate data 3000 200

# --- signals: a checkpoint, status 75, no model, and on from there
# Steps so short that it does not end by itself.
forever=(--rate 1e-4 --epochs 100000000)
# straight EPOCHS: whole.model, of a run that nobody interrupts
straight() { ok "${bsp[@]}" --rate 1e-4 --workers 2 --epochs "$1" --model whole.model; }
for signal in USR1 TERM; do
	for model in bsp ssp essp asp psp vap; do
		rm -rf one stop.model report
		train --consistency $model -n 2 --nodes 2 "${forever[@]}" --model stop.model \
			--checkpoint one --report report >out 2>&1 </dev/null &
		pid=$!
		for _ in $(seq 600); do
			[ -s report ] && break
			sleep 0.05
		done
		# The function is a process of bash that waits for the command.
		kill -$signal "$(pgrep -P $pid || echo $pid)"
		wait $pid
		got=$?
		[ $got = 75 ] || complain "$signal, $model: exit status $got: $(tail -n 2 out)"
		grep -q 'interrupted: checkpoint at clock .*--resume one$' out ||
			complain "$signal, $model: it does not say so: $(tail -n 2 out)"
		[ ! -e stop.model ] || complain "$signal, $model: a model"
		verify one
		[ $model = bsp ] || continue
		epochs=$(($(sed -n 's/.* in epoch \([0-9]*\);.*/\1/p' out) + 2))
		ok "${bsp[@]}" --rate 1e-4 --workers 2 --epochs $epochs --resume one --model stop.model
		straight $epochs
		same whole.model stop.model "$signal"
	done
done

# --- kill -9 at any moment of a run that always writes, again and again
rm -rf one
kills=$(awk -v s="$scale" 'BEGIN { n = int(100 * s); print (n < 5 ? 5 : n > 100 ? 100 : n) }')
whole=0
for ((i = 0; i < kills; i++)); do
	resume=()
	[ ! -e one/manifest ] || resume=(--resume one)
	grouping=(--workers 2)
	((i % 3)) || grouping=(-n 2 --nodes 2)
	"$lagoon" train logistic --data data --tolerance 0 --seed 3 "${bsp[@]}" \
		"${grouping[@]}" "${forever[@]}" --checkpoint one --every 1 \
		"${resume[@]}" >out 2>&1 </dev/null &
	pid=$!
	sleep 0.0$((RANDOM % 90 + 10))
	kill -9 $pid
	wait $pid 2>/dev/null
	# What the launcher had started ends a moment later.
	for _ in $(seq 200); do
		pgrep -f -- "--checkpoint one --every 1" >/dev/null || break
		sleep 0.01
	done
	[ -e one/manifest ] || continue
	verify one
	whole=$((whole + 1))
done
clock=$("$lagoon" checkpoint inspect one | sed -n 's/^clock *//p')
echo "$kills kills, $whole whole checkpoints, the last at clock $clock"
# 50 batches and two meetings an epoch.
epochs=$((clock / 52 + 2))
ok "${bsp[@]}" --rate 1e-4 --workers 2 --epochs $epochs --resume one --checkpoint one \
	--every 50 --model killed.model
straight $epochs
same whole.model killed.model "$kills kills"
tidy one

exit $failed
