#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The Fortran modules against the headers: every call is there, constants have
# the same values, structures the same layout. The modules are standard Fortran,
# and the C libraries do not need a Fortran run-time.
set -u
[ "${LAGOON_HAVE_FORTRAN:-}" = yes ] || { echo "built without Fortran"; exit 77; }
src=${srcdir:-.}
header=$src/runtime/lagoon.h
module=kernels/fortran/lagoon.f90
fc=${FC:-gfortran}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
bad=0

complain() { echo "$*"; bad=1; }

# --- calls
calls=$(sed -nE 's/^[a-z].*[ *](lagoon_[a-z0-9_]+)\(.*/\1/p' "$header" | sort -u)
[ "$(wc -w <<<"$calls")" -gt 30 ] || complain "cannot read the calls of $header"
for call in $calls; do
	grep -q "bind(c, name='$call')" "$module" || complain "no binding of $call"
	grep -qE "^  public ::.*\b$call\b" "$module" || complain "$call is not public"
done

# The kernels, but for what the older solver uses; the second form of a call is
# another kind of the same generic one.
kernels=kernels/fortran/lagoon_kernels.f90
parts=("$src"/kernels/lagoon_{kernels,dense}.h)
calls=$(sed -nE 's/^[a-z].*[ *](lagoon_[a-z0-9_]+)\(.*/\1/p' \
	"${parts[@]}" | grep -vE '^lagoon_(logistic_|sparse_dot$)' | sort -u)
[ "$(wc -w <<<"$calls")" -gt 10 ] || complain "cannot read the calls of lagoon_kernels.h"
for call in $calls; do
	grep -q "bind(c, name='$call')" "$kernels" || complain "no binding of $call"
	grep -qE "^  public ::.*\b${call%_f32}\b" "$kernels" || complain "$call is not public"
done
while read -r name value; do
	grep -qE "parameter, public :: $name = $value\$" "$kernels" ||
		complain "$name is not $value in module lagoon_kernels"
done < <(sed -nE 's/^	(LAGOON_[A-Z0-9_]+) = (-?[0-9]+).*/\1 \2/p' "${parts[@]}")

# The solvers: all other public headers of kernels/. Calls that the module binds by name or as a kind of procedure; not
# the oldest solver, which is for files, and the generator of its data.
solve=kernels/fortran/lagoon_solve.f90
solvers=()
for file in "$src"/kernels/lagoon_*.h; do
	[[ " ${parts[*]} " = *" $file "* ]] || solvers+=("$file")
done
calls=$(sed -nE 's/^(int|void)[ \t]+\*?(lagoon_[a-z0-9_]+)\(.*/\2/p' "${solvers[@]}" |
	grep -vE '^lagoon_(generate_|logistic_(options_init|fit_file|result_free))' | sort -u)
[ "$(wc -w <<<"$calls")" -gt 8 ] || complain "cannot read the calls of the solvers"
for call in $calls; do
	grep -q "bind(c, name='$call')" "$solve" || complain "no binding of $call"
	grep -qE "^  public ::.*\b$call\b" "$solve" || complain "$call is not public"
done
while read -r name value; do
	grep -qE "parameter, public :: $name = $value\$" "$solve" ||
		complain "$name is not $value in module lagoon_solve"
done < <(sed -nE 's/^	(LAGOON_[A-Z0-9_]+) = (-?[0-9]+).*/\1 \2/p' "${solvers[@]}")
structs="lagoon_attr lagoon_table_attr lagoon_stats lagoon_wire_counts lagoon_sparse
	$(sed -nE 's/^  type, bind\(c\), public :: (lagoon_[a-z_]+)$/\1/p' "$solve")"
[ "$(wc -w <<<"$structs")" -gt 7 ] || complain "cannot read the types of $solve"

# --- constants and structures, printed by a program in each language
names=$(sed -nE -e 's/^	(LAGOON_[A-Z0-9_]+) = .*/\1/p' \
	-e 's/^#define (LAGOON_[A-Z_]+) .*/\1/p' "$header")
