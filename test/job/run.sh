#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The launcher, scenario by scenario. LAGOON_BIN: the command [./lagoon];
# LAGOON_FENCE: the program of fence.c [./test/job/fence.mp], skipped when it is
# not there. Arguments: the scenarios to run [all].
# needs: pmix

# Background jobs in process groups of their own do not ignore SIGINT.
set -m

lagoon=$(realpath "${LAGOON_BIN:-./lagoon}")
fence=$(realpath "${LAGOON_FENCE:-./test/job/fence.mp}")
top=$(mktemp -d) || exit 99
trap 'rm -rf "$top"' EXIT
failed=0

# ------------------------------------------------------------------- tools

fail() {
	echo "FAIL $name: $*"
	sed 's/^/    stderr: /' "$dir/err" 2>/dev/null | head -20
	failed=$((failed + 1))
	return 1
}

# Limits are of a machine that does nothing else; of others they are this much more.
slow=5

# run LIMIT ARGS: lagoon run, at most LIMIT seconds; sets status, out and err.
run() {
	local limit=$(($1 * slow))
	shift
	env MARK="$mark" TMPDIR="$dir/tmp" timeout -k 5 "$limit" \
		"$lagoon" run "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ $status -ne 124 ] || fail "still running after $limit s: run $*"
}

# start ARGS: the same in the background; sets pid.
start() {
	env MARK="$mark" TMPDIR="$dir/tmp" \
		"$lagoon" run "$@" >"$dir/out" 2>"$dir/err" </dev/null &
	pid=$!
	disown -h $pid
}

