#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Includes go one way: see the table in HACKING.md.
set -u
cd "${srcdir:-.}" || exit 1
bad=0

# Every include of ours in these files and folders must match the pattern.
# "files and folders" pattern [none: there need not be any include]
allow() {
	local file line inc n=0
	while IFS=: read -r file line inc; do
		n=$((n + 1))
		inc=${inc#*\"}
		inc=${inc%\"*}
		[[ $inc =~ ^($2)$ ]] && continue
		echo "$file:$line: $1 may not include \"$inc\""
		bad=1
	done < <(grep -HrnE '^ *# *include *"' --include=*.[ch] $1)
	[ $n -gt 0 ] || [ -n "${3:-}" ] ||
		{ echo "$1: nothing found to check"; bad=1; }
}

# A foreign header may be included by these files only.
# header-pattern file-pattern
foreign() {
	local file line rest
	while IFS=: read -r file line rest; do
		[[ $file =~ ^($2)$ ]] && continue
		echo "$file:$line: only $2 may include <$1...>"
		bad=1
	done < <(grep -rnE "^ *# *include *[<\"]$1" --include=*.[ch] runtime numa verbs kernels tools bench examples test)
}

base='runtime/base/[a-z_]+\.h|runtime/lagoon\.h'
names=$(basename -as .h kernels/lagoon_*.h | tr '\n' '|')
public="(lagoon|${names%|})\.h"
solve="$public|kernels/$public"
allow runtime/base "$base"
allow numa "$base|numa/[a-z_]+\.h"
allow verbs "$base|numa/place\.h|verbs/[a-z_/]+\.h"
allow 'kernels/lagoon_*.h' "$public"
allow kernels/math 'kernels/lagoon_kernels\.h|kernels/math/[a-z_]+\.(h|inc)|runtime/base/attr\.h'
allow kernels/data "$base|kernels/data/[a-z_]+\.h|$solve"
# What solvers share does not know them, nor they each other.
shared="$base|kernels/(data|solve)/[a-z_]+\.h|$solve"
allow 'kernels/solve/*.[ch]' "$shared"
for solver in kernels/solve/*/; do
	allow "$solver" "$shared|$solver[a-z_]+\.h"
done
update="$base|lagoon\.h|runtime/(lagoon_)?update\.h|runtime/update/[a-z_]+\.(h|inc)"
allow runtime/update "$update"
runtime="$base|lagoon\.h|numa/place\.h|verbs/(wire|copy|rdma)\.h|runtime/[a-z_]+\.h|config\.h"
support='test/(support|wires)/[a-z_]+\.h'
allow 'runtime/*.[ch]' "$runtime"
allow tools "$base|$solve|numa/place\.h|verbs/rdma\.h|runtime/job\.h|tools/[a-z_]+\.h|config\.h"
allow bench "$solve|runtime/lagoon\.h|bench/(peers/)?[a-z_]+\.h"
# Examples include <lagoon.h>, and nothing of the source tree.
allow examples "$solve|(tutorial|words|logistic|ratings)\.h" none
# A unit test sees its layer and those below.
temp='test/support/temp\.h'
allow 'test/unit/base_*.c' "$base|$temp"
allow 'test/unit/numa_*.c' "$base|$temp|numa/[a-z_]+\.h"
allow 'test/unit/verbs_*.c' "$base|numa/place\.h|verbs/[a-z_/]+\.h|$support"
allow 'test/unit/runtime_*.c' "$runtime|$support"
allow 'test/unit/update*.[ch]' "$update|$temp|test/unit/update\.h"
allow 'test/unit/kernels*.[ch]' "$base|$temp|kernels/[a-z_/]+\.h|test/unit/kernels\.h"
foreign hwloc 'numa/[a-z_]+\.[ch]|test/unit/numa_[a-z_]+\.c'
foreign infiniband/ 'verbs/rc/[a-z_]+\.[ch]'
foreign rdma/ 'verbs/rc/[a-z_]+\.[ch]'
foreign 'pmix\.h' '(runtime/job_pmix|tools/run_pmix)\.c'
foreign 'pmix_server\.h' 'tools/run_pmix\.c'
foreign '(mpi|omp)\.h' '(examples|test/mpi|bench/peers)/[a-z_]+\.[ch]'
foreign isa-l 'runtime/checkpoint_file\.c'
foreign jansson '(tools|bench)/[a-z_]+\.[ch]'
foreign 'zlib\.h' 'kernels/data/(blocks|text)\.c|test/unit/kernels_(blocks|dense|tables)\.c'
foreign criterion/ 'test/(unit|shim/criterion)/[a-z_]+\.[ch]'
exit $bad
