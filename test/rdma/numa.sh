#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A machine of two NUMA nodes: workers and shards land where the plan says, over
# shared memory and by RDMA; and what lagoon info says of its device.
# needs: pmix
set -u
src=$(cd "${srcdir:-.}" && pwd)
[ "${1-}" = inside ] || exec bash "$src/test/rdma/vm" --numa --timeout 800 -- \
	bash "$src/test/rdma/numa.sh" inside
lagoon=${LAGOON_BIN:-$PWD/lagoon}
failed=0

[ "$(cat /sys/devices/system/node/online)" = 0-1 ] ||
	{ echo "not two NUMA nodes: $(cat /sys/devices/system/node/online)"; exit 1; }

# run OPTIONS...: of lagoon run, with the output in /tmp/out
run() {
	timeout -k 5 200 "$lagoon" run "$@" >/tmp/out 2>&1 && return
	echo "not ok: $LAGOON_WIRE: $*: exit status $?"
	sed 's/^/    /' /tmp/out
	failed=1
}

# says NUMBER LINE: so often
says() {
	[ "$(grep -cx "$2" /tmp/out)" = "$1" ] && return
	echo "not ok: $LAGOON_WIRE: not $1 lines \"$2\" in:"
	sed 's/^/    /' /tmp/out
	failed=1
}

for LAGOON_WIRE in shm rc; do
	export LAGOON_WIRE
	run -n 2 -- ./test/job/placed.mp --numa 0,1
	says 2 'rank [01]: NUMA node [01], pinned, 128 pages of a shard'
	# More workers than cores: not pinned, yet both nodes have a shard.
	run -n 4 --nodes 2 -- ./test/job/placed.mp --numa 0,0,1,1
	says 2 'rank [02]: NUMA node [01], not pinned, 128 pages of a shard'
	run -n 2 -- "$lagoon" info
	says 2 "wire      $LAGOON_WIRE\(, rxe0:1\)\?"
	says 2 'shards    2, at rank 0 1'
	for node in 0 1; do
		says 1 "plan      NUMA node $node \[P$node\], worker cores: $node \[P$node\]"
		says 1 "verified  1 workers on their cores, shared memory on NUMA node $node"
	done
done
unset LAGOON_WIRE
# Last: it makes another device.
bash "$src/test/rdma/info.sh" || failed=1
exit $failed
