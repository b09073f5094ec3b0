#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# 10 000 schedules and 3000 in which a process dies, times LAGOON_TEST_SCALE, each
# judged; the same seed gives the same trace, another one another; 1000 virtual
# workers, in two shapes, keep exact sums. (As 1000 processes, `sched --crowd 1000x1`
# they take as long as 10 000 schedules: each looks at the clocks of all others.)
set -u
sched=test/sched/sched
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
scale=${LAGOON_TEST_SCALE:-1}
seeds=${SCHED_SEEDS:-$(awk -v s="$scale" 'BEGIN { print int(10000 * s) + 1 }')}
deaths=$(awk -v s="$scale" 'BEGIN { print int(3000 * s) + 1 }')
crowds='100x10 250x4' same=200 traced='1 2 3 4 5 6 7 8'
[ "$scale" = 1 ] || crowds=100x10
case ${SCHED_CFLAGS:-} in
*-fsanitize*) seeds=600 deaths=200 crowds=20x5 same=50 ;;
esac

fail() { echo "$*"; exit 1; }

for seed in $traced; do
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
[ "$(sort -u "$out/plain" | wc -l)" = "$(wc -w <<<"$traced")" ] || fail "two seeds, one schedule"
"$sched" --seeds "1-$same" >"$out/a" 2>"$out/err" || { cat "$out/err"; exit 1; }
"$sched" --seeds "1-$same" >"$out/b" 2>"$out/err" || { cat "$out/err"; exit 1; }
cmp "$out/a" "$out/b" || fail "seeds 1 to $same: not the same twice"

for crowd in $crowds; do
	"$sched" --crowd "$crowd" 2>&1 || exit 1
done
"$sched" --seeds "1-$seeds" 2>&1 || exit 1
"$sched" --seeds "1-$deaths" --deaths 2>&1
