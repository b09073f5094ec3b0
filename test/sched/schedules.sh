#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# 10 000 schedules and 3000 in which a process dies, each judged; the same seed gives the same trace, another
# one another; 1000 virtual workers, in two shapes, keep exact sums.
set -u
sched=test/sched/sched
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
seeds=${SCHED_SEEDS:-10000} deaths=3000 crowds='100x10 1000x1'
case ${SCHED_CFLAGS:-} in *-fsanitize*) seeds=150 deaths=50 crowds='20x5' ;; esac

fail() { echo "$*"; exit 1; }

for seed in 1 2 3 4 5 6 7 8; do
	for run in a b; do
		"$sched" --seed $seed --trace >"$out/$seed.$run" 2>"$out/err" ||
			{ cat "$out/err"; exit 1; }
	done
	cmp "$out/$seed.a" "$out/$seed.b" || fail "seed $seed: two traces"
	[ "$(wc -l <"$out/$seed.a")" -gt 100 ] || fail "seed $seed: no trace"
	# With and without a trace, alone and among others, it is one schedule.
	sed -n 's/.*, hash //p' "$out/$seed.a" >>"$out/traced"
	"$sched" --seed $seed 2>"$out/err" | sed 's/.*, hash //' >>"$out/plain"
done
cmp "$out/traced" "$out/plain" || fail "a trace changes the schedule"
[ "$(sort -u "$out/plain" | wc -l)" = 8 ] || fail "two seeds, one schedule"
"$sched" --seeds 1-200 >"$out/a" 2>"$out/err" || { cat "$out/err"; exit 1; }
"$sched" --seeds 1-200 >"$out/b" 2>"$out/err" || { cat "$out/err"; exit 1; }
cmp "$out/a" "$out/b" || fail "seeds 1 to 200: not the same twice"

for crowd in $crowds; do
	"$sched" --crowd "$crowd" 2>&1 || exit 1
done
"$sched" --seeds "1-$seeds" 2>&1 || exit 1
"$sched" --seeds "1-$deaths" --deaths 2>&1
