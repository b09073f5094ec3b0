#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The module file, interpreted as a module command does it, points at folders
# that an installation has, and at the right things in them.
set -u
command -v tclsh >/dev/null || { echo "no tclsh"; exit 77; }
[ -f Makefile ] || { echo "not a build folder"; exit 77; }
make=${MAKE:-make}
root=$(mktemp -d) || exit 1
trap 'rm -rf "$root"' EXIT
env -u MAKEFLAGS -u MFLAGS "$make" -s install DESTDIR="$root" >"$root.log" 2>&1 ||
	{ tail "$root.log"; rm -f "$root.log"; exit 1; }
rm -f "$root.log"
file=$(find "$root" -path '*/modulefiles/lagoon/*' -type f)
[ -n "$file" ] || { echo "no module file was installed"; exit 1; }
paths=$(tclsh - <<-END
	proc module-whatis args {}
	proc conflict args {}
	proc prepend-path {name dir} { puts "\$name \$dir" }
	source $file
	ModulesHelp
	END
) || exit 1
bad=0
# has VARIABLE FILE: the folder that the module adds to it has the file.
has() {
	local dir
	dir=$(sed -n "s/^$1 //p" <<<"$paths")
	[ -n "$dir" ] && [ -e "$root$dir/$2" ] && return
	echo "$1 is \"$dir\", which has no $2"
	bad=1
}
has PATH lagoon
has LD_LIBRARY_PATH liblagoon.la
has CPATH lagoon.h
has PKG_CONFIG_PATH lagoon.pc
has MANPATH man1/lagoon.1
env -u MAKEFLAGS -u MFLAGS "$make" -s uninstall DESTDIR="$root" >/dev/null 2>&1 ||
	{ echo "make uninstall failed"; bad=1; }
left=$(find "$root" ! -type d)
[ -z "$left" ] || { echo "make uninstall leaves:"; echo "$left"; bad=1; }
exit $bad
