#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# LAGOON_TRACE and `lagoon train --trace --report`: the trace is JSON, its events
# nest, and they are as many as the statistics say; a full buffer says how much it
# dropped; the trace is whole when a process was killed; and the fields of the
# report add up.
# needs: pmix
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
program=${LAGOON_TRACED:-./test/job/traced.mp}
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

fail() { echo "trace.sh: $*"; failed=1; }

cat >"$tmp/lib.py" <<'END'
import json, sys
from collections import defaultdict

INNER = ("wait", "flush")

def load(path):
    trace = json.load(open(path))
    lanes = defaultdict(list)
    for e in trace["traceEvents"]:
        assert e["ph"] in "XMi", e
        if e["ph"] == "X":
            e["from"] = round(e["ts"] * 1000)
            e["to"] = e["from"] + round(e["dur"] * 1000)
            assert e["from"] >= 0 and e["dur"] >= 0, e
            lanes[e["pid"], e["tid"]].append(e)
    names = {(e["name"], e["pid"], e["tid"]): e["args"]["name"]
             for e in trace["traceEvents"] if e["ph"] == "M"}
    for (pid, tid), events in lanes.items():
        assert names["process_name", pid, 0] == "rank %d" % pid
        assert names["thread_name", pid, tid] == ("worker %d" % tid if tid >= 0 else "process")
        nest(events)
    return trace, lanes

# Calls and computing follow each other; what is within a call ends before it.
def nest(events):
    events.sort(key=lambda e: (e["from"], -e["to"]))
    outer = None
    for e in events:
        if e["name"] in INNER:
            assert outer and outer["from"] <= e["from"] and e["to"] <= outer["to"], (outer, e)
            assert outer["name"] != "compute", (outer, e)
        else:
            assert outer is None or outer["to"] <= e["from"], (outer, e)
            outer = e

def pick(lanes, pid, name, table=None):
    return [e for (p, t), events in lanes.items() if p == pid
            for e in events if e["name"] == name and
            (table is None or e["args"].get("table") == table)]
END

parts_left() { find "$tmp" -name '*.part' -o -name '*.tmp' | grep -q .; }

# traced TRACE WORDS...: status of the job
traced() {
	local file=$1
	shift
	LAGOON_TRACE=$file timeout -k 5 400 ${LAGOON_LAUNCH:-"$lagoon" run} -n 2 --nodes 2 \
		-- "$program" "$@" >"$tmp/out" 2>"$tmp/err"
}

traced "$tmp/work" work || fail "work: $(cat "$tmp/err")"
parts_left && fail "work: parts are left"
grep '^{' "$tmp/out" >"$tmp/stats"
PYTHONPATH=$tmp python3 - "$tmp/work" "$tmp/stats" <<'END' || fail "work"
import json, sys
from lib import *
trace, lanes = load(sys.argv[1])
assert trace["otherData"]["ranks"] == 2 and trace["otherData"]["dropped"] == 0
assert trace["otherData"]["missing_ranks"] == []
assert sorted(lanes) == [(0, 0), (0, 1), (1, 2), (1, 3)], sorted(lanes)
ranks = [json.loads(line) for line in open(sys.argv[2])]
assert len(ranks) == 2
table = 'the "sums"'
for s in ranks:
    r = s["rank"]
    pulls, adds = pick(lanes, r, "pull", table), pick(lanes, r, "add", table)
    assert len(pulls) == s["pulls"] > 0, (len(pulls), s)
    assert sum(e["args"]["rows"] for e in pulls) == s["rows_pulled"]
    assert len(adds) == s["adds"] > 0
    assert sum(e["args"]["rows"] for e in adds) == s["rows_added"]
    assert sum(e["args"]["words"] for e in pick(lanes, r, "flush", table)) == s["words"] > 0
    assert len(pick(lanes, r, "flush", table)) == s["flushes"][0] > 0
    assert len(pick(lanes, r, "clock")) == s["clocks"] == 60
    assert len(pick(lanes, r, "barrier")) == s["barriers"] == 6
    assert len(pick(lanes, r, "fetch_add")) == s["tickets"]
    assert len(pick(lanes, r, "leave")) == 4
    assert pick(lanes, r, "compute")
    waits = pick(lanes, r, "wait")
    assert all(e["args"]["for_rank"] in (0, 1) for e in waits)
    waited = sum(e["to"] - e["from"] for e in pick(lanes, r, "wait", table))
    assert waited <= s["wait_ns"] * 1.5 + 1e6, (waited, s)
