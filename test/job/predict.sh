#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lagoon predict: for models of every shape the values of predict.awk, which
# reads the texts of model and rows by itself; the same from every format, by
# gzip; probabilities; the accuracy that training told; errors with file and
# line, and no output file then; and no more memory for a larger file.
set -u
here=$(dirname "$0")
lagoon=${LAGOON_BIN:-$PWD/lagoon}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "predict.sh: $*"; failed=1; }

predict() { timeout 400 "$lagoon" predict "$@" >"$tmp/out" 2>"$tmp/err"; }

# printed KEY: the first number behind it
printed() { awk -v k="$1" '$0 ~ "^" k " " { sub("^" k " +", ""); print $1 }' "$tmp/out"; }

# --- models of every shape
numbers() { awk -v n="$1" -v m="$2" 'BEGIN { srand(n); for (i = 0; i < n; i++) {
	for (k = 0; k < m; k++) printf "%s%.17g", k ? " " : "", rand() - 0.5; print "" } }'; }
model() {
	local features=$1 outputs=$2
	shift 2
	echo lagoon-model 1
	printf '%s\n' "$@"
	printf 'features %s\nweights\n' "$features"
	numbers "$features" "$outputs"
	echo end
}
model 20 1 'solver logistic' 'c 1' 'labels 0 1' >"$tmp/logistic"
model 20 1 'solver svm' 'loss hinge' 'c 2' 'labels -1 1' 'intercept 0.25' >"$tmp/svm"
model 20 3 'solver softmax' 'c 1' 'outputs 3' 'labels 1 2 3' >"$tmp/softmax"
model 20 1 'solver lasso' 'l1 1' 'l2 0' 'standardised 0' 'intercept 0' >"$tmp/lasso"
model 20 1 'solver ridge' 'l1 0' 'l2 3' 'standardised 1' 'intercept -2.5' >"$tmp/ridge"
model 20 1 'solver elastic-net' 'l1 1' 'l2 3' 'standardised 1' 'intercept 1e3' >"$tmp/elastic"

# 200 rows of at most 20 features in each format; the label is one of 1 to 3.
awk -v dir="$tmp" 'BEGIN {
	srand(7)
	for (i = 1; i <= 200; i++) {
		y = int(rand() * 3) + 1
		rows = rows y
		for (j = 1; j <= 20; j++) {
			x = rand() < 0.6 ? 0 : sprintf("%.4f", rand() * 4 - 2)
			csv = csv x ","
			plain = plain x (j < 20 ? "," : "\n")
			if (x != 0) {
				rows = rows " " j ":" x
				entry[n++] = i " " j " " x
			}
		}
		rows = rows "\n"
		csv = csv y "\n"
		target = target y "\n"
	}
	printf "%s", rows >(dir "/rows")
	printf "%s", csv >(dir "/rows.csv")
	printf "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t\n%s", plain >(dir "/plain.csv")
	printf "%%%%MatrixMarket matrix array real general\n200 1\n%s", target >(dir "/target.mtx")
	printf "%%%%MatrixMarket matrix coordinate real general\n200 20 %d\n", n >(dir "/rows.mtx")
	for (k = n - 1; k >= 0; k--)
		print entry[(k * 7919) % n] >(dir "/rows.mtx")
}'
for file in rows rows.csv plain.csv rows.mtx target.mtx; do
	gzip -c "$tmp/$file" >"$tmp/$file.gz"
done
mv "$tmp/rows.gz" "$tmp/gz"

