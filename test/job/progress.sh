#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# How lagoon train tells where it is, for each kind of solver: a line an epoch
# in a log, the same as JSON, a bar on a terminal, and a picture with as many
# points; nothing of it by a shell, and no picture in part.
# needs: pmix
set -u
lagoon=$(realpath "${LAGOON_BIN:-$PWD/lagoon}")
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() { echo "progress.sh: $*"; failed=1; }

cd "$tmp" || exit 99
"$lagoon" generate logistic --rows 300 --cols 30 --nnz 5 -o rows || complain "generate failed"

timeout=$(command -v timeout)
train() { "$timeout" 100 "$lagoon" train "$@" >out 2>err; }

# epochs: of the report's last object
epochs() { tail -n 1 report | sed -n 's/.*"epochs":\([0-9]*\).*/\1/p'; }

command -v gnuplot >/dev/null && have=1 || have=
# A name that a shell, or gnuplot, would take for more than a name.
name="a b'\"; touch x \$(touch x) \`touch x\`.svg"
plot=(${have:+--plot "$name"})

for words in logistic 'lasso --l1 0.01 --method mspg --rounds 1' 'ridge --l2 0.1 --rounds 1 -n 2' 'logistic -n 2 --nodes 2' \
	'svm --epochs 9' 'softmax --method sgd --epochs 9'; do
	rm -f report "$name"
	# Words.
	# shellcheck disable=SC2086
	train $words --data rows --report report "${plot[@]}" || complain "$words: $(cat err)"
	n=$(epochs)
	[ "${n:-0}" -gt 1 ] || complain "$words: $n epochs"
	[ "$(grep -c '^epoch *[0-9]*  objective [0-9.e+-]*  .* [0-9.]* s$' err)" = "$n" ] &&
		[ "$(wc -l <err)" = "$n" ] || complain "$words: $n epochs, in the log: $(cat err)"
	[ "$(grep -c '^{"epoch":[0-9]*,"objective":[0-9.e+-]*,.*}$' report)" = "$n" ] &&
		[ "$(wc -l <report)" = $((n + 1)) ] || complain "$words: $n epochs, reported: $(cat report)"
	[ -n "$have" ] || continue
	if command -v xmllint >/dev/null; then
		xmllint --noout "$name" || complain "$words: the picture is not well-formed"
	else
		tail -n 1 "$name" | grep -q '^</svg>$' || complain "$words: the picture has no end"
	fi
	points=$(grep -c "<use xlink:href='#gpPt6'" "$name")
	[ "$points" = $((2 * n)) ] || complain "$words: $points points in two drawings of $n epochs"
	grep -q "lagoon train ${words%% *}" "$name" || complain "$words: no title"
	[ -z "$(find . -newer report -name '*.svg.*')" ] || complain "$words: left $(find . -name '*.svg.*')"
done
[ ! -e x ] || complain "a name of a file was run"

# Topics have measured sweeps for epochs.
printf '2 0:3 1:2\n2 2:1 3:4\n2 0:1 1:1\n' >docs
rm -f report "$name"
train lda --data docs --topics 2 --sweeps 12 --measure 4 --report report "${plot[@]}" ||
	complain "lda: $(cat err)"
[ "$(grep -c '^sweep *\(4\|8\|12\)  log likelihood -[0-9.e+]*  -[0-9.]* a token  [0-9.]* s$' err)" = 3 ] &&
	[ "$(wc -l <err)" = 3 ] || complain "lda: in the log: $(cat err)"
[ "$(grep -c '^{"sweep":' report)" = 3 ] && [ "$(wc -l <report)" = 4 ] ||
	complain "lda: reported: $(cat report)"
if [ -n "$have" ]; then
	[ "$(grep -c "<use xlink:href='#gpPt6'" "$name")" = 6 ] &&
		grep -q 'log likelihood' "$name" && grep -q sweeps "$name" || complain "lda: the picture"
fi

# Singular values have passes.
awk 'BEGIN { for (i = 0; i < 30; i++) for (j = 0; j < 12; j++)
	printf "%s%s", (i * j * 7 + i + 3 * j) % 17, j < 11 ? "," : "\n" }' >matrix.csv
