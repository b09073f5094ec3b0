#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# examples/mpi_openmp.c finds the planted weights: by both ways to meet, with
# a part of the ranks, and alone.
set -u
start="bash ${srcdir:-.}/test/support/start mpirun"
failed=0

# fits COMMAND...
fits() {
	local out
	out=$(timeout -k 5 400 "$@" 2>&1) &&
		[[ $out =~ root\ mean\ square\ error\ [0-9.]+e-(0[7-9]|1) ]] && return
	printf 'not ok: %s:\n%s\n' "$*" "$out"
	failed=1
}

export OMP_NUM_THREADS=2
fits $start -n 4 ./examples/mpi_openmp
fits $start -n 4 ./examples/mpi_openmp even
[ "${LAGOON_HAVE_PMIX:-yes}" = no ] || fits $start -n 4 ./examples/mpi_openmp pmix
fits ./examples/mpi_openmp
exit $failed
