#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The tutorial's word counts are those of sort | uniq -c: of the manual, and of
# the tokens of reuters when they are there; by 1 to 4 processes and threads, on
# one node and two. Nothing to count, and nothing to read.
# needs: pmix
set -u
export LC_ALL=C
lagoon=${LAGOON_BIN:-$PWD/lagoon}
data=${LAGOON_DATA:-../shared/data}/topics
scale=${LAGOON_TEST_SCALE:-1}
programs=$PWD/examples/tutorial
src=${srcdir:-.}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
bad=0

complain() { echo "words.sh: $*"; bad=1; }

# By other means: letters of ASCII only, 24 of a word.
expect() {
	tr A-Z a-z <"$1" | tr -cs a-z '\n' | cut -c1-24 | sed '/^$/d' | sort | uniq -c
}

# same TEXT COMMAND...: what it prints is "$tmp/expected"
same() {
	local text=$1
	shift
	timeout 400 "$@" "$text" >"$tmp/out" 2>"$tmp/err" ||
		complain "$* ${text##*/}: $(tail -n 1 "$tmp/err")"
	sort -k 2 "$tmp/out" | cmp -s - "$tmp/expected" ||
		complain "$* ${text##*/}: other counts, such as" \
			"$(diff <(sort -k 2 "$tmp/out") "$tmp/expected" | sed -n 2p)"
}

# count TEXT LEAST: it has at least so many words
count() {
	local n
	expect "$1" >"$tmp/expected"
	n=$(awk '{ n += $1 } END { print n + 0 }' "$tmp/expected")
	[ "$n" -ge "$2" ] || complain "${1##*/}: only $n words"
	echo "${1##*/}: $n words, $(wc -l <"$tmp/expected") different ones"
}

cat "$src"/doc/*.md "$src"/doc/man/lagoon*.7 "$src"/doc/man/lagoon-*.1 >"$tmp/manual"
# Long words that begin alike, and one that is cut.
echo 'understanding understandin UNDERSTANDINGS antidisestablishmentarianism' \
	'antidisestablishmentarianist' >>"$tmp/manual"
count "$tmp/manual" 20000
same "$tmp/manual" "$programs/words"
for program in words_parallel words_stale; do
	same "$tmp/manual" env LAGOON_WORKERS=3 "$programs/$program"
	same "$tmp/manual" env LAGOON_WORKERS=2 "$lagoon" run -n 2 --nodes 2 "$programs/$program"
done
for program in words words_parallel words_stale; do
	printf ' 12,\n3' >"$tmp/none"
	[ -z "$("$programs/$program" "$tmp/none" 2>&1)" ] || complain "$program found words in numbers"
	"$programs/$program" "$tmp/nothing" >"$tmp/out" 2>&1 && complain "$program reads what is not there"
	grep -q 'cannot read' "$tmp/out" || complain "$program: $(cat "$tmp/out")"
done

if [ -r "$data/reuters.ldac" ]; then
	# As many times as the corpus has each token, dealt out over the text.
	awk 'NR == FNR { token[NR - 1] = $1; next }
		{ for (i = 2; i <= NF; i++) { split($i, p, ":"); while (p[2]-- > 0) print token[p[1]] } }' \
		"$data/reuters.tokens" "$data/reuters.ldac" >"$tmp/reuters"
	[ "$(wc -l <"$tmp/reuters")" = 84010 ] || complain "$(wc -l <"$tmp/reuters") tokens of 84010"
	# Numbers are among them.
	count "$tmp/reuters" 83000
	same "$tmp/reuters" "$programs/words"
	# Fewer of them where all is slower, as under sanitizers.
	awk -v s="$scale" 'NR % 1000 < 1000 * s' "$tmp/reuters" >"$tmp/some"
	count "$tmp/some" 4000
	for program in words_parallel words_stale; do
		for n in 1 2 4; do
			same "$tmp/some" env LAGOON_WORKERS=$n "$programs/$program"
		done
		same "$tmp/some" "$lagoon" run -n 2 "$programs/$program"
		same "$tmp/some" "$lagoon" run -n 3 --nodes 2 "$programs/$program"
		same "$tmp/some" "$lagoon" run -n 4 --nodes 4 "$programs/$program"
	done
fi
exit $bad
