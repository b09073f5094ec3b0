! SPDX-License-Identifier: BSD-3-Clause
! A program of MPI and OpenMP that fits two models in the middle of its run. The
! rows are its own arrays, which OpenMP fills, each rank its part. Lagoon finds
! the few columns of 40 that matter (lasso), and tells large from small
! (logistic regression, of the same numbers as sparse rows); MPI goes on.
!
!	mpifort -fopenmp solve_mpi.f90 -o solve_mpi \
!		$(pkg-config --cflags --libs lagoon-fortran)
!	OMP_NUM_THREADS=2 mpirun -n 2 ./solve_mpi
!	OMP_NUM_THREADS=2 srun --mpi=pmix -n 2 ./solve_mpi
module solve_exchange
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int8, int64, real64
  use mpi_f08
  use omp_lib
  implicit none

  interface
    function sched_getaffinity(pid, length, mask) bind(c) result(rc)
      import
      integer(c_int), value :: pid
      integer(c_size_t), value :: length
      integer(c_int8_t), intent(inout) :: mask(*)
      integer(c_int) :: rc
    end function
  end interface

contains

  ! How Lagoon's ranks meet: called once, in lagoon_open(), by this thread.
  subroutine gather(mine, all, arg, ierr)
    integer(int8), intent(in), contiguous :: mine(:)
    integer(int8), intent(inout), contiguous :: all(:,:)
    class(*), intent(in) :: arg
    integer, intent(inout) :: ierr
    type(MPI_Comm) :: comm

    select type (arg)
    type is (integer)
      comm%MPI_VAL = arg
    end select
    call MPI_Allgather(mine, size(mine), MPI_BYTE, all, size(mine), MPI_BYTE, &
      comm, ierr)
  end subroutine

  ! Where each thread of the team may run.
  function masks() result(mask)
    integer(c_int8_t), allocatable :: mask(:,:)
    integer(c_int) :: rc

    allocate (mask(128, omp_get_max_threads()), source=0_c_int8_t)
    !$omp parallel private(rc)
    rc = sched_getaffinity(0_c_int, 128_c_size_t, mask(:, omp_get_thread_num() + 1))
    !$omp end parallel
  end function

  ! A number in -1..1 for each element of each rank, whoever draws it.
  elemental function draw(rank, i, j) result(x)
    integer, intent(in) :: rank, i, j
    real(real64) :: x

    x = sin(12.9898_real64 * (i + 7000 * rank) + 78.233_real64 * j) * 43758.5453_real64
    x = 2 * (x - floor(x)) - 1
  end function
end module

program solve_mpi
  use, intrinsic :: iso_fortran_env, only: error_unit
  use solve_exchange
  use lagoon
  use lagoon_kernels
  use lagoon_solve
  implicit none
  integer, parameter :: n = 3000, cols = 40
  real(real64), parameter :: l1 = 0.02_real64
  integer :: k
  integer, parameter :: number(cols) = [(k, k = 1, cols)]
  real(real64), target :: x(cols * n), y(n), label(n), w(cols), planted(cols), v(cols)
  integer, target :: start(n + 1), place(cols * n)
  integer(int8), allocatable :: before(:,:), after(:,:)
  type(lagoon_regression_options) :: options
  type(lagoon_regression_result) :: res
  type(lagoon_linear_options) :: choice
  type(lagoon_linear_result) :: found
  type(lagoon_sparse) :: a
  type(lagoon_attr) :: attr
  type(lagoon_t) :: lg
  real(real64), pointer, contiguous :: row(:,:)
  real(real64) :: squares, losses, sums(2), objective, other
  integer :: provided, rank, i, bad, rows, all

  call MPI_Init_thread(MPI_THREAD_FUNNELED, provided)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  planted = 0
  planted(1::10) = [1.0_real64, 0.5_real64, -0.5_real64, -1.0_real64]
  row(1:cols, 1:n) => x
  start = [(1 + cols * i, i = 0, n)]
  !$omp parallel do
  do i = 1, n
    row(:, i) = draw(rank, i, number)
    y(i) = dot_product(planted, row(:, i)) + 0.1_real64 * draw(rank, i, cols + 1)
    label(i) = sign(1.0_real64, y(i))
    place((i - 1) * cols + 1:i * cols) = number
  end do
  !$omp end parallel do

  before = masks()
  call lagoon_attr_init(attr)
  attr%workers = omp_get_max_threads()
  attr%rank = rank
  call MPI_Comm_size(MPI_COMM_WORLD, attr%nranks)
  call lagoon_open(lg, attr, gather, MPI_COMM_WORLD%MPI_VAL)
  call lagoon_regression_options_init(options)
  options%l1 = l1
  options%intercept = 0
  options%tolerance = 1e-9_real64
  call lagoon_lasso_fit(lg, row, y, options, w, res)
  a = lagoon_sparse_view(LAGOON_CSR, n, cols, start, place, x)
  call lagoon_linear_options_init(choice)
  call lagoon_logistic_fit(lg, a, label, choice, v, found)
  call lagoon_close(lg)
  after = masks()
  bad = 0
  if (any(before /= after)) then
    write (error_unit, '(a,i0,a)') 'rank ', rank, ': threads were bound anew'
    bad = 1
  end if

  ! The same objectives from the rows, by OpenMP and MPI alone.
  squares = 0
  losses = 0
  !$omp parallel do reduction(+:squares, losses)
  do i = 1, n
    squares = squares + (y(i) - dot_product(w, row(:, i)))**2
    losses = losses + log(1 + exp(-label(i) * dot_product(v, row(:, i))))
  end do
  !$omp end parallel do
  sums = [squares, losses]
  call MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE_PRECISION, MPI_SUM, MPI_COMM_WORLD)
  call MPI_Allreduce(n, rows, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)
  objective = sums(1) / (2 * real(rows, real64)) + l1 * sum(abs(w))
  other = sums(2) + sum(v**2) / 2
  if (res%nonzeros /= 4 .or. any(abs(w - planted) > 0.1_real64) .or. &
    abs(objective - res%objective) > 1e-9_real64 * objective) bad = 1
  if (found%accuracy < 0.95_real64 .or. &
    abs(other - found%objective) > 1e-6_real64 * other) bad = 1
  call lagoon_linear_result_free(found)
  call MPI_Allreduce(bad, all, 1, MPI_INTEGER, MPI_MAX, MPI_COMM_WORLD)
  if (rank == 0) then
    print '(2(a,i0),2(a,f0.9))', 'lasso: ', res%nonzeros, ' weights of ', cols, &
      ', objective ', res%objective, ', by MPI ', objective
    print '(a,f0.1,2(a,f0.3))', 'logistic: ', 100 * found%accuracy, &
      ' % right, objective ', found%objective, ', by MPI ', other
  end if
  call MPI_Finalize()
  if (all /= 0) error stop 'not the minimum'
end program
