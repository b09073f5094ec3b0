! SPDX-License-Identifier: BSD-3-Clause
! A program of MPI and OpenMP that fits a model in the middle of its run. The
! rows are its own arrays, which OpenMP fills, each rank its part; Lagoon finds
! the few columns of 40 that matter (lasso), and MPI goes on with the result.
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
  use lagoon_solve
  implicit none
  integer, parameter :: n = 3000, cols = 40
  real(real64), parameter :: l1 = 0.02_real64
  real(real64), target :: x(cols, n), y(n), w(cols), planted(cols)
  integer(int8), allocatable :: before(:,:), after(:,:)
  type(lagoon_regression_options) :: options
  type(lagoon_regression_result) :: res
  type(lagoon_attr) :: attr
  type(lagoon_t) :: lg
  real(real64) :: squares, check
  integer :: provided, rank, i, bad, rows, all

  call MPI_Init_thread(MPI_THREAD_FUNNELED, provided)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  planted = 0
  planted(1::10) = [1.0_real64, 0.5_real64, -0.5_real64, -1.0_real64]
  !$omp parallel do
  do i = 1, n
    x(:, i) = draw(rank, i, [(all, all = 1, cols)])
    y(i) = dot_product(planted, x(:, i)) + 0.1_real64 * draw(rank, i, cols + 1)
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
  call lagoon_lasso_fit(lg, x, y, options, w, res)
  call lagoon_close(lg)
  after = masks()
  bad = 0
  if (any(before /= after)) then
    write (error_unit, '(a,i0,a)') 'rank ', rank, ': threads were bound anew'
    bad = 1
  end if

  ! The same objective from the rows, by OpenMP and MPI alone.
  squares = 0
  !$omp parallel do reduction(+:squares)
  do i = 1, n
    squares = squares + (y(i) - dot_product(w, x(:, i)))**2
  end do
  !$omp end parallel do
  call MPI_Allreduce(MPI_IN_PLACE, squares, 1, MPI_DOUBLE_PRECISION, MPI_SUM, &
    MPI_COMM_WORLD)
  call MPI_Allreduce(n, rows, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)
  check = squares / (2 * real(rows, real64)) + l1 * sum(abs(w))
  if (res%nonzeros /= 4 .or. any(abs(w - planted) > 0.1_real64) .or. &
    abs(check - res%objective) > 1e-9_real64 * check) bad = 1
  call MPI_Allreduce(bad, all, 1, MPI_INTEGER, MPI_MAX, MPI_COMM_WORLD)
  if (rank == 0) print '(a,i0,a,i0,a,f11.9,a,f11.9)', 'lasso: ', res%nonzeros, &
    ' weights of ', cols, ', objective ', res%objective, ', by MPI ', check
  call MPI_Finalize()
  if (all /= 0) error stop 'not the minimum'
end program