# Both met in each barrier: on one machine nobody leaves before the other comes.
for k in range(6):
    meets = [sorted(pick(lanes, r, "barrier"), key=lambda e: e["from"])[k] for r in (0, 1)]
    assert meets[0]["from"] <= meets[1]["to"] and meets[1]["from"] <= meets[0]["to"], meets
END

# Calls that are not pulls, adds and rounds; pushes to update functions; what a
# thread of the process writes. Both ranks are homes: each writes its shard.
traced "$tmp/all" all "$tmp/saved" || fail "all: $(cat "$tmp/err")"
grep '^{' "$tmp/out" >"$tmp/stats"
PYTHONPATH=$tmp python3 - "$tmp/all" "$tmp/stats" <<'END' || fail "all"
import json, sys
from lib import *
trace, lanes = load(sys.argv[1])
for s in [json.loads(line) for line in open(sys.argv[2])]:
    r = s["rank"]
    models = pick(lanes, r, "set_model", 'the "sums"')
    assert [e["args"]["model"] for e in models] == ["bsp", "bsp"], models
    calls = pick(lanes, r, "checkpoint")
    writes = pick(lanes, r, "write checkpoint")
    assert len(calls) == 4 and len(writes) == 2, (calls, writes)
    assert all(e["tid"] == -1 and e["args"]["bytes"] > 700 * 8 for e in writes), writes
    # A checkpoint begins to be written while its calls run.
    first = min(e["from"] for e in calls)
    assert first < min(e["from"] for e in writes) < max(e["to"] for e in calls)
    for table, k in (('the "sums"', 0), ("grads", 1)):
        flushes = pick(lanes, r, "flush", table)
        assert len(flushes) == s["flushes"][k] > 0, (table, flushes, s)
        assert all(e["args"]["words"] > 0 for e in flushes)
    words = sum(e["args"]["words"] for e in pick(lanes, r, "flush", "grads"))
    assert words == s["applied"] > 0, (words, s)
END
rm -f "$tmp/all"

traced "$tmp/full" full || fail "full: $(cat "$tmp/err")"
PYTHONPATH=$tmp python3 - "$tmp/full" <<'END' || fail "full"
from lib import *
trace, lanes = load(sys.argv[1])
adds = {lane: len([e for e in events if e["name"] == "add"]) for lane, events in lanes.items()}
assert adds[0, 0] > 262000 and all(adds[lane] == 10 for lane in ((0, 1), (1, 2), (1, 3))), adds
full = [e for e in trace["traceEvents"] if e["ph"] == "i"]
assert len(full) == 1 and "dropped" in full[0]["name"] and (full[0]["pid"], full[0]["tid"]) == (0, 0), full
# What follows the adds is dropped, too: the clock of leaving and its flush.
assert trace["otherData"]["dropped"] >= 270000 - adds[0, 0] > 0, trace["otherData"]
END
rm -f "$tmp/full"

for victim in 0 1; do
	traced "$tmp/dead" die $victim && fail "die $victim: the job did not fail"
	parts_left && fail "die $victim: parts are left: $(ls "$tmp")"
	PYTHONPATH=$tmp python3 - "$tmp/dead" $victim <<'END' || fail "die $victim: $(cat "$tmp/err")"
