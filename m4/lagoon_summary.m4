dnl SPDX-License-Identifier: BSD-3-Clause
dnl
dnl LAGOON_SUMMARY
dnl   What will be built, what will not, and why.
AC_DEFUN([LAGOON_SUMMARY],
  [AS_ECHO(["
Lagoon $PACKAGE_VERSION

  prefix             $prefix
  compiler           $CC $CFLAGS
  sanitizers         $lagoon_sanitizers

  liblagoon          yes
  PMIx bootstrap     $lagoon_pmix
  lagoon run         $lagoon_pmix
  RDMA wire          $lagoon_verbs
  liblagoon_kernels  yes ($lagoon_simd)
  BLAS and LAPACK    $lagoon_blas
  liblagoon_solve    yes
  liblagoon_fortran  $lagoon_fortran
  unit tests         $lagoon_criterion
  MPI with OpenMP    $lagoon_mpi
"])
   AS_IF([test "$lagoon_pmix" != yes],
     [AC_MSG_WARN([without PMIx only single processes and programs with an exchange of their own can open a job])])])
