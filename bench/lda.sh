#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Tokens a second of one core, of the samplers of lagoon train lda, on documents
# of planted topics, and the log likelihood after as many sweeps. Alternating,
# medians; exit status 1 if the sparse one is not 5 times as fast as the dense
# one, or its likelihood differs by more than 0.5 %.
#
#	bench/lda.sh [RUNS [TOPICS [SWEEPS [DOCUMENTS]]]]	[5 1000 20 2000]
set -u
lagoon=${LAGOON_BIN:-$PWD/lagoon}
runs=${1:-5} topics=${2:-1000} sweeps=${3:-20} documents=${4:-2000}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# A topic has 40 words of 5000, some likelier than others; a document of 200
# tokens has three topics.
awk -v topics="$topics" -v documents="$documents" 'BEGIN {
	srand(1)
	words = 5000
	for (k = 0; k < topics; k++)
		for (i = 0; i < 40; i++)
			word[k, i] = int(rand() * words)
	for (d = 0; d < documents; d++) {
		split("", bag); n = 0
		for (j = 0; j < 3; j++)
			topic[j] = int(rand() * topics)
		for (i = 0; i < 200; i++) {
			w = word[topic[int(rand() * 3)], int(rand() * rand() * 40)]
			n += !bag[w]++
		}
		printf "%d", n
		for (w in bag)
			printf " %d:%d", w, bag[w]
		print ""
	}
}' >"$tmp/docs.ldac"

# Seconds of the processor, so that others on the machine matter less.
TIMEFORMAT=%U
# Priors as they are from the first sweep on, and one round: the sampler alone.
for i in $(seq "$runs"); do
	for sampler in dense sparse alias; do
		{ time "$lagoon" train lda --data "$tmp/docs.ldac" --topics "$topics" \
			--sweeps "$sweeps" --measure "$sweeps" --rounds 1 --anneal 0 \
			--seed "$i" --sampler $sampler --top 0 >"$tmp/out" 2>"$tmp/err" ||
			{ cat "$tmp/err"; exit 1; }; } 2>"$tmp/time"
		awk '/^log likelihood/ { print $3 }' "$tmp/out" >>"$tmp/$sampler.likelihood"
		awk -v n="$((documents * 200 * sweeps))" '{ print n / $1 }' "$tmp/time" >>"$tmp/$sampler.rate"
	done
done

median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

echo "$topics topics, $documents documents of 200 tokens, $sweeps sweeps, one worker"
for sampler in dense sparse alias; do
	echo "$sampler $(median "$tmp/$sampler.rate") $(median "$tmp/$sampler.likelihood")"
done | awk '
	NR == 1 { rate = $2; likelihood = $3 }
	{
		ratio = $2 / rate; off = ($3 - likelihood) / -likelihood * 100
		printf "%-7s %10.0f tokens/s  %5.2f of dense  log likelihood %.10g (%+.2f %%)\n",
			$1, $2, ratio, $3, off
		if ($1 == "sparse" && (ratio < 5 || off < -0.5))
			bad = 1
	}
	END { exit bad }'
