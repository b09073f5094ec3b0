#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lagoon train svd: a matrix in every format, also by gzip, has the same singular
# values with 1 to 4 workers however they are grouped; the vectors that it writes
# are orthonormal and fit the matrix; bad input ends with status 2, file and line.
# The matrices of the data sets have the values of the reference, to 1e-8 by
# lanczos and 1e-4 at random; all values of the small ones; not with a sanitizer,
# which has seen the same code by then.
# needs: pmix
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
data=${LAGOON_DATA:-../shared/data}/matrix
scale=${LAGOON_TEST_SCALE:-1}
limit=$(awk -v s="$scale" 'BEGIN { print int(400 * (s > 1 ? s : 1)) }')
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "svd.sh: $*"; failed=1; }

train() { timeout "$limit" "$lagoon" train svd "$@" >"$tmp/out" 2>"$tmp/err"; }

# numbers FILE: of a MatrixMarket array, one a line
numbers() { awk '!/^%/ && n++' "$1"; }

# near FILE FILE EPS: the same numbers, line by line, to a share of the largest
# of all (absolute) or with a fourth argument of each
near() {
	paste "$1" "$2" | awk -v eps="$3" -v each="${4:-}" '
		{ a[NR] = $1; b[NR] = $2; bad = bad || NF != 2; m = $2 > m ? $2 : m }
		END {
			for (i = 1; i <= NR; i++) {
				d = a[i] - b[i]; d = d < 0 ? -d : d
				if (!(d <= eps * (each ? b[i] : m)))
					{ print "line " i ": " a[i] ", expected " b[i]; exit 1 }
			}
			exit bad || !NR
		}'
}

# orthonormal FILE: the vectors of a MatrixMarket array
orthonormal() {
	awk '/^%/ { next } !n { n = $1; k = $2; next } { x[at++] = $1 }
		END {
			if (at != n * k || !k) { print at " numbers, expected " n * k; exit 1 }
			for (i = 0; i < k; i++)
				for (j = 0; j <= i; j++) {
					sum = i == j ? -1 : 0
					for (l = 0; l < n; l++) sum += x[i * n + l] * x[j * n + l]
					if (!(sum < 1e-10 && sum > -1e-10))
						{ print "vectors " i " and " j ": " sum; exit 1 }
				}
		}' "$1"
}

# --- one matrix in every format: 40 x 12, some zeros
awk -v dir="$tmp" 'BEGIN {
	m = 40; n = 12
	for (i = 0; i < m; i++)
		for (j = 0; j < n; j++) {
			x = (i * 7 + j * 11) % 13 - 6 + 10 * (i == j) - (i * j % 5) / 8
			a[i, j] = (i + j) % 4 ? x : 0
			entries += a[i, j] != 0
		}
	print "%%MatrixMarket matrix array real general\n" m, n >dir "/array.mtx"
	print "%%MatrixMarket matrix coordinate real general\n% c\n" m, n, entries >dir "/a.mtx"
	print "%%MatrixMarket matrix coordinate real general\n" n, m, entries >dir "/wide.mtx"
	for (j = 0; j < n; j++)
		for (i = 0; i < m; i++) {
			print a[i, j] >dir "/array.mtx"
			if (a[i, j] == 0) continue
			print i + 1, j + 1, a[i, j] >dir "/a.mtx"
			print j + 1, i + 1, a[i, j] >dir "/wide.mtx"
		}
	for (i = 0; i < m; i++)
		for (j = 0; j < n; j++)
			printf "%s%s", a[i, j], j < n - 1 ? "," : "\n" >dir "/a.csv"
}'
gzip -k "$tmp/a.mtx" "$tmp/a.csv"
cp "$tmp/a.csv" "$tmp/noname"

# fits LEFT RIGHT VALUES: A v = s u of a.csv
fits() {
	awk -F, '
		FILENAME ~ /a.csv$/ { for (j = 1; j <= NF; j++) a[FNR, j] = $j; m = FNR; n = NF; next }
		/^%/ { head = 0; file++; next }
		!head { head = 1; at = 0; next }
		{ x[file, at++] = $1 }
		END {
			for (k = 0; k < 6; k++)
				for (i = 1; i <= m; i++) {
					sum = -x[3, k] * x[1, k * m + i - 1]
					for (j = 1; j <= n; j++) sum += a[i, j] * x[2, k * n + j - 1]
					if (!(sum < 1e-9 && sum > -1e-9)) { print "value " k ", row " i ": " sum; exit 1 }
				}
		}' "$tmp/a.csv" "$1" "$2" "$3"
}

