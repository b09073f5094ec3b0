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
	(cd "$tmp/run" && PATH=$tmp/bin:$PATH LC_ALL=C timeout 200 bash -c "$1") \
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
echo "$listings listings, $parts parts, $commands commands"
exit $bad
