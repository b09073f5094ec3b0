! SPDX-License-Identifier: BSD-3-Clause
! Lagoon inside a program of MPI and OpenMP: the processes find each other by
! MPI_Allgather over a communicator, the threads of a parallel region are the
! workers. All threads count the points of a grid that lie in a disc, each as
! many rows as it gets to; MPI adds up the same.
!
!	mpifort -fopenmp mpi_openmp.f90 -o mpi_openmp \
!		$(pkg-config --cflags --libs lagoon-fortran)
!	OMP_NUM_THREADS=2 mpirun -n 2 ./mpi_openmp
module mpi_exchange
  use, intrinsic :: iso_fortran_env, only: int8
  use mpi_f08
  implicit none

contains

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
end module

program mpi_openmp
  use, intrinsic :: iso_fortran_env, only: int64
  use omp_lib
  use mpi_f08
  use mpi_exchange
  use lagoon
  implicit none
  integer, parameter :: n = 2000
  type(lagoon_t) :: lg
  type(lagoon_attr) :: attr
  type(lagoon_table_attr) :: shape
  type(lagoon_table_t) :: counts  ! column 1: next row; 2: points
  type(lagoon_worker_t) :: w
  integer(int64) :: row, inside, old, mine, total, sums(2)
  integer :: provided, j

  call MPI_Init_thread(MPI_THREAD_FUNNELED, provided)
  call lagoon_attr_init(attr)
  attr%workers = omp_get_max_threads()
  call MPI_Comm_rank(MPI_COMM_WORLD, attr%rank)
  call MPI_Comm_size(MPI_COMM_WORLD, attr%nranks)
  call lagoon_open(lg, attr, gather, MPI_COMM_WORLD%MPI_VAL)
  call lagoon_table_attr_init(shape)
  shape%rows = 1
  shape%cols = 2
  shape%format = LAGOON_I64
  call lagoon_table_create(lg, 'counts', shape, counts)

  mine = 0
  !$omp parallel private(w, row, inside, old, sums) reduction(+:mine)
  call lagoon_worker(lg, omp_get_thread_num(), w)
  do
    call lagoon_fetch_add(w, counts, 1, 1, 1_int64, row)
    if (row >= n) exit
    inside = count([(row**2 + int(j, int64)**2 < n**2, j = 0, n - 1)])
    call lagoon_fetch_add(w, counts, 1, 2, inside, old)
    mine = mine + inside
  end do
  call lagoon_barrier(w)
  call lagoon_pull(w, counts, 1, 1, sums)
  if (lagoon_worker_id(w) == 0) print '(a,i0)', 'lagoon counts ', sums(2)
  call lagoon_worker_leave(w)
  !$omp end parallel

  call MPI_Allreduce(mine, total, 1, MPI_INTEGER8, MPI_SUM, MPI_COMM_WORLD)
  if (lagoon_rank(lg) == 0) print '(a,i0)', 'MPI counts    ', total
  call lagoon_close(lg)
  call MPI_Finalize()
end program
