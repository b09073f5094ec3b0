#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lagoon bench: every benchmark at a tiny size, alone and as two processes;
# its CSV has the header that other programs read and fields that make sense;
# its JSON is JSON; wrong options are refused with a sentence and status 2.
set -u
lagoon=${LAGOON_BIN:-./lagoon}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
bad=0
fail() { echo "$*"; bad=1; }
header=test,wire,bytes,iterations,min_us,p50_us,p90_us,p99_us,max_us,ops_per_s,bytes_per_s,twin,ratio

# plausible NAME: the rows of $tmp/out.
plausible() {
	[ "$(head -n 1 "$tmp/out")" = $header ] || fail "$1: header $(head -n 1 "$tmp/out")"
	awk -F, -v name="$1" '
	function wrong(what) { print name ": " what ": " $0; bad = 1 }
	NR == 1 { next }
	NF != 13 { wrong("not 13 fields"); next }
	index($1, name) != 1 { wrong("another benchmark") }
	$2 !~ /^(shm|rc)$/ { wrong("wire") }
	$3 !~ /^[0-9]+$/ || $4 !~ /^[0-9]+$/ || $3 == 0 || $4 == 0 { wrong("bytes, iterations") }
	!($5 >= 0 && $5 <= $6 && $6 <= $7 && $7 <= $8 && $8 <= $9 && $9 < 6e7) { wrong("percentiles") }
	!($9 > 0 && $10 > 0 && $10 < 1e13) { wrong("rate") }
	name != "start" && !($11 > 0) { wrong("bytes a second") }
	# With the twin there is a ratio, without none.
	($12 == "") != ($13 == "") || $12 != "" && !($12 > 0 && $13 > 0) { wrong("twin") }
	END { if (NR < 2) { print name ": no rows"; bad = 1 } exit bad }' "$tmp/out" || bad=1
}

# The wider the table, the longer it takes: a word or two of each.
sizes() {
	case $1 in
	start) echo --sizes=2 ;;
	get-lat|get-bw|add-lat|dense-*) echo '--sizes=8,4K' ;;
	add-rate|sparse-*) echo '--sizes=8,512' ;;
	esac
}

tiny='--csv --seconds=0.0001 --repeats=2 --warmup=1'
names=$("$lagoon" bench --list | awk '{ print $1 }')
[ "$(wc -w <<<"$names")" -ge 16 ] || fail "--list: $names"
for name in $names; do
	small=$(sizes "$name")
	case $name in sparse-*|add-*) small="$small --table=64K" ;; esac
	jobs=('')
	if [ "${LAGOON_HAVE_PMIX:-yes}" != no ]; then
		jobs+=('-n 2' '-n 2 --nodes 2')
	elif [ "$name" = start ]; then
		continue
	fi
	for job in "${jobs[@]}"; do
		# Options are words.
		# shellcheck disable=SC2086
		timeout 400 "$lagoon" bench $name $tiny $small $job >"$tmp/out" 2>"$tmp/err" ||
			fail "$name $job: status $?: $(cat "$tmp/err")"
		[ "$name" = scale ] && [ "$job" = '-n 2' ] && sed -i "2,\${/^$header/d}" "$tmp/out"
		plausible "$name"
	done
done

# What only some jobs have.
# shellcheck disable=SC2086
if [ "${LAGOON_HAVE_PMIX:-yes}" != no ]; then
	timeout 400 "$lagoon" run -n 2 "$lagoon" bench start --csv >"$tmp/out" 2>"$tmp/err" ||
		fail "start under a launcher: $(cat "$tmp/err")"
	plausible start
	timeout 400 "$lagoon" bench get-lat -n 2 --nodes 2 $tiny --sizes=8 >"$tmp/out" 2>"$tmp/err"
	for row in get-lat get-lat-cached get-lat-board; do
		grep -q "^$row,shm,8," "$tmp/out" || fail "no $row in $(cat "$tmp/out")"
	done
	timeout 400 "$lagoon" run -n 2 "$lagoon" bench get-bw -b $tiny --sizes=8 >"$tmp/out" 2>"$tmp/err" &&
		grep -q '^get-bw-bi,' "$tmp/out" || fail "get-bw -b: $(cat "$tmp/out")"
	timeout 400 "$lagoon" bench scale -n 2 $tiny 2>"$tmp/err" | awk -F, '{ print $1 }' >"$tmp/out"
	[ "$(paste -sd' ' "$tmp/out")" = 'test scale-w1-n1 scale-w2-n1 scale-w1-n2 scale-w2-n2' ] ||
		fail "scale: $(cat "$tmp/out")"
fi
for format in q64 q32 i64 i32; do
	# shellcheck disable=SC2086
	timeout 400 "$lagoon" bench get-lat --format $format $tiny --sizes=64 >"$tmp/out" 2>"$tmp/err" ||
		fail "--format $format"
done
timeout 400 "$lagoon" bench clock --json --repeats 3 -o "$tmp/json" || fail "--json: $?"
if command -v python3 >/dev/null; then
	python3 - "$tmp/json" <<-'END' || fail "JSON: $(cat "$tmp/json")"
	import json, sys
	o = json.load(open(sys.argv[1]))
	for key in ("host", "cpu", "device", "wire", "commit", "pinning", "compiler"):
	    assert isinstance(o[key], str), key
	assert o["commit"] and o["wire"] == "shm" and o["workers"] == 1
	row = o["rows"][0]
	assert row["test"] == "clock" and row["figure"]["min"] <= row["figure"]["median"] <= row["figure"]["max"]
	assert row["p50_us"] <= row["p999_us"] <= row["max_us"]
	END
fi

# refused WORDS -- OPTIONS: status 2, nothing on standard output, one line that
# has the words.
refused() {
	local words=$1
	shift 2
	"$lagoon" bench "$@" >"$tmp/out" 2>"$tmp/err"
	[ $? = 2 ] || fail "lagoon bench $*: not refused with 2"
	[ -s "$tmp/out" ] && fail "lagoon bench $*: wrote $(cat "$tmp/out")"
	[ "$(wc -l <"$tmp/err")" = 1 ] && grep -qF -- "$words" "$tmp/err" ||
		fail "lagoon bench $*: $(cat "$tmp/err")"
}
refused 'no benchmark' --
refused '"get-late" is no benchmark' -- get-late
refused 'one benchmark at a time' -- clock barrier
refused '--sizes is "x"' -- get-lat --sizes x
refused '--sizes is "8Q"' -- get-lat --sizes 8Q
refused '--sizes is "0"' -- get-lat --sizes 8,0
refused 'clock has no sizes' -- clock --sizes 8
refused '--iterations is "-1"' -- clock -i -1
refused '--repeats is "100"' -- clock --repeats 100
refused '--seconds is "0"' -- clock --seconds 0
refused '--format is "f64"' -- get-lat --format f64
refused 'only one of them' -- clock --csv --json
"$lagoon" bench get-lat --sizes 12 >"$tmp/out" 2>"$tmp/err"
[ $? = 2 ] && grep -q 'multiple of 8' "$tmp/err" || fail "--sizes 12: $(cat "$tmp/err")"
"$lagoon" bench clock -o "$tmp/none/x" >"$tmp/out" 2>"$tmp/err"
[ $? = 1 ] && grep -q "$tmp/none/x" "$tmp/err" || fail "-o: $(cat "$tmp/err")"
exit $bad
