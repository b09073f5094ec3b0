#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lagoon train mf: ratings with every separator, also by gzip and with items as the
# larger side, are the same; planted factors are found by every method, whatever
# the consistency and however workers are grouped; sgd under bsp gives the same
# model bit for bit; the objective of als and ccd++ never rises; lagoon predict
# agrees with the errors that training told; a fit goes on from a checkpoint; bad
# input ends with status 2, file and line, and without a model. On the reference
# sets the errors of the reference.
# needs: pmix
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
data=${LAGOON_DATA:-../shared/data}/ratings
scale=${LAGOON_TEST_SCALE:-1}
limit=$(awk -v s="$scale" 'BEGIN { print int(400 * (s > 1 ? s : 1)) }')
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "mf.sh: $*"; failed=1; }

train() { timeout "$limit" "$lagoon" train mf "$@" >"$tmp/out" 2>"$tmp/err"; }

# value NAME: of the summary
value() { sed -nE "s/^$1 +([^ ]+).*/\1/p" "$tmp/out"; }

# at_most WHAT VALUE LIMIT
at_most() { awk -v v="$2" -v l="$3" 'BEGIN { exit !(v != "" && v <= l) }' || complain "$1: $2, expected at most $3"; }

# falls WHAT: the objectives of the epochs
falls() {
	awk '/^epoch/ { if (n++ && $4 > last * (1 + 1e-9)) exit 1; last = $4 } END { if (n < 2) exit 1 }' \
		"$tmp/err" || complain "$1: the objective rises: $(grep -o 'objective [^ ]*' "$tmp/err" | tr '\n' ' ')"
}

"$lagoon" generate ratings -o "$tmp/r" --test "$tmp/t" --users 300 --items 120 --ratings 9000 \
	--rank 3 --noise 0.1 || complain "generate failed"
[ "$(wc -l <"$tmp/r") $(wc -l <"$tmp/t")" = '9000 900' ] || complain "generate: other numbers of ratings"
"$lagoon" generate ratings -o "$tmp/again" --users 300 --items 120 --ratings 9000 --rank 3 --noise 0.1
cmp -s "$tmp/r" "$tmp/again" || complain "generate: another file for the same options"

# --- methods and models: the planted factors but for the noise
options="--test $tmp/t --rank 3 --lambda 0.002 --epochs 40"
for config in '--method sgd --workers 3 --consistency bsp' '--method sgd -n 2 --nodes 2 --staleness 2' \
	'--method sgd -n 2 --workers 2 --consistency asp' '--method sgd --workers 2 --consistency essp --biases' \
	'--method als --workers 1' '--method als -n 2 --workers 2 --nodes 2 --biases' \
	'--method als -n 3 --consistency bsp' '--method ccd++ --workers 1 --biases' \
	'--method ccd++ -n 2 --workers 2 --nodes 2' '--method ccd++ --workers 4 --consistency bsp' \
	'--method ccd++ -n 3 --consistency psp --sample 1'; do
	# shellcheck disable=SC2086
	train --data "$tmp/r" $options $config --model "$tmp/model" ||
		{ complain "$config: $(tail -n 1 "$tmp/err")"; continue; }
	at_most "$config" "$(value 'test rmse')" 0.125
	case $config in *als*|*ccd*) falls "$config" ;; esac
	told=$(value 'test rmse')
	"$lagoon" predict --model "$tmp/model" --data "$tmp/t" -o "$tmp/p" >"$tmp/out" ||
		complain "$config: predict failed"
	awk -v a="$told" -v b="$(value rmse)" 'BEGIN { exit !(a - b < 2e-6 && b - a < 2e-6) }' ||
		complain "$config: predict says $(value rmse), training $told"
	paste -d' ' "$tmp/t" "$tmp/p" | awk -v r="$told" '{ s += ($3 - $4) ^ 2 }
		END { d = sqrt(s / NR) - r; exit !(d < 2e-6 && d > -2e-6) }' ||
		complain "$config: the predictions have another error"
done

# --- the same bit for bit, however 4 workers are grouped, and of every kind of file
awk '{ print $1 "::" $2 "::" $3 "::978300760" }' "$tmp/r" >"$tmp/colons"
{ echo '# user,item,rating'; awk '{ print $1 "," $2 "," $3 }' "$tmp/r"; echo; } >"$tmp/commas"
tr ' ' '\t' <"$tmp/r" | sed 's/$/\r/' >"$tmp/tabs"
gzip -k "$tmp/commas"
first=
for config in "$tmp/r --workers 4" "$tmp/r -n 2 --workers 2" "$tmp/r -n 4 --nodes 2" "$tmp/colons --workers 4" \
	"$tmp/commas --workers 4" "$tmp/commas.gz --workers 4" "$tmp/tabs -n 2 --workers 2"; do
	# shellcheck disable=SC2086
	train --epochs 5 --rank 3 --consistency bsp --biases --model "$tmp/model" --data $config ||
		{ complain "$config: $(tail -n 1 "$tmp/err")"; continue; }
	# Ratings that are dealt out in another order have another last bit of their mean.
	sum=$(grep -v '^mean' "$tmp/model" | awk '{ for (i = 3; i <= NF; i++) $i = sprintf("%.9g", $i) } 1' | cksum)
	[ "${first:=$sum}" = "$sum" ] || complain "$config: another model"
