#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The manual against the headers: every call has a page that shows it with the
# header's own prototype, every result code is in lagoon(7), the environment
# options there have the defaults, bounds and choices of the program's table, no
# page is left over, and the examples compile. The same for the
# module's calls and the synopsis "Fortran" of each page.
set -u

top=${srcdir:-$(dirname "$0")/../..}
cc=${CC:-cc}
fc=${FC:-gfortran}
man=$top/doc/man
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

complain()
{
	echo "man.sh: $*" >&2
	failed=1
}

# The page a name is on: itself, or the one its .so line names.
page_of()
{
	target=$(sed -n 's/^\.so man3\///p' "$man/$1.3")
	echo "$man/${target:-$1.3}"
}

# Prototypes of the header, one a line, without blanks.
# Comments go first: they may mention calls.
sed -e 's|/\*.*\*/||' -e '/\/\*/,/\*\//d' -e '/^#/d' "$top/runtime/lagoon.h" \
	"$top"/kernels/lagoon_*.h |
	tr '\n\t' '  ' | tr ';' '\n' |
	grep -oE '[a-z0-9_ *]+lagoon_[a-z0-9_]+\(.*\) *$' |
	tr -d ' ' | sort > "$tmp/prototypes"

# The same from the synopsis of a page, as .Ft, .Fn and .Fo .Fa .Fc give it.
prototypes_of()
{
	awk '
	function words(line,   n) {
		n = 0
		while (match(line, /"[^"]*"|[^ ]+/)) {
			word[n++] = substr(line, RSTART, RLENGTH)
			line = substr(line, RSTART + RLENGTH)
		}
		for (i = 0; i < n; i++)
			gsub(/"/, "", word[i])
		return n
	}
	function end(text) { gsub(/ /, "", text); print text }
	/^\.Sh / { inside = $2 == "SYNOPSIS" }
	!inside { next }
	/^\.Ft / { words(substr($0, 5)); type = substr($0, 5); gsub(/"/, "", type) }
	/^\.Fn / {
		n = words(substr($0, 5)); text = type word[0] "("
		for (k = 1; k < n; k++) text = text (k > 1 ? "," : "") word[k]
		end(text ")")
	}
	/^\.Fo / { text = type $2 "("; first = 1 }
	/^\.Fa / { words(substr($0, 5)); text = text (first ? "" : ",") word[0]; first = 0 }
	/^\.Fc/ { end(text ")") }
	' "$1"
}

for page in "$man"/*.3; do
	grep -q '^\.so ' "$page" || prototypes_of "$page"
done | sort > "$tmp/shown"

[ "$(wc -l < "$tmp/prototypes")" -eq \
  "$(grep -oE 'lagoon_[a-z0-9_]+\(' "$tmp/prototypes" | sort -u | wc -l)" ] &&
	[ -s "$tmp/prototypes" ] || complain "cannot read the calls of the headers"
diff "$tmp/prototypes" "$tmp/shown" > "$tmp/diff" ||
	complain "header (<) and pages (>) differ:
$(cat "$tmp/diff")"

# Fortran: name(arguments) of the module, where a generic call is lagoon_ and
# the name of its procedures without what is after the first @ or after open.
fortran=$top/kernels/fortran/lagoon.f90.in
sed -nE 's/^  recursive (subroutine|function) ([a-z_@A-Z]+\([a-z_, ]*\)).*/\2/p' \
	"$fortran" | sed -E -e 's/_@[A-Z@_]*\(/(/' -e 's/^open_(plain|exchange)/open/' \
	-e '/^lagoon_/!s/^/lagoon_/' | tr -d ' ' | sort -u > "$tmp/module"
for name in $(sed -nE 's/^  public ::(.*)/\1/p' "$fortran" |
	      grep -oE 'lagoon_[a-z0-9_]+' | sort -u); do
	case $name in lagoon_work|lagoon_allgather) continue ;; esac
	grep "^$name(" "$tmp/module" || complain "cannot read $name of the module"
done > "$tmp/calls"
# Of the synopsis of one page or more.
fortran_of()
{
	awk '/^\.S[hs] /{ inside = $2 == "Fortran" } inside' "$@" |
		grep -oE 'lagoon_[a-z0-9_]+\([a-z0-9_, ]*\)' | tr -d ' ' | sort
}
grep -L '^\.so ' "$man"/*.3 | grep -vE '/lagoon_(fortran|kernels)\.3$' > "$tmp/c_pages"
# shellcheck disable=SC2046
fortran_of $(cat "$tmp/c_pages") > "$tmp/one_by_one"
fortran_of "$man/lagoon_fortran.3" > "$tmp/overview"
[ -s "$tmp/calls" ] || complain "cannot read the calls of the module"
for list in one_by_one overview; do
	diff "$tmp/calls" "$tmp/$list" > "$tmp/diff" ||
		complain "module (<) and pages (>), $list, differ:
$(cat "$tmp/diff")"
done

# The same of the module lagoon_kernels, whose one page is lagoon_kernels(3).
sed -nE 's/^  recursive (subroutine|function) ([a-z0-9_@A-Z]+\([a-z0-9_, ]*\)).*/\2/p' \
	"$top/kernels/fortran/lagoon_kernels.f90.in" |
	sed -E -e 's/_@[A-Z@_]*\(/(/' -e '/^lagoon_/!s/^/lagoon_/' |
	tr -d ' ' | sort -u > "$tmp/calls"
fortran_of "$man/lagoon_kernels.3" > "$tmp/shown_kernels"
[ -s "$tmp/calls" ] || complain "cannot read the calls of the module lagoon_kernels"
diff "$tmp/calls" "$tmp/shown_kernels" > "$tmp/diff" ||
	complain "module lagoon_kernels (<) and its page (>) differ:
$(cat "$tmp/diff")"

names=$(sed 's/.*\(lagoon_[a-z0-9_]*\)(.*/\1/; s/(.*//' "$tmp/shown" |
	grep -oE 'lagoon_[a-z0-9_]+$')
for name in $names; do
	[ -f "$man/$name.3" ] || { complain "no $name.3"; continue; }
	grep -qE "^\.Nm $name( ,)?\$" "$(page_of "$name")" ||
		complain "$(page_of "$name") does not name $name"
done
for page in "$man"/*.3; do
	[ -f "$(page_of "$(basename "$page" .3)")" ] ||
		complain "$page points to a page that is not there"
done

# Options: name, bounds least:most or choices a|b, default; one a line.
sed -nE -e 's/INT64_MAX/2^63-1/' \
	-e 's/^LGN_ENV\(([A-Z_]+), INT\(([^,]*), ([^)]*)\), "([^"]*)".*/LAGOON_\1 \2:\3 \4/p' \
	-e 's/^LGN_ENV\(([A-Z_]+), CHOICE\("([^"]*)"\), "([^"]*)".*/LAGOON_\1 \2 \3/p' \
	-e 's/^LGN_ENV\(([A-Z_]+), TEXT, "([^"]*)".*/LAGOON_\1 text \2/p' \
	"$top/runtime/base/env_table.h" | while read -r name what default; do
	case $what in *"|"*)
		what=$(echo "$what" | tr '|' '\n' | LC_ALL=C sort | paste -sd'|' -) ;;
	esac
	echo "$name $what $default"
done | sort > "$tmp/options"
[ "$(grep -c '^LGN_ENV(' "$top/runtime/base/env_table.h")" -eq \
  "$(wc -l < "$tmp/options")" ] && [ -s "$tmp/options" ] ||
	complain "cannot read the table of options"

# The same of the page: bounds are "1 to 16", choices what .Cm marks, the
# default is "Default 1" or "Default", ".Cm yes". Markup of a text is only of
# examples, and "Default:" of one begins a rule, not a value.
awk '
function end() {
	if (name == "")
		return
	gsub(/\\-/, "-", text)
	what = ""
	for (rest = text; match(rest, /-?[0-9][0-9^-]* to -?[0-9][0-9^-]*/);
	     rest = substr(rest, RSTART + RLENGTH)) {
		found = substr(rest, RSTART, RLENGTH)
		sub(/ to /, ":", found)
		what = what (what == "" ? "" : "+") found
	}
	n = 0
	if (what == "")
		for (k in choice)
			word[++n] = k
	for (i = 2; i <= n; i++)
		for (k = i; k > 1 && word[k] "" < word[k - 1] ""; k--) {
			swap = word[k]; word[k] = word[k - 1]; word[k - 1] = swap
		}
	value = ""
	if (match(text, / Default [^ ]+/)) {
		value = substr(text, RSTART + 9, RLENGTH - 9)
		sub(/[.,:;]$/, "", value)
	}
	if (what == "" && (value in choice)) {
		for (i = 1; i <= n; i++)
			what = what (i > 1 ? "|" : "") word[i]
	}
	print name, (what == "" ? "text" : what), value
	name = ""
}
/^\.(It|El|Sh)/ { end() }
/^\.It Ev LAGOON_/ { name = $3; text = ""; delete choice; next }
name == "" { next }
/^\.Cm / {
	for (i = 2; i <= NF; i++)
		if ($i !~ /^[.,:;]$/)
			choice[$i]
	text = text " " $2
	next
}
/^\./ { sub(/^\.[A-Za-z]+ /, "") }
{ text = text " " $0 }
' "$man/lagoon.7" | sort > "$tmp/explained"
diff "$tmp/options" "$tmp/explained" > "$tmp/diff" ||
	complain "options of the table (<) and of lagoon.7 (>) differ:
$(cat "$tmp/diff")"

for name in $(grep -oE '^	LAGOON_E[A-Z]+ =' "$top/runtime/lagoon.h" |
	      tr -d '	= '); do
	grep -q "^\.It Dv $name\$" "$man/lagoon.7" ||
		complain "lagoon.7 does not explain $name"
done

# Examples: the first literal block of the section EXAMPLES.
for page in "$man"/lagoon*.[37]; do
	grep -q '^\.so ' "$page" && continue
	example=$tmp/$(basename "$page").c
	awk '/^\.Sh /{ inside = $2 == "EXAMPLES" } /^\.Ed/{ copy = 0 }
	     copy { gsub(/\\e/, "\\"); print } inside && /^\.Bd -literal/{ copy = 1 }' \
		"$page" > "$example"
	[ -s "$example" ] || { complain "$page has no example"; continue; }
	if grep -q '^ *use lagoon$' "$example"; then
		[ "${LAGOON_HAVE_FORTRAN:-}" = yes ] || continue
		mv "$example" "$example.f90"
		$fc -fsyntax-only -Ikernels/fortran -J "$tmp" "$example.f90" ||
			complain "the example of $page does not compile"
		continue
	fi
	if grep -q '<mpi.h>' "$example" &&
	   ! echo '#include <mpi.h>' | $cc -fsyntax-only -xc - 2>/dev/null; then
		continue
	fi
	$cc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I"$top/runtime" \
		-I"$top/kernels" \
		"$example" || complain "the example of $page does not compile"
done

if command -v mandoc > /dev/null; then
	# not the pages of one .so line, which mandoc looks for from the outside
	grep -L '^\.so ' "$man"/*.[1-9] | xargs mandoc -Tlint -Wwarning \
		> "$tmp/lint" 2>&1 ||
		complain "mandoc: $(cat "$tmp/lint")"
fi
exit $failed
