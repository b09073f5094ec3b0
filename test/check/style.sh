#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Sizes: functions of at most 80 lines, files of at most 500 (public headers
# and tests excepted); nothing left for later; a licence line in each file; no
# two tests whose logs have one name, of which make would run only one, and none
# in no list, which nobody runs.
set -u
cd "${srcdir:-.}" || exit 1
bad=0
mapfile -t files < <(find runtime numa verbs kernels tools bench examples -name '*.[ch]')
[ ${#files[@]} -gt 0 ] || { echo "no source files here"; exit 1; }

for file in "${files[@]}"; do
	n=$(wc -l <"$file")
	case $file in */lagoon*.h) ;; *)
		[ "$n" -le 500 ] || { echo "$file has $n lines"; bad=1; } ;;
	esac
	head -n 3 "$file" | grep -q SPDX-License-Identifier ||
		{ echo "$file has no licence line"; bad=1; }
done
while read -r file; do
	head -n 3 "$file" | grep -q SPDX-License-Identifier ||
		{ echo "$file has no licence line"; bad=1; }
done < <(find kernels examples test -name '*.f90*')
# A function body is from a { in column 1 to a } in column 1.
awk 'FNR == 1 { start = 0 }
/^\{/ { start = FNR }
/^\}/ && start { if (FNR - start > 80) { print FILENAME ":" start ": a function of " FNR - start " lines"; bad = 1 } start = 0 }
END { exit bad }' "${files[@]}" || bad=1
mapfile -t all < <(find runtime numa verbs kernels tools bench examples test doc m4/lagoon_* \
	configure.ac Makefile.am quickstart README.md HACKING.md -type f ! -path test/check/style.sh)
grep -nE 'TODO|FIXME|\bXXX\b|not implemented' "${all[@]}" && bad=1
same=$(grep -oE 'test/[a-z_/0-9]+\.(sh|mp|mpi|unit)' test/Makefile.inc | sort -u |
	sed -E 's/\.[a-z]+$//' | uniq -d)
[ -z "$same" ] || { echo "two tests called" $same; bad=1; }
for file in test/*/*.sh test/job/*.c; do
	grep -qF "$file" test/Makefile.inc || { echo "$file is in no list of test/Makefile.inc"; bad=1; }
done
exit $bad
