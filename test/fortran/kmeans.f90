! launch: -n 1
! launch: -n 2 --nodes 2
! SPDX-License-Identifier: BSD-3-Clause
!
! lagoon_kmeans_fit from Fortran: three groups of points of all processes are the
! three clusters; their model goes through a file and says the same of the points;
! a number that is not finite is told with its row and column.
program kmeans
  use, intrinsic :: iso_c_binding
  use, intrinsic :: ieee_arithmetic
  use lagoon
  use lagoon_solve
  implicit none

  integer, parameter :: n = 60, cols = 2, groups = 3
  type(lagoon_t) :: lg
  type(lagoon_kmeans_options) :: options
  type(lagoon_kmeans_result) :: res
  type(lagoon_kmeans_model) :: model
  real(c_double), allocatable :: x(:,:), squares(:)
  real(c_double), target :: centroids(cols, groups)
  integer(c_int32_t), allocatable :: assigned(:), again(:)
  integer(c_int64_t), target :: counts(groups)
  integer(c_int64_t) :: rows
  real(c_double) :: sse
  integer :: i, first, last, ierr, unit
  character(len=64) :: path

  call lagoon_open(lg)
  first = n * lagoon_rank(lg) / lagoon_size(lg) + 1
  last = n * (lagoon_rank(lg) + 1) / lagoon_size(lg)
  allocate (x(cols, last - first + 1), assigned(last - first + 1))
  allocate (again(size(assigned)), squares(size(assigned)))
  ! Group g is around (10 g, -g), by 1/2 to the left and to the right.
  do i = first, last
    x(:, i - first + 1) = [10 * mod(i, groups) + merge(0.5, -0.5, mod(i / groups, 2) == 0), &
      -1.0 * mod(i, groups)]
  end do

  call lagoon_kmeans_options_init(options)
  options%clusters = groups
  options%restarts = 4
  do i = LAGOON_BSP, LAGOON_SSP, LAGOON_SSP - LAGOON_BSP
    options%model = i
    call lagoon_kmeans_fit(lg, x, options, centroids, assigned, res)
    call check(res%rows == n .and. res%cols == cols .and. res%clusters == groups, 'result')
    call check(abs(res%sse - 0.25 * n) < 1e-9, 'sum of squares')
    call check(res%empty == 0 .and. res%converged == 1, 'converged')
    call check(all(assigned >= 1 .and. assigned <= groups), 'clusters count from 1')
    call check(all(abs(x - centroids(:, assigned)) < 0.6), 'the nearest centroids')
    call check(abs(sum(centroids(1, :)) - 30) < 1e-9, 'centroids')
    call lagoon_kmeans_result_free(res)
  end do

  counts = n / groups
  model%clusters = groups
  model%cols = cols
  model%sse = 0.25 * n
  model%centroids = c_loc(centroids)
  model%counts = c_loc(counts)
  write (path, '(a,i0,a,i0)') 'kmeans_fortran.', lagoon_size(lg), '.', lagoon_rank(lg)
  call lagoon_kmeans_model_save(path, model)
  model = lagoon_kmeans_model()
  call lagoon_kmeans_model_load(path, model)
  call check(model%clusters == groups .and. model%cols == cols, 'shape of the model')
  call lagoon_kmeans_assign(model, x, again, squares, sse)
  call check(all(again == assigned), 'the model has the same clusters')
  call check(abs(sse - sum(squares)) < 1e-9, 'sum of the squares')

  ! And a file, of which rank 0 has the centroids.
  open (newunit=unit, file=path)
  do i = 1, size(x, 2)
    write (unit, *) x(:, i)
  end do
  close (unit)
  call lagoon_kmeans_assign_file(model, path, '', options, rows, sse)
  call check(rows == size(x, 2) .and. abs(sse - sum(squares)) < 1e-9, 'of a file')
  call lagoon_kmeans_model_free(model)
  call check(.not. c_associated(model%centroids), 'the model is freed')
  if (lagoon_size(lg) == 1) then
    call lagoon_kmeans_fit_file(lg, path, options, res)
    call check(abs(res%sse - 0.25 * n) < 1e-9, 'fit of a file')
    call check(c_associated(res%centroids) .and. c_associated(res%counts), 'of rank 0')
    call lagoon_kmeans_result_free(res)
  end if
  open (newunit=unit, file=path)
  close (unit, status='delete')
  call lagoon_kmeans_model_load(path, model, ierr)
  call check(ierr == LAGOON_ENOENT, 'a model that is not there')

  call lagoon_kmeans_fit(lg, x, options, centroids(:, 2:), assigned, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'too few centroids are refused')
  if (lagoon_rank(lg) == lagoon_size(lg) - 1) &
    x(2, 3) = ieee_value(1.0_c_double, ieee_quiet_nan)
  call lagoon_kmeans_fit(lg, x, options, centroids, assigned, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'NaN is refused')
  call check(index(lagoon_errmsg(), 'row 3: column 2 is nan') > 0 .or. &
    index(lagoon_errmsg(), 'row 3: column 2 is -nan') > 0, 'the message: ' // lagoon_errmsg())
  call lagoon_kmeans_fit_file(lg, '/nonexistent', options, res, ierr)
  call check(ierr == LAGOON_ENOENT, 'a file that is not there')
  deallocate (x, assigned, again, squares)
  call lagoon_close(lg)

contains

  subroutine check(ok, what)
    logical, intent(in) :: ok
    character(len=*), intent(in) :: what

    if (ok) return
    print '(2a)', '# ', what
    error stop 1
  end subroutine
end program
