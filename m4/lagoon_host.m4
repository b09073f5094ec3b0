dnl SPDX-License-Identifier: BSD-3-Clause
dnl
dnl LAGOON_HOST
dnl   Stop where nothing of Lagoon would run: tables are arrays of 64-bit words
dnl   that processes change by atomic instructions, without a lock, in memory
dnl   shared by means that only Linux has.
AC_DEFUN([LAGOON_HOST],
  [AC_REQUIRE([AC_CANONICAL_HOST])
   AS_CASE([$host_os], [linux*], [],
     [AC_MSG_ERROR([Lagoon runs on Linux only, not on $host_os])])
   AC_MSG_CHECKING([for atomic 64-bit words without locks])
   AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
       #include <stdatomic.h>
       #include <stdint.h>
       #if ATOMIC_LLONG_LOCK_FREE != 2
       #error locks
       #endif
       _Static_assert(sizeof(void *) == 8, "64-bit addresses");
     ]])],
     [AC_MSG_RESULT([yes])],
     [AC_MSG_RESULT([no])
      AC_MSG_ERROR([$CC for $host has no lock-free 64-bit atomics and addresses, which every table needs])])])
