dnl SPDX-License-Identifier: BSD-3-Clause
dnl
dnl LAGOON_WARNINGS
dnl   Puts those of our warning flags that the compiler knows in WARN_CFLAGS.
AC_DEFUN([LAGOON_WARNINGS],
  [WARN_CFLAGS=
   for flag in -Wall -Wextra -Wshadow -Wstrict-prototypes \
     -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
     -Wno-missing-field-initializers
   do
     AC_MSG_CHECKING([whether $CC accepts $flag])
     lagoon_save=$CFLAGS
     CFLAGS="$CFLAGS -Werror $flag"
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
       [WARN_CFLAGS="$WARN_CFLAGS $flag"; AC_MSG_RESULT([yes])],
       [AC_MSG_RESULT([no])])
     CFLAGS=$lagoon_save
   done
   AC_SUBST([WARN_CFLAGS])])

dnl LAGOON_SANITIZERS
dnl   --enable-sanitizers=LIST adds -fsanitize=LIST to everything and drops
dnl   optimisation to -O1. Sets lagoon_sanitizers for the summary.
AC_DEFUN([LAGOON_SANITIZERS],
  [AC_ARG_ENABLE([sanitizers],
     [AS_HELP_STRING([--enable-sanitizers=LIST],
       [build with -fsanitize=LIST, e.g. address,undefined or thread])],
     [], [enable_sanitizers=no])
   lagoon_sanitizers=$enable_sanitizers
   SANITIZE_CFLAGS=
   AS_CASE([$enable_sanitizers],
     [no], [],
     [yes], [AC_MSG_ERROR([--enable-sanitizers needs a list, e.g. address,undefined])],
     [SANITIZE_CFLAGS="-fsanitize=$enable_sanitizers -fno-omit-frame-pointer"
      AS_CASE([$enable_sanitizers], [*thread*],
        [SANITIZE_CFLAGS="$SANITIZE_CFLAGS -Wno-tsan"])])
   AC_SUBST([SANITIZE_CFLAGS])
   AM_CONDITIONAL([SANITIZED], [test "$enable_sanitizers" != no])
   AS_CASE([$enable_sanitizers], [*thread*], [thread_sanitizer=yes], [thread_sanitizer=no])
   AM_CONDITIONAL([THREAD_SANITIZED], [test $thread_sanitizer = yes])])
