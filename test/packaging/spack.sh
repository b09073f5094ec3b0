#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The Spack recipe is Python, and the options that it makes are configure's.
set -u
top=${srcdir:-.}
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
[ -x "$top/configure" ] || { echo "no configure"; exit 77; }
recipe=$top/packaging/spack/package.py
python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$recipe" || exit 1
help=$("$top/configure" --help)
bad=0 n=0
for option in $(sed -n 's/.*with_or_without("\([a-z]*\)").*/with\1/p
	s/.*enable_or_disable("\([a-z]*\)").*/able\1/p
	s/.*"--\(without\|with\)-\([a-z]*\)".*/with\2/p' "$recipe"); do
	n=$((n + 1))
	case $option in
	with*) pattern="--with(out)?-${option#with}" ;;
	able*) pattern="--(en|dis)able-${option#able}" ;;
	esac
	grep -Eq -- "$pattern([^a-z]|$)" <<<"$help" && continue
	echo "configure has no $pattern"
	bad=1
done
[ $n -ge 4 ] || { echo "only $n options found in $recipe"; bad=1; }
exit $bad
