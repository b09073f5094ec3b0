#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What a library exports is what its public header declares, no more and no
# less; each declaration says Threads, Blocks and Collective.
set -u
src=${srcdir:-.}
bad=0

# Declarations begin in column 1. header...
declared() {
	sed -nE 's/^[a-z].*[ *](lagoon_[a-z0-9_]+)\(.*/\1/p' "$@" | sort -u
}

# What a library exports, data too; not the names of versions, and not what
# the version script gives to sibling libraries of the same build alone.
exported() {
	nm -D --defined-only "$1" | awk '$2 != "A" && $3 !~ /^lgn_.*@LAGOON_PRIVATE$/ {
		sub(/@.*/, "", $3); print $3 }' | sort -u
}

# library header...
compare() {
	local lib=.libs/$1.so
	[ -f "$lib" ] || { echo "no shared libraries in this build"; exit 77; }
	[ -n "$(declared "${@:2}")" ] || { echo "${*:2} declares nothing"; bad=1; }
	diff <(declared "${@:2}") <(exported "$lib") ||
		{ echo "$1 (>) and ${*:2} (<) differ"; bad=1; }
}

# A comment block stands for the declarations up to the next one.
tags() {
	awk -v file="$1" '
	/^\/\*\*/ { block = ""; open = 1 }
	open { block = block $0 "\n" }
	/\*\// { open = 0 }
	!open && /^[a-z].*[ *]lagoon_[a-z0-9_]+\(/ {
		for (i = 1; i <= split("Threads: Blocks: Collective:", tag, " "); i++)
			if (index(block, tag[i]) == 0) {
				print file ":" FNR ": no " tag[i] " for: " $0
				bad = 1
			}
	}
	END { exit bad }' "$1" || bad=1
}

# All public headers of kernels/ but those of the kernels are of liblagoon_solve.
kernels=("$src"/kernels/lagoon_{kernels,dense}.h)
solve=()
for header in "$src"/kernels/lagoon_*.h; do
	[[ " ${kernels[*]} " = *" $header "* ]] || solve+=("$header")
done
compare liblagoon "$src/runtime/lagoon.h"
compare liblagoon_kernels "${kernels[@]}"
compare liblagoon_solve "${solve[@]}"
for header in "$src/runtime/lagoon.h" "$src"/kernels/lagoon_*.h; do
	tags "$header"
done
exit $bad
