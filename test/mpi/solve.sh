#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# examples/solve_mpi.c and .f90: models fitted in the middle of a program of MPI
# and OpenMP are the minimum, MPI works after that, and no thread of the program
# was bound to other cores (the programs see to all of that). Also from
# test/slurm/solve.sh, with another launcher.
#
#	solve.sh [LAUNCHER]
set -u
src=$(realpath "${srcdir:-.}")
top=$PWD
start="bash $src/test/support/start ${1:-mpirun}"
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
failed=0
# Bound one by one, where that can be, so that a thread that moves is seen.
export OMP_NUM_THREADS=2 OMP_PROC_BIND=true

# solves COMMAND...
solves() {
	timeout -k 5 400 "$@" >"$dir/out" 2>&1 &&
		grep -qE '^ *lasso: 4 weights of 40, objective' "$dir/out" &&
		grep -qE '^ *logistic: 9[0-9.]+ % right, objective' "$dir/out" && return
	printf 'not ok: %s:\n' "$*"
	cat "$dir/out"
	failed=1
}

solves $start -n 2 ./examples/solve_mpi
solves ./examples/solve_mpi

fortran() {
	[ "${LAGOON_HAVE_FORTRAN:-}" = yes ] || { echo "without Fortran"; return; }
	[ -f .libs/liblagoon_fortran.so ] || { echo "without shared libraries: no Fortran"; return; }
	export OMPI_FC=${FC:-gfortran}
	printf 'use mpi_f08\nuse omp_lib\nend\n' >"$dir/probe.f90"
	(cd "$dir" && mpifort -fopenmp -o probe probe.f90) >"$dir/log" 2>&1 ||
		{ echo "mpifort has no mpi_f08 for $OMPI_FC: no Fortran"; return; }
	(cd "$dir" && mpifort -fopenmp -I"$top/kernels/fortran" -o solve \
		"$src/examples/solve_mpi.f90" -L"$top/.libs" -llagoon_fortran \
		-llagoon_solve -llagoon_kernels -llagoon) || { failed=1; return; }
	export LD_LIBRARY_PATH=$top/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	solves $start -n 2 "$dir/solve"
}
fortran
exit $failed
