! SPDX-License-Identifier: BSD-3-Clause
! The same as least_squares.c. Calls without ierr: an error ends the program.
module least_squares_work
  use, intrinsic :: iso_fortran_env, only: real64
  use lagoon
  implicit none
  integer, parameter :: rows = 2000, cols = 4, rounds = 50
  real(real64), parameter :: planted(cols) = [2.0_real64, -1.0_real64, &
    0.5_real64, 3.0_real64]
  type(lagoon_t) :: lg
  type(lagoon_table_t) :: weights

contains

  recursive subroutine work(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr
    real(real64) :: a(cols), x(cols), dx(cols), r
    integer :: round, i, j

    do round = 1, rounds
      dx = 0
      call lagoon_pull(w, weights, 1, 1, x)
      do i = lagoon_worker_id(w), rows - 1, lagoon_workers(lg)
        a = [(sin(real(j * i, real64)), j = 1, cols)]
        r = 0.01_real64 * cos(7.0_real64 * i) + sum(a * (planted - x))
        dx = dx + r * a / rows
      end do
      call lagoon_add(w, weights, 1, 1, dx)
      call lagoon_clock(w)
    end do
    if (lagoon_worker_id(w) == 0) print '(a,4f10.6,a,f10.6)', 'weights', x, &
      ' off by', maxval(abs(x - planted))
  end subroutine
end module

program least_squares
  use least_squares_work
  implicit none
  type(lagoon_table_attr) :: shape

  call lagoon_open(lg)
  call lagoon_table_attr_init(shape)
  shape%rows = 1
  shape%cols = cols
  shape%model = LAGOON_BSP
  call lagoon_table_create(lg, 'weights', shape, weights)
  call lagoon_run(lg, work)
  call lagoon_close(lg)
end program
