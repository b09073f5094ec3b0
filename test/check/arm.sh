#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The kernels for 64-bit ARM, NEON and SVE: a cross compiler takes them without
# a warning. With --run they also pass their unit tests in an emulator of the
# processor (half a minute). Debian: gcc-aarch64-linux-gnu, qemu-user-static.
set -u
src=$(realpath "${srcdir:-.}")
cc=aarch64-linux-gnu-gcc
command -v $cc >/dev/null || { echo "no $cc"; exit 77; }
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
flags="-std=gnu11 -D_GNU_SOURCE -DLGN_HAVE_SVE -I$src -I$src/kernels -I$src/test/shim -Wall -Wextra -Wno-missing-field-initializers"
objects=()

# object source flag...
compile() {
	# Flags are words.
	# shellcheck disable=SC2086
	$cc $flags "${@:3}" -c -o "$dir/$1.o" "$src/$2" || exit 1
	objects+=("$dir/$1.o")
}

for file in blas coordinate dispatch logistic sparse; do
	compile $file kernels/math/$file.c -O3 -Werror
done
compile generic kernels/math/level.c -O3 -Werror -DLGN_LEVEL=generic
compile sve kernels/math/level.c -O3 -Werror -DLGN_LEVEL=sve -march=armv8.2-a+sve
$cc -dM -E -march=armv8.2-a+sve -x c /dev/null | grep -q ARM_FEATURE_SVE || exit 1

[ "${1:-}" = --run ] || exit 0
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64) ||
	{ echo "no emulator"; exit 77; }
for file in coordinate losses maps matrices nearest products; do
	compile test_$file test/unit/kernels_$file.c -O1 -w
done
compile shim test/shim/shim.c -O1
$cc -o "$dir/test" "${objects[@]}" -lm -ldl -lpthread || exit 1
for cpu in cortex-a57 max,sve256=on; do
	timeout 300 "$emulator" -L /usr/aarch64-linux-gnu -cpu $cpu "$dir/test" >"$dir/log" 2>&1 ||
		{ cat "$dir/log"; echo "failed on $cpu"; exit 1; }
	grep -cE '^ok' "$dir/log"
	grep -h '^instructions' "$dir/log" | sort | uniq -c
done
