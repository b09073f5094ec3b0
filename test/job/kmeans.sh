#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lagoon train kmeans: the sum of squares that it tells is that of its model, summed
# up here from the rows; the model is the same, bit for bit, for any number of
# workers under bsp and with staleness 0, of commas, blanks, gzip and libsvm;
# --assign and lagoon predict give the nearest centroids; bad input ends with
# status 2, file and line. Of the reference sets the sum is within 0.1 % of the
# best one known, with 1 to 4 workers.
# needs: pmix
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
data=${LAGOON_DATA:-../shared/data}/cluster
scale=${LAGOON_TEST_SCALE:-1}
limit=$(awk -v s="$scale" 'BEGIN { print int(400 * (s > 1 ? s : 1)) }')
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "kmeans.sh: $*"; failed=1; }

train() { timeout "$limit" "$lagoon" train kmeans "$@" >"$tmp/out" 2>"$tmp/err"; }

# check MODEL ROWS [SSE]: each centroid is that of as many rows as the model says,
# its sum of squares that of the rows, and at most SSE. Writes nearest.
check() {
	awk -v most="${3:-}" -v nearest="$tmp/nearest" '
	BEGIN { k = 0 }
	FNR == NR {
		if ($1 == "sse") sse = $2
		else if ($1 == "end") on = 0
		else if (on) {
			rows[k] = $1
			for (j = 2; j <= NF; j++) c[k, j - 1] = $j
			k++
		}
		if ($1 == "centroids") on = 1
		next
	}
	{
		gsub(/,/, " "); best = -1
		for (i = 0; i < k; i++) {
			d = 0
			for (j = 1; j <= NF; j++) d += ($j - c[i, j]) ^ 2
			if (best < 0 || d < least) { best = i; least = d }
		}
		print best >nearest
		sum += least; n[best]++
	}
	END {
		for (i = 0; i < k; i++)
			if (n[i] + 0 != rows[i]) {
				print "cluster " i " has " n[i] + 0 " rows, the model says " rows[i]; bad = 1
			}
		if (!k || sse == "" || (sum - sse) ^ 2 > (1e-9 * sum + 1e-20) ^ 2) {
			print "the model says a sum of " sse ", of the rows it is " sum; bad = 1
		}
		if (most != "" && sum > most) {
			printf "a sum of %.12g, expected at most %.12g\n", sum, most; bad = 1
		}
		exit bad
	}' "$1" "$2"
}

# --- the same rows in every format: five groups
awk -v plain="$tmp/rows.txt" -v csv="$tmp/rows.csv" -v libsvm="$tmp/rows.libsvm" 'BEGIN {
	srand(5)
	print "x,y,z" >csv
	for (i = 0; i < 300; i++) {
		k = i % 5
		x = 10 * (k % 3) + rand(); y = 10 * int(k / 3) + rand(); z = rand() - 1000
		x = sprintf("%.3f", x); y = sprintf("%.3f", y); z = sprintf("%.3f", z)
		print x " " y "\t" z >plain
		print x "," y "," z >csv
		print k " 1:" x " 2:" y " 3:" z >libsvm
	}
}'
gzip -k "$tmp/rows.csv" "$tmp/rows.libsvm"
first=
for config in "txt --workers 4 --consistency bsp" "csv -n 2 --workers 2 --staleness 0" \
	"libsvm -n 3 --nodes 3 --staleness 0" "csv.gz --workers 3 --consistency essp --staleness 0" \
	"libsvm.gz --consistency bsp" "txt -n 4 --nodes 2 --consistency bsp"; do
	# shellcheck disable=SC2086
	train --k 12 --data "$tmp/rows".$config --model "$tmp/model" --restarts 3 \
		--assign "$tmp/assigned" --report "$tmp/report" ||
		{ complain "$config: $(cat "$tmp/err")"; continue; }
	why=$(check "$tmp/model" "$tmp/rows.txt") || complain "$config: $why"
	cmp -s "$tmp/nearest" "$tmp/assigned" || complain "$config: --assign has other clusters"
	sum=$(grep -v '^sse' "$tmp/model" | cksum)
	[ "${first:=$sum}" = "$sum" ] || complain "$config: another model than before"
	grep -q '300 rows, 3 columns' "$tmp/out" || complain "$config: $(head -n 1 "$tmp/out")"
	"$lagoon" predict --model "$tmp/model" --data "$tmp/rows.${config%% *}" -o "$tmp/predicted" \
		>"$tmp/out" 2>"$tmp/err" || complain "predict: $(cat "$tmp/err")"
	cmp -s "$tmp/nearest" "$tmp/predicted" || complain "$config: predict has other clusters"
	awk -v sse="$(awk '/^sse/ { print $2 }' "$tmp/model")" \
		'/^sse/ { exit !(($2 - sse) ^ 2 < (1e-9 * sse) ^ 2) }' "$tmp/out" ||
		complain "$config: predict: $(cat "$tmp/out")"
