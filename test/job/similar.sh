#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lagoon similar: rows of every format, also by gzip and against other rows, have
# the similarities that all pairs have one by one, whatever the measure; the lines
# are the same bytes however many workers and processes there are; ties go to the
# smaller number; bad input ends with status 2, file and line, and leaves nothing.
# needs: pmix
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
data=${LAGOON_DATA:-../shared/data}
scale=${LAGOON_TEST_SCALE:-1}
limit=$(awk -v s="$scale" 'BEGIN { print int(400 * (s > 1 ? s : 1)) }')
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "similar.sh: $*"; failed=1; }

similar() { timeout "$limit" "$lagoon" similar "$@" >"$tmp/out" 2>"$tmp/err"; }

# reference FILE FORMAT MEASURE TOP FOUND: does FOUND have the similarities of all
# pairs of rows of FILE, the largest first, each that of its two rows?
reference() {
	awk -v format="$2" -v measure="$3" -v top="$4" '
	# Over the columns in common, or over all of them; of dense rows all are.
	function correlation(i, j, common,   k, n, mx, my, xx, yy, xy) {
		n = mx = my = xx = yy = xy = 0
		for (k = 1; k <= cols; k++)
			if (!common || (x[i, k] && x[j, k])) {
				n++; mx += x[i, k]; my += x[j, k]
			}
		if (n < 2) return "none"
		mx /= n; my /= n
		for (k = 1; k <= cols; k++)
			if (!common || (x[i, k] && x[j, k])) {
				xx += (x[i, k] - mx) ^ 2; yy += (x[j, k] - my) ^ 2
				xy += (x[i, k] - mx) * (x[j, k] - my)
			}
		return xx < 1e-12 || yy < 1e-12 ? "none" : xy / sqrt(xx) / sqrt(yy)
	}
	function value(i, j,   k, a, b, n, any, xx, yy, xy, least, most) {
		n = any = xx = yy = xy = least = most = 0
		for (k = 1; k <= cols; k++) {
			a = x[i, k]; b = x[j, k]
			if (a && b) n++
			if (a || b) any++
			xx += a * a; yy += b * b; xy += a * b
			least += a < b ? a : b; most += a < b ? b : a
		}
		if (format == "csv" && (measure == "pearson" || measure == "correlation"))
			return correlation(i, j, 0)
		if (!n) return "none"
		if (measure == "cosine") return xy / sqrt(xx) / sqrt(yy)
		if (measure == "jaccard") return n / any
		if (measure == "ruzicka") return least / most
		return correlation(i, j, measure == "pearson")
	}
	function differ(a, b) { return a - b > 1e-9 || b - a > 1e-9 }
	function check(i,   j, k, n, v) {
		n = 0
		for (j = 1; j <= rows; j++) {
			v = j == i ? "none" : value(i, j)
			of[j] = v
			if (v == "none" || (n == top && best[n] >= v)) continue
			if (n < top) n++
			for (k = n; k > 1 && best[k - 1] < v; k--) best[k] = best[k - 1]
			best[k] = v
		}
		if (found[i] + 0 != n) { print "row " i ": " found[i] + 0 " others, expected " n; bad = 1 }
		for (k = 1; k <= n && !bad; k++)
			if (differ(told[i, k], best[k]) || differ(of[other[i, k]], best[k])) {
				print "row " i ", place " k ": " told[i, k] " of " other[i, k] ", expected " best[k]
				bad = 1
			}
	}
	FNR < NR { other[$1, ++found[$1]] = $2; told[$1, found[$1]] = $3; next }
	format == "csv" {
		cols = split($0, field, ","); rows = FNR
		for (k = 1; k <= cols; k++) x[FNR, k] = field[k] + 0
	}
	format == "libsvm" {
		for (f = 2; f <= NF; f++) {
			split($f, part, ":"); x[FNR, part[1] + 0] = part[2] + 0
			if (part[1] + 0 > cols) cols = part[1] + 0
		}
		rows = FNR
	}
	format == "matrix" && /^[0-9]/ {
		if (!rows) { rows = $1; cols = $2 } else x[$1, $2] = $3 + 0
	}
	END {
		for (i = 1; i <= rows; i++) for (k = 1; k <= cols; k++) x[i, k] += 0
		for (i = 1; i <= rows && !bad; i++) check(i)
		exit bad
	}' "$1" "$5"
}

