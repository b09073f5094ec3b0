#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The environment options as a user sees them: where `lagoon info --env` says
# that a value comes from; that a job refuses what is not legal over shared
# memory too, also of options that only an RDMA device would use; that the
# variables of these tests are not taken for misspelt ones.
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
hello=$PWD/examples/hello
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "options.sh: $*"; failed=1; }

# info STATUS [NAME=VALUE...]: the table in $tmp/out, the rest in $tmp/err.
info() {
	local want=$1 got
	shift
	env "$@" "$lagoon" info --env >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = "$want" ] || complain "$*: exit status $got, expected $want"
	got=$(grep -c '^LAGOON_[A-Z_]* *\(default\|environment\|refused\) ' "$tmp/out")
	[ "$got" = ${#names[@]} ] ||
		complain "$*: $got lines, expected ${#names[@]}"
}

# from NAME WANTED: what column FROM says; all others say default.
from() {
	local got
	got=$(awk -v n="$1" '$1 == n { print $2 }' "$tmp/out")
	[ "$got" = "$2" ] || complain "$1 is from \"$got\", expected $2"
	got=$(awk -v n="$1" 'NR > 1 && $1 != n && $2 != "default"' "$tmp/out")
	[ -z "$got" ] || complain "beside $1 not default: $got"
}

# told FILE TEXT...: each is there.
told() {
	local file=$1 text
	shift
	for text; do
		grep -qF -e "$text" "$file" ||
			complain "no \"$text\" in: $(cat "$file")"
	done
}

# refused NAME VALUE EXPECTED: by the command and by a job.
refused() {
	local status
	info 2 "$1=$2"
	from "$1" refused
	told "$tmp/err" "$1 is \"$2\"" "$3"
	[ "$(wc -l <"$tmp/err")" = 1 ] ||
		complain "$1=$2: not one line: $(cat "$tmp/err")"
	env LAGOON_WIRE=shm "$1=$2" timeout 400 "$hello" >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ $status = 1 ] ||
		complain "$1=$2: a job over shared memory ended with $status"
	told "$tmp/err" "$1 is \"$2\"" "$3"
}

# accepted NAME VALUE
accepted() {
	info 0 "$1=$2"
	from "$1" environment
	[ ! -s "$tmp/err" ] || complain "$1=$2: $(cat "$tmp/err")"
}

mapfile -t names < <("$lagoon" info --env 2>/dev/null |
	grep -o '^LAGOON_[A-Z_]*')
[ ${#names[@]} -gt 9 ] || complain "no table: ${names[*]}"
unset "${names[@]}"

info 0
from LAGOON_LOG default
[ ! -s "$tmp/err" ] || complain "without options: $(cat "$tmp/err")"
told "$tmp/out" FROM
info 0 LAGOON_LOG=
from LAGOON_LOG default
cp "$tmp/out" "$tmp/table"

# Each number and choice of the table, just beyond what its help says.
numbers=0 choices=0
while read -r name _ _ _ help; do
	if [[ $help =~ \[(-?[0-9]+)\.\.([0-9]+)\]$ ]]; then
		least=${BASH_REMATCH[1]} most=${BASH_REMATCH[2]}
		bounds="an integer from $least to $most"
		accepted "$name" "$least"
		accepted "$name" "$most"
		refused "$name" $((least - 1)) "$bounds"
		refused "$name" "${most}0" "$bounds"
		refused "$name" 1x "$bounds"
		numbers=$((numbers + 1))
	elif [[ $help =~ :\ ([a-z0-9]+(\|[a-z0-9]+)+)$ ]]; then
		list=${BASH_REMATCH[1]}
		accepted "$name" "${list##*|}"
		[ "$name" = LAGOON_WIRE ] ||
			refused "$name" "$list" "expected one of $list"
		choices=$((choices + 1))
	else
		accepted "$name" mlx5_0
	fi
done < <(tail -n +2 "$tmp/table")
if [ $numbers -lt 5 ] || [ $choices -lt 5 ]; then
	complain "$numbers numbers and $choices choices: cannot read the table"
fi

# Everything that is wrong, at once.
info 2 LAGOON_WIRE=tcp LAGOON_QPS=two LAGOON_SEED=1
told "$tmp/err" 'LAGOON_WIRE is "tcp": expected one of auto|shm|rc' \
	'LAGOON_QPS is "two": expected an integer from 1 to 16'
[ "$(awk '{ print $2 }' "$tmp/out" | sort | uniq -c | tr -s ' \n' ' ')" = \
	" 1 FROM $((${#names[@]} - 3)) default 1 environment 2 refused " ] ||
	complain "of three options: $(cat "$tmp/out")"

# Names that are near, by their values.
info 0 LAGOON_BIN="$lagoon" LAGOON_BNID=no LAGOON_TEST_TIMEOUT=60 LAGOON_PKG=deb
[ "$(tail -n +$((${#names[@]} + 2)) "$tmp/out")" = \
	'LAGOON_BNID is set, but is not an option: is LAGOON_BIND meant?' ] ||
	complain "misspelt: $(cat "$tmp/out")"
env LAGOON_LOG=warn LAGOON_BIN="$lagoon" "$hello" >"$tmp/out" 2>"$tmp/err" ||
	complain "hello: $(cat "$tmp/err")"
! grep 'is set, but is not an option' "$tmp/err" ||
	complain 'a variable of the tests is taken for an option'

# One process of two: the other learns whose option it is, and both end.
if [ "${LAGOON_HAVE_PMIX:-yes}" != no ]; then
	# The program of each rank expands these.
	# shellcheck disable=SC2016
	timeout 400 "$lagoon" run -n 2 bash -c \
		'[ "$PMIX_RANK" = 0 ] || export LAGOON_SL=16; exec "$0"' "$hello" \
		>"$tmp/out" 2>"$tmp/err"
	status=$?
	[ $status = 1 ] || complain "one of two refuses: exit status $status"
	told "$tmp/err" 'LAGOON_SL is "16": expected an integer from 0 to 15' \
		'rank 1 cannot take part'
fi
exit $failed
