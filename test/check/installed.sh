#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The installed tree, used from another folder through pkg-config, in C and
# C++, by a program that opens a job and trains nothing; in Fortran by an
# example, with the installed module and with its installed source.
set -u
[ -f .libs/liblagoon.so ] || { echo "no shared libraries in this build"; exit 77; }
dir=$(mktemp -d)
fc=${FC:-gfortran}
example=$(realpath "${srcdir:-.}")/examples/least_squares.f90
trap 'rm -rf "$dir"' EXIT
make -s install DESTDIR="$dir" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
pc=$(find "$dir" -name lagoon.pc) && lib=$(dirname "$(dirname "$pc")")
cat >"$dir/use.c" <<'END'
#include <lagoon.h>
#include <lagoon_solve.h>
#include <stdio.h>
int main(void)
{
	struct lagoon *lg;
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	struct lagoon_logistic_options options;

	lagoon_logistic_options_init(&options);
	if (lagoon_open(NULL, &lg)) {
		fprintf(stderr, "%s\n", lagoon_errmsg());
		return 1;
	}
	lagoon_table_attr_init(&shape);
	shape.rows = 10;
	if (lagoon_table_create(lg, "t", &shape, &t))
		return 1;
	return lagoon_close(lg) ? 1 : 0;
}
END
cp "$dir/use.c" "$dir/use.cc"
export PKG_CONFIG_PATH=$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR=$dir
flags=$(pkg-config --cflags --libs lagoon lagoon-solve) || exit 1
bad=0
cd "$dir" || exit 1
# Flags are words.
# shellcheck disable=SC2086
${CC:-cc} -o use_c use.c $flags -Wl,-rpath-link,"$lib" &&
	LD_LIBRARY_PATH=$lib ./use_c || bad=1
# shellcheck disable=SC2086
${CXX:-c++} -o use_cc use.cc $flags -Wl,-rpath-link,"$lib" &&
	LD_LIBRARY_PATH=$lib ./use_cc || bad=1
if [ "${LAGOON_HAVE_FORTRAN:-}" = yes ]; then
	flags=$(pkg-config --cflags --libs lagoon-fortran) || bad=1
	# shellcheck disable=SC2086
	$fc -o use_module "$example" $flags -Wl,-rpath-link,"$lib" &&
		LD_LIBRARY_PATH=$lib ./use_module || bad=1
	mkdir source && cd source || exit 1
	module=$(find "$dir" -path '*/fortran/lagoon.f90')
	# shellcheck disable=SC2046
	$fc -o use_source "$module" "$example" $(pkg-config --libs lagoon) \
		-Wl,-rpath-link,"$lib" && LD_LIBRARY_PATH=$lib ./use_source || bad=1
	! readelf -d use_source | grep lagoon_fortran || bad=1
fi
LD_LIBRARY_PATH=$lib "$(find "$dir" -name lagoon -type f -perm -u+x | head -1)" --version || bad=1
exit $bad
