! launch: -n 2 --nodes 2
! SPDX-License-Identifier: BSD-3-Clause
!
! What the module refuses before C sees it: buffers of another type or size,
! rows that are not there, handles that stand for nothing. Nothing is changed,
! and the message says what it was. Buffers that are not contiguous.
module refused_work
  use, intrinsic :: iso_fortran_env, only: int32, int64, real32, real64
  use lagoon
  implicit none
  private
  public :: work

  integer, parameter :: rows = 10, cols = 3

contains

  recursive subroutine check(condition, what)
    logical, intent(in) :: condition
    character(len=*), intent(in) :: what

    if (condition) return
    print '(3a)', what, ': ', lagoon_errmsg()
    error stop 'refused'
  end subroutine

  recursive subroutine expect(ierr, words)
    integer, intent(inout) :: ierr
    character(len=*), intent(in) :: words

    call check(ierr == LAGOON_EINVAL, 'not refused: ' // words)
    call check(index(lagoon_errmsg(), words) > 0, 'does not say ' // words)
    ierr = 0
  end subroutine

  recursive subroutine work(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr

    select type (arg)
    type is (lagoon_table_t)
      call types(w, arg)
      call sizes(w, arg)
      call places(w, arg)
      call strides(w, arg)
      call handles(w, arg)
      call large_buffer(w, arg)
    class default
      error stop 'refused: arg is something else'
    end select
    ierr = 0
  end subroutine

  recursive subroutine types(w, t)
    type(lagoon_worker_t), intent(in) :: w
    type(lagoon_table_t), intent(in) :: t
    real(real32) :: f(cols * rows)
    integer(int64) :: l(cols, rows)
    integer(int32) :: i(cols * rows)
    type(lagoon_request_t) :: req
    integer :: ierr

    f = 1
    l = 1
    i = 1
    call lagoon_pull(w, t, 1, rows, f, ierr)
    call expect(ierr, 'elements are real64, the buffer is real32')
    call lagoon_add(w, t, 1, rows, l, ierr)
    call expect(ierr, 'elements are real64, the buffer is int64')
    call lagoon_pull_rows(w, t, [1_int64], i, ierr)
    call expect(ierr, 'elements are real64, the buffer is int32')
    call lagoon_add_rows(w, t, [1_int64], f, ierr)
    call expect(ierr, 'real32')
    call lagoon_pull_start(w, t, 1, 1, f, req, ierr)
    call expect(ierr, 'real32')
    call lagoon_add_start(w, t, 1, 1, f, req, ierr)
    call expect(ierr, 'real32')
    call lagoon_pull_rows_start(w, t, [1_int64], l, req, ierr)
    call expect(ierr, 'int64')
    call lagoon_add_rows_start(w, t, [1_int64], l, req, ierr)
    call expect(ierr, 'int64')
    call check(all(abs(f - 1) <= 0) .and. all(l == 1) .and. all(i == 1), &
      'a refused pull wrote')
  end subroutine

  recursive subroutine sizes(w, t)
    type(lagoon_worker_t), intent(in) :: w
    type(lagoon_table_t), intent(in) :: t
    real(real64) :: short(cols * rows - 1), turned(rows, cols), few(cols, 2)
    real(real64) :: none(0)
    integer :: ierr

    short = 1
    turned = 1
    few = 1
    call lagoon_pull(w, t, 1, rows, short, ierr)
    call expect(ierr, '10 rows of 3 columns do not fit the buffer of 29')
    call lagoon_add(w, t, 1, 3, turned, ierr)
    call expect(ierr, 'rows have 3 columns, the buffer has 10')
    call lagoon_pull(w, t, 1, 3, few, ierr)
    call expect(ierr, '3 rows of 3 columns do not fit the buffer of 6')
    call lagoon_add_rows(w, t, [1_int64, 1_int64, 2_int64], few, ierr)
    call expect(ierr, '3 rows of 3 columns do not fit the buffer of 6')
    call lagoon_pull(w, t, 1, 1, none, ierr)
    call expect(ierr, 'do not fit')
    call lagoon_pull(w, t, 1, 0, none, ierr)
    call check(ierr == 0, 'no rows')
    call lagoon_pull_rows(w, t, [integer(int64) ::], none, ierr)
    call check(ierr == 0, 'an empty list')
    call check(all(abs(short - 1) <= 0) .and. all(abs(few - 1) <= 0), &
      'a refused pull wrote')
  end subroutine

  recursive subroutine places(w, t)
    type(lagoon_worker_t), intent(in) :: w
    type(lagoon_table_t), intent(in) :: t
    real(real64) :: x(cols, rows)
    integer(int64) :: old
    integer :: ierr

    x = 1
    call lagoon_pull(w, t, 0, 1, x, ierr)
    call expect(ierr, '1 rows from row 0 on are not within 1 to 10')
    call lagoon_pull(w, t, 2, rows, x, ierr)
    call expect(ierr, '10 rows from row 2 on are not within 1 to 10')
    call lagoon_add(w, t, huge(1_int64), huge(1_int64), x, ierr)
    call expect(ierr, 'not within 1 to 10')
    call lagoon_add(w, t, 1, -1, x, ierr)
    call expect(ierr, '-1 rows')
    call lagoon_pull(w, t, rows, 1, x, ierr)
    call check(ierr == 0, 'the last row')
    call lagoon_pull_rows(w, t, [10_int64, 0_int64], x, ierr)
    call expect(ierr, 'row 0 is not within 1 to 10')
    call lagoon_add_rows(w, t, [11_int64], x, ierr)
    call expect(ierr, 'row 11 is not within 1 to 10')
    call lagoon_fetch_add(w, t, 11, 1, 1_int64, old, ierr)
    call expect(ierr, 'no row 11 and column 1')
    call lagoon_fetch_add(w, t, 1, 4, 1_int64, old, ierr)
    call expect(ierr, 'no row 1 and column 4')
    call lagoon_fetch_add(w, t, 1, 0, 1_int64, old, ierr)
    call expect(ierr, 'column 0')
    call lagoon_fetch_add(w, t, 1, 1, 1_int64, old, ierr)
    call check(ierr == LAGOON_ENOTSUP, 'fetch_add on fractions')
  end subroutine

  ! A blocking call copies what is not contiguous; a request cannot.
  recursive subroutine strides(w, t)
    type(lagoon_worker_t), intent(in) :: w
    type(lagoon_table_t), intent(in) :: t
    real(real64), asynchronous :: x(2 * cols, 4)
    type(lagoon_request_t) :: req
    integer :: ierr

    x = 1
    call lagoon_add(w, t, 1, 4, x(::2, :), ierr)
    call check(ierr == 0, 'add from every second element')
    call lagoon_pull(w, t, 1, 4, x(2::2, :), ierr)
    call check(ierr == 0, 'pull to every second element')
    call check(all(abs(x - 1) <= 0), 'a pull with strides')
    x = -1
    call lagoon_add(w, t, 1, 4, x(::2, :), ierr)
    call lagoon_pull_start(w, t, 1, 4, x(::2, :), req, ierr)
    call expect(ierr, 'must be contiguous')
    call lagoon_add_start(w, t, 1, 4, x(::2, :), req, ierr)
    call expect(ierr, 'must be contiguous')
  end subroutine

  recursive subroutine handles(w, t)
    type(lagoon_worker_t), intent(in) :: w
    type(lagoon_table_t), intent(in) :: t
    type(lagoon_worker_t) :: no_worker
    type(lagoon_table_t) :: no_table
    type(lagoon_request_t) :: req
    type(lagoon_t) :: no_job
    real(real64) :: x(cols)
    logical :: done
    integer :: ierr

    x = 0
    call lagoon_pull(no_worker, t, 1, 1, x, ierr)
    call expect(ierr, 'worker handle stands for nothing')
    call lagoon_pull(w, no_table, 1, 1, x, ierr)
    call expect(ierr, 'table handle stands for nothing')
    call lagoon_add_rows(w, no_table, [1_int64], x, ierr)
    call expect(ierr, 'table handle stands for nothing')
    call lagoon_clock(no_worker, ierr)
    call expect(ierr, 'worker handle stands for nothing')
    call lagoon_wait(req, ierr)
    call expect(ierr, 'request handle stands for nothing')
    call lagoon_test(req, done, ierr)
    call expect(ierr, 'request handle stands for nothing')
    call check(.not. done, 'nothing is not done')
    call lagoon_close(no_job, ierr)
    call expect(ierr, 'job handle stands for nothing')
    call lagoon_pull_start(w, t, 1, 1, x, req)
    call lagoon_wait(req)
    call lagoon_wait(req, ierr)
    call expect(ierr, 'request handle stands for nothing')
  end subroutine

  ! A longer buffer than needed: what is past the rows stays.
  recursive subroutine large_buffer(w, t)
    type(lagoon_worker_t), intent(in) :: w
    type(lagoon_table_t), intent(in) :: t
    real(real64) :: x(cols, rows + 1)

    x = 9
    call lagoon_pull(w, t, 1, rows, x)
    call check(all(abs(x(:, :rows)) <= 0), 'a refused add changed the table')
    call check(all(abs(x(:, rows + 1) - 9) <= 0), 'past the rows')
  end subroutine
end module

program refused
  use lagoon
  use refused_work
  implicit none
  type(lagoon_t) :: lg
  type(lagoon_table_attr) :: shape
  type(lagoon_table_t) :: t

  call lagoon_open(lg)
  call lagoon_table_attr_init(shape)
  shape%rows = 10
  shape%cols = 3
  shape%model = LAGOON_BSP
  call lagoon_table_create(lg, 'refused', shape, t)
  call lagoon_run(lg, work, t)
  call lagoon_close(lg)
end program
