#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# tarball.sh TARBALL: every file of the repository is in it, but for what only
# the repository uses. Run by `make check-dist`.
set -u
tarball=$1
src=${srcdir:-.}
git -C "$src" rev-parse --show-toplevel >/dev/null 2>&1 || { echo "no repository here"; exit 77; }
missing=$(comm -23 <(git -C "$src" ls-files | grep -vx '\.gitignore' | sort) \
	<(tar -tf "$tarball" | sed 's|^[^/]*/||' | sort)) || exit 1
[ -z "$missing" ] || { echo "not in ${tarball##*/}: "$missing; exit 1; }
