dnl SPDX-License-Identifier: BSD-3-Clause
dnl
dnl LAGOON_SIMD
dnl   For which instruction sets beside the host's least one the kernels are
dnl   built: those that the compiler knows. Which of them is used is found out
dnl   when a program runs. Sets for each LEVEL its flags, LEVEL_CFLAGS, and the
dnl   automake conditional HAVE_LEVEL; and lagoon_simd, a phrase for the summary.
AC_DEFUN([LAGOON_SIMD],
  [AC_REQUIRE([AC_CANONICAL_HOST])
   lagoon_simd=generic
   _LAGOON_SIMD_LEVEL([AVX2], [x86_64], [-mavx2 -mfma])
   _LAGOON_SIMD_LEVEL([AVX512], [x86_64],
     [-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma])
   _LAGOON_SIMD_LEVEL([SVE], [aarch64], [-march=armv8.2-a+sve])])

dnl _LAGOON_SIMD_LEVEL(LEVEL, processor, flags)
AC_DEFUN([_LAGOON_SIMD_LEVEL],
  [have_level=no
   $1_CFLAGS="$3"
   AS_IF([test "x$host_cpu" = "x$2"],
     [AC_MSG_CHECKING([whether $CC accepts $3])
      lagoon_save=$CFLAGS
      CFLAGS="$CFLAGS -Werror $3"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [have_level=yes])
      AC_MSG_RESULT([$have_level])
      CFLAGS=$lagoon_save])
   AS_IF([test $have_level = yes], [lagoon_simd="$lagoon_simd $1"])
   AC_SUBST([$1_CFLAGS])
   AM_CONDITIONAL([HAVE_$1], [test $have_level = yes])])
