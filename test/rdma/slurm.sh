#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Jobs over two virtual machines under srun --mpi=pmix, by RDMA: what they
# compute has the same bits as over shared memory, also when packets are lost;
# when the link fails or a machine does, sums are exact or there is an error.
# needs: pmix
set -u
src=$(cd "${srcdir:-.}" && pwd)

counter=/sys/class/infiniband/rxe0/ports/1/hw_counters/sent_pkts

# down S PACKETS: in machine 2. After so many packets the link is down for S
# seconds; prints how many it had sent.
down() {
	local start now end=$((SECONDS + 60))
	read -r start <$counter
	now=$start
	until [ $((now - start)) -ge "$2" ] || [ $SECONDS -ge $end ]; do
		sleep 0.02
		read -r now <$counter
	done
	ip link set eth0 down
	read -r now <$counter
	echo $((now - start))
	sleep "$1"
	ip link set eth0 up
}
[ "${1-}" != down ] || { down "$2" "$3"; exit; }

[ "${1-}" = inside ] || exec bash "$src/test/rdma/vm" -n 2 --timeout 800 -- \
	bash "$src/test/rdma/slurm" bash "$src/test/rdma/slurm.sh" inside
command -v tc >/dev/null || { echo "no tc"; exit 77; }
lagoon=${LAGOON_BIN:-$PWD/lagoon}
a9a=${LAGOON_DATA:-$src/../shared/data}/classify/a9a
job=./test/job
out=/tmp/out
seconds=$SECONDS
failed=0
export LAGOON_TEST_SEED=${LAGOON_TEST_SEED:-$RANDOM}
unset LAGOON_WIRE
echo "seed $LAGOON_TEST_SEED (LAGOON_TEST_SEED)"

part() { what=$*; seconds=$SECONDS; }
done_in() { echo "$((SECONDS - seconds)) s: $what${1:+: $1}"; }

fail() {
	failed=1
	echo "not ok: $what: $1"
	sed 's/^/    /' "${2:-$out}"
}

# within SECONDS COMMAND: until it is true.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# across SECONDS OPTIONS OF SRUN -- COMMAND: a job over both machines
across() {
	local limit=$1 options=()
	shift
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	truncate -s 0 /vm/shared
	truncate -s 64M /vm/shared
	timeout -k 5 "$limit" srun --mpi=pmix -N2 --overcommit "${options[@]}" "$@" >$out 2>&1
}

good() { across "$@" || fail "exit status $?"; }

# sums FILE: what sums.mp says at its end
sums() { sed -n 's/^sums \([0-9a-f]* of [0-9]* adds\)$/\1/p' "$1"; }

# --- the machines
part 'lagoon info'
good 60 -- "$lagoon" info
for line in 'process   rank 0 of 2, node 0 of 2' 'process   rank 1 of 2, node 1 of 2' \
	'wire      rc' '  chosen          rxe0 port 1: '; do
	grep -q "^$line" $out || fail "no line \"$line\""
done
done_in

# --- the same bits
small="$job/sums.mp --workers 4 --adds 1 --rounds 2"
part 'sums over shared memory'
env -u LAGOON_TEST_SHARED "$lagoon" run -n 2 -- $small >$out 2>&1 || fail "exit status $?"
want=$(sums $out)
done_in "$want"

exact() { [ -n "$want" ] && [ "$(sums $out)" = "$want" ] || fail "not $want"; }
sent() { on 2 cat $counter; }

part 'sums by RDMA'
before=$(sent)
good 120 -- $small
exact
packets=$(($(sent) - before))
[ $packets -gt 1000 ] || fail 'not by the device'
done_in "$packets packets"

part 'property'
good 60 -n4 -- $job/property.mp --cases 2 --seconds 1
done_in

part 'lagoon train'
if [ ! -f "$a9a" ]; then
	echo "no $a9a: other data"
	a9a=/vm/data
	"$lagoon" generate logistic --rows 20000 --cols 120 --nnz 14 -o $a9a >/dev/null
fi
train="$lagoon train logistic --data $a9a --consistency bsp --epochs 1 --model"
$train /tmp/shm.model -n 2 >$out 2>&1 || fail "over shared memory: exit status $?"
good 100 -- $train /tmp/rc.model
cmp /tmp/shm.model /tmp/rc.model >/dev/null || fail 'another model than over shared memory'
done_in "$(grep '^epoch' $out)"

# --- packets lost
part 'packets lost: 1 %'
on all 'tc qdisc replace dev eth0 root netem loss 1%'
good 120 -- $small
exact
dropped=$(on all 'tc -s qdisc show dev eth0' | sed -n 's/.*dropped \([0-9]*\).*/\1/p' | tr '\n' ' ')
[[ $dropped =~ [1-9] ]] || fail 'none was lost'
on all 'tc qdisc del dev eth0 root'
done_in "lost by each: $dropped"

# --- the link
no_process() { on all '! pgrep -x sums.mp' >/dev/null; }
ended() { ! kill -0 "$1" 2>/dev/null; }

# link_down SECONDS: in the middle of a job
link_down() {
	local job watch said=exact hit
	part "link down for $1 s"
	on 2 bash "$src/test/rdma/slurm.sh" down "$1" $((packets / 8)) >/tmp/down &
	watch=$!
	across 200 -- $small &
	job=$!
	wait $watch
	hit=$(cat /tmp/down)
	[ "$hit" -ge $((packets / 8)) ] && [ "$hit" -le $((packets * 3 / 4)) ] ||
		fail "not in the middle: after $hit packets of $packets"
	within 60 no_process || fail 'the job goes on'
	# Slurm may wait for word of a task that ended while there was no link.
	within 5 ended $job || pkill -KILL -x srun
	if wait $job; then
		exact
	else
		said=$(grep -Em1 'rank [01] is dead|words are uncertain|port 1 to rank [01]: ' $out) ||
			fail 'an error without a reason'
		! grep -q '^sums .*adds$\|: stored \|legal range' $out || exact
	fi
	done_in "after $hit packets: $said"
}
link_down 0.2
link_down 6

# --- a machine; the last: it does not come back. The program checks what the
# survivors see, and when.
two_survivors() { [ "$(grep -c '^survivor' $out)" = 2 ]; }
part 'a machine ends'
across 90 -n3 -m plane=2 -- $job/victim.mp --mode pull --victim 2 --machine &
within 60 two_survivors || fail 'not two survivors'
[ -e /vm/ended.2 ] || fail 'machine 2 runs'
# Slurm would take SlurmdTimeout to know.
scontrol update nodename=vm2 state=down reason=gone
wait $!
done_in "$(grep -m1 'Node failure' $out)"
echo "$SECONDS s in all"
exit $failed
