! launch: -n 1
! launch: -n 2 --nodes 2
! SPDX-License-Identifier: BSD-3-Clause
!
! lagoon_lasso_fit and its like from Fortran: dense and sparse rows of this
! process, of both kinds, reach the same minimum, where the derivative of the
! objective is 0; a bad element is told with row and column.
program regression
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int32, int64, real32, real64
  use lagoon
  use lagoon_kernels
  use lagoon_solve
  implicit none

  integer, parameter :: n = 60, d = 5
  type(lagoon_t) :: lg
  type(lagoon_regression_options) :: options
  type(lagoon_regression_result) :: res
  type(lagoon_sparse) :: a
  real(real64), allocatable, target :: x(:,:), y(:), val(:)
  real(real64) :: all_x(d, n), all_y(n), w(d), again(d), slope(d), objective
  integer(int64), allocatable, target :: start(:), place(:)
  integer(c_int), target :: seen = 0
  character(kind=c_char), target :: folder(64)
  integer :: i, j, first, last, ierr

  folder = transfer('test/fortran/regression.checkpoint' // c_null_char // &
    repeat(' ', 29), folder)
  call lagoon_open(lg)
  do i = 1, n
    do j = 1, d
      all_x(j, i) = real(mod(7 * i * j + i * i, 32), real64) / 8 - 2
    end do
    all_y(i) = all_x(1, i) - 2 * all_x(4, i) + real(mod(i, 8), real64) / 8
  end do
  first = n * lagoon_rank(lg) / lagoon_size(lg) + 1
  last = n * (lagoon_rank(lg) + 1) / lagoon_size(lg)
  allocate (x, source=all_x(:, first:last))
  allocate (y, source=all_y(first:last))
  allocate (val, source=[x])
  allocate (start, source=[(int(1 + d * i, int64), i = 0, last - first + 1)])
  allocate (place, source=[((int(j, int64), j = 1, d), i = first, last)])
  a = lagoon_sparse_view(LAGOON_CSR, int(last - first + 1, int64), int(d, int64), &
    start, place, val)

  call lagoon_regression_options_init(options)
  options%intercept = 0
  options%tolerance = 1e-12_real64
  options%l2 = 0.5_real64
  call lagoon_ridge_fit(lg, x, y, options, w, res)
  slope = matmul(all_x, matmul(w, all_x) - all_y) / n + options%l2 * w
  call check(all(abs(slope) < 1e-4), 'ridge: the slope is not 0')
  objective = sum((matmul(w, all_x) - all_y)**2) / (2 * n) + &
    options%l2 / 2 * sum(w**2)
  call check(abs(objective - res%objective) < 1e-9, 'ridge: objective')
  call check(res%converged == 1 .and. res%rows == n, 'ridge: result')
  options%method = LAGOON_SDCA
  call lagoon_elastic_net_fit(lg, a, y, options, again, res)
  call check(all(abs(again - w) < 1e-4), 'sparse and sdca: other weights')

  options%method = LAGOON_CD
  options%l1 = 0.1_real64
  options%l2 = 0
  call lagoon_lasso_fit(lg, a, y, options, w, res)
  slope = matmul(all_x, matmul(w, all_x) - all_y) / n
  call check(all(abs(slope) < options%l1 + 1e-4), 'lasso: a slope beyond l1')
  call check(count(abs(w) > 0) == res%nonzeros, 'lasso: nonzeros')
  options%tolerance = 1e-8_real64
  options%progress = c_funloc(look)
  options%progress_arg = c_loc(seen)
  call lagoon_regression_fit(lg, real(x, real32), real(y, real32), options, again, res)
  call check(all(abs(again - w) < 1e-3), 'real32: other weights')
  call check(seen == res%epochs, 'progress was not called')

  ! A checkpoint after two epochs, and on from there.
  options%progress = c_null_funptr
  options%epochs = 2
  options%rounds = 1
  options%checkpoint = c_loc(folder)
  options%every = 2
  call lagoon_lasso_fit(lg, x, y, options, again, res)
  call check(res%converged == 0 .and. res%interrupted == 0, 'two epochs are enough')
  options%epochs = 1000
  options%rounds = 0
  options%every = 0
  options%checkpoint = c_null_ptr
  options%resume = c_loc(folder)
  options%progress = c_funloc(look_first)
  seen = 0
  call lagoon_lasso_fit(lg, x, y, options, again, res)
  call check(all(abs(again - w) < 1e-3), 'a checkpoint: other weights')
  call check(seen == 3, 'it did not go on from the checkpoint')
  options%resume = c_null_ptr
  if (lagoon_rank(lg) == 0) &
    call execute_command_line('rm -r test/fortran/regression.checkpoint')

  options%progress = c_null_funptr
  call lagoon_ridge_fit(lg, x, y, options, again, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'ridge took l1')
  call lagoon_lasso_fit(lg, x, y(2:), options, again, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'lasso took fewer targets')
  call check(index(lagoon_errmsg(), 'as many targets as rows') > 0, 'targets')
  place(3) = d + 1
  call lagoon_lasso_fit(lg, a, y, options, again, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'lasso took an index beyond')
  call check(index(lagoon_errmsg(), 'column index 6: expected 1 to 5') > 0, 'index')
  place(3) = 3
  start(2) = huge(start)
  call lagoon_lasso_fit(lg, a, y, options, again, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'lasso took starts that fall')
  call check(index(lagoon_errmsg(), 'expected starts that rise') > 0, 'starts')
  start(2) = d + 1
  call lagoon_lasso_fit(lg, a, real(y, real32), options, again, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'lasso took targets of another kind')
  call lagoon_lasso_fit(lg, x, y, options, again(2:), res, ierr)
  call check(ierr == LAGOON_EINVAL, 'lasso took fewer weights')
  call check(index(lagoon_errmsg(), 'as many weights as columns') > 0, 'weights')
  a%layout = LAGOON_CSC
  call lagoon_lasso_fit(lg, a, y, options, again, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'lasso took columns')
  x(3, 2) = transfer(-1_int64, x(3, 2))  ! a NaN
  call lagoon_lasso_fit(lg, x, y, options, again, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'lasso took a NaN')
  call check(index(lagoon_errmsg(), 'row 2: column 3 is') > 0, 'row and column')
  call lagoon_regression_fit_file(lg, '/nowhere', options=options, result=res, ierr=ierr)
  call check(ierr == LAGOON_ENOENT, 'no such file')
  call lagoon_regression_result_free(res)
  call lagoon_close(lg)
  deallocate (x, y, val, start, place)

contains

  function look_first(arg, e) bind(c) result(stop_now)
    type(c_ptr), value :: arg
    type(lagoon_regression_epoch), intent(in) :: e
    integer(c_int) :: stop_now
    integer(c_int), pointer :: told

    call c_f_pointer(arg, told)
    if (told == 0) told = e%epoch
    stop_now = 0
  end function

  function look(arg, e) bind(c) result(stop_now)
    type(c_ptr), value :: arg
    type(lagoon_regression_epoch), intent(in) :: e
    integer(c_int) :: stop_now
    integer(c_int), pointer :: told

    call c_f_pointer(arg, told)
    told = e%epoch
    stop_now = 0
  end function

  subroutine check(condition, what)
    logical, intent(in) :: condition
    character(len=*), intent(in) :: what

    if (condition) return
    print '(3a)', what, ': ', lagoon_errmsg()
    error stop 'regression'
  end subroutine
end program
