dnl SPDX-License-Identifier: BSD-3-Clause
dnl
dnl LAGOON_BLAS
dnl   The libraries of BLAS and LAPACK, which liblagoon_kernels loads when a
dnl   program first needs them: no library of ours is linked with them. Those of
dnl   --with-blas=FLAGS, else OpenBLAS, FlexiBLAS, or what -llapack -lblas are. Sets
dnl   BLAS_NAMES, the names that the linker noted, have_blas for makefiles, and
dnl   lagoon_blas, a phrase for the summary.
AC_DEFUN([LAGOON_BLAS],
  [AC_ARG_WITH([blas],
     [AS_HELP_STRING([--with-blas=FLAGS],
       [flags that link with a BLAS and LAPACK; --without-blas: loops of our own])],
     [], [with_blas=auto])
   have_blas=no BLAS_NAMES=
   AS_CASE([$with_blas],
     [no], [lagoon_blas="no (--without-blas)"],
     [yes|auto],
       [for flags in -lopenblas -lflexiblas "-llapack -lblas"; do
          _LAGOON_BLAS_TRY
        done
        lagoon_blas="no: slower loops of our own (not found: libopenblas-dev on Debian, openblas-devel on RHEL)"],
     [flags=$with_blas
      _LAGOON_BLAS_TRY
      lagoon_blas="no"])
   AS_IF([test $have_blas = yes],
     [lagoon_blas="$BLAS_NAMES, loaded at the first need"],
     [AS_CASE([$with_blas], [no|auto], [],
       [LAGOON_MISSING([libopenblas-dev], [openblas-devel],
         [BLAS and LAPACK, asked for by --with-blas])])])
   AC_SUBST([BLAS_NAMES])
   AC_SUBST([have_blas])])

dnl _LAGOON_BLAS_TRY
dnl   $flags, unless something was found before. Static ones have no name to load.
AC_DEFUN([_LAGOON_BLAS_TRY],
  [AS_IF([test $have_blas = no],
    [AC_MSG_CHECKING([for BLAS and LAPACK with $flags])
     lagoon_save=$LIBS
     LIBS="$flags $LIBS"
     AC_LINK_IFELSE([AC_LANG_PROGRAM(
       [[void dgemm_(void); void sgemm_(void); void dpotrf_(void);
         void spotrf_(void); void dpotrs_(void); void spotrs_(void);]],
       [[dgemm_(); sgemm_(); dpotrf_(); spotrf_(); dpotrs_(); spotrs_();]])],
       [BLAS_NAMES=`${OBJDUMP-objdump} -p conftest$ac_exeext 2>/dev/null |
          sed -nE 's/^ *NEEDED +(.*(blas|lapack|mkl|blis|atlas).*)/\1/p' |
          tr '\n' ' ' | sed 's/ $//'`])
     LIBS=$lagoon_save
     AS_IF([test -n "$BLAS_NAMES"], [have_blas=yes])
     AC_MSG_RESULT([${BLAS_NAMES:-no}])])])
