! launch: -n 1
! launch: -n 2 --nodes 2
! SPDX-License-Identifier: BSD-3-Clause
!
! lagoon_logistic_fit and its like from Fortran: dense and sparse rows of this
! process, of both kinds and both kinds of index; what they say of the minimum
! is computed again here. What does not fit is told, not crashed at.
module linear_table
  use, intrinsic :: iso_fortran_env, only: real64
  use lagoon
  implicit none
  type(lagoon_table_t) :: mine
  real(real64) :: got(5)

contains

  subroutine look(w, arg, ierr)
    type(lagoon_worker_t), intent(in) :: w
    class(*), intent(inout) :: arg
    integer, intent(inout) :: ierr

    call lagoon_pull(w, mine, 1, 5, got, ierr)
  end subroutine
end module

program linear
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int32, int64, real32, real64
  use lagoon
  use lagoon_kernels
  use lagoon_solve
  use linear_table
  implicit none

  integer, parameter :: n = 240, d = 5, classes = 3
  type(lagoon_t) :: lg
  type(lagoon_linear_options) :: options
  type(lagoon_linear_result) :: res
  type(lagoon_table_attr) :: shape
  type(lagoon_sparse) :: a, narrow
  real(real64), allocatable, target :: x(:,:), y(:), of(:), val(:)
  real(real32), allocatable, target :: val32(:)
  real(real64) :: all_x(d, n), all_y(n), all_of(n), w(d), again(d), many(classes, d), z
  real(real64), pointer :: labels(:)
  integer(int64), allocatable, target :: start(:), place(:)
  integer(int32), allocatable, target :: start32(:), place32(:)
  integer :: i, j, first, last, ierr, right

  call lagoon_open(lg)
  do i = 1, n
    do j = 1, d
      all_x(j, i) = real(mod(7 * i * j + i * i, 32), real64) / 8 - 2
    end do
    z = all_x(1, i) - 2 * all_x(4, i)
    all_y(i) = merge(4, 2, z + real(mod(i, 8), real64) / 8 > 0)
    all_of(i) = merge(1, merge(2, 3, z < 2), z < -2)
  end do
  first = n * lagoon_rank(lg) / lagoon_size(lg) + 1
  last = n * (lagoon_rank(lg) + 1) / lagoon_size(lg)
  allocate (x, source=all_x(:, first:last))
  allocate (y, source=all_y(first:last))
  allocate (of, source=all_of(first:last))
  allocate (val, source=[x])
  allocate (val32, source=real(val, real32))
  allocate (start, source=[(int(1 + d * i, int64), i = 0, last - first + 1)])
  allocate (place, source=[((int(j, int64), j = 1, d), i = first, last)])
  allocate (start32, source=int(start, int32))
  allocate (place32, source=int(place, int32))
  a = lagoon_sparse_view(LAGOON_CSR, size(y, kind=int64), int(d, int64), start, place, val)
  narrow = lagoon_sparse_view(LAGOON_CSR, size(y), d, start32, place32, val32)

  call lagoon_linear_options_init(options)
  options%epochs = 400
  options%tolerance = 1e-9_real64
  call lagoon_logistic_fit(lg, x, y, options, w, res)
  z = sum(log(1 + exp(-(all_y - 3) * matmul(w, all_x)))) + sum(w**2) / 2
  call check(abs(z - res%objective) < 1e-6 * z, 'logistic: objective')
  call check(res%rows == n .and. res%classes == 2, 'logistic: result')
  call c_f_pointer(res%labels, labels, [2])
  call check(all(nint(labels) == [2, 4]), 'logistic: labels')
  call lagoon_linear_result_free(res)
  call lagoon_logistic_fit(lg, narrow, real(y, real32), options, again, res)
  call check(all(abs(again - w) < 0.02), 'logistic of real32 and int32: other weights')
  call lagoon_linear_result_free(res)
  call lagoon_linear_fit(lg, a, y, options, again, res)
  call check(all(abs(again - w) < 0.02), 'sparse: other weights')
  call lagoon_linear_result_free(res)

  call lagoon_table_attr_init(shape)
  shape%rows = d
  call lagoon_table_create(lg, 'mine', shape, mine)
  options%table = lagoon_table_c(mine)
  call lagoon_logistic_fit(lg, x, y, options, w, res)
  call lagoon_linear_result_free(res)
  call lagoon_run(lg, look, shape)
  call check(all(abs(got - w) < 1e-8_real64), 'a table: other weights')
  call lagoon_softmax_fit(lg, x, of, options, many, res, ierr)
  call refused('table of weights: it has 5 rows of 1')
  options%table = c_null_ptr

  options%loss = LAGOON_LINEAR_SQUARED_HINGE
  call lagoon_svm_fit(lg, a, y, options, again, res)
  z = sum(max(0.0_real64, 1 - (all_y - 3) * matmul(again, all_x))**2) + sum(again**2) / 2
  call check(abs(z - res%objective) < 1e-6 * z, 'svm: objective')
  call lagoon_linear_result_free(res)

  options%loss = LAGOON_LINEAR_SOFTMAX
  call lagoon_softmax_fit(lg, x, of, options, many, res)
  call check(res%classes == classes .and. res%outputs == classes, 'softmax: classes')
  right = 0
  do i = 1, n
    if (maxloc(matmul(many, all_x(:, i)), 1) == nint(all_of(i))) right = right + 1
  end do
  call check(abs(right - res%accuracy * n) < 0.5, 'softmax: accuracy')
  call lagoon_linear_result_free(res)
  call lagoon_linear_fit(lg, real(x, real32), real(of, real32), options, many, res)
  call check(abs(right - res%accuracy * n) < 0.05 * n, 'softmax of real32')
  call lagoon_linear_result_free(res)

  options%loss = LAGOON_LINEAR_LOGISTIC
  call lagoon_logistic_fit(lg, x, y(2:), options, w, res, ierr)
  call refused('as many labels as rows')
  call lagoon_logistic_fit(lg, x, y, options, w(2:), res, ierr)
  call refused('as many weights as columns')
  call lagoon_logistic_fit(lg, a, real(y, real32), options, w, res, ierr)
  call refused('size')
  place(3) = d + 1
  call lagoon_logistic_fit(lg, a, y, options, w, res, ierr)
  call refused('column index 6: expected 1 to 5')
  place(3) = 3
  start(2) = huge(start)
  call lagoon_logistic_fit(lg, a, y, options, w, res, ierr)
  call refused('expected starts that rise')
  start(2) = d + 1
  x(3, 2) = transfer(-1_int64, x(3, 2))  ! a NaN
  call lagoon_logistic_fit(lg, x, y, options, w, res, ierr)
  call refused('row 2: column 3 is')
  options%c = -1
  call lagoon_logistic_fit(lg, a, y, options, w, res, ierr)
  call refused('c ')
  call lagoon_linear_fit_file(lg, '/nowhere', options=options, result=res, ierr=ierr)
  call check(ierr /= 0, 'no such file')
  call lagoon_close(lg)
  deallocate (x, y, of, val, val32, start, place, start32, place32)

contains

  subroutine refused(text)
    character(len=*), intent(in) :: text

    call check(ierr == LAGOON_EINVAL, 'not refused: ' // text)
    call check(index(lagoon_errmsg(), text) > 0, text)
  end subroutine

  subroutine check(condition, what)
    logical, intent(in) :: condition
    character(len=*), intent(in) :: what

    if (condition) return
    print '(3a)', what, ': ', lagoon_errmsg()
    error stop 'linear'
  end subroutine
end program
