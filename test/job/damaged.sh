#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checkpoints that are cut, changed, of another program or version are refused
# with the reason, and nothing is changed; when a new one cannot be written, the
# last one stays.
# needs: pmix
set -u
. "$(dirname "$0")/../support/checkpoint"

generate data 3000 200

# --- what is refused, and why: to verify, and to go on from; nothing is changed
rm -rf good
ok "${bsp[@]}" --checkpoint good --every 70
shard=$(basename good/shard-*)
fresh() { rm -rf bad; cp -r good bad; }
# put FILE OFFSET BYTES
put() { printf "$3" | dd of="bad/$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
# refused STATUS PATTERN: of verify; train has 2. At a smaller scale, as under
# sanitizers, several processes say it, not one, too.
refused() {
	status "$1" "$2" "$lagoon" checkpoint verify bad
	[ "$scale" != 1 ] || trained 2 "$2" "${bsp[@]}" --resume bad --model no.model
	trained 2 "$2" "${bsp[@]}" -n 3 --nodes 3 --resume bad --model no.model
	[ ! -e no.model ] || complain "$2: a model"
}
for file in manifest "$shard"; do
	fresh; put $file 0 X; refused 1 "$file: this is no file of a checkpoint"
	fresh; put $file 8 '\003'; refused 1 "$file: version 3, newer than 2"
	fresh; put $file 8 '\001'; refused 1 "$file: version 1, older than 2"
	fresh; put $file 12 '\001\002\003\004'; refused 1 "$file: byte order 04030201"
	fresh; put $file 56 '\177'; refused 1 "$file: its head or its sums are damaged"
	fresh; put $file 200 '\177'; refused 1 "$file: its head or its sums are damaged"
	fresh; truncate -s 40 bad/$file; refused 1 "$file: it ends within its head"
	fresh; truncate -s -1 bad/$file; refused 1 "$file: .* bytes: expected"
	fresh; echo >>bad/$file; refused 1 "$file: .* bytes: expected"
	fresh; : >bad/$file; refused 1 "$file: it ends within its head"
	size=$(stat -c %s "good/$file")
done
fresh; put "$shard" $((size - 5000)) '\177'; refused 1 "$shard: table logistic .* is damaged: the CRC32C"
fresh; put manifest $(($(stat -c %s good/manifest) - 20)) '\177'; refused 1 'the state is damaged'
fresh; rm "bad/$shard"; refused 1 "$shard: it is missing"
fresh; mv "bad/$shard" x; cp bad/manifest "bad/$shard"; refused 1 'this is no file of a shard'
fresh; cp "bad/$shard" bad/manifest; refused 1 'this is no manifest'
fresh; rm bad/manifest; refused 2 'manifest: cannot open: No such file'
rm -rf bad; refused 2 'manifest: cannot open: No such file'
# A file of another checkpoint, under the right name.
ok "${bsp[@]}" --checkpoint more --every 50
fresh; cp more/shard-* "bad/$shard"; refused 1 'it belongs to another checkpoint'
# Whole, but of something else.
foreign() {
	trained 2 "$1" "${bsp[@]}" --resume good --model no.model "${@:2}"
}
generate wide 3000 201
generate long 3001 200
foreign 'table logistic weights is 200 x 1.*here it is 201 x 1' --data wide
foreign 'a checkpoint of other data' --data long
foreign 'a checkpoint with c 1, here it is 2' --c 2
rm -rf one
run -n 1 -- "$saved" --save one --every 5 --stop 5
trained 2 '.' "${bsp[@]}" --resume one --model no.model
trained 1 'it is there and no folder' --checkpoint data --every 9
trained 2 'every without --checkpoint' --every 9
status 2 'expected inspect or verify' "$lagoon" checkpoint show good
status 2 'expected inspect DIR' "$lagoon" checkpoint verify

# --- tables with update functions: values, states, and what describes them
rm -rf one
run -n 1 -- "$saved" --pages 64 --save one --every 5 --stop 5
shard=$(basename one/shard-*)
# flipped OFFSET PATTERN
flipped() {
	rm -rf bad
	cp -r one bad
	put "$shard" "$1" '\177'
	status 1 "$2" "$lagoon" checkpoint verify bad
	status 1 "$2" "$lagoon" run -n 2 --nodes 2 -- "$saved" --resume bad
}
flipped "$(grep -abo adam "one/$shard" | head -n 1 | cut -d: -f1)" \
	'its head or its sums are damaged'
# The last table's 613 x 7 floats, in pages of 64 rows, and as many of state.
size=$(stat -c %s "one/$shard")
array=$(((613 + 63) / 64 * 64 * 7 * 4))
for back in 100 $((array - 1)) $((array + 1000)) $((2 * array)); do
	flipped $((size - back)) 'table asp is damaged: the CRC32C'
done
# differs UPDATE OPTION...
differs() {
	status 1 "table f64 has update function adam,rate=0.01 there, here it is $1" \
		"$lagoon" run "${@:2}" -- "$saved" --resume one --pages 64 --adam "$1"
}
differs adam,rate=0.02 -n 1
differs momentum,rate=1 -n 2 --nodes 2

# --- no room on the disk: an error, and the last checkpoint as it was
more=("${bsp[@]}" --workers 2 --resume good --epochs 60 --checkpoint good --every 70)
before=$(cat good/* | cksum)
(
	ulimit -f 16
	trained 1 'shard-.*cannot write: File too large' "${more[@]}"
	exit $failed
) || failed=1
[ "$before" = "$(cat good/* | cksum)" ] || complain 'no room: another checkpoint'
verify good
# One home cannot write: an error in all.
rm -rf one
run -n 2 --nodes 2 -- "$saved" --save one --every 5 --stop 5
before=$(cat one/* | cksum)
mkdir elsewhere
ln -s /proc elsewhere/one
status 1 '' "$lagoon" run -n 2 --nodes 2 --tag -- bash -c \
	'[ $PMIX_RANK = 0 ] || cd elsewhere; exec "$@"' bash "$saved" --save one --every 3
grep -q '^\[0\].*rank 1 could not write its files' out ||
	grep -q '^\[0\].*rank 1 cannot take part in a checkpoint' out ||
	complain "one home: $(cat out)"
[ "$before" = "$(cat one/* | cksum)" ] || complain 'one home: another checkpoint'
tidy one

exit $failed