# within SECONDS COMMAND: until it is true.
within() {
	local end=$((SECONDS + $1 * slow))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# finish SECONDS: wait for the started launcher; sets status.
finish() {
	if ! within "$1" gone "$pid"; then
		kill -9 "$pid"
		fail "the launcher still runs after $1 s"
	fi
	wait "$pid" 2>/dev/null
	status=$?
}

marked() { grep -slz "^MARK=$mark\$" /proc/[0-9]*/environ; }
unmarked() { [ -z "$(marked)" ]; }
empty() { [ -z "$(ls -A "$1")" ]; }
files() { [ "$(ls "$dir" | grep -c "^$1")" -eq "$2" ]; }

expect() { [ "$status" -eq "$1" ] || fail "status $status, expected $1"; }
says() { grep -Eq -- "$1" "$dir/err" || fail "stderr has no '$1'"; }
lines() {
	local n
	n=$(wc -l <"$dir/$1")
	[ "$n" -eq "$2" ] || fail "$n lines in $1, expected $2"
}

# Nothing may be left, whatever happened.
nothing_left() {
	within 5 unmarked || fail "processes are left: $(marked | tr '\n' ' ')"
	within 5 empty "$dir/tmp" || fail "files are left: $(ls -A "$dir/tmp")"
	[ -z "$(marked)" ] || marked | tr -dc '0-9\n' | xargs -r kill -9
}

# --------------------------------------------------------------- scenarios

status_zero() {
	run 20 -n 3 true
	expect 0
	lines err 0
}

status_passed() {
	run 20 -n 3 -- sh -c '[ $PMIX_RANK = 1 ] && exit 7; exit 0'
	expect 7
	says '^lagoon run: rank 1 .*status 7$'
	lines err 1
}

status_of_first() {
	# The launcher has seen the end of a process that is no more.
	run 20 -n 4 -- sh -c '[ $PMIX_RANK = 2 ] && { echo $$ >"$0"; exit 5; }
		until [ -s "$0" ] && ! kill -0 $(cat "$0") 2>/dev/null; do sleep 0.05; done
		exit 1' "$dir/pid"
	expect 5
	says 'rank 2 '
	lines err 1
}

status_signal() {
	run 20 -n 2 -- sh -c '[ $PMIX_RANK = 0 ] && kill -SEGV $$; exit 0'
	expect 139
	says '^lagoon run: rank 0 .*signal 11 \(Segmentation fault\)'
	lines err 1
}

program_missing() {
	run 20 -n 16 -- "$dir/nothing"
	expect 127
	says 'cannot execute .*nothing: No such file'
	lines err 1
	echo text >"$dir/text"
	run 20 -n 2 -- "$dir/text"
	expect 127
	says 'cannot execute .*text: Permission denied'
	printf '#!/no/such/interpreter\n' >"$dir/script"
	chmod +x "$dir/script"
	run 20 --on-death continue -n 2 -- "$dir/script"
	expect 127
	lines err 1
}

usage() {
	local args
	for args in '' '-n 0 true' '-n x true' '-n 99999 true' '-n' \
		'--nodes 0 true' '--on-death no true' '--grace -1 true' '--none true'; do
		run 20 $args
		[ $status -eq 2 ] || fail "status $status for run $args"
		[ -s "$dir/err" ] || fail "nothing said for run $args"
	done
	LAGOON_ON_DEATH=perhaps run 20 true
	expect 2
	says LAGOON_ON_DEATH
}

command_line() {
	"$lagoon" >"$dir/out" 2>"$dir/err"
	status=$?
	expect 2
	"$lagoon" trian >"$dir/out" 2>"$dir/err"
	status=$?
	expect 2
	says 'did you mean "train"'
	"$lagoon" xyzzy >"$dir/out" 2>"$dir/err"
	status=$?
	expect 2
	says 'lagoon --help'
	"$lagoon" --version | grep -q '^lagoon [0-9]' || fail 'no version'
	"$lagoon" --help | grep -q '^  run ' || fail 'help does not list run'
	[ "$("$lagoon" help run)" = "$("$lagoon" run --help)" ] ||
		fail 'help run is not run --help'
}

options_reach_program() {
	run 20 -n 2 --nodes 3 --on-death continue -- \
		sh -c 'echo $LAGOON_NODES $LAGOON_ON_DEATH "$@"' - -n 5 --tag
	expect 0
	[ "$(sort -u "$dir/out")" = '3 continue -n 5 --tag' ] || fail "$(cat "$dir/out")"
	LAGOON_NODES=2 run 20 -n 1 sh -c 'echo $LAGOON_NODES'
	[ "$(cat "$dir/out")" = 2 ] || fail 'LAGOON_NODES is not passed on'
}

ranks_differ() {
	run 30 -n 16 -- sh -c 'echo $PMIX_RANK'
	expect 0
	[ "$(sort -n "$dir/out" | tr '\n' ' ')" = "$(seq -s' ' 0 15) " ] || fail ranks
}

no_temporary_directory() {
	env TMPDIR="$dir/none" timeout 100 "$lagoon" run -n 2 true 2>"$dir/err"
	status=$?
	expect 1
	says 'TMPDIR.*No such file'
	lines err 1
}

# What was around this launcher must not reach the ranks.
nested() {
	run 30 -n 2 -- "$lagoon" run -n 3 -- sh -c 'echo $PMIX_NAMESPACE $PMIX_RANK'
	expect 0
	[ "$(sort -u "$dir/out" | wc -l)" -eq 6 ] || fail "$(cat "$dir/out")"
	PMIX_SERVER_URI99=old run 20 sh -c 'echo "x$PMIX_SERVER_URI99"'
	[ "$(cat "$dir/out")" = x ] || fail "a rank sees another server"
}

standard_input() {
	echo words | env MARK="$mark" TMPDIR="$dir/tmp" timeout 100 "$lagoon" run \
		-n 3 --tag -- cat >"$dir/out" 2>"$dir/err"
	[ "$(cat "$dir/out")" = '[0] words' ] || fail "$(cat "$dir/out")"
}

# A rank that counts the signals it gets.
cat >"$top/catch" <<'EOF'
#!/bin/sh
trap "echo $1 >>$2/got.\$PMIX_RANK" $1
trap 'exit 0' $3
: >$2/ready.$PMIX_RANK
while :; do sleep 0.05; done
EOF
chmod +x "$top/catch"

signals_passed_on() {
	local sig end r
	for sig in HUP INT TERM USR1 USR2; do
		end=TERM
		[ $sig = TERM ] && end=USR1
		rm -f "$dir"/got.* "$dir"/ready.*
		start -n 3 -- "$top/catch" $sig "$dir" $end
		within 20 files ready 3 || fail "$sig: not ready"
		kill -$sig $pid
		within 10 files got 3 || fail "$sig does not arrive"
		kill -$end $pid
		finish 10
		expect 0
		for r in 0 1 2; do
			[ "$(wc -l <"$dir/got.$r")" -eq 1 ] || fail "$sig more than once"
		done
	done
}

signal_default() {
	start -n 3 -- sh -c ": >$dir/ready.\$PMIX_RANK; exec sleep 60"
	within 20 files ready 3 || fail 'not ready'
	kill -TERM $pid
	finish 10
	expect 143
	says 'signal 15'
}

# As in a shell's background job: neither the first nor the second does harm.
signal_ignored() {
	(trap '' INT; start -n 2 -- sh -c ": >$dir/ready.\$PMIX_RANK; exec sleep 3"
	 echo $pid >"$dir/pid"; finish 10; echo $status >"$dir/status") &
	within 20 files ready 2 || fail 'not ready'
	kill -INT "$(cat "$dir/pid")"
	sleep 0.6
	kill -INT "$(cat "$dir/pid")"
	wait $!
	status=$(cat "$dir/status")
	expect 0
}

second_interrupt_kills() {
	start -n 3 -- sh -c "trap '' INT TERM; : >$dir/ready.\$PMIX_RANK
		while :; do sleep 0.05; done"
	within 20 files ready 3 || fail 'not ready'
	kill -INT $pid
	kill -INT $pid
	sleep 0.6
	gone $pid && fail 'two interrupts at once have killed'
	kill -INT $pid
	finish 5
	expect 137
}

killed_rank_ends_job() {
	run 20 -n 4 --grace 1 -- sh -c \
		'[ $PMIX_RANK = 2 ] && kill -9 $$; exec sleep 60'
	expect 137
	says '^lagoon run: rank 2 .*signal 9 \(Killed\)'
	says 'ending 3 processes'
}

# It would go on for ever: that it ends is the test.
stubborn_rank_is_killed() {
	run 20 -n 3 --grace 0 -- sh -c \
		'[ $PMIX_RANK = 0 ] && { sleep 0.3; exit 3; }
		trap "" TERM; while :; do sleep 0.05; done'
	expect 3
}

grace_is_given() {
	run 20 -n 3 --grace 8 -- sh -c \
		"[ \$PMIX_RANK = 0 ] && exit 3; sleep 1.5; : >$dir/done.\$PMIX_RANK"
	expect 3
	files done 2 || fail 'a process was ended within its time of grace'
	lines err 1
}

survivors_continue() {
	run 20 -n 3 --grace 0 --on-death continue -- sh -c \
		"[ \$PMIX_RANK = 1 ] && kill -9 \$\$; sleep 1.5; : >$dir/done.\$PMIX_RANK"
	expect 137
	says 'rank 1 '
	files done 2 || fail 'the others did not go on'
}

# The ranks, and what they have started, go with the launcher.
launcher_killed() {
	start -n 4 -- sh -c ": >$dir/ready.\$PMIX_RANK; sleep 60; :"
	within 20 files ready 4 || fail 'not ready'
	kill -9 $pid
	finish 5
	expect 137
}

# Without the warden, too, the ranks go; only the directory stays.
launcher_and_warden_killed() {
	start -n 4 -- sleep 60
	within 20 says_started || fail 'not started'
	kill -9 $(cat /proc/$pid/task/$pid/children | cut -d' ' -f1) $pid
	finish 5
	within 5 unmarked || fail 'ranks are left'
	rm -rf "$dir"/tmp/lagoon-run-*
}

# Launcher, warden, four ranks.
says_started() { [ "$(marked | wc -l)" -eq 6 ]; }

launcher_killed_early() {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		start -n 8 -- sleep 60
		sleep 0.0$((i * 7))
		kill -9 $pid
		finish 5
		nothing_left
	done
}

strays_are_ended() {
	run 20 -n 2 -- sh -c 'sleep 60 & exit 0'
	expect 0
	run 20 -n 2 --tag -- sh -c '(trap "" TERM HUP; sleep 60) & exit 0'
	expect 0
	run 20 -n 2 --tag -- sh -c 'yes & exit 0'
	expect 0
	run 20 -n 2 --grace 0 -- sh -c '[ $PMIX_RANK = 0 ] && exit 4; sleep 60; :'
	expect 4
}

# What a rank leaves behind may still write its last line.
strays_may_finish() {
	run 20 -n 1 --tag -- sh -c '(sleep 0.3; echo last) & exit 0'
	expect 0
	[ "$(cat "$dir/out")" = '[0] last' ] || fail 'the last line is missing'
}

tag_lines() {
	local n=$((100000 / 16))
	run 60 -n 16 --tag -- awk -v n=$n 'BEGIN {
		for (i = 0; i < n; i++) {
			printf "%d", ENVIRON["PMIX_RANK"] > "/dev/stdout"
			for (k = 0; k < i % 9; k++)
				printf " %d", i
			printf " end\n"
		}
	}'
	expect 0
	lines out $((n * 16))
	awk -v n=$n '{ r = $1; gsub(/[][]/, "", r); i = seen[r]++
		want = r; for (k = 0; k < i % 9; k++) want = want " " i
		if ($0 != "[" r "] " want " end") { print; exit 1 } }' \
		"$dir/out" >"$dir/wrong" || fail "line: $(cat "$dir/wrong")"
}

