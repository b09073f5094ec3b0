#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The caller's own exchange (attr->allgather) instead of PMIx: the processes
# are started by a program that serves no PMIx.
set -u
spawn=${LAGOON_SPAWN:-./test/support/spawn}
unset PMIX_NAMESPACE PMIX_RANK PMIX_SERVER_URI2 PMIX_SERVER_URI21
for n in 1 2 5; do
	timeout -k 5 400 "$spawn" -n "$n" --nodes "$(((n + 1) / 2))" -- \
		./test/job/property.mp --seconds 1 || exit 1
	timeout -k 5 400 "$spawn" -n "$n" -- ./test/job/tables.mp || exit 1
done
