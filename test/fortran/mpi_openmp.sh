#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# examples/mpi_openmp.f90 with the MPI that is here: 2 processes of 2 threads
# count what MPI counts, and the number is the right one.
set -u
skip() { echo "$*"; exit 77; }
[ "${LAGOON_HAVE_FORTRAN:-}" = yes ] || skip "built without Fortran"
[ -f .libs/liblagoon_fortran.so ] || skip "no shared libraries in this build"
command -v mpifort >/dev/null && command -v mpirun >/dev/null ||
	skip "no mpifort and mpirun"
top=$PWD
example=$(realpath "${srcdir:-.}")/examples/mpi_openmp.f90
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 99

# Of Open MPI; others take no notice.
export OMPI_FC=${FC:-gfortran} OMPI_ALLOW_RUN_AS_ROOT=1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
printf 'use mpi_f08\nuse omp_lib\nend\n' >probe.f90
mpifort -fopenmp -o probe probe.f90 >log 2>&1 ||
	skip "mpifort has no mpi_f08 for $OMPI_FC"
mpifort -fopenmp -I"$top/kernels/fortran" -o example "$example" \
	-L"$top/.libs" -llagoon_fortran -llagoon || exit 1
export LD_LIBRARY_PATH=$top/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
OMP_NUM_THREADS=2 timeout -k 5 400 mpirun -n 2 ./example >out || exit 1
diff <(LC_ALL=C sort out) - <<'END'
MPI counts    3143579
lagoon counts 3143579
END