# --- small data with everything that is special, in every format
awk -v libsvm="$tmp/some.libsvm" -v csv="$tmp/some.csv" -v matrix="$tmp/some.mtx" 'BEGIN {
	srand(4)
	for (i = 1; i <= 60; i++) {
		line = i % 2; dense = ""; rare = 1 + i % 5
		for (j = 1; j <= 15; j++) {
			v = int(rand() * rare) ? 0 : 1 + int(rand() * 3)
			if (i == 7 || i == 31) v = 0
			if (i == 8 || i == 9) v = j == i
			if (i == 33 || i == 44) v = 1 + j % 3
			dense = dense (j > 1 ? "," : "") v
			if (!v) continue
			line = line " " j ":" v
			entry[++n] = i " " j " " v
		}
		print line >libsvm; print dense >csv
	}
	print "%%MatrixMarket matrix coordinate real general\n60 15 " n >matrix
	for (k = n; k; k--) print entry[k] >matrix
}'
gzip -k "$tmp/some.csv" "$tmp/some.mtx"
measures='cosine jaccard ruzicka pearson correlation'
for measure in $measures; do
	for format in libsvm csv matrix; do
		file=$(echo "$tmp/some.$format" | sed 's/matrix/mtx/')
		similar --data "$file" --measure "$measure" --top 7 -o "$tmp/one" ||
			{ complain "$format $measure: $(cat "$tmp/err")"; continue; }
		told=$(reference "$file" $format "$measure" 7 "$tmp/one") ||
			complain "$format $measure: $told"
		for config in '--workers 3' '-n 2 --workers 2 --nodes 2'; do
			# shellcheck disable=SC2086
			similar --data "$file" --measure "$measure" --top 7 $config -o "$tmp/more" &&
				cmp -s "$tmp/one" "$tmp/more" ||
				complain "$format $measure $config: other lines than with one worker"
		done
	done
done
similar --data "$tmp/some.mtx" --top 7 -o "$tmp/matrix"
similar --data "$tmp/some.libsvm" --top 7 -o "$tmp/libsvm"
cmp -s "$tmp/matrix" "$tmp/libsvm" || complain 'other lines of MatrixMarket than of LIBSVM'
for file in some.csv.gz some.mtx.gz; do
	similar --data "$tmp/$file" --top 7 -n 2 -o "$tmp/zipped"
	similar --data "$tmp/${file%.gz}" --top 7 -o "$tmp/plain"
	cmp -s "$tmp/zipped" "$tmp/plain" || complain "$file: other lines than plain"
done

# --- the words of the command
similar --data "$tmp/some.libsvm" --top 7 && cmp -s "$tmp/out" "$tmp/libsvm" ||
	complain 'other lines on standard output than in the file'
timeout "$limit" "$lagoon" train similar --data "$tmp/some.libsvm" --top 7 --report "$tmp/report" \
	>"$tmp/out" 2>"$tmp/err" && cmp -s "$tmp/out" "$tmp/libsvm" ||
	complain "lagoon train similar: $(cat "$tmp/err")"
grep -q '"measure":"cosine","top":7,"rows":60' "$tmp/report" || complain "report: $(cat "$tmp/report")"
grep -qE "\"pairs\":$(wc -l <"$tmp/libsvm")," "$tmp/report" || complain "report: $(cat "$tmp/report")"
# Rows against themselves find themselves first, or their equal before them.
similar --data "$tmp/some.libsvm" --against "$tmp/some.libsvm" --top 1 ||
	complain "--against: $(cat "$tmp/err")"
