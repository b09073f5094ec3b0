dnl SPDX-License-Identifier: BSD-3-Clause
dnl
dnl LAGOON_PKG(VAR, pkg-config module, Debian package, RHEL package, what for)
dnl   A library that Lagoon cannot do without. Sets VAR_CFLAGS and VAR_LIBS.
dnl   A missing one is remembered; LAGOON_DEPS_CHECK names all at once.
AC_DEFUN([LAGOON_PKG],
  [PKG_CHECK_MODULES([$1], [$2], [],
    [lagoon_missing="$lagoon_missing
    $3 (Debian), $4 (RHEL): $5"])])

dnl LAGOON_HEADER(header, Debian package, RHEL package, what for)
dnl   The same for a library of headers.
AC_DEFUN([LAGOON_HEADER],
  [AC_CHECK_HEADER([$1], [],
    [lagoon_missing="$lagoon_missing
    $2 (Debian), $3 (RHEL): $4"])])

dnl LAGOON_DEPS_CHECK
dnl   Stop if anything is missing, with everything that is.
AC_DEFUN([LAGOON_DEPS_CHECK],
  [AS_IF([test -n "$lagoon_missing"],
    [AC_MSG_ERROR([these packages are missing:$lagoon_missing
  ./quickstart demo installs them on Debian.])])])

dnl LAGOON_WITH(name, VAR, modules, Debian packages, RHEL packages, what for)
dnl   An optional library: --with-NAME makes it an error to miss it,
dnl   --without-NAME does not look. Sets VAR_CFLAGS, VAR_LIBS, the automake
dnl   conditional HAVE_VAR, HAVE_VAR in config.h, and lagoon_NAME, a phrase
dnl   for the summary.
AC_DEFUN([LAGOON_WITH],
  [AC_ARG_WITH([$1],
     [AS_HELP_STRING([--without-$1], [build without $6])],
     [], [with_$1=auto])
   lagoon_have=no
   AS_IF([test "x$with_$1" = xno],
     [lagoon_$1="no (--without-$1)"],
     [PKG_CHECK_MODULES([$2], [$3], [lagoon_have=yes; lagoon_$1=yes],
       [AS_IF([test "x$with_$1" = xyes],
         [AC_MSG_ERROR([--with-$1 was asked for, but $4 (Debian) or $5 (RHEL) is missing])])
        lagoon_$1="no (not found: $4 on Debian, $5 on RHEL)"])])
   AS_IF([test $lagoon_have = yes],
     [AC_DEFINE([HAVE_$2], [1], [Define to 1 to build with $6.])])
   AM_CONDITIONAL([HAVE_$2], [test $lagoon_have = yes])])
