dnl SPDX-License-Identifier: BSD-3-Clause
dnl
dnl What is missing is only noted by the macros here, so that
dnl LAGOON_DEPS_CHECK can name all of it at once.

dnl LAGOON_MISSING(Debian packages, RHEL packages, what for)
AC_DEFUN([LAGOON_MISSING],
  [lagoon_missing="$lagoon_missing
    $1 (Debian), $2 (RHEL): $3"])

dnl LAGOON_PKG_CONFIG
dnl   Finds pkg-config. Without it no library is looked for: which of them are
dnl   missing is not known then.
AC_DEFUN([LAGOON_PKG_CONFIG],
  [PKG_PROG_PKG_CONFIG([0.29])
   AS_IF([test -z "$PKG_CONFIG" || ! "$PKG_CONFIG" --version >/dev/null 2>&1],
     [PKG_CONFIG=
      LAGOON_MISSING([pkg-config], [pkgconf-pkg-config],
        [finds every library; more may be missing])])])

dnl LAGOON_PKG(VAR, pkg-config module, Debian package, RHEL package, what for)
dnl   A library that Lagoon cannot do without. Sets VAR_CFLAGS and VAR_LIBS.
AC_DEFUN([LAGOON_PKG],
  [PKG_CHECK_MODULES([$1], [$2], [],
    [AS_IF([test -n "$PKG_CONFIG"], [LAGOON_MISSING([$3], [$4], [$5])])])])

dnl LAGOON_HEADER(header, Debian package, RHEL package, what for)
dnl   The same for a library of headers.
AC_DEFUN([LAGOON_HEADER],
  [AC_CHECK_HEADER([$1], [], [LAGOON_MISSING([$2], [$3], [$4])])])

dnl LAGOON_WITH(name, VAR, modules, Debian packages, RHEL packages, what for)
dnl   An optional library: --with-NAME makes it an error to miss it,
dnl   --without-NAME does not look. Sets VAR_CFLAGS, VAR_LIBS, the automake
dnl   conditional HAVE_VAR, HAVE_VAR in config.h, have_NAME for makefiles, and
dnl   lagoon_NAME, a phrase for the summary.
AC_DEFUN([LAGOON_WITH],
  [AC_ARG_WITH([$1],
     [AS_HELP_STRING([--without-$1], [build without $6])],
     [], [with_$1=auto])
   have_$1=no
   AS_IF([test "x$with_$1" = xno],
     [lagoon_$1="no (--without-$1)"],
     [PKG_CHECK_MODULES([$2], [$3], [have_$1=yes; lagoon_$1=yes],
       [AS_IF([test "x$with_$1" != xauto],
         [LAGOON_MISSING([$4], [$5], [$6, asked for by --with-$1])])
        lagoon_$1="no (not found: $4 on Debian, $5 on RHEL)"])])
   AS_IF([test $have_$1 = yes],
     [AC_DEFINE([HAVE_$2], [1], [Define to 1 to build with $6.])])
   AM_CONDITIONAL([HAVE_$2], [test $have_$1 = yes])
   AC_SUBST([have_$1])])

dnl LAGOON_DEPS_CHECK
dnl   Stop if anything is missing, with everything that is.
AC_DEFUN([LAGOON_DEPS_CHECK],
  [AS_IF([test -n "$lagoon_missing"],
    [AC_MSG_ERROR([these packages are missing:$lagoon_missing
  ./quickstart demo installs them on Debian.])])])
