! SPDX-License-Identifier: BSD-3-Clause
!
! Errors without ierr, for test/fortran/stops.sh: the argument names one.
module stops_work
  use, intrinsic :: iso_fortran_env, only: real32
  use lagoon
  implicit none
contains
  recursive subroutine work(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr
    real(real32) :: x(1)

    x = 0
    ierr = 4
    select type (arg)
    type is (lagoon_table_t)
      call lagoon_add(w, arg, 1, 1, x)
    end select
  end subroutine
end module

program stops
  use lagoon
  use stops_work
  implicit none
  character(len=16) :: what
  type(lagoon_t) :: lg
  type(lagoon_table_attr) :: shape
  type(lagoon_table_t) :: t

  call get_command_argument(1, what)
  if (what == 'handle') print *, lagoon_rank(lg)
  call lagoon_open(lg)
  call lagoon_table_attr_init(shape)
  if (what == 'c') call lagoon_table_create(lg, 'no rows', shape, t)
  shape%rows = 1
  call lagoon_table_create(lg, 'one', shape, t)
  if (what == 'kind') call lagoon_run(lg, work, t)
  if (what == 'worker') call lagoon_run(lg, work)
  call lagoon_close(lg)
  print '(a)', 'went on'
end program