awk '$3 < 1 - 1e-12 || $2 > $1 { exit 1 }' "$tmp/out" || complain "--against: $(cat "$tmp/out")"
similar --data "$tmp/some.libsvm" --top 59 -o "$tmp/all"
similar --data "$tmp/some.libsvm" --top 59 --least 0.6
awk '$3 >= 0.6' "$tmp/all" | cmp -s - "$tmp/out" || complain "--least: $(cat "$tmp/out")"
printf '1 1:1 2:2\n0 1:1 2:2\n# no row\n\n0 3:1\n0 1:2 2:4\n1 2:1 1:\n' | head -n 6 >"$tmp/ties"
similar --data "$tmp/ties" --top 2 --measure jaccard
[ "$(cat "$tmp/out")" = "$(printf '1 2 1\n1 4 1\n2 1 1\n2 4 1\n4 1 1\n4 2 1')" ] ||
	complain "ties: $(cat "$tmp/out")"
printf '0 0:1 1:2\n0 0:1 1:2\n' >"$tmp/zero"
similar --data "$tmp/zero" --top 1 --zero-based
[ "$(cut -d ' ' -f 1,2 "$tmp/out")" = "$(printf '0 1\n1 0')" ] || complain "--zero-based: $(cat "$tmp/out")"
printf 'a,b,y\n1,0,5\n0,1,5\n' >"$tmp/target.csv"
similar --data "$tmp/target.csv" --top 1
[ -s "$tmp/out" ] || complain 'csv: the last column counts'
similar --data "$tmp/target.csv" --top 1 --target
[ ! -s "$tmp/out" ] || complain "--target: $(cat "$tmp/out")"

# --- bad input
# bad NAME PATTERN TEXT [OPTION...]: whoever reads the line; every third time
# also with three processes
cases=0
bad() {
	local name=$1 pattern=$2 config got
	# shellcheck disable=SC2059
	printf "$3" >"$tmp/$name"
	shift 3
	cases=$((cases + 1))
	for config in '--workers 1' '-n 3 --nodes 2'; do
		[ "$config" = '--workers 1' ] || [ $((cases % 3)) = 0 ] || continue
		# shellcheck disable=SC2086
		similar --top 1 --data "$tmp/$name" $config -o "$tmp/made" "$@"
		got=$?
		[ $got = 2 ] || complain "$name \"$pattern\": exit status $got, expected 2"
		[ "$(grep -c -e "$name: $pattern" "$tmp/err")" = 1 ] ||
			complain "no \"$name: $pattern\" in: $(cat "$tmp/err")"
		[ ! -e "$tmp/made" ] || complain "$pattern: left a file"
	done
}
good='1 1:1 2:2\n0 2:1\n1 1:3\n'
bad rows.libsvm 'line 4: value is "nan"' "${good}1 1:nan\n"
bad rows.libsvm 'line 4: index 2 after 2' "${good}1 2:1 2:1\n"
bad rows.libsvm 'line 5: column 2 is below 0' "${good}# a comment\n1 1:1 2:-1\n" --measure ruzicka
bad rows.libsvm 'line 3: the row has a sum' '1 1:1\n1 1:1\n1 1:1e308 2:1e308\n' --measure ruzicka
bad rows.libsvm 'top 5: expected at most 2' "$good" --top 5
bad rows.libsvm 'top 4: expected at most 3' "$good" --top 4 --against "$tmp/rows.libsvm"
bad rows.csv 'line 3: field 2 is "x"' '1,2\n3,4\n5,x\n'
bad rows.csv 'line 4: column 1 is below 0' 'a,b\n1,2\n3,4\n-5,6\n' --measure ruzicka
head='%%%%MatrixMarket matrix coordinate real general\n%% a comment\n'
bad rows.mtx 'line 6: column 2 stands there twice' "${head}2 3 4\n1 2 1\n2 2 1\n1 2 3\n2 1 1\n"
bad rows.mtx 'line 5: column 3 is below 0' "${head}2 3 2\n1 2 1\n2 3 -1\n" --measure ruzicka
bad rows.mtx 'line 4: row is "3"' "${head}2 3 1\n3 2 1\n"
bad rows.mtx '2 entries: the line of sizes says 3' "${head}2 3 3\n1 2 1\n2 3 1\n"
bad rows 'line 3: item 2 stands there twice' '1,2,3\n2,2,3\n1,2,5\n' --format ratings
bad rows 'line 2: the rating is "x"' '1::2::3\n2::2::x\n' --format ratings
bad rows 'line 2: item 7 is below 0' '1 2 3\n0 7 -2\n' --format ratings --measure ruzicka
bad rows.csv 'line 2: fewer than 2 numbers' '1 2\n3\n'
bad rows.csv 'line 3: column 2 is below 0' '# x\n1 2\n3 -4\n' --measure ruzicka
bad rows.csv 'one column' '1\n2\n' --target
similar --data "$tmp/nowhere" --top 1; [ $? = 2 ] && grep -q nowhere "$tmp/err" || complain "no such file: $(cat "$tmp/err")"
similar --data "$tmp/some.csv" --against "$tmp/some.libsvm" --top 1
[ $? = 2 ] && grep -q 'expected rows of the same format' "$tmp/err" || complain "mixed: $(cat "$tmp/err")"
for option in '--top 0' '--top x' '--measure angle' '--least x' '--least nan' '--format arff' more; do
	# shellcheck disable=SC2086
	similar --data "$tmp/some.libsvm" $option
	[ $? = 2 ] || complain "$option: expected exit status 2"