done
grep -q '"restart":2' "$tmp/report" || complain "the report: $(cat "$tmp/report")"
# Of five groups, each a cluster: all do that.
for option in '--init random --restarts 20' '--method minibatch --batch 60' \
	'--method minibatch -n 2 --nodes 2 --workers 2 --staleness 3' '--candidates 1' \
	'--measure 7 --staleness 4 --workers 3' '--workers 3 --consistency asp' \
	'-n 3 --nodes 2 --consistency psp' '--tolerance 1e-3'; do
	# shellcheck disable=SC2086
	train --k 5 --data "$tmp/rows.txt" --model "$tmp/model" $option ||
		{ complain "$option: $(cat "$tmp/err")"; continue; }
	why=$(check "$tmp/model" "$tmp/rows.txt" 80) || complain "$option: $why"
done
# More clusters than groups of equal rows: the others stay empty.
printf '1 1\n1 1\n1 1\n2 2\n' >"$tmp/equal"
for option in '--init random --workers 3' '-n 2 --nodes 2'; do
	# shellcheck disable=SC2086
	train --k 3 --data "$tmp/equal" --model "$tmp/model" $option ||
		complain "equal rows, $option: $(cat "$tmp/err")"
	why=$(check "$tmp/model" "$tmp/equal" 0) || complain "equal rows, $option: $why"
	grep -q '1 of them empty' "$tmp/out" || complain "equal rows, $option: $(cat "$tmp/out")"
done
# Of many equal rows all centroids begin there, but for a lucky draw: those without
# rows move to the others.
awk 'BEGIN { for (i = 0; i < 90; i++) print (i % 30 == 7) ? i " 5" : "1 1" }' >"$tmp/rare"
for option in '--seed 1' '--seed 2 --workers 3 --consistency bsp' '--seed 3 -n 2 --nodes 2 --staleness 2' \
	'--seed 4 --workers 2 --staleness 0'; do
	# shellcheck disable=SC2086
	train --k 4 --data "$tmp/rare" --init random --restarts 1 --model "$tmp/model" $option ||
		complain "rare rows, $option: $(cat "$tmp/err")"
	why=$(check "$tmp/model" "$tmp/rare" 1e-20) || complain "rare rows, $option: $why"
done

# --- models
train --k 4 --data "$tmp/rows.txt" --model "$tmp/good"
# damage SED PATTERN
damage() {
	sed "$1" "$tmp/good" >"$tmp/damaged"
	"$lagoon" predict --model "$tmp/damaged" --data "$tmp/rows.txt" >/dev/null 2>"$tmp/err"
	[ $? = 2 ] && grep -q "damaged: $2" "$tmp/err" || complain "a model with $1: $(cat "$tmp/err")"
}
damage 's/^end$/End/' 'line 10: expected end'
damage '$d' 'line 10: the file ends'
damage '$a more' 'line 11: expected nothing'
damage '7s/ [^ ]*$//' 'line 7: expected a number of rows and the coordinates'
damage '7s/$/ 3/' 'line 7: expected a number of rows and the coordinates'
damage '7s/[^ ]*$/nan/' 'line 7: expected a number of rows and the coordinates'
damage 's/clusters 4/clusters 70000/' 'line 2: expected clusters'
damage 's/columns 3/columns 2.5/' 'line 3: expected columns'
"$lagoon" predict --model "$tmp/good" --data "$tmp/equal" >/dev/null 2>"$tmp/err"
[ $? = 2 ] && grep -q 'equal: 2 columns: expected 3' "$tmp/err" || complain "too few columns: $(cat "$tmp/err")"
"$lagoon" predict --model "$tmp/good" --data "$tmp/equal" --probabilities -o "$tmp/x" >/dev/null 2>"$tmp/err"
[ $? = 2 ] && [ ! -e "$tmp/x" ] || complain "--probabilities: $(cat "$tmp/err")"

