! launch: -n 1
! launch: -n 2 --nodes 2
! SPDX-License-Identifier: BSD-3-Clause
!
! lagoon_similar_find from Fortran: dense rows of both kinds, sparse rows, and
! others to compare with; a file; a pair; the k best; and an element that is not
! a number is told with its row.
program similar
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64
  use, intrinsic :: ieee_arithmetic, only: ieee_value, ieee_quiet_nan
  use lagoon
  use lagoon_kernels
  use lagoon_solve
  implicit none

  integer, parameter :: n = 24, cols = 5, top = 3
  type(lagoon_t) :: lg
  type(lagoon_similar_options) :: options
  type(lagoon_similar_result) :: res
  type(lagoon_sparse) :: sparse
  type(lagoon_top) :: best
  real(real64), target :: all_rows(cols, n), kept(top)
  integer(int64), target :: ids(top)
  real(real64), allocatable, target :: rows(:,:), val(:)
  real(real64), allocatable :: similarity(:,:)
  integer(int64), allocatable :: other(:,:), again(:,:)
  integer(int64), allocatable, target :: start(:), col(:)
  real(real64) :: value
  integer :: i, k, first, last, ierr, found
  character(len=64) :: path

  ! Rows turn from the first column to the second; each is as its number says.
  all_rows = 0
  do i = 1, n
    all_rows(1, i) = n - i + 1
    all_rows(2, i) = i
  end do
  call lagoon_open(lg)
  first = n * lagoon_rank(lg) / lagoon_size(lg) + 1
  last = n * (lagoon_rank(lg) + 1) / lagoon_size(lg)
  allocate (rows, source=all_rows(:, first:last))
  allocate (other(top, last - first + 1), again(top, last - first + 1))
  allocate (similarity(top, last - first + 1))
  call lagoon_similar_options_init(options)
  options%top = top

  call lagoon_similar_find(lg, rows, options=options, other=other, similarity=similarity, &
    result=res)
  call check(res%rows == n .and. res%others == n .and. res%columns == cols, 'shape')
  call check(res%pairs == n * top .and. res%without == 0, 'pairs')
  do i = first, last
    k = i - first + 1
    call check(all(abs(other(:, k) - i) <= top) .and. all(other(:, k) >= 1) .and. &
      all(other(:, k) /= i), 'others are near')
    call check(all(similarity(2:, k) <= similarity(:top - 1, k)), 'the best come first')
    call check(abs(similarity(1, k) - cosine(i, int(other(1, k)))) < 1e-12, 'cosine')
  end do
  call lagoon_similar_find(lg, real(rows, real32), options=options, other=again, &
    similarity=similarity, result=res)
  call check(all(again == other), 'single precision')

  allocate (start, source=[(int(2 * i + 1, int64), i = 0, last - first + 1)])
  allocate (col, source=[(int(1 + mod(i, 2), int64), i = 0, 2 * (last - first) + 1)])
  allocate (val, source=[((all_rows(k, i), k = 1, 2), i = first, last)])
  sparse = lagoon_sparse_view(LAGOON_CSR, size(start, kind=int64) - 1, int(cols, int64), &
    start, col, val)
  call lagoon_similar_find(lg, sparse, options=options, other=again, similarity=similarity, &
    result=res)
  call check(all(again == other), 'sparse rows')
  call lagoon_similar_find(lg, rows, rows, options, again, similarity, res)
  call check(all(again(1, :) == [(i, i = first, last)]), 'each is its own nearest')

  ! Rows 1 and 3 have a column in common, row 2 none with them.
  write (path, '(a,i0,a)') 'similar_fortran.', lagoon_size(lg), '.libsvm'
  if (lagoon_rank(lg) == 0) then
    open (newunit=i, file=path)
    write (i, '(a)') '0 1:1 2:1', '0 3:1', '0 2:1 4:1'
    close (i)
  end if
  ! Rank 0 has written it when the others are here.
  call lagoon_similar_find(lg, rows, options=options, other=again, similarity=similarity, &
    result=res)
  options%top = 1
  options%measure = LAGOON_SIMILAR_JACCARD
  call lagoon_similar_find_file(lg, path, options=options, result=res)
  call check(res%pairs == 2 .and. res%without == 1, 'pairs of the file')
  if (lagoon_rank(lg) == 0) call check_file()
  call lagoon_similar_result_free(res)
  call check(.not. c_associated(res%other), 'the result is freed')

  call lagoon_similar_pair(LAGOON_SIMILAR_JACCARD, 4_int64, [1, 2], [1.0_real64, 1.0_real64], &
    [2, 4], [1.0_real64, 1.0_real64], value, found)
  call check(found == 1 .and. abs(value - 1 / 3.0_real64) < 1e-15, 'a pair')
  call lagoon_similar_pair(LAGOON_SIMILAR_JACCARD, 4_int64, [1, 2], [1.0_real64, 1.0_real64], &
    [3], [1.0_real64], value, found)
  call check(found == 0, 'a pair without a common column')
  call lagoon_similar_pair(9, 4_int64, [1], [1.0_real64], [1], [1.0_real64], value, found, ierr)
  call check(ierr == LAGOON_EINVAL, 'no such measure')

  best%k = top
  best%value = c_loc(kept)
  best%id = c_loc(ids)
  do i = 1, 10
    found = lagoon_top_add(best, real(mod(7 * i, 10), real64), int(i, int64))
  end do
  call lagoon_top_sort(best)
  call check(all(nint(kept) == [9, 8, 7]) .and. all(ids == [7, 4, 1]), 'the best of ten')

  options%top = top
  options%measure = LAGOON_SIMILAR_COSINE
  if (lagoon_rank(lg) == lagoon_size(lg) - 1) rows(4, 2) = ieee_value(value, ieee_quiet_nan)
  call lagoon_similar_find(lg, rows, options=options, other=other, similarity=similarity, &
    result=res, ierr=ierr)
  call check(ierr == LAGOON_EINVAL, 'an element that is not a number is refused')
  call check(index(lagoon_errmsg(), 'row 2: column 4 is nan') > 0, &
    'the message: ' // lagoon_errmsg())
  options%top = 2
  call lagoon_similar_find(lg, rows, options=options, other=other, similarity=similarity, &
    result=res, ierr=ierr)
  call check(ierr == LAGOON_EINVAL, 'arrays of another shape are refused')
  call lagoon_similar_find_file(lg, '/nonexistent', options=options, result=res, ierr=ierr)
  call check(ierr == LAGOON_ENOENT, 'a file that is not there')
  deallocate (rows, other, again, similarity, start, col, val)
  call lagoon_close(lg)

contains

  function cosine(a, b) result(c)
    integer, intent(in) :: a, b
    real(real64) :: c

    c = dot_product(all_rows(:, a), all_rows(:, b)) / norm2(all_rows(:, a)) / &
      norm2(all_rows(:, b))
  end function

  subroutine check_file()
    integer(int64), pointer :: near(:,:)
    integer :: unit

    call c_f_pointer(res%other, near, [1, 3])
    call check(all(near(1, :) == [2, -1, 0]), 'others of the file')
    open (newunit=unit, file=path)
    close (unit, status='delete')
  end subroutine

  subroutine check(ok, what)
    logical, intent(in) :: ok
    character(len=*), intent(in) :: what

    if (ok) return
    print '(2a)', '# ', what
    error stop 1
  end subroutine
end program