tag_error_output() {
	run 20 -n 2 --tag -- sh -c 'echo out; echo err >&2; printf rest'
	expect 0
	[ "$(sort "$dir/out")" = "$(printf '[0] out\n[0] rest\n[1] out\n[1] rest')" ] ||
		fail "$(cat "$dir/out")"
	[ "$(sort "$dir/err")" = "$(printf '[0] err\n[1] err')" ] || fail 'error output'
}

tag_long_line() {
	run 20 -n 1 --tag -- awk 'BEGIN { for (i = 0; i < 200000; i++) printf "x" }'
	expect 0
	lines out 4
	[ "$(sed 's/^\[0\] //' "$dir/out" | tr -d '\n' | wc -c)" -eq 200000 ] ||
		fail 'bytes are missing'
}

# Only the launcher and its warden are left.
ranks_gone() { [ "$(marked | wc -l)" -le 2 ]; }

# Nobody reads the output: signals must work all the same.
tag_stuck_reader() {
	mkfifo "$dir/fifo"
	sleep 30 <"$dir/fifo" &
	local reader=$!
	env MARK="$mark" TMPDIR="$dir/tmp" "$lagoon" run -n 2 --tag -- \
		yes >"$dir/fifo" 2>"$dir/err" </dev/null &
	pid=$!
	sleep 1
	kill -INT $pid
	within 5 ranks_gone || fail 'the ranks still run'
	kill $reader
	finish 10
}