for name in logistic svm softmax lasso ridge elastic; do
	awk -f "$here/predict.awk" "$tmp/$name" "$tmp/rows" >"$tmp/want"
	predict --model "$tmp/$name" --data "$tmp/rows" -o "$tmp/values" ||
		complain "$name: $(cat "$tmp/err")"
	[ "$(printed data)" = 200 ] || complain "$name: $(cat "$tmp/out")"
	paste -d' ' "$tmp/want" "$tmp/values" | awk '{ d = $1 - $NF; if (d > 1e-12 || d < -1e-12) bad++ }
		END { exit bad > 0 || NR != 200 }' || complain "$name: other values than predict.awk"
	metric=$(awk 'NR == FNR { y[++n] = $1; next }
		{ i++; right += $1 == y[i]; square += ($1 - y[i])^2 }
		END { printf "%.4f %.10g\n", 100 * right / n, square / n }' "$tmp/rows" "$tmp/values")
	case $name in
	logistic|svm|softmax) [ "$(printed accuracy)" = "${metric% *}" ] ||
		complain "$name: accuracy $(printed accuracy), expected $metric" ;;
	*) awk -v a="$(printed mse)" -v b="${metric#* }" 'BEGIN { exit !(a - b < 1e-9 * b && b - a < 1e-9 * b) }' ||
		complain "$name: mse $(printed mse), expected $metric" ;;
	esac
	for file in gz rows.csv rows.csv.gz 'rows.mtx' 'rows.mtx.gz' plain.csv plain.csv.gz; do
		target=()
		[[ $file != *.mtx* ]] || target=(--target "$tmp/target.mtx${file#rows.mtx}")
		rm -f "$tmp/again"
		predict --model "$tmp/$name" --data "$tmp/$file" "${target[@]}" -o "$tmp/again" ||
			complain "$name, $file: $(cat "$tmp/err")"
		if [[ $file = *.mtx* ]]; then	# another order of sums
			paste -d' ' "$tmp/again" "$tmp/values" | awk '{ d = $1 - $2; if (d > 1e-12 || d < -1e-12) bad++ }
				END { exit bad > 0 || NR != 200 }' || complain "$name: $file: other values"
		else
			cmp -s "$tmp/again" "$tmp/values" || complain "$name: $file: other values"
		fi
		case $file in
		plain*) ! grep -qE '^(accuracy|mse|log)' "$tmp/out" || complain "$name: $file: there are no labels" ;;
		*) grep -qE "^(accuracy +${metric% *} |mse)" "$tmp/out" || complain "$name: $file: $(cat "$tmp/out")" ;;
		esac
	done
done
[ "$(printed unknown)" = '' ] || complain "unknown labels of a regression"
predict --model "$tmp/svm" --data "$tmp/rows"
[ "$(printed unknown)" = "$(grep -cv '^1' "$tmp/rows")" ] || complain "unknown labels: $(cat "$tmp/out")"

# --- probabilities, of all labels, that sum to 1, with the largest at the label
for name in logistic softmax; do
	predict --model "$tmp/$name" --data "$tmp/rows" -o "$tmp/p" --probabilities ||
		complain "$name: $(cat "$tmp/err")"
	awk -f "$here/predict.awk" "$tmp/$name" "$tmp/rows" | awk '
		NR == FNR && FNR == 1 { for (k = 2; k <= NF; k++) label[k] = $k; n = NF; next }
		NR == FNR { row[FNR - 1] = $0; next }
		{
			split(row[FNR], p, " ")
			sum = all = 0
			best = 2
			if (NF == 2) { $3 = $2; $2 = 0 }	# the product of the first label is 0
			for (k = 2; k <= n; k++) all += exp($k)
			for (k = 2; k <= n; k++) {
				sum += p[k]
				if (p[k] > p[best]) best = k
				d = p[k] - exp($k) / all
				if (d > 1e-12 || d < -1e-12) bad++
			}
			if (sum < 1 - 1e-12 || sum > 1 + 1e-12 || p[1] != label[best] || p[1] != $1) bad++
		}
		END { exit bad > 0 || FNR != 200 }' "$tmp/p" - || complain "$name: probabilities"
	grep -q "^log loss  *[0-9.]*$" "$tmp/out" || complain "$name: no log loss"
done

# --- columns that the model does not have
printf '1 1:1 20:1 21:5 99:1\n1 21:2\n' >"$tmp/wide"
predict --model "$tmp/ridge" --data "$tmp/wide" -o "$tmp/values" || complain "wide: $(cat "$tmp/err")"
[ "$(printed ignored)" = 3 ] || complain "wide: $(cat "$tmp/out")"
[ "$(sed -n 2p "$tmp/values")" = -2.5 ] || complain "wide: $(cat "$tmp/values")"

