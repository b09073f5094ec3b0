#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Put the table that peers.sh has made into a file, between its two lines
# <!-- bench-peers --> and <!-- /bench-peers -->. A table of a busy machine is
# refused: its medians say nothing (FORCE=1 takes it).
#
#	bench/peers/readme.sh OUT FILE
set -eu
table=$1/table.md file=$2
[ -s "$table" ] || { echo "readme.sh: no $table: run make bench-peers" >&2; exit 1; }
if [ -z "${FORCE:-}" ] && grep 'machine was busy' "$table" >&2; then
	echo "readme.sh: not taken: run make bench-peers-readme on an idle machine" >&2
	exit 1
fi
for mark in '<!-- bench-peers -->' '<!-- /bench-peers -->'; do
	grep -qxF -- "$mark" "$file" || { echo "readme.sh: $file has no line $mark" >&2; exit 1; }
done
awk -v table="$table" '
	$0 == "<!-- /bench-peers -->" { skip = 0 }
	!skip { print }
	$0 == "<!-- bench-peers -->" {
		skip = 1
		print ""
		while ((getline line <table) > 0) print line
		print ""
	}' "$file" >"$file.new"
cat "$file.new" >"$file"
rm "$file.new"