tag_reader_gone() {
	env MARK="$mark" TMPDIR="$dir/tmp" timeout 100 "$lagoon" run -n 2 --tag -- \
		yes 2>"$dir/err" | head -n 3 >"$dir/out"
	status=${PIPESTATUS[0]}
	[ $status -ne 124 ] || fail 'still running'
	lines out 3
}

exchange() {
	local n
	[ -x "$fence" ] || { echo "skip $name: no $fence"; return; }
	for n in 1 2 5 16; do
		run 30 -n $n -- "$fence" $n
		expect 0
		lines err 0
	done
	run 30 -n 4 -- "$fence" 4 late 1000
	expect 0
	run 30 -n 4 -- "$fence" 4 slow 1000
	expect 0
}

exchange_fails() {
	[ -x "$fence" ] || { echo "skip $name: no $fence"; return; }
	run 8 -n 4 -- "$fence" 4 dies
	expect 137
	says 'rank 3 '
	lines out 3
	run 30 -n 3 -- "$fence" 3 absent
	expect 0
	lines out 2
}

# libpmix may not come back from ending its server.
server_that_does_not_end() {
	! nm "$lagoon" 2>/dev/null | grep -qE '__[at]san_' ||
		{ echo "skip $name: preloading comes before a sanitizer"; return; }
	printf '#include <unistd.h>\nint PMIx_server_finalize(void) { for (;;) pause(); }\n' >"$dir/stuck.c"
	${CC:-cc} -shared -fPIC -o "$dir/stuck.so" "$dir/stuck.c" || { fail "no stuck.so"; return; }
	LD_PRELOAD=$dir/stuck.so run 15 -n 2 -- true
	expect 0
	lines err 0
}

# -------------------------------------------------------------------- main

[ $# -gt 0 ] || set -- $(sed -n 's/^\([a-z_]*\)() {$/\1/p' "$0" |
	sed '1,/^nothing_left$/d')
[ -x "$lagoon" ] || { echo "no $lagoon: set LAGOON_BIN"; exit 99; }
if "$lagoon" run -n 2 true 2>&1 | grep -q 'without PMIx'; then
	echo 'built without PMIx'
	exit 77
fi
for name in "$@"; do
	dir=$top/$name
	mark=$$.$name
	mkdir -p "$dir/tmp"
	before=$failed
	$name 2>/dev/null
	nothing_left
	[ $failed -eq $before ] && echo "ok $name"
done
[ $failed -eq 0 ]
