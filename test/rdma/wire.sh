#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The RC wire by itself, below the tables: what verbs/wire.h promises, words
# that are never torn, what is refused. One virtual machine for all.
# needs: pmix
set -u
src=$(cd "${srcdir:-.}" && pwd)
[ "${1-}" = inside ] || exec bash "$src/test/rdma/vm" --timeout 800 -- bash "$src/test/rdma/wire.sh" inside
export LAGOON_BIN=${LAGOON_BIN:-$PWD/lagoon}
export LAGOON_TEST_SCALE=${LAGOON_RDMA_SCALE:-0.05}
[ -x test/rdma/listener ] || { echo "built without RDMA libraries"; exit 77; }
[ -x test/unit/verbs.unit ] || { echo "built without unit tests"; exit 77; }
failed=0
n=0

# one NAME COMMAND...: passes with status 0.
one() {
	local name=$1 start=$SECONDS status
	shift
	n=$((n + 1))
	timeout -k 5 300 "$@" >/tmp/out 2>&1
	status=$?
	echo "$((SECONDS - start)) s: $name: $status"
	[ $status = 0 ] && return
	sed 's/^/    /' /tmp/out
	failed=1
}

# The unit tests of the wires, over this one and over the delaying one above.
one wires env LAGOON_TEST_WIRE=rc ./test/unit/verbs.unit --filter 'wires/*' --verbose=1
one bells env LAGOON_TEST_WIRE=rc ./test/unit/verbs.unit --filter 'bells/*' --verbose=1
one listener ./test/rdma/listener
one chunks ./test/rdma/chunks.mp
export LAGOON_WIRE=rc
one torn "$LAGOON_BIN" run -n 4 --nodes 4 -- test/job/torn.mp
mapfile -t attacks < <(sed -n 's|^/\* launch: .* -- \(.*\) \*/|\1|p' "$src/test/rdma/refused.c")
for attack in "${attacks[@]}"; do
	one "refused $attack" "$LAGOON_BIN" run -n 2 --nodes 2 -- test/rdma/refused.mp "$attack"
done
one 'idle owner' "$LAGOON_BIN" run -n 3 --nodes 3 -- test/job/idle_owner.mp soft
grep idle_owner: /tmp/out

# Over a link that loses packets.
. "$src/test/rdma/two_devices"
if ! two_devices_up || ! two_devices_lose 2%; then
	echo "no two devices with a link"
	exit 1
fi
link=(bash "$src/test/rdma/two_devices" two_devices)
one 'torn, 2 % lost' "${link[@]}" -n 4 --nodes 4 -- test/job/torn.mp
one 'retried, 2 % lost' "${link[@]}" -n 2 --nodes 2 -- test/job/retried.mp rc
grep retried: /tmp/out
one 'sums, 2 % lost' "${link[@]}" -n 8 --nodes 2 -- test/job/sums.mp --adds 20000
one 'rings, 2 % lost' "${link[@]}" -n 2 --nodes 2 -- test/job/ring.mp stream
one 'rings that break, 2 % lost' "${link[@]}" -n 2 --nodes 2 -- test/rdma/broken.mp both
one 'property, 2 % lost' "${link[@]}" -n 4 --nodes 2 -- test/job/property.mp
lost=$(tc -s qdisc show | sed -n 's/.*dropped \([0-9]*\),.*/\1/p' | paste -sd+)
echo "packets lost: $((lost))"
[ $((lost)) -gt 0 ] || failed=1
echo "$n tests, failed: $failed"
exit $failed