[ "$(wc -w <<<"$names")" -gt 30 ] || complain "cannot read the constants of $header"

# fields STRUCT: the names of its fields, also of "double l1, l2;".
fields() {
	sed -zE 's:/\*([^*]|\*+[^*/])*\*+/::g' "$header" "${parts[@]}" "${solvers[@]}" |
		awk -v start="struct $1 {" '$0 == start { on = 1; next } on && /^}/ { exit } on' |
		sed -nE -e 's/^	[a-z].*\(\*([a-z0-9_]+)\)\(.*/\1/p' \
			-e 's/^	[a-z][^(,]*[ *]([a-z0-9_]+(, [a-z0-9_]+)*)(\[[A-Z0-9_+ ]+\])*;[[:blank:]]*$/\1/p' |
		tr -d ,
}

{
	printf '%s\n' '#include <stddef.h>' '#include <stdio.h>' '#include <lagoon.h>' \
		'#include <lagoon_solve.h>' \
		'#define SHOW(s, f) printf("%s %s %zu %zu\n", #s, #f, offsetof(struct s, f), sizeof(((struct s *)0)->f))' \
		'int main(void)' '{'
	for name in $names; do
		echo "	printf(\"$name %lld\\n\", (long long)$name);"
	done
} >"$dir/c.c"
{
	printf '%s\n' 'program show' '  use, intrinsic :: iso_c_binding' '  use lagoon' \
		'  use lagoon_kernels' '  use lagoon_solve' '  implicit none'
	for struct in $structs; do
		echo "  type($struct), target :: of_$struct"
	done
	for name in $names; do
		echo "  print '(a,1x,i0)', '$name', $name"
	done
} >"$dir/f.f90"
for struct in $structs; do
	[ -n "$(fields $struct)" ] || complain "cannot read struct $struct"
	for field in $(fields $struct); do
		echo "	SHOW($struct, $field);" >>"$dir/c.c"
		cat >>"$dir/f.f90" <<-END
		  print '(a,1x,i0,1x,i0)', '$struct $field', &
		    transfer(c_loc(of_$struct%$field), 0_c_intptr_t) - &
		    transfer(c_loc(of_$struct), 0_c_intptr_t), &
		    c_sizeof(of_$struct%$field)
		END
	done
	echo "	printf(\"$struct %zu\\n\", sizeof(struct $struct));" >>"$dir/c.c"
	echo "  print '(a,1x,i0)', '$struct', c_sizeof(of_$struct)" >>"$dir/f.f90"
done
printf '	return 0;\n}\n' >>"$dir/c.c"
echo 'end program' >>"$dir/f.f90"

# A compiler and its options: words.
# shellcheck disable=SC2086
if ${CC:-cc} -I"$src/runtime" -I"$src/kernels" -o "$dir/c" "$dir/c.c" &&
   $fc -Ikernels/fortran -o "$dir/f" "$dir/f.f90"; then
	"$dir/c" >"$dir/c.out"
	"$dir/f" >"$dir/f.out"
	diff "$dir/c.out" "$dir/f.out" || complain "the headers (<) and the modules (>) differ"
else
	complain "the programs that compare do not compile"
fi

# --- the standard
# shellcheck disable=SC2086
if $fc --version 2>/dev/null | grep -q '^GNU Fortran'; then
	for standard in f2008 f2018; do
		$fc -std=$standard -Wall -Wextra -pedantic -Werror -fsyntax-only \
			-J "$dir" "$module" "$kernels" "$solve" || complain "not clean as $standard"
	done
fi
awk 'length > 132 { print FILENAME ":" FNR ": " length " characters"; bad = 1 }
	END { exit bad }' "$module" "$kernels" "$solve" || bad=1

# --- the other libraries
for lib in liblagoon liblagoon_kernels liblagoon_solve; do
	[ -f .libs/$lib.so ] || continue
	! readelf -d .libs/$lib.so | grep -E 'NEEDED.*(gfortran|quadmath|flang)' ||
		complain "$lib needs a Fortran run-time"
done
exit $bad
