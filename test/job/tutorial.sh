#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# doc/tutorial.md: each listing is the text of a program in examples/tutorial, or
# lines of it, each program has one, and each command prints what is shown.
#
# In the page, the line before a fenced block says what it is:
#	<!-- listing FILE -->	the file without the licence line
#	<!-- part FILE -->	lines of it that follow each other
#	<!-- run -->		lines "$ COMMAND", each with what it prints
#	<!-- run, varies -->	the same; what is printed may differ in digits
# needs: pmix
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
src=$(cd "${srcdir:-.}" && pwd)
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
bad=0 listings=0 parts=0 commands=0
page=$src/doc/tutorial.md
programs=$src/examples/tutorial

complain() { echo "tutorial.sh: $*"; bad=1; }

mkdir "$tmp/bin" "$tmp/run"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$lagoon" >"$tmp/bin/lagoon"
chmod +x "$tmp/bin/lagoon"
cp "$src/LICENSE" "$tmp/run"
for file in "$programs"/*.c; do
	name=${file##*/}
	name=${name%.c}
	ln -s "$PWD/examples/tutorial/$name" "$tmp/run/$name"
	grep -qE "^<!-- (listing|part) $name\.c -->" "$page" || complain "$name.c is not shown"
	grep -qE "^(\\$ |\\$ .* )\./$name" "$page" || complain "$name is not run"
done

# Numbers but those within names are one number.
blur() { sed -E 's/(^|[^a-z_])[0-9][0-9.]*/\1#/g; s/ +/ /g'; }

# run BLOCK HOW: $tmp/block has the commands
run() {
	local line command=
	: >"$tmp/shown"
	while IFS= read -r line; do
		case $line in
		'$ '*)
			[ -z "$command" ] || run_one "$command" "$1"
			command=${line#'$ '}
			: >"$tmp/shown" ;;
		*) printf '%s\n' "$line" >>"$tmp/shown" ;;
		esac
	done <"$tmp/block"
	[ -n "$command" ] || complain "a block without a command"
	run_one "$command" "$1"
}

run_one() {
	local how=cat
	[ "$2" = exact ] || how=blur
	commands=$((commands + 1))
	(cd "$tmp/run" && PATH=$tmp/bin:$PATH LC_ALL=C timeout 400 bash -c "$1") \
		>"$tmp/printed" 2>&1 </dev/null || complain "$1: exit status $?"
	diff <($how <"$tmp/shown") <($how <"$tmp/printed") >"$tmp/diff" ||
		complain "$1: shown and printed differ:"$'\n'"$(cat "$tmp/diff")"
}

# check KIND FILE: $tmp/block is what the page has
check() {
	case $1 in
	listing)
		listings=$((listings + 1))
		tail -n +2 "$programs/$2" | diff "$tmp/block" - ||
			complain "$2 is not what is listed" ;;
	part)
		parts=$((parts + 1))
		awk 'NR == FNR { part = part $0 "\n"; next } { all = all $0 "\n" }
			END { exit !(part != "" && index("\n" all, "\n" part)) }' \
			"$tmp/block" "$programs/$2" || {
			complain "these lines are not in $2:"
			cat "$tmp/block"
		} ;;
	run) run exact ;;
	'run,') run varies ;;
	*) complain "a block of unknown kind: $(head -n 1 "$tmp/block")" ;;
	esac
}

kind='' file='' inside=''
while IFS= read -r line; do
	case $inside$line in
	1'```')
		inside=
		check "$kind" "$file"
		kind='' file='' ;;
	1*) printf '%s\n' "$line" >>"$tmp/block" ;;
	'```'*)
		inside=1
		: >"$tmp/block" ;;
	'<!-- '*' -->') read -r _ kind file _ <<<"$line" ;;
	*) ;;
	esac
done <"$page"
[ -z "$inside" ] || complain 'the page ends within a block'

# --- figures, in other configurations than the page's
cd "$tmp/run" || exit 99
# between WHAT LOW HIGH PATTERN FIELD: that field of the lines with the pattern
between() {
	awk -v low="$2" -v high="$3" -v pattern="$4" -v field="$5" '
		$0 ~ pattern { n++; if (!($field >= low && $field <= high)) bad = 1 }
		END { exit bad || !n }' "$tmp/printed" ||
		complain "$1: not between $2 and $3: $(grep -E "$4" "$tmp/printed")"
}

try() { timeout 400 "$@" >"$tmp/printed" 2>&1 </dev/null || complain "$*: $(tail -n 1 "$tmp/printed")"; }

./logistic >"$tmp/sequential"
least=$(awk '/^round 200/ { print $4 }' "$tmp/sequential")
for how in '1 1' '2 1' '3 3'; do
	read -r n nodes <<<"$how"
	# Rounding moves the last digit by one at most.
	try "$lagoon" run -n "$n" --nodes "$nodes" ./logistic_parallel
	paste "$tmp/sequential" "$tmp/printed" | awk '{ d = $4 - $8 } d < -1.5e-5 || d > 1.5e-5 { bad = 1 }
		END { exit bad || NR != 5 }' ||
		complain "logistic_parallel, $n processes: $(cat "$tmp/printed")"
	try "$lagoon" run -n "$n" --nodes "$nodes" ./mf_parallel
	between "mf_parallel, $n processes" 0.115 0.14 '^epoch 30' 4
	for staleness in 0 4; do
		how="$n processes on $nodes nodes, staleness $staleness"
		try "$lagoon" run -n "$n" --nodes "$nodes" ./logistic_stale $staleness
		between "loss of $how" "$(awk -v l="$least" 'BEGIN { print l - 0.001 }')" \
			"$(awk -v l="$least" 'BEGIN { print l + 0.001 }')" '^after' 5
		awk -v s=$staleness -v all=$((n * 200)) '/^age/ { sum += $3; if ($2 + 0 > s && $3) bad = 1 }
			END { exit bad || sum != all }' "$tmp/printed" ||
			complain "ages of $how: $(cat "$tmp/printed")"
		try "$lagoon" run -n "$n" --nodes "$nodes" ./mf_stale $staleness
		between "mf_stale, $how" 0.115 0.14 '^epoch 30' 4
	done
done
echo "$listings listings, $parts parts, $commands commands"
exit $bad
