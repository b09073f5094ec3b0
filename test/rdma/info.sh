#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# `lagoon info` beside a Soft-RoCE device: what it shows, chooses and refuses.
# Runs in the VM of this folder, as root, where rxe0 is the only device; makes
# a second one for what must not be done to the first.
set -u
lagoon=${LAGOON_BIN:-./lagoon}
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
[ -e /sys/class/infiniband/rxe0 ] || { echo "there is no device rxe0"; exit 77; }
bad=0
out=$(mktemp)

cleanup() {
	rdma link delete rxe9 2>/dev/null
	ip link delete lgn9 2>/dev/null
	chmod 666 /dev/infiniband/uverbs*
	rm -f "$out"
}
trap cleanup EXIT

# info [VARIABLE=VALUE...]: the section on RDMA, into $out.
info() {
	env "$@" "$lagoon" info 2>/dev/null </dev/null |
		sed -n '/^RDMA$/,/^[A-Z].*[a-z]/p' >"$out"
}

# has TEXT...: a line of it has all of them, in order.
has() {
	local pattern=
	for text; do pattern+=".*$text"; done
	grep -qE "$pattern" "$out" && return
	echo "nowhere: $*; but:"
	cat "$out"
	bad=1
}

# value of a file in the port's folder in sysfs
port() { cat "/sys/class/infiniband/rxe0/ports/1/$1"; }

# The v4-mapped GID, and the address in it, from the kernel.
index=
for file in /sys/class/infiniband/rxe0/ports/1/gids/*; do
	[[ $(cat "$file") == 0000:0000:0000:0000:0000:ffff:* ]] &&
		{ index=${file##*/}; break; }
done
[ -n "$index" ] || { echo "rxe0 has no IPv4 address"; exit 1; }
interface=$(port "gid_attrs/ndevs/$index")
ip=$(ip -4 -o addr show dev "$interface" | sed -nE 's|.* inet ([0-9.]+)/.*|\1|p' | head -1)

info
has '^  chosen.* +rxe0 port 1: ' "GID $index \\(RoCE v2, ::ffff:$ip\\)" "connects by $ip, its own address"
has 'the only port'
has '^  rxe0 +NUMA node'
has '^    port 1 +ACTIVE, Ethernet, '
has "^    GID $index +RoCE v2, ::ffff:$ip, $interface"
has '^    atomics +ATOMIC_HCA'
has '^    PCI atomics +'
has '^    device memory +none'
has 'max_qp [1-9]' 'max_qp_wr [1-9]' 'max_cq [1-9]' 'max_cqe [1-9]'
has 'max_mr [1-9]' 'max_mr_size'
has 'max_qp_rd_atom [1-9]' 'max_qp_init_rd_atom [1-9]'
has '^  locked memory .*RLIMIT_MEMLOCK'

# Options that choose, and options that name what is not there.
info LAGOON_DEVICE=rxe0:1
has 'chosen.* +rxe0 port 1: LAGOON_DEVICE;'
info LAGOON_DEVICE=rxe0:2
has 'none: LAGOON_DEVICE is "rxe0:2": there is only rxe0:1'
info LAGOON_GID_INDEX=99
has 'none: LAGOON_GID_INDEX is 99: device rxe0 port 1 has 0'
info LAGOON_PKEY_INDEX=99
has 'none: LAGOON_PKEY_INDEX is 99: device rxe0 port 1 has 1 '
info LAGOON_MTU=256
has 'chosen.* +rxe0 port 1: ' 'MTU 256,'
info LAGOON_INTERFACE=lo
has 'chosen.* +rxe0 port 1: ' 'connects by 127.0.0.1$'
info LAGOON_INTERFACE=nothere
has 'none: LAGOON_INTERFACE is "nothere"' "$interface"
info LAGOON_RNR_RETRY=7
has 'none: LAGOON_RNR_RETRY is "7": ' 'from 0 to 6 ' '7 would be for ever'

# Two devices: as near and as fast, so by name; then only one has a link.
ip link add lgn9 type dummy
ip addr add 198.51.100.9/24 dev lgn9
ip link set dev lgn9 up
rdma link add rxe9 type rxe netdev lgn9 || { echo "no second device"; exit 1; }
info
has 'chosen.* +rxe0 port 1: as good as rxe9 port 1, and before it by name'
info LAGOON_DEVICE=rxe9
has 'chosen.* +rxe9 port 1: LAGOON_DEVICE; ' '::ffff:198.51.100.9'
ip link set dev lgn9 down
info
has 'chosen.* +rxe0 port 1: the only one of 2 ports that can be used'
has '^    not used +rxe9 port 1 is DOWN'
info LAGOON_DEVICE=rxe9
has 'none: no RDMA port can be used: rxe9 port 1 is DOWN, not ACTIVE: ip link set dev lgn9 up'
LAGOON_WIRE=rc LAGOON_DEVICE=rxe9 "$lagoon" info >"$out" 2>&1 &&
	{ echo "a job over a port that is down"; bad=1; }
has '^lagoon info: ' 'rxe9 port 1 is DOWN, not ACTIVE'

# A user who may not use the device is told which file.
chmod 600 /dev/infiniband/uverbs*
setpriv --reuid=65534 --clear-groups "$lagoon" info >"$out" 2>/dev/null </dev/null
has 'none: no RDMA port can be used: rxe0: /dev/infiniband/uverbs[0-9]+: Permission denied'
exit $bad
