! launch: -n 1
! launch: -n 3 --nodes 2
! SPDX-License-Identifier: BSD-3-Clause
!
! The calls about the job, its workers and its tables, and fetch_add, with
! what they return checked; lagoon_run() twice.
module calls_work
  use, intrinsic :: iso_fortran_env, only: int64, real32
  use lagoon
  implicit none
  private
  public :: check, count_up, descend, leave_early, fail_with, save_all, look, &
       state
  character(len=*), parameter, public :: folder = 'test/fortran/calls.checkpoint'

  integer, parameter, public :: rounds = 3
  integer(int64), parameter, public :: step = 10

  type :: state
    type(lagoon_t) :: lg
    type(lagoon_table_t) :: tickets, own
    logical :: seen(0:15) = .false.
  end type

contains

  recursive subroutine check(condition, what)
    logical, intent(in) :: condition
    character(len=*), intent(in) :: what

    if (condition) return
    print '(a)', what
    error stop 'calls'
  end subroutine

  ! A gradient of 2 at a rate of 0.5, once by each worker in its row.
  recursive subroutine descend(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr
    real(real32) :: x(1)
    integer :: row

    row = lagoon_worker_id(w) + 1
    select type (arg)
    type is (lagoon_table_t)
      x = 2
      call lagoon_add(w, arg, row, 1, x, ierr)
      call check(ierr == 0, 'add of a gradient')
      call lagoon_clock(w)
      call lagoon_pull(w, arg, row, 1, x, ierr)
      call check(ierr == 0 .and. abs(x(1) + 1) < 1e-6, 'a step of a gradient')
    end select
  end subroutine

  ! Each worker draws tickets; all of them are different, and in the end the
  ! count is that of all.
  recursive subroutine count_up(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr
    type(lagoon_table_attr) :: shape
    integer(int64) :: old, before(2, 2)
    integer :: i, id, workers

    id = lagoon_worker_id(w)
    select type (arg)
    type is (state)
      workers = lagoon_workers(arg%lg)
      arg%seen(id) = .true.
      do i = 1, rounds
        call check(lagoon_worker_clock(w) == i - 1, 'worker_clock')
        call lagoon_fetch_add(w, arg%tickets, 2, 1, step, old)
        call check(mod(old, step) == 0 .and. old >= 0 .and. &
          old < step * rounds * workers, 'a ticket')
        call lagoon_fetch_add(w, arg%own, int(old / step + 1, int64), 1, &
          1_int64, old)
        call check(old == 0, 'a ticket drawn twice')
        call lagoon_clock(w)
      end do
      call lagoon_barrier(w, ierr)
      call check(ierr == LAGOON_OK, 'barrier')
      call lagoon_pull(w, arg%tickets, 1, 2, before)
      call check(before(1, 2) == step * rounds * workers, 'all tickets')
      call check(before(1, 1) == 0 .and. before(2, 1) == 0 .and. &
        before(2, 2) == 0, 'rows and columns of fetch_add')
      call lagoon_table_attr_init(shape)
      call lagoon_table_get_attr(arg%tickets, shape)
      shape%model = LAGOON_VAP
      shape%change = 1.5d0
      call lagoon_table_set_model(w, arg%tickets, shape, ierr)
      call check(ierr == LAGOON_OK, 'set_model')
      call lagoon_table_get_attr(arg%tickets, shape)
      call check(shape%model == LAGOON_VAP .and. abs(shape%change - 1.5d0) < 1d-12, &
        'the model that was set')
    class default
      error stop 'calls: arg is something else'
    end select
  end subroutine

  ! Two rounds, a checkpoint, and one more.
  recursive subroutine save_all(w, arg, ierr)
    use, intrinsic :: iso_fortran_env, only: int8
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr
    integer :: i

    select type (arg)
    type is (lagoon_table_t)
      do i = 1, 3
        if (i == 3) call lagoon_checkpoint(w, folder, [7_int8, -8_int8], ierr)
        call check(ierr == 0, 'checkpoint')
        call lagoon_add(w, arg, 2, 1, [1_int64, 2_int64])
        call lagoon_clock(w)
      end do
    end select
  end subroutine

  recursive subroutine look(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr
    integer(int64) :: x(2)

    ierr = 0
    call check(lagoon_worker_clock(w) == 2, 'the clock of a checkpoint')
    select type (arg)
    type is (lagoon_table_t)
      call lagoon_pull(w, arg, 2, 1, x)
      call check(x(2) == 2 * x(1) .and. mod(x(1), 2_int64) == 0 .and. &
        x(1) > 0, 'what a checkpoint held')
    end select
  end subroutine

  recursive subroutine leave_early(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr

    select type (arg)
    type is (integer)
      call check(arg == 7, 'the second arg')
    class default
      error stop 'calls: arg is something else'
    end select
    call check(lagoon_worker_clock(w) == 0, 'clock of the second run')
    call lagoon_worker_leave(w)
    call lagoon_clock(w, ierr)
    call check(ierr == LAGOON_EINVAL, 'clock of a worker that has left')
    ierr = 0
  end subroutine

  recursive subroutine fail_with(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr

    select type (arg)
    type is (integer)
      ierr = arg + 0 * lagoon_worker_id(w)
    end select
  end subroutine
end module

program calls
  use, intrinsic :: iso_c_binding, only: c_associated
  use, intrinsic :: iso_c_binding, only: c_null_char
  use, intrinsic :: iso_fortran_env, only: int32, int64
  use calls_work
  use lagoon
  implicit none
  type(lagoon_t) :: lg
  type(lagoon_attr) :: attr
  integer :: ierr, arg

  call check(lagoon_version() == text_version(), 'version')
  call check(lagoon_strerror(LAGOON_OK) == 'success', 'strerror')
  call check(lagoon_errmsg() == '', 'errmsg before any error')
  call lagoon_attr_init(attr, ierr)
  call check(ierr == 0, 'attr_init')
  call check(attr%workers == 1 .and. attr%timeout_s > 0 .and. &
    attr%on_death == LAGOON_DEATH_STOP, 'defaults')
  attr%workers = 2
  call lagoon_open(lg, attr, ierr)
  call check(ierr == 0, 'open')
  call the_job()
  call the_tables()
  call tickets()
  arg = 7
  call lagoon_run(lg, leave_early, arg, ierr)
  call check(ierr == 0, 'run again')
  arg = 3
  call lagoon_run(lg, fail_with, arg, ierr)
  call check(ierr == 3, 'the first value that is not zero')
  call checkpoints()
  call lagoon_close(lg, ierr)
  call check(ierr == 0, 'close')

contains

  subroutine checkpoints()
    use, intrinsic :: iso_fortran_env, only: int8
    type(lagoon_table_attr) :: shape
    type(lagoon_table_t) :: t, left_out
    character(len=:), allocatable :: text
    integer(int8) :: kept(5)
    integer(int64) :: bytes

    call lagoon_table_attr_init(shape)
    shape%rows = 3
    shape%cols = 2
    shape%format = LAGOON_I64
    call lagoon_table_create(lg, 'saved', shape, t)
    call lagoon_table_create(lg, 'left out', shape, left_out)
    call lagoon_table_set_saved(left_out, .false., ierr)
    call check(ierr == 0, 'set_saved')
    call lagoon_run(lg, save_all, t)
    call lagoon_restore(lg, folder, kept, bytes, ierr)
    call check(ierr == 0 .and. bytes == 2 .and. kept(1) == 7_int8 .and. &
      kept(2) == -8_int8, 'restore')
    call lagoon_run(lg, look, t)
    call lagoon_checkpoint_verify(folder, ierr)
    call check(ierr == 0, 'checkpoint_verify')
    call lagoon_checkpoint_describe(folder, text, ierr)
    call check(ierr == 0 .and. index(text, 'table     saved: 3 x 2, i64') > 0 &
      .and. index(text, 'left out') == 0, 'checkpoint_describe')
    call lagoon_checkpoint_describe(folder // '.none', text, ierr)
    call check(ierr == LAGOON_ENOENT .and. text == '', 'describe of nothing')
    call lagoon_restore(lg, folder, kept(1:1), bytes, ierr)
    call check(ierr == LAGOON_EINVAL .and. bytes == 0, 'no room for the state')
    arg = 0
    call lagoon_run(lg, fail_with, arg)  ! all have looked
    if (lagoon_rank(lg) == 0) call execute_command_line('rm -r ' // folder)
  end subroutine

  function text_version() result(text)
    character(len=:), allocatable :: text
    character(len=32) :: line

    write (line, '(i0,".",i0,".",i0)') LAGOON_VERSION_MAJOR, &
      LAGOON_VERSION_MINOR, LAGOON_VERSION_PATCH
    text = trim(line)
  end function

  subroutine the_job()
    type(lagoon_worker_t) :: w
    type(lagoon_wire_counts) :: wire
    integer :: i, rank, size

    rank = lagoon_rank(lg)
    size = lagoon_size(lg)
    call check(rank >= 0 .and. rank < size, 'rank')
    call check(lagoon_nodes(lg) == min(2, size), 'nodes')
    call check(lagoon_local_workers(lg) == 2, 'local_workers')
    call check(lagoon_workers(lg) == 2 * size, 'workers')
    do i = 0, 1
      call lagoon_worker(lg, i, w, ierr)
      call check(ierr == 0, 'worker')
      call check(lagoon_worker_id(w) == 2 * rank + i, 'worker_id')
    end do
    call lagoon_worker(lg, 2, w, ierr)
    call check(ierr == LAGOON_EINVAL, 'worker 2 of 2')
    call check(index(lagoon_errmsg(), '2') > 0, 'message of worker 2 of 2')
    call check(index(lagoon_describe(lg), new_line('a')) > 0, 'describe')
    call check(lagoon_waited_for(lg, size) == 0, 'waited_for')
    call lagoon_worker(lg, 0, w, ierr)
    call check(lagoon_worker_waited(w) == 0, 'worker_waited')
    call lagoon_wire_stats(lg, wire, ierr)
    call check(ierr == 0 .and. wire%posts > 0 .and. &
      wire%posts <= wire%gets + wire%puts + wire%adds + wire%cas .and. &
      wire%cas_bytes == 8 * wire%cas .and. &
      wire%name(1) /= c_null_char, 'wire_stats')
  end subroutine

  subroutine the_tables()
    type(lagoon_table_attr) :: want, got
    type(lagoon_table_t) :: t, same
    character(len=80) :: padded

    call lagoon_table_attr_init(want)
    want%rows = 100
    want%cols = 3
    want%format = LAGOON_Q32
    want%staleness = 4
    padded = 'weights'
    call lagoon_table_create(lg, padded, want, t, ierr)
    call check(ierr == 0, 'create')
    call lagoon_table_attach(lg, 'weights', same, ierr)
    call check(ierr == 0, 'attach')
    call lagoon_table_get_attr(same, got, ierr)
    call check(ierr == 0, 'get_attr')
    call check(got%rows == 100 .and. got%cols == 3 .and. &
      got%format == LAGOON_Q32 .and. got%type == LAGOON_F64 .and. &
      got%frac_bits == 20 .and. got%model == LAGOON_SSP .and. &
      got%staleness == 4 .and. got%page_rows > 0, 'the shape')
    call check(lagoon_table_home(t, 1) == 0, 'home of the first row')
    call check(lagoon_table_home(t, 101_int64) == LAGOON_EINVAL, 'home')
    call check(lagoon_table_staleness(t) == 4, 'staleness')
    call lagoon_table_set_staleness(t, 1, ierr)
    call check(ierr == 0, 'set_staleness')
    call check(lagoon_table_staleness(t) == 1, 'staleness after it')
    call lagoon_table_attach(lg, 'weight', same, ierr)
    call check(ierr == LAGOON_ENOENT, 'a name that is not there')
    call lagoon_table_create(lg, repeat('n', LAGOON_NAME_MAX + 1), want, &
      same, ierr)
    call check(ierr == LAGOON_EINVAL, 'a name that is too long')
    want%cols = 4
    call lagoon_table_create(lg, 'weights', want, same, ierr)
    call check(ierr == LAGOON_EEXIST, 'a name that is taken')
    want%model = LAGOON_ASP
    call lagoon_table_create(lg, repeat('n', LAGOON_NAME_MAX), want, same, &
      ierr)
    call check(ierr == 0, 'the longest name')
    call check(lagoon_table_staleness(same) == LAGOON_UNBOUNDED, 'asp')
    call lagoon_table_set_sample(same, 1, ierr)
    call check(ierr == LAGOON_ENOTSUP, 'set_sample of asp')
    call lagoon_table_set_change(same, 1d0, ierr)
    call check(ierr == LAGOON_ENOTSUP, 'set_change of asp')
    call lagoon_table_destroy(same, ierr)
    call check(ierr == 0, 'destroy')
    call lagoon_table_destroy(same, ierr)
    call check(ierr == LAGOON_EINVAL, 'destroy again')
    call lagoon_table_destroy(t, ierr)
    call check(ierr == 0, 'destroy')
    call lagoon_table_attr_init(want)
    want%rows = 10
    want%format = LAGOON_FLOAT32
    call lagoon_table_create(lg, 'floats', want, t, ierr)
    call check(ierr == LAGOON_EINVAL, 'floats that are not applied')
    want%push = LAGOON_PUSH_APPLY
    padded = 'sgd,rate=0.5'
    call lagoon_table_create(lg, 'floats', want, t, ierr, update=padded)
    call check(ierr == 0, 'create with an update function')
    call lagoon_table_get_attr(t, got, ierr)
    call check(got%push == LAGOON_PUSH_APPLY .and. got%type == LAGOON_F32 .and. &
      c_associated(got%update), 'attributes of apply mode')
    call lagoon_run(lg, descend, t, ierr)
    call check(ierr == 0, 'run with an update function')
    call lagoon_table_destroy(t, ierr)
    call check(ierr == 0, 'destroy')
  end subroutine

  subroutine tickets()
    type(state) :: s
    type(lagoon_table_attr) :: shape
    type(lagoon_stats) :: stats
    integer :: i

    s%lg = lg
    call lagoon_table_attr_init(shape)
    shape%rows = 2
    shape%cols = 2
    shape%format = LAGOON_I64
    call lagoon_table_create(lg, 'tickets', shape, s%tickets)
    shape%rows = rounds * lagoon_workers(lg)
    shape%cols = 1
    call lagoon_table_create(lg, 'own', shape, s%own)
    call lagoon_run(lg, count_up, s, ierr)
    call check(ierr == 0, 'run')
    do i = 0, lagoon_workers(lg) - 1
      call check(s%seen(i) .eqv. i / 2 == lagoon_rank(lg), &
        'which workers ran here')
    end do
    call lagoon_table_stats(s%tickets, stats, ierr)
    call check(ierr == 0, 'stats')
    call check(stats%pulls == 2 .and. stats%rows_pulled == 4 .and. &
      sum(stats%ages) == 2 .and. stats%rejected == 0, 'stats of two pulls')
  end subroutine
end program
