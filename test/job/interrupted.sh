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
# At a smaller scale, as under sanitizers: fewer models and kills.
for signal in USR1 TERM; do
	models='bsp ssp asp'
	[ $signal = USR1 ] || models='bsp essp psp vap'
	[ "$scale" = 1 ] || { [ $signal = USR1 ] && models='bsp ssp' || models=vap; }
	for model in $models; do
		rm -rf one stop.model report
		train --consistency $model -n 2 --nodes 2 "${forever[@]}" --model stop.model \
			--checkpoint one --report report >out 2>&1 </dev/null &
		pid=$!
		for _ in $(seq 6000); do
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
		epochs=$(($(sed -n 's/.* in epoch \([0-9]*\);.*/\1/p' out) + 2))
		verify one
		[ $model = bsp ] || continue
		ok "${bsp[@]}" --rate 1e-4 --workers 2 --epochs $epochs --resume one --model stop.model
		straight $epochs
		same whole.model stop.model "$signal"
	done
done

# --- kill -9 at any moment of a run that always writes, again and again
# end: what the launcher has started ends a moment after it.
end() {
	kill -9 $pid
	wait $pid 2>/dev/null
	for _ in $(seq 5000); do
		pgrep -f -- "one --every 1" >/dev/null || break
		sleep 0.01
	done
}
# begun SECONDS/50: until there is a checkpoint
begun() {
	for _ in $(seq "$1"); do
		[ -e one/manifest ] && break
		sleep 0.02
	done
}
rm -rf one
kills=$(awk -v s="$scale" 'BEGIN { n = int((s < 1 ? 25 : 100) * s); print (n < 5 ? 5 : n > 100 ? 100 : n) }')
# begin OPTION...: in the background, as pid
begin() {
	"$lagoon" train logistic --data data --tolerance 0 --seed 3 "${bsp[@]}" \
		"${forever[@]}" --checkpoint one --every 1 "$@" >out 2>&1 </dev/null &
	pid=$!
}
# How long it takes to begin, in ms.
start=$(date +%s%3N)
begin --workers 2
begun 6000
begins=$(($(date +%s%3N) - start))
end
verify one
for ((i = 0; i < kills; i++)); do
	grouping=(--workers 2)
	ms=$((begins / 2 + RANDOM % (begins + 50)))
	((i % 5)) || { grouping=(-n 2 --nodes 2); ms=$((ms * 3)); }
	begin --resume one "${grouping[@]}"
	sleep $((ms / 1000)).$(printf %03d $((ms % 1000)))
	end
	verify one
done
clock=$("$lagoon" checkpoint inspect one | sed -n 's/^clock *//p')
echo "$kills kills, the last checkpoint at clock $clock"
# 50 batches and two meetings an epoch.
epochs=$((clock / 52 + 2))
ok "${bsp[@]}" --rate 1e-4 --workers 2 --epochs $epochs --resume one --checkpoint one \
	--every 50 --model killed.model
straight $epochs
same whole.model killed.model "$kills kills"
tidy one

# --- the same with update functions: their states, too, are of the clock
go() {
	"$lagoon" run "$@" --save one --every 1 --rounds 1000000 >out 2>&1 </dev/null &
	pid=$!
}
rm -rf one
kills=$(((kills + 3) / 4))
start=$(date +%s%3N)
go -n 2 -- "$saved"
begun 6000
begins=$(($(date +%s%3N) - start))
end
for ((i = 0; i < kills; i++)); do
	verify one
	ms=$((begins / 2 + RANDOM % (begins + 50)))
	case $((i % 3)) in
	0) go -n 1 -- "$saved" --resume one --workers 2 ;;
	1) go -n 2 -- "$saved" --resume one ;;
	2) go -n 2 --nodes 2 -- "$saved" --resume one; ms=$((ms * 2)) ;;
	esac
	sleep $((ms / 1000)).$(printf %03d $((ms % 1000)))
	end
done
clock=$("$lagoon" checkpoint inspect one | sed -n 's/^clock *//p')
echo "$kills kills, the last checkpoint at clock $clock"
run -n 2 -- "$saved" --resume one --rounds $((clock + 3)) --dump killed --save one
run -n 1 -- "$saved" --workers 2 --rounds $((clock + 3)) --dump whole
same whole killed "$kills kills with update functions"
tidy one

exit $failed