first=
for config in "a.mtx --workers 1" "a.mtx.gz -n 2 --workers 2" "a.csv -n 4 --nodes 2" \
	"a.csv.gz --workers 3" "array.mtx -n 2" "wide.mtx --workers 2" "wide.mtx -n 3 --nodes 2" \
	"noname --format csv --workers 4" "a.mtx --method randomised -n 2 --nodes 2"; do
	rm -f "$tmp/report"
	# shellcheck disable=SC2086
	train --data "$tmp/"$config --k 6 --model "$tmp/values" --left "$tmp/left" \
		--right "$tmp/right" --report "$tmp/report" ||
		{ complain "$config: $(cat "$tmp/err")"; continue; }
	numbers "$tmp/values" >"$tmp/now"
	[ "$(wc -l <"$tmp/now")" = 6 ] || complain "$config: not 6 values"
	[ -n "$first" ] || { first=1; cp "$tmp/now" "$tmp/first"; }
	eps=1e-12
	[[ $config != *randomised* ]] || eps=1e-6
	near "$tmp/now" "$tmp/first" $eps || complain "$config: other values than with one process"
	awk '/^value/ { print $3 }' "$tmp/out" >"$tmp/printed"
	near "$tmp/printed" "$tmp/now" 1e-13 || complain "$config: prints other values than it writes"
	tail -n 1 "$tmp/report" | sed 's/.*"values":\[\([^]]*\)\].*/\1/' | tr ',' '\n' >"$tmp/printed"
	near "$tmp/printed" "$tmp/now" 1e-15 || complain "$config: reports other values than it writes"
	for side in left right; do
		orthonormal "$tmp/$side" || complain "$config: $side"
	done
	if [[ $config = wide* ]]; then
		fits "$tmp/right" "$tmp/left" "$tmp/values" || complain "$config: the vectors do not fit"
	elif [[ $config != *randomised* ]]; then
		fits "$tmp/left" "$tmp/right" "$tmp/values" || complain "$config: the vectors do not fit"
	fi
done

# The sum of the squares is that of the elements, when all values are there.
train --data "$tmp/a.csv" --k 12 --workers 2 --model "$tmp/values" || complain "all: $(cat "$tmp/err")"
squares=$(awk -F, '{ for (j = 1; j <= NF; j++) s += $j * $j } END { printf "%.15g", s }' "$tmp/a.csv")
numbers "$tmp/values" | awk -v s="$squares" '{ sum += $1 * $1 } END { d = (sum - s) / s; exit !(d < 1e-13 && d > -1e-13) }' ||
	complain "the squares of all values do not sum to $squares"

