#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Programs of MPI and OpenMP that fit models, under srun --mpi=pmix on two nodes.
# needs: pmix
set -u
src=${srcdir:-.}
[ -x ./examples/solve_mpi ] || { echo "built without MPI"; exit 77; }
[ "${1-}" = inside ] || exec bash "$src/test/slurm/slurm" -- bash "$0" inside
exec bash "$src/test/mpi/solve.sh" srun
