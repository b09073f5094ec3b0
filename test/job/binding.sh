#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A launcher that binds each process to a NUMA node of its own, here by a
# synthetic topology for each: every node gets a shard, as without binding.
# needs: pmix
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
failed=0

# expect TEXT TOPOLOGY: what info says of shards; $PMIX_RANK in TOPOLOGY counts
expect() {
	local got
	got=$("$lagoon" run -n 4 -- bash -c \
		"LAGOON_SYNTHETIC='$2' '$lagoon' info" | grep '^shards' | sort -u)
	[ "$got" = "shards    $1" ] || { echo "$2: \"$got\", not $1"; failed=1; }
}

expect '2, at rank 0 2' 'pack:2 [numa] core:2 pu:1'
expect '2, at rank 0 2' 'pack:1 [numa(indexes='\''$((PMIX_RANK / 2))'\'')] core:2 pu:1'
expect '1, at rank 0' 'pack:1 [numa(indexes=1)] core:4 pu:1'
exit $failed