# --- bad input
# bad PATTERN TEXT [OPTION...]: whoever reads the line; every third time also with
# three processes
cases=0
bad() {
	local pattern=$1 config got
	printf "$2" >"$tmp/bad"
	shift 2
	cases=$((cases + 1))
	for config in '--workers 1' '-n 3 --nodes 2'; do
		[ "$config" = '--workers 1' ] || [ $((cases % 3)) = 0 ] || continue
		# shellcheck disable=SC2086
		train --k 2 --data "$tmp/bad" $config --model "$tmp/made" --assign "$tmp/made" "$@"
		got=$?
		[ $got = 2 ] || complain "\"$pattern\": exit status $got, expected 2"
		[ "$(grep -c -e "$pattern" "$tmp/err")" = 1 ] ||
			complain "no \"$pattern\" in: $(cat "$tmp/err")"
		[ ! -e "$tmp/made" ] || complain "$pattern: left a model"
	done
}
good='1 2\n3 4\n5 6\n'
bad 'bad: the file is empty' ''
bad 'bad: no rows' '\n# x\n'
bad 'bad: no rows' 'a b\n'
bad 'bad: 3 rows for 4 clusters: expected at most as many clusters as rows' "$good" --k 4
bad 'bad: line 4: fewer than 2 numbers' "${good}7\n"
bad 'bad: line 4: more than 2 numbers' "${good}7 8 9\n"
bad 'bad: line 4: field 2 is "nan": expected a finite number' "${good}7 nan\n"
bad 'bad: line 4: field 1 is "inf": expected a finite number' "${good}inf 8\n"
bad 'bad: line 4: field 2 is "x": expected a decimal number' "${good}7 x\n"
bad 'bad: line 4: field 2 is 1e+150: expected at most 1e+140' "${good}7 1e150\n"
bad 'bad: line 2: ' '1 1:1\n2 2:x\n'
bad 'bad: line 2: ' '1 1:1\n2 2:1 1:1\n'
bad 'bad: no entries' '1\n2\n3\n' --format libsvm
bad 'rows to be drawn: expected at most' "$good" --method minibatch --rounds 2000000000
printf '1 2\n' | gzip | head -c 15 >"$tmp/cut.gz"
train --k 1 --data "$tmp/cut.gz"
[ $? = 2 ] && grep -q 'cut.gz: cannot inflate' "$tmp/err" || complain "a cut file: $(cat "$tmp/err")"
for option in '--k 0' '--k 65537' '--method fast' '--init best' '--restarts 0' '--batch -1' \
	'--consistency vap' 'x' '--candidates 17'; do
	# shellcheck disable=SC2086
	train --data "$tmp/rows.txt" $option
	[ $? = 2 ] || complain "$option: $(cat "$tmp/err")"
done
train
[ $? = 2 ] && grep -q 'no --data FILE' "$tmp/err" || complain "without data: $(cat "$tmp/err")"
train --data "$tmp/none"
[ $? = 2 ] && grep -q 'none: cannot open' "$tmp/err" || complain "no such file: $(cat "$tmp/err")"

# --- the references; not at a smaller scale, as under sanitizers
case $scale in 0*|.*) exit $failed ;; esac
if [ ! -r "$data/s1.txt" ]; then
	[ $failed = 0 ] || exit 1
	echo "no $data/s1.txt; the rest passed"
	exit 77
fi
configs=('--workers 1' '-n 2 --nodes 2 --consistency bsp' '--workers 3 --staleness 0'
	'-n 2 --workers 2 --staleness 2')
# They take long.
! nm "$lagoon" 2>/dev/null | grep -qE '__[at]san_' || configs=('-n 2 --workers 2 --staleness 0')
while read -r set k best; do
	for config in "${configs[@]}"; do
		# shellcheck disable=SC2086
		train --data "$data/$set.txt" --k "$k" --model "$tmp/model" $config ||
			{ complain "$set $config: $(tail -n 1 "$tmp/err")"; continue; }
		why=$(check "$tmp/model" "$data/$set.txt" \
			"$(awk -v b="$best" 'BEGIN { printf "%.17g", 1.001 * b }')") ||
			complain "$set $config: $why"
		echo "$set $config: $(awk '/^sse/ { print $2 }' "$tmp/model"), known $best"
	done
	train --data "$data/$set.txt" --k "$k" --model "$tmp/model" --method minibatch --workers 2
	why=$(check "$tmp/model" "$data/$set.txt" \
		"$(awk -v b="$best" 'BEGIN { printf "%.17g", 1.02 * b }')") ||
		complain "$set minibatch: $why"
done <<-END
	s1 15 8.91761561687e12
	s2 15 1.32791094907e13
	a1 20 12146257522.3
	r15 15 108.619040813
	iris 3 78.8514414261
	wine 3 2370689.68678
END
exit $failed
