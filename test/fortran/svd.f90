! launch: -n 1
! launch: -n 2 --nodes 2
! SPDX-License-Identifier: BSD-3-Clause
!
! lagoon_svd_fit from Fortran, of dense and sparse rows: values that are known,
! vectors that fit the matrix; a file that it wrote; and an error with its row.
program svd
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: real32, real64
  use, intrinsic :: ieee_arithmetic, only: ieee_value, ieee_quiet_nan
  use lagoon
  use lagoon_kernels
  use lagoon_solve
  implicit none

  integer, parameter :: n = 20, cols = 8, k = 3
  type(lagoon_t) :: lg
  type(lagoon_svd_options) :: options
  type(lagoon_svd_result) :: res
  type(lagoon_sparse) :: sparse
  real(real64), target :: a(cols, n), values(k), right(cols, k)
  real(real64), allocatable, target :: left(:,:), rows(:,:), val(:)
  real(real32), allocatable :: rows32(:,:)
  real(real64), pointer :: found(:)
  integer(c_int32_t), allocatable, target :: start(:), places(:)
  integer :: i, j, first, last, ierr
  character(len=64) :: path
  character(len=200) :: text

  ! Row i is i at column mod(i, cols) + 1: values are the lengths of the columns.
  call lagoon_open(lg)
  first = n * lagoon_rank(lg) / lagoon_size(lg) + 1
  last = n * (lagoon_rank(lg) + 1) / lagoon_size(lg)
  a = 0
  do i = 1, n
    a(mod(i, cols) + 1, i) = i
  end do
  allocate (rows, source=a(:, first:last))
  allocate (rows32, source=real(rows, real32))
  allocate (left(last - first + 1, k))
  call lagoon_svd_options_init(options)
  options%k = k
  do j = LAGOON_SVD_LANCZOS, LAGOON_SVD_RANDOMISED
    options%method = j
    call lagoon_svd_fit(lg, rows, options, values, res, left, right)
    call check_all('dense')
    call lagoon_svd_fit(lg, rows32, options, values, res, left, right)
    call check_all('dense, real32')
  end do
  options%method = LAGOON_SVD_LANCZOS
  allocate (start, source=[(int(i, c_int32_t), i = 1, last - first + 2)])
  allocate (places, source=[(int(mod(i, cols) + 1, c_int32_t), i = first, last)])
  allocate (val, source=[(real(i, real64), i = first, last)])
  sparse = lagoon_sparse_view(LAGOON_CSR, int(last - first + 1, c_int32_t), &
    int(cols, c_int32_t), start, places, val)
  call lagoon_svd_fit(lg, sparse, options, values, res, left, right)
  call check_all('sparse')
  call lagoon_svd_fit(lg, sparse, options, values, res)
  call check(abs(values(1) - length(4)) < 1e-10, 'without vectors')

  ! The whole matrix through a file; everyone writes its own, the same.
  write (path, '(a,i0,a,i0)') 'svd_fortran.', lagoon_size(lg), '.', lagoon_rank(lg)
  call lagoon_svd_save(path, transpose(a))
  options%format = LAGOON_FILE_MATRIX
  call lagoon_svd_fit_file(lg, path, options, res)
  call check(res%rows == n .and. res%cols == cols .and. res%entries == n, 'shape of the file')
  if (lagoon_rank(lg) == 0) then
    call c_f_pointer(res%values, found, [k])
    call check(abs(found(1) - length(4)) < 1e-10, 'values of the file')
  end if
  call lagoon_svd_result_free(res)
  call check(.not. c_associated(res%values), 'the result is freed')
  open (newunit=i, file=path)
  close (i, status='delete')

  call lagoon_svd_fit(lg, rows, options, values(:2), res, ierr=ierr)
  call check(ierr == LAGOON_EINVAL, 'too few values are refused')
  rows(2, 1) = ieee_value(1.0_real64, ieee_quiet_nan)
  call lagoon_svd_fit(lg, rows, options, values, res, ierr=ierr)
  text = lagoon_errmsg()
  call check(ierr == LAGOON_EINVAL .and. index(text, "row 1: column 2") > 0, &
    'a bad element is told')
  call check_factors()
  call lagoon_close(lg)
  deallocate (rows, rows32, left, start, places, val)

contains

  ! Of the j-th longest column, j of 4, 3, 2: those of 20, 12, 4; 19, 11, 3; 18, 10, 2.
  recursive function length(j) result(x)
    integer, intent(in) :: j
    real(real64) :: x

    x = sqrt(real((j + 16)**2 + (j + 8)**2 + j**2, real64))
  end function

  recursive subroutine check_all(what)
    character(len=*), intent(in) :: what
    integer :: i

    call check(res%rows == n .and. res%cols == cols .and. res%converged == 1, what)
    do i = 1, k
      call check(abs(values(i) - length(5 - i)) < 1e-4, what // ': values')
      call check(abs(norm2(right(:, i)) - 1) < 1e-10, what // ': length')
      call check(maxval(abs(matmul(right(:, i), a(:, first:last)) - values(i) * left(:, i))) &
        < 1e-2, what // ': A v = s u')
    end do
  end subroutine

  recursive subroutine check_factors()
    real(real64) :: x(n, cols), q(n, cols), r(cols, cols), s(cols), u(n, cols), vt(cols, cols)
    integer :: i, bad

    do i = 1, n
      x(i, :) = [(cos(real(i * j, real64)), j = 1, cols)]
    end do
    q = x
    call lagoon_dense_qr(q, r, bad)
    call check(bad == 0 .and. maxval(abs(matmul(q, r) - x)) < 1e-12, 'Q R')
    call check(abs(r(cols, 1)) < 1e-12, 'R is a triangle')
    call lagoon_dense_svd(x, s, u, vt, bad)
    do i = 1, cols
      u(:, i) = u(:, i) * s(i)
    end do
    call check(bad == 0 .and. maxval(abs(matmul(u, vt) - x)) < 1e-12, 'U S V')
    call lagoon_dense_qr(q, r(:2, :2), bad)
    call check(bad == -1, 'shapes that do not fit')
  end subroutine

  recursive subroutine check(good, what)
    logical, intent(in) :: good
    character(len=*), intent(in) :: what

    if (good) return
    print '(2a)', 'svd: ', what
    error stop 1
  end subroutine
end program
