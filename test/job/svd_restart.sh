#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checkpoints of singular values: by number of passes, by signal and behind kill -9.
# From a checkpoint after any pass a run goes on to the rest of the passes, the
# values and the vectors of one in one go, bit for bit, and with other workers to
# the same values to 1e-10. What is of another matrix or another method is refused.
# needs: pmix
set -u
. "$(dirname "$0")/../support/checkpoint"

seed=${LAGOON_TEST_SEED:-$$}
RANDOM=$seed
echo "seed $seed"

# matrix ROWS COLS: a part of its elements
matrix() {
	awk -v m="$1" -v n="$2" 'BEGIN {
		srand(3)
		for (i = 1; i <= m; i++)
			for (j = 1; j <= n; j++) {
				x = rand() - 0.45
				if (rand() < 0.2) line[++entries] = i " " j " " x
			}
		print "%%MatrixMarket matrix coordinate real general"
		print m, n, entries
		for (i = 1; i <= entries; i++) print line[i]
	}'
}
matrix 300 60 >tall.mtx
matrix 50 2500 >wide.mtx

fit() { "$lagoon" train svd --k 5 "$@"; }
export -f fit
within() { status "$1" "$2" bash -c 'fit "$@"' fit "${@:3}"; }
# member NAME LINE: of an object of a report
member() { sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p" <<<"$2"; }
# rest N FILE: the last N passes of a report, without their times
rest() { grep '"pass":' "$2" | sed 's/,"seconds.*//' | tail -n "$1"; }
# near A B: the same values to 1e-10 of each
near() {
	paste "$1" "$2" | awk '/^[0-9]/ && NF == 2 {
		d = ($1 - $2) / $2; n++
		if (!(d <= 1e-10 && d >= -1e-10)) bad = 1
	}
	END { exit bad || n != 5 }'
}

# --- as in one go, from each pass
# go FILE LIMIT OPTION...: LIMIT is the option that bounds the passes
go() {
	local data=$1 limit=$2 passes pass n others
	shift 2
	rm -f whole*
	within 0 '(converged' --data "$data" "$@" --workers 2 --model whole.values --left whole.left \
		--right whole.right --report whole
	passes=$(member passes "$(tail -n 1 whole)")
	[ "$passes" -ge 4 ] || complain "$data $*: only $passes passes"
	for ((pass = 1; pass < passes; pass += (passes + 3) / 4)); do
		rm -rf one more*
		within 0 '' --data "$data" "$@" --workers 2 --checkpoint one --every $pass \
			"$limit" $pass
		verify one
		tidy one
		within 0 '' --data "$data" "$@" --workers 2 --resume one --model more.values --left more.left \
			--right more.right --report more
		for n in values left right; do
			same whole.$n more.$n "$data $*, after pass $pass"
		done
		[ "$(rest $((passes - pass)) whole)" = "$(rest 1000000 more)" ] ||
			complain "$data $*, after pass $pass: other passes: $(head -n 1 more)"
		for others in '--workers 1' '-n 3 --nodes 2'; do
			((pass == 1)) || [ "$others" != '--workers 1' ] || continue
			# shellcheck disable=SC2086
			within 0 '(converged' --data "$data" "$@" $others --resume one --model more.values
			near more.values whole.values || complain "$data $*, after pass $pass, then $others: other values"
		done
	done
	echo "$data $*: $passes passes, $(cat one/* | wc -c) bytes"
}
go tall.mtx --restarts --basis 12
go wide.mtx --restarts --basis 10
go wide.mtx --power --method randomised --tolerance 1e-9 --oversample 4

# --- refused: what is not of the same matrix or method
rand=(--method randomised --oversample 4)
within 2 'of 5 values by method 1 with 9 vectors, here they are 5 by 0 with 9' --data wide.mtx --resume one --basis 9
within 2 'here they are 4 by 1 with 8' --data wide.mtx "${rand[@]}" --resume one --k 4
within 2 'here they are 5 by 1 with 10' --data wide.mtx "${rand[@]}" --resume one --oversample 5
within 2 'expected 1 at most' --data wide.mtx "${rand[@]}" --resume one --power 1
within 2 'one: a checkpoint of other data: of 50 rows with' --data tall.mtx "${rand[@]}" --resume one
sed '9s/[^ ]*$/0.125/' wide.mtx >other.mtx
within 2 'one: a checkpoint of other data: as many rows' --data other.mtx "${rand[@]}" --resume one
within 2 'one: a checkpoint of other data: as many rows' --data other.mtx "${rand[@]}" --resume one -n 2 --nodes 2
awk 'NR > 2 { print 1, $1, $2 }' tall.mtx | head -n 300 >ratings
status 0 '' "$lagoon" train mf --data ratings --rank 2 --epochs 2 --checkpoint mf --every 2
within 2 'mf: ' --data tall.mtx --resume mf
within 2 'every without --checkpoint' --data tall.mtx --every 3
within 2 'none/manifest: cannot open' --data tall.mtx --resume none

# --- signals: a checkpoint, status 75, no model, and on from there
# With so small a basis it never knows that there is nothing besides, so it does not
# end by itself; after 300 passes the values stay as they are.
forever=(--data tall.mtx --basis 8 --tolerance 0)
within 0 '' "${forever[@]}" --restarts 300 --model whole.values
# limit PASS: of a run that goes on from there
limit() { echo "--restarts $(($1 < 299 ? 300 : $1 + 1))"; }
for signal in USR1 TERM; do
	rm -rf one report more
	fit "${forever[@]}" --restarts 1000000000 -n 2 --nodes 2 --checkpoint one --model stop.values --report report >out 2>&1 </dev/null &
	pid=$!
	for _ in $(seq 900); do
		[ -e report ] && [ "$(wc -l <report)" -ge 3 ] && break
		sleep 0.05
	done
	# The function is a process of bash that waits for the command.
	kill -"$signal" "$(pgrep -P $pid || echo $pid)"
	wait $pid
	got=$?
	[ $got = 75 ] || complain "$signal: exit status $got: $(tail -n 2 out)"
	pass=$(sed -n 's/.*interrupted: checkpoint after pass \([0-9]*\); go on with --resume one$/\1/p' out)
	[ "$pass" = "$(member pass "$(tail -n 1 report)")" ] ||
		complain "$signal: $(tail -n 2 out), the last pass was $(tail -n 1 report)"
	[ ! -e stop.values ] || complain "$signal: a model"
	verify one
	# shellcheck disable=SC2046
	within 0 '' "${forever[@]}" $(limit "$pass") --workers 3 --resume one --report more --model stop.values
	[ "$(member pass "$(head -n 1 more)")" = $((pass + 1)) ] || complain "$signal: it went on with $(head -n 1 more)"
	near stop.values whole.values || complain "$signal: other values"
	rm -f stop.values
done

# --- kill -9 at any moment of a run that always writes, again and again
kills=$(awk -v s="$scale" 'BEGIN { n = int(6 * s); print (n < 2 ? 2 : n > 6 ? 6 : n) }')
begin() {
	"$lagoon" train svd --k 5 "${forever[@]}" --restarts 1000000000 --checkpoint one --every 1 "$@" >out 2>&1 </dev/null &
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
pass=$(sed -n 's/.*interrupted: checkpoint after pass \([0-9]*\); .*/\1/p' out)
# shellcheck disable=SC2046
within 0 '' "${forever[@]}" $(limit "$pass") --resume one --workers 2 --model killed.values
near killed.values whole.values || complain "$kills kills: other values"
echo "$kills kills, then from pass $pass"
exit $failed