done

# --- users and items in each other's place: the same objective
awk '{ print $2, $1, $3 }' "$tmp/r" >"$tmp/turned"
for method in als ccd++; do
	train --data "$tmp/r" --method $method --rank 3 --epochs 3 --workers 2 --biases
	a=$(value objective)
	train --data "$tmp/turned" --method $method --rank 3 --epochs 3 --workers 3 --biases --model "$tmp/model"
	awk -v a="$a" -v b="$(value objective)" 'BEGIN { exit !(a > 0 && a - b < 1e-8 * a && b - a < 1e-8 * a) }' ||
		complain "$method: objective $(value objective) turned, $a as it was"
	grep -q '^users 120$' "$tmp/model" || complain "$method: users of the turned file"
done

# --- the last one of several ratings counts; numbers with gaps
printf '5 7 1\n900000 7 2\n5 7 3\n5 100000 2\n900000 100000 3\n' >"$tmp/twice"
train --data "$tmp/twice" --method als --rank 1 --epochs 3 --workers 3 --model "$tmp/model" ||
	complain "gaps: $(cat "$tmp/err")"
[ "$(value replaced)" = 1 ] || complain "replaced $(value replaced), expected 1"
grep -q '^mean 2.5$' "$tmp/model" || complain "the earlier rating counts: $(grep mean "$tmp/model")"
[ "$(grep -cE '^(user|item) ' "$tmp/model")" = 4 ] || complain "rows of numbers that have no ratings"
printf '5 7 3\n6 7 1\n5 2000000000 4\n' >"$tmp/new"
"$lagoon" predict --model "$tmp/model" --data "$tmp/new" -o "$tmp/p" >"$tmp/out" || complain "predict of new ones failed"
[ "$(value unknown)" = 2 ] && [ "$(sed -n 2p "$tmp/p") $(sed -n 3p "$tmp/p")" = '2.5 2.5' ] ||
	complain "what is new: $(cat "$tmp/out" "$tmp/p")"
sed 's/^end$//' "$tmp/model" >"$tmp/cut"
"$lagoon" predict --model "$tmp/cut" --data "$tmp/new" >/dev/null 2>"$tmp/err"
[ $? = 2 ] && grep -q 'cut: line 13' "$tmp/err" || complain "a damaged model: $(cat "$tmp/err")"

# --- checkpoints
for method in sgd als ccd++; do
	common="--data $tmp/r --method $method --rank 3 --consistency bsp --biases --test $tmp/t"
	# shellcheck disable=SC2086
	train $common --workers 2 --epochs 8 --model "$tmp/whole" || complain "$method: $(cat "$tmp/err")"
	# shellcheck disable=SC2086
	train $common --workers 2 --epochs 4 --checkpoint "$tmp/saved" --every 4 || complain "$method: $(cat "$tmp/err")"
	# shellcheck disable=SC2086
	train $common --workers 2 --epochs 8 --resume "$tmp/saved" --model "$tmp/resumed" ||
		complain "$method, resumed: $(cat "$tmp/err")"
	head -n 1 "$tmp/err" | grep -q '^epoch *5 ' || complain "$method: does not go on with epoch 5"
	# als knows nothing but factors; what is left of ccd++ has rounding errors, and the
	# deltas of sgd are rounded at random, by the clock.
	if [ $method = als ]; then
		cmp -s "$tmp/whole" "$tmp/resumed" || complain "$method: another model than in one go"
	else
		paste -d' ' "$tmp/whole" "$tmp/resumed" | awk '/^(user|item)/ {
			for (i = 3; i <= NF / 2; i++) { d = $i - $(i + NF / 2); if (d > 1e-4 || d < -1e-4) exit 1 } }' ||
			complain "$method: another model than in one go"
	fi
	# shellcheck disable=SC2086
	train $common -n 3 --nodes 2 --epochs 8 --resume "$tmp/saved" || complain "$method, by others: $(cat "$tmp/err")"
	at_most "$method, by others" "$(value 'test rmse')" 1
	# shellcheck disable=SC2086
	train $common --epochs 8 --resume "$tmp/saved" --lambda 0.2
	[ $? = 2 ] && grep -q 'a checkpoint with lambda' "$tmp/err" || complain "$method, other lambda: $(cat "$tmp/err")"
	rm -rf "$tmp/saved"
done