rm -f report "$name"
train svd --data matrix.csv --k 2 --basis 4 --tolerance 0 --restarts 4 --report report "${plot[@]}" ||
	complain "svd: $(cat err)"
[ "$(grep -c '^pass *[1-5]  residual [0-9.e+-]*  values [0-9.]* to [0-9.]*  [0-9.]* s$' err)" = 5 ] &&
	[ "$(wc -l <err)" = 5 ] || complain "svd: in the log: $(cat err)"
[ "$(grep -c '^{"pass":[1-5],"products":[0-9]*,"largest":.*,"residual":.*}$' report)" = 5 ] &&
	[ "$(wc -l <report)" = 6 ] || complain "svd: reported: $(cat report)"
if [ -n "$have" ]; then
	[ "$(grep -c "<use xlink:href='#gpPt6'" "$name")" = 10 ] &&
		grep -q 'residual' "$name" && grep -q 'passes' "$name" || complain "svd: the picture"
fi

# Clusters have rounds of all restarts.
printf '1 1\n1 2\n9 9\n9 8\n' >points
rm -f report "$name"
train kmeans --data points --k 2 --restarts 3 --report report "${plot[@]}" || complain "kmeans: $(cat err)"
n=$(grep -c '^round *[0-9]*  sum of squares [0-9.e+]*  restart [1-3]  moved [0-4]  [0-9.]* s$' err)
[ "$n" -ge 6 ] && [ "$(wc -l <err)" = "$n" ] || complain "kmeans: in the log: $(cat err)"
[ "$(grep -c '^{"restart":' report)" = "$n" ] && [ "$(wc -l <report)" = $((n + 1)) ] ||
	complain "kmeans: reported: $(cat report)"
grep -q '"sse":1.0,.*"converged":true' report || complain "kmeans: reported: $(tail -n 1 report)"
if [ -n "$have" ]; then
	[ "$(grep -c "<use xlink:href='#gpPt6'" "$name")" = $((2 * n)) ] &&
		grep -q 'sum of squares' "$name" && grep -q rounds "$name" || complain "kmeans: the picture"
fi

# A terminal: util-linux' script makes one.
if command -v script >/dev/null; then
	timeout 400 script -qec "'$lagoon' train logistic --epochs 4 --tolerance 0 --data rows" \
		/dev/null >screen 2>&1 </dev/null || complain "on a terminal: $(cat screen)"
	tr '\r' '\n' <screen >lines
	for bar in '##--------' '#####-----' '#######---' '##########'; do
		grep -q "^\[$bar\] epoch .* s.\[K" lines || complain "no bar $bar: $(cat -v screen)"
	done
	grep -q '^data ' lines || complain "the summary is not on a line of its own: $(cat -v screen)"
else
	echo 'no script(1): no terminal to try'
fi

# Without gnuplot, before anything is done; one that fails leaves what was there.
mkdir bin
ln -s "$(command -v sh)" bin/sh
PATH=$tmp/bin train logistic --data rows --plot new.svg --model model
[ $? = 2 ] && grep -q -- '--plot: gnuplot is not on the PATH' err && [ "$(wc -l <err)" = 1 ] &&
	[ ! -e model ] || complain "without gnuplot: $(cat err)"
printf '#!/bin/sh\necho half; exit 3\n' >bin/gnuplot
chmod +x bin/gnuplot
echo old >new.svg
PATH=$tmp/bin train logistic --data rows --plot new.svg --model model
[ $? = 1 ] && grep -q 'gnuplot failed (status 3)' err || complain "with a bad gnuplot: $(cat err)"
[ "$(cat new.svg)" = old ] && [ -z "$(find . -name 'new.svg?*')" ] || complain "a picture in part: $(ls)"
[ -s model ] || complain "the model was lost with the picture"
PATH=$tmp/bin train ridge --data rows --plot no/new.svg
[ $? = 1 ] && grep -q 'no/new.svg: cannot write' err || complain "no folder: $(cat err)"
[ -n "$have" ] || { echo 'no gnuplot: nothing drawn'; [ $failed = 1 ] || exit 77; }
exit $failed
