! launch: -n 1
! SPDX-License-Identifier: BSD-3-Clause
!
! The caller's own exchange in place of PMIx, in Fortran and as C sees it, for
! a job of one process; one that fails, and one with an unusable rank.
module exchange_own
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int8
  use lagoon
  implicit none
  private
  public :: check, gather, fail, gather_c

  integer, public :: calls = 0

contains

  subroutine check(condition, what)
    logical, intent(in) :: condition
    character(len=*), intent(in) :: what

    if (condition) return
    print '(3a)', what, ': ', lagoon_errmsg()
    error stop 'exchange'
  end subroutine

  subroutine gather(mine, all, arg, ierr)
    integer(int8), intent(in), contiguous :: mine(:)
    integer(int8), intent(inout), contiguous :: all(:,:)
    class(*), intent(in) :: arg
    integer, intent(inout) :: ierr

    calls = calls + 1
    call check(size(mine) > 0 .and. size(all, 1) == size(mine) .and. &
      size(all, 2) == 1, 'shapes of the exchange')
    call check(ierr == 0, 'ierr on entry')
    select type (arg)
    type is (character(len=*))
      call check(arg == 'arg', 'arg')
    class default
      error stop 'exchange: arg is something else'
    end select
    all(:, 1) = mine
  end subroutine

  subroutine fail(mine, all, arg, ierr)
    integer(int8), intent(in), contiguous :: mine(:)
    integer(int8), intent(inout), contiguous :: all(:,:)
    class(*), intent(in) :: arg
    integer, intent(inout) :: ierr

    all(:, 1) = mine
    select type (arg)
    type is (integer)
      ierr = arg
    end select
  end subroutine

  function gather_c(arg, mine, len, all) bind(c) result(rc)
    type(c_ptr), value :: arg, mine, all
    integer(c_size_t), value :: len
    integer(c_int) :: rc
    integer(int8), pointer :: from(:), to(:)
    integer, pointer :: count

    call c_f_pointer(arg, count)
    call c_f_pointer(mine, from, [len])
    call c_f_pointer(all, to, [len])
    to = from
    count = count + 1
    rc = 0
  end function
end module

program exchange
  use, intrinsic :: iso_c_binding
  use exchange_own
  use lagoon
  implicit none
  type(lagoon_t) :: lg
  type(lagoon_attr) :: attr
  integer, target :: count
  integer :: ierr

  call lagoon_attr_init(attr)
  attr%rank = 0
  attr%nranks = 1
  call lagoon_open(lg, attr, gather, 'arg', ierr)
  call check(ierr == 0, 'open')
  call check(calls == 2, 'the exchange was called twice')
  call check(lagoon_size(lg) == 1, 'size')
  call check(lagoon_rank(lg) == 0, 'rank')
  call lagoon_close(lg)

  call lagoon_open(lg, attr, fail, 5, ierr)
  call check(ierr == LAGOON_EJOB, 'an exchange that fails')
  attr%rank = 1
  call lagoon_open(lg, attr, fail, 0, ierr)
  call check(ierr == LAGOON_EINVAL, 'rank 1 of 1')
  attr%rank = 0

  count = 0
  attr%allgather = c_funloc(gather_c)
  attr%allgather_arg = c_loc(count)
  call lagoon_open(lg, attr, ierr)
  call check(ierr == 0, 'open with a C exchange')
  call check(count == 2, 'the C exchange was called twice')
  call lagoon_close(lg)
end program
