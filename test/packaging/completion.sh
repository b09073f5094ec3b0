#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The completion offers what each command's --help prints, and nothing else.
set -u
lagoon=${LAGOON_BIN:-./lagoon}
bad=0
# shellcheck source=packaging/lagoon.bash
. "${srcdir:-.}/packaging/lagoon.bash" || exit 1

is() {
	[ "$2" = "$3" ] && return
	printf '%s:\n  got  %s\n  want %s\n' "$1" "$2" "$3"
	bad=1
}

# offered WORD...: what is offered for the last one, sorted.
offered() {
	COMP_WORDS=(lagoon "$@")
	COMP_CWORD=$#
	_lagoon
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
}

# The long options of a command, with = where they take a value, and the short
# ones that have no long form.
printed() {
	"$lagoon" "$1" --help | awk '/^ +-/ {
		word = $0
		while (match(word, /--[a-z-]+=?/)) {
			print substr(word, RSTART, RLENGTH)
			sub(/^ +(-.,? )?/, "", word)
			break
		}
		if ($1 ~ /^-[no],?$/) { sub(",", "", $1); print $1 }
	}' | sort -u | paste -sd' '
}

for command in run info train generate bench; do
	is "$command" "$(offered $command -)" "$(printed $command)"
done
is commands "$(offered '')" "$("$lagoon" --help |
	awk '/^  [a-z]/ { print $1 } END { print "--help\n--version" }' | sort | paste -sd' ')"
is benchmarks "$(offered bench '')" \
	"$("$lagoon" bench --list | awk '{ print $1 }' | sort | paste -sd' ')"
is 'a part' "$(offered tr)" train
is value "$(offered train --consistency =)" 'asp bsp ssp'
is 'part of a value' "$(offered train --consistency = a)" asp
is 'on death' "$(offered run --on-death = c)" continue
is solver "$(offered train l)" logistic
cd "${srcdir:-.}/packaging" || exit 1
is file "$(offered train --data = lagoon.b)" lagoon.bash
is program "$(offered run -n 2 bas | tr ' ' '\n' | grep -x bash | sort -u)" bash
is 'its file' "$(offered run -n 2 bash lagoon.b)" lagoon.bash
exit $bad
