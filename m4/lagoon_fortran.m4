dnl SPDX-License-Identifier: BSD-3-Clause
dnl
dnl LAGOON_FORTRAN
dnl   Finds a Fortran compiler that can build the module; without one the
dnl   module is left out. --enable-fortran makes it an error to miss it,
dnl   --disable-fortran does not look. Sets FC, FCFLAGS, FC_MODEXT, FC_MODINC,
dnl   FC_MODOUT, WARN_FCFLAGS, the automake conditional HAVE_FORTRAN,
dnl   have_fortran for makefiles, and lagoon_fortran, a phrase for the
dnl   summary. Call it before LT_INIT, which looks at FC.
AC_DEFUN([LAGOON_FORTRAN],
  [AC_REQUIRE([_LAGOON_FORTRAN_ENABLE])
   AC_REQUIRE([AC_PROG_FC])
   have_fortran=no
   AS_IF(
     [test "x$enable_fortran" = xno],
       [lagoon_fortran="no (--disable-fortran)"],
     [test -z "$FC"],
       [lagoon_fortran="no (not found: gfortran on Debian, gcc-gfortran on RHEL)"],
     [_LAGOON_FORTRAN_COMPILER])
   AS_IF([test $have_fortran = no &&
          test "x$enable_fortran" != xno && test "x$enable_fortran" != xauto],
     [LAGOON_MISSING([gfortran], [gcc-gfortran],
       [the Fortran module, asked for by --enable-fortran])])
   AM_CONDITIONAL([HAVE_FORTRAN], [test $have_fortran = yes])
   AC_SUBST([have_fortran])
   AC_SUBST([WARN_FCFLAGS])])

dnl Before AC_PROG_FC: it does not look for a compiler when FC is set.
AC_DEFUN([_LAGOON_FORTRAN_ENABLE],
  [AC_ARG_ENABLE([fortran],
     [AS_HELP_STRING([--disable-fortran], [build without the Fortran module])],
     [], [enable_fortran=auto])
   AS_IF([test "x$enable_fortran" = xno], [FC=no])])

dnl What the module needs of Fortran 2008, and how the compiler names modules.
AC_DEFUN([_LAGOON_FORTRAN_COMPILER],
  [have_fortran=yes
   AC_LANG_PUSH([Fortran])
   AC_FC_SRCEXT([f90], [], [have_fortran=no])
   AC_FC_MODULE_EXTENSION
   AC_FC_MODULE_FLAG([], [have_fortran=no])
   AC_FC_MODULE_OUTPUT_FLAG([], [have_fortran=no])
   AC_MSG_CHECKING([whether $FC knows enough of Fortran 2008])
   AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
      module conftest
        use, intrinsic :: iso_c_binding
        use, intrinsic :: iso_fortran_env, only: int64, real32
        implicit none
      contains
        function address(x) result(p)
          real(real32), intent(in), target, contiguous :: x(:)
          type(c_ptr) :: p
          character(len=:), allocatable :: text
          text = 'contiguous'
          if (.not. is_contiguous(x)) error stop 1
          p = c_loc(x)
        end function
        subroutine keep(any, p)
          class(*), intent(inout), target :: any
          class(*), pointer, intent(out) :: p
          p => any
        end subroutine
      end module]])],
     [AC_MSG_RESULT([yes])],
     [AC_MSG_RESULT([no]); have_fortran=no])
   rm -f conftest.$FC_MODEXT
   WARN_FCFLAGS=
   for flag in -std=f2018 -Wall -Wextra -pedantic -Wno-unused-dummy-argument
   do
     AC_MSG_CHECKING([whether $FC accepts $flag])
     lagoon_save=$FCFLAGS
     FCFLAGS="$FCFLAGS $flag"
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [      implicit none])],
       [WARN_FCFLAGS="$WARN_FCFLAGS $flag"; AC_MSG_RESULT([yes])],
       [AC_MSG_RESULT([no])])
     FCFLAGS=$lagoon_save
   done
   AC_LANG_POP([Fortran])
   AS_IF([test $have_fortran = yes],
     [lagoon_fortran="yes ($FC)"],
     [lagoon_fortran="no ($FC cannot build it: see config.log)"])])