from lib import *
victim = int(sys.argv[2])
trace, lanes = load(sys.argv[1])
assert trace["otherData"]["missing_ranks"] == []
assert 10 <= len(pick(lanes, victim, "clock")) < 60
said = [e for e in trace["traceEvents"] if e["ph"] == "i"]
assert any(e["pid"] == 1 - victim and e["name"] == "rank %d is dead" % victim for e in said), said
END
	rm -f "$tmp/dead"
done

LAGOON_TRACE=$tmp/none/file timeout 400 "$lagoon" run -n 2 -- "$program" work >/dev/null 2>"$tmp/err" &&
	fail "a trace that cannot be written did not fail"
grep -q 'LAGOON_TRACE: .*cannot create' "$tmp/err" || fail "it says: $(cat "$tmp/err")"

# The report of a run, and its trace.
"$lagoon" generate logistic --rows 2000 --cols 300 --nnz 10 -o "$tmp/data" || fail "generate"
for model in 'ssp' 'bsp' 'essp --staleness 2' 'vap --change 0.01'; do
	rm -f "$tmp/report"
	# Options are words.
	# shellcheck disable=SC2086
	timeout 400 "$lagoon" train logistic --data "$tmp/data" -n 2 --nodes 2 --workers 2 --epochs 3 \
		--consistency $model --report "$tmp/report" --trace "$tmp/trace" \
		>"$tmp/out" 2>"$tmp/err" || fail "train $model: $(cat "$tmp/err")"
	PYTHONPATH=$tmp python3 - "$tmp/report" "$tmp/trace" "$model" <<'END' || fail "train $model: $(tail -n 1 "$tmp/report")"
from lib import *
last = json.loads(open(sys.argv[1]).readlines()[-1])
trace, lanes = load(sys.argv[2])
model = sys.argv[3].split()[0]
assert [t["name"] for t in last["tables"]] == ["logistic " + n for n in ("weights", "first", "second", "counts")]
for t in last["tables"]:
    assert sum(t["ages"]) == t["pulls"] > 0
    assert t["cache_hits"] == t["page_uses"] - (t["pages_read"] - t["pages_ahead"])
    assert t["words_pushed"] > 0 and t["rejected"] == t["uncertain"] == 0
    pulls = sum(len(pick(lanes, r, "pull", t["name"])) for r in (0, 1))
    # The weights are pulled once more when the account is made.
    assert pulls == t["pulls"] + (t["name"] == "logistic weights"), (pulls, t)
    assert sum(len(pick(lanes, r, "add", t["name"])) for r in (0, 1)) == t["adds"]
    words = sum(e["args"]["words"] for r in (0, 1) for e in pick(lanes, r, "flush", t["name"]))
    assert words == t["words_pushed"], (words, t)
    assert t["pages_ahead"] == 0 or model == "essp"
    if model == "vap":
        assert 0 <= t["unpushed"] <= last["change"] == 0.01
weights = last["tables"][0]
assert weights["ages"] == last["ages"] and weights["pulls"] == last["pulls"]
if model == "bsp":
    assert weights["ages"][0] == weights["pulls"]
wire = last["wire"]
assert wire["name"] == "shm" and wire["add_bytes"] == 8 * wire["adds"] and wire["cas_bytes"] == 8 * wire["cas"]
# 300 rows of 8 bytes: a page of 4 KiB
assert wire["get_bytes"] >= 4096 * sum(t["pages_read"] for t in last["tables"])
assert wire["adds"] + wire["cas"] >= sum(t["words_pushed"] for t in last["tables"])
assert wire["posts"] <= sum(wire[op] for op in ("gets", "puts", "adds", "cas"))
assert len(last["worker_waited_ns"]) == 4 and len(last["waited_ns"]) == 2
assert sum(last["worker_waited_ns"]) >= sum(t["wait_ns"] for t in last["tables"]) * 0.99
END
	for line in weights waited wire; do
		grep -q "^$line " "$tmp/out" || fail "train $model: the summary has no line \"$line\""
	done
done
exit $failed