# --- bad input
# bad NAME PATTERN TEXT [OPTION...]: whoever reads the line; every third time also
# with three processes
cases=0
bad() {
	local name=$1 pattern=$2 config got
	printf "$3" >"$tmp/$name"
	shift 3
	cases=$((cases + 1))
	for config in '--workers 1' '-n 3 --nodes 2'; do
		[ "$config" = '--workers 1' ] || [ $((cases % 3)) = 0 ] || continue
		# shellcheck disable=SC2086
		train --rank 1 --epochs 2 --data "$tmp/$name" $config --model "$tmp/made" "$@"
		got=$?
		[ $got = 2 ] || complain "$name \"$pattern\": exit status $got, expected 2"
		[ "$(grep -c -e "$name: $pattern" "$tmp/err")" = 1 ] ||
			complain "no \"$name: $pattern\" in: $(cat "$tmp/err")"
		[ ! -e "$tmp/made" ] || complain "$pattern: left a model"
	done
}
good='1 1 3\n1 2 4\n2 1 5\n'
bad bag 'no ratings' ''
bad bag 'no ratings' '# nothing\n\n'
bad bag 'line 4: the user is "x"' "${good}x 1 1\n"
bad bag 'line 4: the user is "-1"' "${good}-1 1 1\n"
bad bag 'line 4: the item is "1.5"' "${good}1 1.5 1\n"
bad bag 'line 4: the item is "2147483648": expected a whole number from 0 to 2147483647' "${good}1 2147483648 1\n"
bad bag 'line 4: the item is ""' "${good}1\n"
bad bag 'line 4: the rating is ""' "${good}1 1\n"
bad bag 'line 4: the rating is "good"' "${good}1 1 good\n"
bad bag 'line 4: the rating is "nan": expected a finite' "${good}1 1 nan\n"
bad bag 'line 4: the rating is "1e999": expected a finite' "${good}1 1 1e999\n"
bad bag 'line 4: the rating is "3x"' "${good}1::1::3x\n"
bad bag '3 users for a rank of 4' "$good" --rank 4
bad test 'line 2: the rating is "x"' '1 1 1\n1 1 x\n' --data "$tmp/r" --test "$tmp/test"
bad test 'no ratings' '\n' --data "$tmp/r" --test "$tmp/test"
printf '1 1 1\n' | gzip | head -c 20 >"$tmp/cut.gz"
train --data "$tmp/cut.gz"
[ $? = 2 ] && grep -q 'cut.gz: cannot inflate' "$tmp/err" || complain "a cut file by gzip: $(cat "$tmp/err")"
train --data "$tmp/none"
[ $? = 2 ] && grep -q 'none: cannot open' "$tmp/err" || complain "no file: $(cat "$tmp/err")"
train --data "$tmp/r" --rate 100 --model "$tmp/made"
[ $? = 1 ] && grep -q 'grow beyond all bounds' "$tmp/err" && [ ! -e "$tmp/made" ] ||
	complain "too high a rate: $(cat "$tmp/err")"
train --data "$tmp/r" --method als --lambda 0
[ $? = 2 ] && grep -q 'lambda 0' "$tmp/err" || complain "als without a penalty: $(cat "$tmp/err")"
printf '1 1 3\n1 2 3\n2 1 3\n' >"$tmp/same"
for method in sgd als ccd++; do
	train --data "$tmp/same" --rank 1 --method $method || complain "$method, all ratings the same: $(cat "$tmp/err")"
	at_most "$method, all ratings the same" "$(value rmse)" 0.5
done

# --- the reference; not at a smaller scale, as under sanitizers
case $scale in 0*|.*) exit $failed ;; esac
if [ ! -r "$data/filmtrust.txt" ]; then
	[ $failed = 0 ] || exit 1
	echo "no $data/filmtrust.txt; the rest passed"
	exit 77
fi
awk 'NR % 5' "$data/filmtrust.txt" >"$tmp/film.tr"
awk 'NR % 5 == 0' "$data/filmtrust.txt" >"$tmp/film.te"
libmf="--data $data/real_matrix.tr.txt --test $data/real_matrix.te.txt"
film="--data $tmp/film.tr --test $tmp/film.te"
while read -r most config; do
	# shellcheck disable=SC2086
	train $config || { complain "$config: $(tail -n 1 "$tmp/err")"; continue; }
	echo "${config//$tmp\//}: $(value 'test rmse')"
	at_most "$config" "$(value 'test rmse')" "$most"
	case $config in *als*|*ccd*) falls "$config" ;; esac
done <<END
0.965 $libmf --lambda 0.2 --workers 2
0.965 $libmf --lambda 0.2 --method als -n 2 --nodes 2
0.965 $libmf --lambda 0.2 --method ccd++ --workers 3
0.908 $libmf --lambda 0.4 --biases --lambda-bias 8 -n 2 --nodes 2 --staleness 4
0.908 $libmf --lambda 1 --biases --lambda-bias 8 --method als --workers 2
0.908 $libmf --lambda 1 --biases --lambda-bias 8 --method ccd++ -n 3
0.83 $film --lambda 0.1 --workers 4 --staleness 4
0.83 $film --lambda 0.1 --method als --workers 2
0.83 $film --lambda 0.1 --method ccd++ -n 2 --nodes 2
0.8146 $film --lambda 0.15 --biases -n 2 --workers 2 --nodes 2
0.8146 $film --lambda 0.15 --biases --method als --workers 2
0.8146 $film --lambda 0.15 --biases --method ccd++ --workers 2 --consistency bsp
END
exit $failed