# --- errors: the status, one sentence, nothing written
# refused STATUS PATTERN OPTION...
refused() {
	local want=$1 pattern=$2 got
	shift 2
	predict "$@" -o "$tmp/made"
	got=$?
	[ $got = "$want" ] || complain "$*: exit status $got, expected $want"
	[ "$(grep -c -e "$pattern" "$tmp/err")" = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] ||
		complain "$*: no \"$pattern\" in: $(cat "$tmp/err")"
	[ ! -s "$tmp/out" ] || complain "$*: on stdout: $(cat "$tmp/out")"
	[ -z "$(find "$tmp" -name '*made*')" ] || complain "$*: left $(find "$tmp" -name '*made*')"
}
sed '150s/ / 3:1 3:1 /' "$tmp/rows" >"$tmp/bad"
refused 2 'bad: line 150: ' --model "$tmp/ridge" --data "$tmp/bad"
gzip -c "$tmp/bad" >"$tmp/bad.gz"
refused 2 'bad.gz: line 150: ' --model "$tmp/ridge" --data "$tmp/bad.gz"
head -c 400 "$tmp/bad.gz" >"$tmp/cut.gz"
refused 2 'cut.gz: cannot inflate: the file is cut' --model "$tmp/ridge" --data "$tmp/cut.gz"
sed '77s/,[^,]*$//' "$tmp/rows.csv" >"$tmp/bad.csv"
refused 2 'bad.csv: line 77: fewer than 21' --model "$tmp/ridge" --data "$tmp/bad.csv"
cut -d, -f2- "$tmp/plain.csv" >"$tmp/narrow.csv"
refused 2 'narrow.csv: line 1: 19 columns: expected 20, ' --model "$tmp/ridge" --data "$tmp/narrow.csv"
sed '5d' "$tmp/rows.mtx" >"$tmp/bad.mtx"
refused 2 'bad.mtx: .* entries: the line of sizes says' --model "$tmp/ridge" --data "$tmp/bad.mtx"
sed '2s/200/199/; $d' "$tmp/target.mtx" >"$tmp/short.mtx"
refused 2 'short.mtx: 199 rows: expected 200' --model "$tmp/ridge" --data "$tmp/rows.mtx" --target "$tmp/short.mtx"
refused 2 'expected data in MatrixMarket' --model "$tmp/ridge" --data "$tmp/rows" --target "$tmp/target.mtx"
: >"$tmp/empty"
refused 2 'empty: no rows' --model "$tmp/ridge" --data "$tmp/empty"
refused 2 'none: cannot open' --model "$tmp/ridge" --data "$tmp/none"
refused 2 'none: cannot open' --model "$tmp/none" --data "$tmp/rows"
refused 2 'rows: line 1: expected "lagoon-model 1"' --model "$tmp/rows" --data "$tmp/rows"
refused 2 'solver svm has no probabilities' --model "$tmp/svm" --data "$tmp/rows" --probabilities
refused 2 'no --model FILE' --data "$tmp/rows"
refused 2 'no --data FILE' --model "$tmp/ridge"
refused 2 '--format is "x": expected libsvm, csv or matrix' --model "$tmp/ridge" --data "$tmp/rows" --format x
predict --model "$tmp/ridge" --data "$tmp/rows" -o "$tmp/no/made"
[ $? = 1 ] && grep -q 'no/made: cannot write' "$tmp/err" || complain "no folder: $(cat "$tmp/err")"

# --- memory: 60 MB of rows, also by gzip, with no more room than 200 rows need
if nm "$lagoon" 2>/dev/null | grep -qE '__(a|t)san_'; then
	echo 'a sanitizer maps memory of its own: no limit on it'
else
	# Powers of 2: least room for 200 rows in KiB, then a block or two more.
	room=16384
	while ! (ulimit -v $room; predict --model "$tmp/ridge" --data "$tmp/rows") && [ $room -lt 4000000 ]; do
		room=$((room + 8192))
	done
	for _ in $(seq 4000); do cat "$tmp/rows"; done | head -c 60000000 | sed '$d' >"$tmp/large"
	gzip -1 -c "$tmp/large" >"$tmp/large.gz"
	rows=$(wc -l <"$tmp/large")
	for file in large large.gz; do
		(ulimit -v $((room + 16384)); predict --model "$tmp/ridge" --data "$tmp/$file") ||
			complain "$file in $room KiB: $(cat "$tmp/err")"
		[ "$(printed data)" = "$rows" ] || complain "$file: $(cat "$tmp/out")"
	done
	echo "$(stat -c %s "$tmp/large") bytes of rows in $((room + 16384)) KiB"
fi

# --- what training says
# trained ROWS WORD...
trained() {
	local rows=$1
	shift
	timeout 400 "$lagoon" train "$@" --data "$rows" --model "$tmp/model" >"$tmp/told" 2>&1
	predict --model "$tmp/model" --data "$rows" || complain "$*: $(cat "$tmp/err")"
	[ "$(awk '/^accuracy/ { print $2 }' "$tmp/told")" = "$(printed accuracy)" ] ||
		complain "$*: accuracy $(printed accuracy), training: $(cat "$tmp/told")"
}
if [ "${LAGOON_HAVE_PMIX:-yes}" = yes ]; then
	awk '{ $1 = $1 > 1 ? 1 : -1; print }' "$tmp/rows" >"$tmp/two"
	trained "$tmp/two" logistic
	trained "$tmp/two" svm --epochs 9
	trained "$tmp/two" svm --loss squared-hinge --epochs 9
	trained "$tmp/two" softmax --epochs 9
	trained "$tmp/rows" softmax --epochs 9 --stream
	trained "$tmp/rows.csv" softmax --epochs 9
fi
exit $failed
