#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Stands in for the tests within MPI and OpenMP where they are not built.
echo "configured without MPI and OpenMP: libopenmpi-dev (Debian), openmpi-devel (RHEL, module load mpi); then configure again"
exit 77
