#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The job tests over the RC wire: processes on pretended nodes in one virtual
# machine, every operation through the device, also to the process itself.
# needs: pmix
set -u
src=$(cd "${srcdir:-.}" && pwd)
[ "${1-}" = inside ] || exec bash "$src/test/rdma/vm" --timeout 800 -- bash "$src/test/rdma/jobs.sh" inside
lagoon=${LAGOON_BIN:-$PWD/lagoon}
export LAGOON_WIRE=rc
export LAGOON_TEST_SCALE=${LAGOON_RDMA_SCALE:-0.02}
failed=0
n=0

# one OPTIONS -- PROGRAM [ARGUMENTS]
one() {
	local start=$SECONDS status
	n=$((n + 1))
	timeout -k 5 200 "$lagoon" run "$@" >/tmp/out 2>&1
	status=$?
	echo "$((SECONDS - start)) s: $*: $status"
	[ $status = 0 ] && return
	sed 's/^/    /' /tmp/out
	failed=1
}

job=./test/job
one -n 2 --nodes 2 -- examples/hello
[ "$(cat /tmp/out)" = 20 ] || failed=1
one -n 4 --nodes 2 -- $job/property.mp
one -n 3 --nodes 3 -- $job/property.mp --workers 2,1,3
one -n 8 --nodes 2 -- $job/node.mp
one -n 8 --nodes 2 -- $job/sums.mp
one -n 2 --nodes 1 -- $job/sums.mp --workers 4 --model bsp
one -n 2 --nodes 2 -- $job/bound.mp
one -n 2 --nodes 2 -- $job/models.mp
one -n 3 --nodes 1 -- $job/tables.mp
one -n 2 --nodes 2 -- $job/pages.mp --workers 2
one -n 4 --nodes 4 -- $job/overflow.mp
one -n 4 --nodes 2 -- $job/tickets.mp --workers 2
one -n 2 --nodes 2 -- $job/runs.mp --workers 2
one -n 3 --nodes 2 -- $job/checkpoints.mp --workers 2,1,0
one -n 2 --nodes 1 -- $job/checkpoints.mp
one -n 3 --nodes 3 -- $job/gone.mp pull
one -n 3 --nodes 3 -- $job/gone.mp close
one -n 4 --nodes 2 -- $job/ring.mp stream
one -n 3 --nodes 3 -- $job/ring.mp die
one -n 3 --nodes 3 -- $job/ring.mp idle
export LAGOON_QPS=3
one -n 2 --nodes 2 -- $job/ring.mp stream
one -n 3 --nodes 3 -- $job/property.mp
unset LAGOON_QPS

# Deaths, wherever the others are: they end with an error that names the rank.
turn=0
for mode in compute pull clock close; do
	# The home of the board, or of a shard, or one beside that: each in turn.
	places=(0 2 3)
	turn=$((turn + 1))
	[ $mode = pull ] || places=("${places[turn % 3]}")
	for victim in "${places[@]}"; do
		timeout -k 5 200 "$lagoon" run -n 4 --nodes 2 -- $job/victim.mp \
			--victim $victim --mode $mode --tag x >/tmp/out 2>&1
		n=$((n + 1))
		[ "$(grep -c '^survivor' /tmp/out)" = 3 ] && continue
		echo "victim $victim, $mode:"
		sed 's/^/    /' /tmp/out
		failed=1
	done
done
# Queue pairs that break in the middle of a push.
export LAGOON_ACK_TIMEOUT=12 LAGOON_RETRY=3
told=0 tried=0
for side in owner pusher owner pusher pusher; do
	# Once each, and again until words are uncertain.
	[ $tried -lt 2 ] || [ $told = 0 ] || break
	tried=$((tried + 1))
	one -n 2 --nodes 2 --on-death continue -- test/rdma/uncertain.mp $side
	grep -q 'pushed, [1-9][0-9]* uncertain' /tmp/out && told=1
done
[ $told = 1 ] || { echo "no word was uncertain in any of them"; failed=1; }
# Those of rings break many times, and are mended.
for side in sender owner both; do
	one -n 2 --nodes 2 -- test/rdma/broken.mp $side
	grep -q 'broken: .* [1-9][0-9]* ways mended' /tmp/out ||
		{ echo "no way broke"; failed=1; }
done
unset LAGOON_ACK_TIMEOUT LAGOON_RETRY
for how in cm tcp; do
	n=$((n + 1))
	timeout -k 5 200 test/rdma/late.mp $how || failed=1
done
export LAGOON_CONNECT=tcp
one -n 3 --nodes 3 -- $job/property.mp
one -n 2 --nodes 2 -- test/rdma/broken.mp sender
echo "$n jobs, failed: $failed"
exit $failed