# --- bad input
# bad NAME PATTERN TEXT [OPTION...]: whoever reads the line; every third time
# also with three processes
cases=0
bad() {
	local name=$1 pattern=$2 config got
	# The text is a format.
	# shellcheck disable=SC2059
	printf "$3" >"$tmp/$name"
	shift 3
	cases=$((cases + 1))
	for config in '--workers 1' '-n 3 --nodes 2'; do
		[ "$config" = '--workers 1' ] || [ $((cases % 3)) = 0 ] || continue
		# shellcheck disable=SC2086
		train --k 2 --data "$tmp/$name" $config --model "$tmp/made" --left "$tmp/made" "$@"
		got=$?
		[ $got = 2 ] || complain "$name \"$pattern\": exit status $got, expected 2"
		[ "$(grep -c -e "$name: $pattern" "$tmp/err")" = 1 ] ||
			complain "no \"$name: $pattern\" in: $(cat "$tmp/err")"
		[ ! -e "$tmp/made" ] || complain "$pattern: left a file"
	done
}
head='%%%%MatrixMarket matrix coordinate real general\n'
good='3 3 3\n1 1 1\n2 2 2\n'
bad m.mtx 'the file is empty' ''
bad m.mtx 'line 1: expected "%%MatrixMarket matrix"' 'label 1:2 3:4\n'
bad m.mtx 'line 2: number of rows is "0"' "${head}0 0 0\n"
bad m.mtx 'line 5: value is "nan"' "$head${good}3 3 nan\n"
bad m.mtx 'line 5: value is "inf"' "$head${good}3 3 inf\n"
bad m.mtx 'line 5: column is "4": expected 1 to 3' "$head${good}3 4 1\n"
bad m.mtx 'line 5: row is "0"' "$head${good}0 3 1\n"
bad m.mtx '2 entries: the line of sizes says 3' "$head$good"
bad m.mtx 'row 2: column 2 stands there twice' "$head${good}2 2 1\n"
bad m.mtx 'k is 4: expected at most 3, as it has 3 rows and 3 columns' "$head${good}3 3 1\n" --k 4
bad m.mtx 'line 2: 3 rows and 4 columns' '%%%%MatrixMarket matrix coordinate real symmetric\n3 4 1\n1 1 1\n'
bad m.csv 'line 3: field 2 is "x"' '1,2\n3,4\n5,x\n'
bad m.csv 'line 3: fewer than 2 numbers' '1,2\n3,4\n5\n'
bad m.csv 'k is 3: expected at most 2, as it has 3 rows and 2 columns' '1,2\n3,4\n5,6\n' --k 3
head -c 60 "$tmp/a.mtx.gz" >"$tmp/cut.mtx.gz"
train --data "$tmp/cut.mtx.gz" --k 2 -n 2
[ $? = 2 ] && grep -q 'cut.mtx.gz' "$tmp/err" || complain "a file that is cut: $(cat "$tmp/err")"
train --data "$tmp/none.mtx"
[ $? = 2 ] && grep -q 'none.mtx' "$tmp/err" || complain "no file: $(cat "$tmp/err")"
train --data "$tmp/a.mtx" --consistency asp
[ $? = 2 ] || complain "--consistency asp: $(cat "$tmp/err")"
train --data "$tmp/a.mtx" --k 3 --left "$tmp/none/left"
[ $? = 1 ] && grep -q 'none/left' "$tmp/err" || complain "an output without a folder: $(cat "$tmp/err")"

# --- the references; not at a smaller scale, as under sanitizers
case $scale in 0*|.*) exit $failed ;; esac
missing=
for name in lp_afiro west0067 jagmesh7; do
	if [ ! -r "$data/$name.mtx" ]; then
		missing="$missing $data/$name.mtx"
		continue
	fi
	grep -v '^#' "$data/$name.sigma" >"$tmp/reference"
	head -n 10 "$tmp/reference" >"$tmp/ten"
	for config in "lanczos --workers 1" "lanczos -n 2 --workers 2" "lanczos -n 3 --nodes 2" \
		"randomised --workers 1" "randomised -n 2 --workers 2" "randomised -n 3 --nodes 2"; do
		eps=1e-8
		[[ $config = lanczos* ]] || eps=1e-4
		# shellcheck disable=SC2086
		train --data "$data/$name.mtx" --k 10 --method $config --model "$tmp/values" \
			--left "$tmp/left" --right "$tmp/right" ||
			{ complain "$name $config: $(cat "$tmp/err")"; continue; }
		numbers "$tmp/values" >"$tmp/now"
		near "$tmp/now" "$tmp/ten" $eps each || complain "$name $config: another value"
		for side in left right; do
			orthonormal "$tmp/$side" || complain "$name $config: $side"
		done
	done
	k=$(wc -l <"$tmp/reference")
	[ "$k" -lt 100 ] || continue
	train --data "$data/$name.mtx" --k "$k" -n 2 --nodes 2 --model "$tmp/values" \
		--left "$tmp/left" --right "$tmp/right" || complain "$name, all: $(cat "$tmp/err")"
	numbers "$tmp/values" >"$tmp/now"
	near "$tmp/now" "$tmp/reference" 1e-12 || complain "$name, all $k: another value"
	for side in left right; do
		orthonormal "$tmp/$side" || complain "$name, all: $side"
	done
done
[ $failed = 0 ] || exit 1
[ -z "$missing" ] || { echo "no$missing; the rest passed"; exit 77; }
