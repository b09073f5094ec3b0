#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Job tests under srun --mpi=pmix on two nodes, as their launch lines say.
# needs: pmix
set -u
src=${srcdir:-.}
[ "${1-}" = inside ] || exec bash "$src/test/slurm/slurm" -- bash "$0" inside
export LAGOON_LAUNCH="bash $src/test/support/start srun"
export LAGOON_TEST_SCALE
LAGOON_TEST_SCALE=$(awk -v s="${LAGOON_TEST_SCALE:-1}" 'BEGIN { print s / 10 }')
failed=0
for test in args fence gone overflow property runs share tables wire_error; do
	echo "$test:"
	bash "$src/test/launch" "test/job/$test.mp" | tee "$TMPDIR/tap"
	! grep -Eq '^not ok|^Bail out' "$TMPDIR/tap" && grep -q '^ok' "$TMPDIR/tap" ||
		failed=1
done
exit $failed
