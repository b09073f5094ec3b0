dnl SPDX-License-Identifier: BSD-3-Clause
dnl
dnl LAGOON_MPI
dnl   MPI and OpenMP, for examples and tests that use Lagoon within programs
dnl   of theirs: no library of ours is linked with either. The compiler wrapper
dnl   is the one of --with-mpi or MPICC, else mpicc; without one pkg-config is
dnl   asked for Open MPI. Sets MPI_CFLAGS, MPI_LIBS, OPENMP_CFLAGS, have_mpi
dnl   and the automake conditional HAVE_MPI (both are there), and lagoon_mpi,
dnl   a phrase for the summary.
AC_DEFUN([LAGOON_MPI],
  [AC_ARG_WITH([mpi],
     [AS_HELP_STRING([--with-mpi=MPICC],
       [compiler wrapper of the MPI for examples and tests])],
     [], [with_mpi=auto])
   AC_ARG_VAR([MPICC], [compiler wrapper of MPI])
   AC_OPENMP
   have_mpi=no
   AS_CASE([$with_mpi], [yes|no|auto], [], [MPICC=$with_mpi])
   AS_CASE([$with_mpi,$enable_sanitizers],
     [no,*], [lagoon_mpi="no (--without-mpi)"],
     [*thread*], [lagoon_mpi="no (ThreadSanitizer does not know OpenMP)"],
     [LAGOON_MPI_FIND])
   AS_CASE([$have_mpi,$with_mpi], [yes,*|no,no|no,auto], [],
     [LAGOON_MISSING([libopenmpi-dev], [openmpi-devel],
       [MPI with OpenMP, asked for by --with-mpi])])
   AM_CONDITIONAL([HAVE_MPI], [test $have_mpi = yes])
   AC_SUBST([MPI_CFLAGS])
   AC_SUBST([MPI_LIBS])
   AC_SUBST([have_mpi])])

dnl LAGOON_MPI_FIND
dnl   -show is known to the wrappers of Open MPI, MPICH and what descends from
dnl   MPICH: the compiler and its arguments in one line.
AC_DEFUN([LAGOON_MPI_FIND],
  [AS_IF([test -z "$MPICC"], [AC_PATH_PROGS([MPICC], [mpicc])])
   AS_IF([test -n "$MPICC"],
     [for word in `$MPICC -show 2>/dev/null`; do
        AS_CASE([$word],
          [-I*|-D*], [MPI_CFLAGS="$MPI_CFLAGS $word"],
          [-L*|-l*|-Wl,*], [MPI_LIBS="$MPI_LIBS $word"])
      done],
     [test -n "$PKG_CONFIG" && $PKG_CONFIG --exists ompi-c 2>/dev/null],
     [MPI_CFLAGS=`$PKG_CONFIG --cflags ompi-c`
      MPI_LIBS=`$PKG_CONFIG --libs ompi-c`])
   lagoon_save_CFLAGS=$CFLAGS lagoon_save_LIBS=$LIBS
   CFLAGS="$CFLAGS $MPI_CFLAGS $OPENMP_CFLAGS" LIBS="$MPI_LIBS $LIBS"
   AC_MSG_CHECKING([for MPI and OpenMP])
   AS_IF([test "x$ac_cv_prog_c_openmp" = xunsupported],
     [lagoon_mpi="no ($CC has no OpenMP)"],
     [AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <mpi.h>
        #include <omp.h>]],
        [[int level = omp_get_max_threads();
          MPI_Init_thread(0, 0, MPI_THREAD_FUNNELED, &level);]])],
        [have_mpi=yes
         lagoon_mpi="yes (${MPICC:-ompi-c of pkg-config})"],
        [lagoon_mpi="no (no mpicc that works: libopenmpi-dev on Debian, openmpi-devel and module load mpi on RHEL)"])])
   AC_MSG_RESULT([$have_mpi])
   CFLAGS=$lagoon_save_CFLAGS LIBS=$lagoon_save_LIBS])
