#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Bad input of lagoon train and generate: the exit status, one sentence on
# stderr that names file, line or value, no output file in part, and an end.
# needs: pmix
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0
good='+1 1:1 3:0.5\n-1 2:1\n+1 1:2\n-1 2:1 3:-1\n'

complain() { echo "bad_input.sh: $*"; failed=1; }

# status WANTED PATTERN COMMAND...
status() {
	local want=$1 pattern=$2 got
	shift 2
	timeout 400 "$lagoon" "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = "$want" ] || complain "$*: exit status $got, expected $want"
	grep -q -e "$pattern" "$tmp/err" ||
		complain "$*: no \"$pattern\" in: $(cat "$tmp/err")"
	[ "$(grep -c -e "$pattern" "$tmp/err")" -le 1 ] ||
		complain "$*: told more than once: $(cat "$tmp/err")"
	[ ! -s "$tmp/out" ] || complain "$*: on stdout: $(cat "$tmp/out")"
	[ ! -e "$tmp/made.model" ] && [ ! -e "$tmp/made.report" ] ||
		complain "$*: left an output file"
	[ -z "$(find "$tmp" -name '.*' -type f)" ] ||
		complain "$*: left $(find "$tmp" -name '.*' -type f)"
	rm -rf "$tmp"/made.*
}

# The message must be the same however many processes read the file. At a smaller
# scale, as under sanitizers, several do, not one, too.
train() {
	local want=$1 pattern=$2
	shift 2
	[ "${LAGOON_TEST_SCALE:-1}" != 1 ] ||
		status "$want" "$pattern" train logistic --model "$tmp/made.model" \
			--report "$tmp/made.report" "$@"
	status "$want" "$pattern" train logistic --model "$tmp/made.model" \
		--report "$tmp/made.report" "$@" --workers 2
	status "$want" "$pattern" train logistic --model "$tmp/made.model" \
		--report "$tmp/made.report" "$@" -n 3 --nodes 2
}

# file TEXT PATTERN: as training data
file() {
	printf "$1" >"$tmp/data"
	train 2 "$2" --data "$tmp/data"
}

file '' 'data: the file is empty'
file '\n# nothing\n\n' 'data: no rows'
file "$good"'x 1:1\n' 'data: line 5: label is "x"'
file "$good"'\n# c\n1 1\n' 'data: line 7: expected index:value, found "1"'
file "$good"'1 1:\n' 'data: line 5: value is ""'
file "$good"'1 1:2x\n' 'data: line 5: value is "2x"'
file "1 a:2\n$good" 'data: line 1: expected index:value, found "a:2"'
file "$good"'1 0:2\n' 'data: line 5: index 0'
file "$good"'1 2147483649:2\n' 'data: line 5: index 2147483649'
file "$good"'1 99999999999999999999:2\n' 'data: line 5: index 99999999999999999999'
file "$good"'1 2:1 1:1\n' 'data: line 5: index 1 after 2'
file "$good"'1 1:1 1:1\n' 'data: line 5: index 1 after 1'
file "$good"'1 1:nan\n' 'data: line 5: value is "nan": expected a finite'
file "$good"'1 1:-inf\n' 'data: line 5: value is "-inf": expected a finite'
file "$good"'1 1:1e999\n' 'data: line 5: value is "1e999": expected a finite'
file "$good"'nan 1:1\n' 'data: line 5: label is "nan": expected a finite'
file "$good"'1 qid:x 1:1\n' 'data: line 5: expected qid:number'
file "$good"'3 1:1\n' 'data: line 5: label 3: expected two distinct labels'
file '1 1:1\n1 2:1\n1 3:1\n' 'data: every label is 1'
file '1\n-1\n1\n-1\n' 'data: no entries'

printf "$good" >"$tmp/data"
train 2 'missing: cannot open' --data "$tmp/missing"
train 2 'missing: cannot open' --data "$tmp/data" --test "$tmp/missing"
train 2 "$tmp: expected a plain file" --data "$tmp"
printf '+1 1:1\n7 1:1\n' >"$tmp/test"
train 2 'test: line 2: label 7' --data "$tmp/data" --test "$tmp/test"
status 2 '4 rows for 5 workers' train logistic --data "$tmp/data" --workers 5
status 2 '4 rows for 5 workers' train logistic --data "$tmp/data" -n 5

train 2 '--c is "0"' --data "$tmp/data" --c 0
train 2 '--rate is "-1"' --data "$tmp/data" --rate -1
train 2 '--epochs is "0"' --data "$tmp/data" --epochs 0
train 2 '--staleness is "-1"' --data "$tmp/data" --staleness -1
train 2 '--consistency is "x"' --data "$tmp/data" --consistency x
train 2 '--tolerance is "nan"' --data "$tmp/data" --tolerance nan
status 1 'expected a rate smaller than 1e+300' train logistic --data "$tmp/data" --rate 1e300
status 2 'no --data' train logistic
status 2 'no solver' train --data "$tmp/data"
status 2 '"x": no such solver' train x --data "$tmp/data"

status 1 'nowhere/m: cannot write' train logistic --data "$tmp/data" --model "$tmp/nowhere/m" -n 2
status 1 "$tmp: cannot write" train logistic --data "$tmp/data" --model "$tmp"
status 1 'nowhere/r: cannot write' train logistic --data "$tmp/data" --report "$tmp/nowhere/r"
status 1 '/dev/null: cannot write' train logistic --data "$tmp/data" --model /dev/null

status 2 'no --output' generate logistic
status 2 '--nnz is "0"' generate logistic -o "$tmp/made.model" --nnz 0
status 2 '11 entries a row' generate logistic -o "$tmp/made.model" --cols 10 --nnz 11
status 1 'nowhere/g: cannot write' generate logistic -o "$tmp/nowhere/g" --rows 10

# A disk that is full: here a limit on the size of files.
(
	ulimit -f 64
	trap '' XFSZ
	status 1 'made.model: cannot write' generate logistic -o "$tmp/made.model" --rows 10000
	exit $failed
) || failed=1
exit $failed