done
similar --top 1; [ $? = 2 ] || complain 'no data: expected exit status 2'
[ $failed = 0 ] || exit 1

# --- real data, without sanitizers, under which a process takes a second to begin
! nm "$lagoon" 2>/dev/null | grep -qE '__[at]san_' || exit 0
real() {
	local config
	similar --data "$1" --measure "$3" --top 5 -o "$tmp/one" || { complain "$1 $3: $(cat "$tmp/err")"; return; }
	told=$(reference "$1" "$2" "$3" 5 "$tmp/one") || complain "$1 $3: $told"
	for config in '-n 2 --workers 2' '-n 3 --nodes 3'; do
		# shellcheck disable=SC2086
		similar --data "$1" --measure "$3" --top 5 $config -o "$tmp/more" && cmp -s "$tmp/one" "$tmp/more" ||
			complain "$1 $3 $config: other lines than with one worker"
	done
}
if [ ! -r "$data/classify/heart_scale" ] || [ ! -r "$data/cluster/wine.txt" ] || [ ! -r "$data/ratings/filmtrust.txt" ]; then
	echo "no classify/heart_scale, cluster/wine.txt or ratings/filmtrust.txt in $data; the rest passed"
	exit 77
fi
tr ' ' ',' <"$data/cluster/wine.txt" >"$tmp/wine.csv"
# Some raters, with a column for each film.
awk -F '[, ]' -v ratings="$tmp/films" '
	$1 <= 70 { if (!($2 in col)) col[$2] = ++cols; line[++n] = $1 " " col[$2] " " $3 }
	END { print "%%MatrixMarket matrix coordinate real general\n70 " cols " " n
	for (k = 1; k <= n; k++) { print line[k]; gsub(" ", "::", line[k]); print line[k] >ratings } }' \
	"$data/ratings/filmtrust.txt" >"$tmp/films.mtx"
real "$data/classify/heart_scale" libsvm cosine
real "$tmp/wine.csv" csv cosine
real "$tmp/wine.csv" csv correlation
real "$tmp/films.mtx" matrix jaccard
real "$tmp/films.mtx" matrix pearson
similar --data "$tmp/films" --format ratings --measure pearson --top 5 -n 2 -o "$tmp/ratings" &&
	cmp -s "$tmp/one" "$tmp/ratings" || complain "ratings: other lines than of MatrixMarket: $(cat "$tmp/err")"
similar --data "$data/cluster/wine.txt" --format csv --top 5 -o "$tmp/blanks"
similar --data "$tmp/wine.csv" --top 5 -o "$tmp/commas"
cmp -s "$tmp/blanks" "$tmp/commas" || complain 'csv: other lines with blanks than with commas'
exit $failed
