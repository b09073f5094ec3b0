#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# smoke.sh [--update]
#
# Counts the instructions of an operation by callgrind and compares them with
# smoke.expected, which is keyed by compiler version and flags: more than 10 %
# worse fails and says which. With another compiler or other flags it only
# prints. Instructions do not depend on how busy the machine is.
#
# --update writes what it finds, for this compiler, to smoke.expected.
set -u
src=${srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
expected=$src/bench/smoke.expected
program=${LAGOON_SMOKE:-./bench/smoke}
update=
case ${1-} in
--update) update=1 ;;
'') ;;
*) sed -n '3,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
command -v valgrind >/dev/null || { echo "no valgrind"; exit 77; }
nm "$program" 2>/dev/null | grep -Eq '__(asan|tsan|ubsan)_' &&
	{ echo "built with a sanitizer: its instructions would be counted"; exit 77; }
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

names='direct_pull direct_pull_64 direct_add direct_add_64 direct_clock
	cached_pull cached_pull_64 cached_add cached_add_64 cached_clock'
options=()
for name in $names; do
	options+=("--zero-before=smoke_$name" "--dump-after=smoke_$name")
done
# valgrind shows the program a CPU with AVX2 and without AVX-512.
LAGOON_BIND=no LAGOON_WIRE=shm timeout 200 valgrind --tool=callgrind -q \
	"${options[@]}" \
	--callgrind-out-file="$tmp/out.%p" "$program" >"$tmp/text" 2>"$tmp/log"
status=$?
if [ $status = 77 ]; then
	cat "$tmp/text"
	exit 77
elif [ $status != 0 ]; then
	tail -n 20 "$tmp/log" "$tmp/text"
	exit 1
fi
key=$(sed -n 's/^key //p' "$tmp/text")
calls=$(sed -n 's/^calls //p' "$tmp/text")
for file in "$tmp"/out.*; do
	awk -v calls="$calls" '
	/^desc: Trigger: --dump-after=smoke_/ { sub(/.*=smoke_/, ""); name = $0 }
	/^(totals|summary):/ { n = $2 }
	END { if (name != "") printf "%s %.1f\n", name, n / calls }' "$file"
done | sort | awk '!($1 in least) || $2 < least[$1] { least[$1] = $2 }
	END { for (name in least) print name, least[name] }' | sort >"$tmp/found"
[ "$(wc -l <"$tmp/found")" = "$(wc -w <<<"$names")" ] ||
	{ echo "smoke.sh: $(wc -w <<<"$names") operations expected, found:"; cat "$tmp/found"; exit 1; }

if [ -n "$update" ]; then
	{
		grep -vF "$key	" "$expected" 2>/dev/null
		awk -v key="$key" '{ print key "\t" $1 "\t" $2 }' "$tmp/found"
	} >"$tmp/new"
	cp "$tmp/new" "$expected"
fi

awk -F'\t' -v key="$key" -v expected="$expected" '
FILENAME == expected { if ($1 == key) { want[$2] = $3; known = 1 } next }
{
	split($0, f, " ")
	if (!known) { printf "%-16s %9.1f instructions\n", f[1], f[2]; next }
	ratio = want[f[1]] > 0 ? f[2] / want[f[1]] : 0
	worse = ratio > 1.1 || ratio == 0
	printf "%-16s %9.1f instructions, %9.1f expected, %.3f%s\n", f[1], f[2], want[f[1]], ratio, worse ? "  WORSE by more than 10 %" : ratio < 0.9 ? "  better: smoke.sh --update" : ""
	bad += worse
}
END {
	if (!known) printf "nothing is expected of \"%s\"\n", key
	exit bad > 0
}' "$expected" "$tmp/found"
