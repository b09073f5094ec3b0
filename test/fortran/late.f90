! launch: -n 1 -- 2
! launch: -n 2 --nodes 2 -- 1
! SPDX-License-Identifier: BSD-3-Clause
!
! Requests that cannot complete yet: worker 0 is a round ahead of worker 1,
! which waits for a sign. The list of rows is the caller's to change meanwhile.
! The argument: how many workers a process has.
module late_work
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use lagoon
  implicit none
  private
  public :: work

  integer, parameter :: n = 4
  type(lagoon_table_t), public :: values, sign

contains

  recursive subroutine check(condition, what)
    logical, intent(in) :: condition
    character(len=*), intent(in) :: what

    if (condition) return
    print '(a)', what
    error stop 'late'
  end subroutine

  recursive subroutine work(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr
    real(real64) :: one(n)
    integer(int64) :: old

    if (lagoon_worker_id(w) == 0) then
      call ahead(w)
    else
      one = [1, 2, 3, 4]
      call lagoon_add(w, values, 1, n, one)
      old = 0
      do while (old == 0)
        call lagoon_fetch_add(w, sign, 1, 1, 0_int64, old)
      end do
      call lagoon_clock(w)
    end if
    call lagoon_barrier(w, ierr)
  end subroutine

  recursive subroutine ahead(w)
    type(lagoon_worker_t), intent(in) :: w
    type(lagoon_request_t) :: list_req, range_req
    integer(int64) :: rows(3), old
    integer(int64), allocatable :: other(:)
    real(real64), asynchronous :: x(3), y(1, n)
    logical :: done

    call lagoon_clock(w)
    rows = [4, 1, 4]
    call lagoon_pull_rows_start(w, values, rows, x, list_req)
    call lagoon_pull_start(w, values, 1, n, y, range_req)
    call lagoon_test(list_req, done)
    call check(.not. done, 'complete before the round of worker 1')
    rows = 2
    allocate (other(3), source=2_int64)
    call lagoon_fetch_add(w, sign, 1, 1, 1_int64, old)
    call lagoon_wait(list_req)
    call check(all(abs(x - [4, 1, 4]) <= 0), 'the list of the request')
    done = .false.
    do while (.not. done)
      call lagoon_test(range_req, done)
    end do
    call check(all(abs(y(1, :) - [1, 2, 3, 4]) <= 0), 'the range')
    call check(all(other == 2), 'memory of the list')
  end subroutine
end module

program late
  use late_work
  use lagoon
  implicit none
  type(lagoon_attr) :: attr
  type(lagoon_t) :: lg
  type(lagoon_table_attr) :: shape
  character(len=8) :: workers

  call get_command_argument(1, workers)
  call lagoon_attr_init(attr)
  read (workers, *) attr%workers
  call lagoon_open(lg, attr)
  call lagoon_table_attr_init(shape)
  shape%rows = 4
  call lagoon_table_create(lg, 'values', shape, values)
  shape%rows = 1
  shape%format = LAGOON_I64
  call lagoon_table_create(lg, 'sign', shape, sign)
  call lagoon_run(lg, work)
  call lagoon_close(lg)
end program
