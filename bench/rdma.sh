#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# rdma.sh [--rows R1,R2...] [--rounds N] [--csv FILE] [--check]
#
# Lagoon over an RDMA device beside perftest, in turns: rows R1 to R5. Both
# sides are two processes of this machine, so that the device's loopback is
# what both measure. Without an RDMA device it starts itself in a virtual
# machine with Soft-RoCE (test/rdma/vm). A figure is the median of the rounds
# [5], a ratio the median of the ratios of each round, Lagoon's figure divided
# by perftest's.
#
#	LAGOON_DEVICE	the device, mlx5_0 or mlx5_0:2 [as lagoon chooses]
#	LAGOON_QPS	queue pairs to a peer; perftest's atomics use as many
#	LAGOON_BIN	the command [./lagoon]
#	LAGOON_RING_RATE	for R5 [./test/rdma/ring_rate]; without it no R5
#
# --check: status 1 if a row misses its goal. 77: nothing to run it with.
set -u
src=$(cd "$(dirname "$0")/.." && pwd)
rounds=5 rows=R1,R2,R3,R4,R5 csv='' check='' inside=''
arguments=("$@")
while [ $# -gt 0 ]; do
	case $1 in
	--rows) rows=$2; shift 2 ;;
	--rounds) rounds=$2; shift 2 ;;
	--csv) csv=$2; shift 2 ;;
	--check) check=1; shift ;;
	--inside) inside=1; shift ;;
	-h|--help) sed -n '3,19s/^# \{0,1\}//p' "$0"; exit ;;
	*) echo "rdma.sh: \"$1\": see rdma.sh --help" >&2; exit 2 ;;
	esac
done
skip() { echo "rdma.sh: $*"; exit 77; }

for tool in ib_read_lat ib_read_bw ib_write_lat ib_write_bw ib_atomic_bw; do
	command -v $tool >/dev/null || skip "no $tool: Debian's package perftest has it"
done
if [ -z "$inside" ] && [ -z "$(ls /sys/class/infiniband 2>/dev/null)" ]; then
	echo "# no RDMA device here: Soft-RoCE in an emulated machine"
	out=$(mktemp -d) || exit 1
	VM_OUT=$out bash "$src/test/rdma/vm" --timeout "${LAGOON_VM_TIMEOUT:-900}" -- \
		bash "$src/bench/rdma.sh" "${arguments[@]}" --inside --csv /vm/out/rows.csv
	status=$?
	[ -z "$csv" ] || cp "$out/rows.csv" "$csv"
	rm -rf "$out"
	exit $status
fi

export LAGOON_WIRE=rc
lagoon=${LAGOON_BIN:-$PWD/lagoon}
ring_rate=${LAGOON_RING_RATE:-$PWD/test/rdma/ring_rate}
qps=${LAGOON_QPS:-1}
tmp=$(mktemp -d) || exit 1
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 143' TERM INT HUP

# The device that Lagoon chooses.
"$lagoon" bench clock --json -i 1 --repeats 1 --warmup 0 >"$tmp/device" ||
	{ echo "rdma.sh: lagoon cannot use a device"; exit 1; }
device=$(sed -nE 's/^ "device": "(.*)",/\1/p' "$tmp/device")
port=${device#*:} device=${device%:*}
# Of a device in software a thousandth of the work is enough.
case $device in
rxe*|siw*) limit=1.5 few=300 large=20 seconds=0.1 repeats=3 ;;
*) limit=1.15 few=10000 large=2000 seconds=0.01 repeats=9 ;;
esac

# ---------------------------------------------------------------- twins

