#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# packages.sh deb|rpm TARBALL: builds the packages of a tarball and looks at
# what is in them. Run by `make check-packages`.
set -u
kind=$1 tarball=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
bad=0

skip() { echo "$*"; exit 77; }

fail() { echo "$*"; bad=1; }

# one PACKAGE-FILE PATTERN...: each pattern is in its list of files.
one() {
	local file=$1 list pattern
	shift
	[ -f "$file" ] || { fail "no package $file"; return; }
	case $kind in
	deb) list=$(dpkg-deb -c "$file" | awk '{ print $6 }') ;;
	rpm) list=$(rpm -qlp "$file" 2>/dev/null) ;;
	esac
	for pattern; do
		grep -Eq "$pattern" <<<"$list" || fail "${file##*/} has no $pattern"
	done
}

build_deb() {
	command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null ||
		skip "no dpkg-buildpackage or debhelper"
	tar -xf "$tarball" -C "$dir"
	cd "$dir"/lagoon-*/ && cp -r packaging/debian . || exit 1
	DEB_BUILD_OPTIONS='nocheck parallel=2' dpkg-buildpackage -us -uc -b \
		>"$dir/log" 2>&1 || { tail -n 30 "$dir/log"; exit 1; }
	one "$(echo "$dir"/lagoon_*.deb)" /usr/bin/lagoon$ man1/lagoon.1 \
		completions/lagoon$ modulefiles/lagoon/
	one "$(echo "$dir"/liblagoon0_*.deb)" 'liblagoon\.so\.0$' \
		'liblagoon_kernels\.so\.0$' 'liblagoon_solve\.so\.0$'
	one "$(echo "$dir"/liblagoon-fortran0_*.deb)" 'liblagoon_fortran\.so\.0$'
	one "$(echo "$dir"/liblagoon-dev_*.deb)" include/lagoon.h lagoon/lagoon.mod \
		pkgconfig/lagoon.pc man3/lagoon_open.3
	use_deb
}

# What is in them works.
use_deb() {
	local root=$dir/root lib
	for deb in "$dir"/*.deb; do
		case $deb in *-dbgsym_*) continue ;; esac
		dpkg-deb -x "$deb" "$root"
	done
	lib=$(dirname "$(find "$root/usr/lib" -name liblagoon.so.0)")
	LD_LIBRARY_PATH=$lib "$root/usr/bin/lagoon" info --topology-only >"$dir/out" ||
		fail "the packaged command does not run"
	printf '#include <lagoon.h>\n#include <stdio.h>\nint main(void) { puts(lagoon_version()); return 0; }\n' >"$dir/a.c"
	cc -I"$root/usr/include" "$dir/a.c" -L"$lib" -llagoon -o "$dir/a" &&
		[ "$(LD_LIBRARY_PATH=$lib "$dir/a")" = "$(sed -n 's/^lagoon-\(.*\)\.tar.*/\1/p' <<<"${tarball##*/}")" ] ||
		fail "a program does not build with the packages, or has another version"
}

build_rpm() {
	command -v rpmbuild >/dev/null || skip "no rpmbuild"
	mkdir -p "$dir/SOURCES"
	cp "$tarball" "$dir/SOURCES"
	# Where rpm is a guest, the system's packages are not its own.
	rpmbuild -bb --nodeps --define "_topdir $dir" packaging/rpm/lagoon.spec \
		>"$dir/log" 2>&1 || { tail -n 30 "$dir/log"; exit 1; }
	local rpms=$dir/RPMS/$(uname -m)
	one "$(echo "$rpms"/lagoon-[0-9]*.rpm)" /bin/lagoon$ man1/lagoon.1 modulefiles/lagoon/
	one "$(echo "$rpms"/lagoon-libs-*.rpm)" 'liblagoon\.so\.0$' 'liblagoon_solve\.so\.0$'
	one "$(echo "$rpms"/lagoon-fortran-*.rpm)" 'liblagoon_fortran\.so\.0$'
	one "$(echo "$rpms"/lagoon-devel-*.rpm)" include/lagoon.h lagoon/lagoon.mod \
		pkgconfig/lagoon.pc man3/lagoon_open.3
}

case $kind in
deb) build_deb ;;
rpm) build_rpm ;;
*) echo "usage: packages.sh deb|rpm TARBALL"; exit 2 ;;
esac
exit $bad
