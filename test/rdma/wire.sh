#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The RC wire by itself, below the tables: what verbs/wire.h promises, words
# that are never torn, what is refused. One virtual machine for all.
# needs: pmix
set -u
src=$(cd "${srcdir:-.}" && pwd)
[ "${1-}" = inside ] || exec bash "$src/test/rdma/vm" --timeout 300 -- bash "$src/test/rdma/wire.sh" inside
export LAGOON_BIN=${LAGOON_BIN:-$PWD/lagoon}
export LAGOON_TEST_SCALE=${LAGOON_RDMA_SCALE:-0.05}
failed=0
n=0

# one NAME COMMAND...: passes with status 0.
one() {
	local name=$1 start=$SECONDS status
	shift
	n=$((n + 1))
	timeout -k 5 100 "$@" >/tmp/out 2>&1
	status=$?
	echo "$((SECONDS - start)) s: $name: $status"
	[ $status = 0 ] && return
	sed 's/^/    /' /tmp/out
	failed=1
}

# The unit tests of the wires, over this one and over the delaying one above.
one wires env LAGOON_TEST_WIRE=rc ./test/unit/verbs.unit --filter 'wires/*' --verbose=1
echo "$n tests, failed: $failed"
exit $failed