listening() { grep -qi ":$(printf %04x "$1") .* 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null; }

# Called in a subshell: no count would last.
# twin COLUMN PROGRAM OPTIONS: that column of the line of figures.
twin() {
	local column=$1 i status
	shift
	local at=$((18600 + RANDOM % 4000))
	timeout 120 "$@" -F -d "$device" -i "$port" -p $at >"$tmp/server" 2>&1 &
	server=$!
	for ((i = 0; i < 300; i++)); do
		listening $at && break
		sleep 0.1
	done
	timeout 120 "$@" -F -d "$device" -i "$port" -p $at 127.0.0.1 >"$tmp/client" 2>&1
	status=$?
	wait $server
	server=
	[ $status = 0 ] || { sed 's/^/rdma.sh: /' "$tmp/client" >&2; exit 1; }
	awk -v column="$column" '
	$1 ~ /^[0-9]+$/ && NF >= 5 { x = $column }
	END { if (!(x + 0 > 0)) exit 1; print x }' "$tmp/client" ||
		{ echo "rdma.sh: $1 printed no figure:" >&2; sed 's/^/rdma.sh: /' "$tmp/client" >&2; exit 1; }
}

# ----------------------------------------------------------------- ours

# ours NAME OPTIONS: the rows as CSV, without the header.
ours() {
	timeout 200 "$lagoon" run -n 2 --nodes 2 -- "$lagoon" bench "$@" --csv \
		--seconds $seconds --repeats $repeats 2>"$tmp/noise" >"$tmp/csv" ||
		{ sed 's/^/rdma.sh: /' "$tmp/noise" >&2; exit 1; }
	tail -n +2 "$tmp/csv"
}

# record ROW UNIT GOAL OURS TWIN WORK: one round of one row, if both sides have
# a figure.
record() {
	awk -v a="$4" -v b="$5" 'BEGIN { exit !(a + 0 > 0 && b + 0 > 0) }' ||
		{ echo "rdma.sh: $6: no figure in round $round: \"$4\", \"$5\"" >&2; return; }
	printf '%s,%s,%s,%s,%s,%s\n' "$@" >>"$tmp/rounds"; }

field() { awk -F, -v test="$1" -v bytes="$2" -v column="$3" '$1 == test && $3 == bytes { print $column }'; }

# A function for each row: both sides, one after the other.
R1() {
	local read lines
	read=$(twin 5 ib_read_lat -s 8 -n $((few * 5))) || return
	lines=$(ours get-lat --sizes 8) || return
	record R1 us "<=$limit" "$(field get-lat 8 6 <<<"$lines")" "$read" \
		'pull 8 B p50 / ib_read_lat'
	record R1b us '<=2.3' "$(field get-lat-board 8 6 <<<"$lines")" "$read" \
		'pull 8 B after a board READ p50 / ib_read_lat'
}

R2() {
	local read lines size
	for size in 65536 1048576; do
		read=$(twin 4 ib_read_bw -s $size -n $((size > 65536 ? large : few))) || continue
		lines=$(ours get-bw --sizes $size --table 32M) || continue
		record R2 MiB/s '>=0.9' \
			"$(field get-bw $size 11 <<<"$lines" | awk '{ print $1 / 1048576 }')" \
			"$read" "pull $((size / 1024)) KiB / ib_read_bw"
	done
}

R3() {
	local atomics lines
	atomics=$(twin 5 ib_atomic_bw -A FETCH_AND_ADD -q "$qps" -n $((few * 5))) || return
	lines=$(ours add-rate --sizes 16K) || return
	record R3 Mop/s '>=0.9' \
		"$(field add-rate 16384 10 <<<"$lines" | awk '{ print $1 / 1e6 }')" \
		"$atomics" "add of words / ib_atomic_bw -q $qps"
	lines=$(ours add-rate --sizes 16K --format q32) || return
	record R3b Mop/s '>=1.8' \
		"$(field add-rate 16384 10 <<<"$lines" | awk '{ print 2 * $1 / 1e6 }')" \
		"$atomics" "add of q32 elements / ib_atomic_bw -q $qps"
}

R4() {
	local write lines
	write=$(twin 5 ib_write_lat -s 8 -n $((few * 5))) || return
	lines=$(ours clock) || return
	record R4 us '<=1.3' "$(field clock 8 6 <<<"$lines")" \
		"$(awk -v x="$write" 'BEGIN { print 2 * x }')" \
		'clock p50 / twice ib_write_lat'
}

# The path of a dense push in apply mode: records of 128 KiB, which the home
# adds to its memory, until the last is known to be applied.
R5() {
	local write rate
	[ -x "$ring_rate" ] || { echo "rdma.sh: no $ring_rate, no R5" >&2; return; }
	write=$(twin 4 ib_write_bw -s 131072 -n $((large * 4))) || return
	rate=$(timeout 200 "$lagoon" run -n 2 --nodes 2 -- "$ring_rate" \
		--repeats $repeats 2>"$tmp/noise") ||
		{ sed 's/^/rdma.sh: /' "$tmp/noise" >&2; return; }
	record R5 MiB/s '>=0.8' "$rate" "$write" \
		"push of 8 MiB through a ring / ib_write_bw"
}

for ((round = 1; round <= rounds; round++)); do
	for row in ${rows//,/ }; do
		case $row in
		R[1-5]) $row ;;
		*) echo "rdma.sh: \"$row\" is no row: R1 to R5" >&2; exit 2 ;;
		esac
	done
	echo "# round $round of $rounds" >&2
done

# --------------------------------------------------------------- a table
[ -s "$tmp/rounds" ] || { echo "rdma.sh: no round has both figures"; exit 1; }
echo "# Lagoon $("$lagoon" --version | cut -d' ' -f2) ($(sed -nE 's/^ "commit": "(.*)",/\1/p' "$tmp/device")), device $device port $port, $(uname -sr), $(date -u +%Y-%m-%d), $rounds rounds"
awk -F, -v csv="${csv:-/dev/null}" '
function middle(values, n,   i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && values[j] < values[j - 1]; j--) {
			t = values[j]; values[j] = values[j - 1]; values[j - 1] = t
		}
	least = values[1]; most = values[n]
	return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}
{
	key = $1 SUBSEP $6
	if (!(key in count)) { order[++keys] = key; unit[key] = $2; goal[key] = $3 }
	n = ++count[key]
	ours[key, n] = $4; twin[key, n] = $5
}
END {
	printf "%-4s %-52s %12s %12s %-6s %7s %17s %7s\n", "row", "work / twin", "lagoon", "perftest", "", "ratio", "[min max]", "goal"
	print "row,work,unit,lagoon,twin,ratio,ratio_min,ratio_max,goal,met" > csv
	for (k = 1; k <= keys; k++) {
		key = order[k]; split(key, part, SUBSEP); n = count[key]
		for (i = 1; i <= n; i++) { o[i] = ours[key, i]; t[i] = twin[key, i]; r[i] = o[i] / t[i] }
		mo = middle(o, n); mt = middle(t, n); mr = middle(r, n)
		limit = substr(goal[key], 3) + 0
		met = goal[key] ~ /^</ ? mr > 0 && mr <= limit : mr >= limit
		missed += !met
		printf "%-4s %-52s %12.4g %12.4g %-6s %7.3f [%7.3f %7.3f] %7s%s\n", part[1], part[2], mo, mt, unit[key], mr, least, most, goal[key], met ? "" : "  MISSED"
		printf "%s,%s,%s,%.6g,%.6g,%.4f,%.4f,%.4f,%s,%s\n", part[1], part[2], unit[key], mo, mt, mr, least, most, goal[key], met ? "yes" : "no" > csv
	}
	exit missed > 0
}' "$tmp/rounds"
missed=$?
[ -z "$check" ] || exit $missed
