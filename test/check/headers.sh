#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Each header compiles alone; the public ones also as C++. Of kernels/ these are
# lagoon_*.h, and lagoon_solve.h includes them all.
set -u
src=${srcdir:-.}
bad=0
while read -r header; do
	case $header in */env_table.h|tools/*) continue ;; esac
	echo "#include \"$header\"" |
		${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
			-I"$src" -I"$src/runtime" -I"$src/kernels" -I. -x c - ||
		{ echo "$header does not compile alone"; bad=1; }
done < <(cd "$src" && find runtime numa verbs kernels -name '*.h')
mapfile -t kernels < <(cd "$src" && ls kernels/lagoon_*.h)
for header in "${kernels[@]##*/}"; do
	[ "$header" = lagoon_solve.h ] ||
		grep -qx "#include \"$header\"" "$src/kernels/lagoon_solve.h" ||
		{ echo "kernels/lagoon_solve.h does not include $header"; bad=1; }
done
cxx=${CXX:-c++}
command -v "${cxx%% *}" >/dev/null || { echo "no C++ compiler: $cxx"; [ $bad = 0 ] && exit 77; exit 1; }
for header in runtime/lagoon.h runtime/lagoon_update.h "${kernels[@]}"; do
	echo "#include \"$header\"" |
		$cxx -Wall -Wextra -Werror -pedantic -fsyntax-only \
			-I"$src" -I"$src/runtime" -x c++ - ||
		{ echo "$header does not compile as C++"; bad=1; }
done
exit $bad
