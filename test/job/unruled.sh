#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A runtime without the rule of one operation a page (test/wires/unruled.h)
# fails the property test over the delaying wire, with a wrong view. That it
# passes with the rule is what property_delay is for.
# needs: pmix
set -u
lagoon=${LAGOON_BIN:-./lagoon}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

LAGOON_TEST_SCALE=1 timeout -k 5 120 "$lagoon" run -n 2 --nodes 2 -- \
	test/job/property_unruled.mp --workers 3 --seconds 60 >"$out" 2>&1
status=$?
cat "$out"
case $status in
0) echo "no view was wrong without the rule"; exit 1 ;;
124 | 137) echo "it did not end"; exit 1 ;;
esac
grep -q 'WARNING: ThreadSanitizer' "$out" &&
	{ echo "ThreadSanitizer saw it before the oracle did"; exit 77; }
# By the oracle, and not by some other mishap.
grep -qE '^property: rank [0-9]+: I[1-4], ' "$out" ||
	{ echo "it failed, but not by a wrong view"; exit 1; }
