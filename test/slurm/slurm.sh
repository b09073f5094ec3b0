#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The Slurm that the other tests run in: several at once, exit status and
# standard input of the command, and nothing left whatever ends it.
set -u
# Background jobs in process groups of their own do not ignore SIGINT.
set -m
slurm=$(dirname "$0")/slurm
tmp=$(mktemp -d) || exit 99
failed=0
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null; rm -rf "$tmp"' EXIT

fail() { echo "slurm.sh: $*"; failed=1; }

# within SECONDS COMMAND: until it is true.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# Everything that was started carries a mark in its environment.
slurm() { MARK=slurm.$$ bash "$slurm" "$@"; }
marked() { grep -slz "^MARK=slurm\.$$\$" /proc/[0-9]*/environ; }
none() { [ -z "$(marked)" ]; }
mounts() { grep -E ' /(run|dev/shm|etc/hosts) ' /proc/self/mounts; }

before=$(mounts)
echo word | slurm -- sh -c 'read w; srun -N2 hostname; echo $w; exit 7' >"$tmp/out" 2>&1
status=$?
[ $status != 77 ] || { tail -n 1 "$tmp/out"; exit 77; }
[ $status = 7 ] || fail "exit status $status, expected 7"
[ "$(sort "$tmp/out" | tr '\n' ' ')" = 'n0 n1 word ' ] || fail "$(cat "$tmp/out")"
none || fail "left after the end: $(marked)"

for signal in TERM INT KILL; do
	MARK=slurm.$$ bash "$slurm" -n 3 -- srun -N3 -n3 \
		sh -c 'echo >$0.$SLURM_PROCID; exec sleep 600' "$tmp/$signal" \
		>"$tmp/$signal" 2>&1 &
	pids+=($!)
done
for signal in TERM INT KILL; do
	within 100 test -e "$tmp/$signal.2" || fail "$signal: $(cat "$tmp/$signal")"
done
set -- "${pids[@]}"
for signal in TERM INT KILL; do
	kill -$signal "$1"
	wait "$1" 2>/dev/null
	status=$?
	[ $status -gt 128 ] || fail "exit status $status after SIG$signal"
	shift
done
within 50 none || fail "left after signals: $(marked)"
[ "$(mounts)" = "$before" ] || fail "other mounts than before: $(mounts)"
exit $failed
