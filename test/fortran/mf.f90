! launch: -n 1
! launch: -n 2 --nodes 2
! SPDX-License-Identifier: BSD-3-Clause
!
! lagoon_mf_fit from Fortran: ratings that are a product of rank 1 are found by
! every method; the model says them, also after it went through a file; one that
! is not a number is told with its place.
program mf
  use, intrinsic :: iso_c_binding
  use, intrinsic :: ieee_arithmetic
  use lagoon
  use lagoon_solve
  implicit none

  integer, parameter :: users = 12, items = 8
  type(lagoon_t) :: lg
  type(lagoon_mf_options) :: options
  type(lagoon_mf_result) :: res
  type(lagoon_mf_model) :: model
  type(lagoon_mf_score) :: score
  integer(c_int32_t), allocatable :: user(:), item(:)
  real(c_double), allocatable :: rating(:), said(:)
  integer :: i, unit, ierr
  character(len=64) :: path

  call lagoon_open(lg)
  user = [(int(mod(i, users), c_int32_t), i = lagoon_rank(lg), users * items - 1, lagoon_size(lg))]
  item = [(int(i / users, c_int32_t), i = lagoon_rank(lg), users * items - 1, lagoon_size(lg))]
  allocate (rating, source=[(what(user(i), item(i)), i = 1, size(user))])
  allocate (said, mold=rating)
  write (path, '(a,i0,a,i0)') 'mf_fortran.', lagoon_size(lg), '.', lagoon_rank(lg)

  call lagoon_mf_options_init(options)
  options%rank = 1
  options%biases = 1
  options%lambda = 1e-4_c_double
  options%lambda_bias = 1e-3_c_double
  options%epochs = 200
  options%decay = 0.99_c_double
  options%model = LAGOON_BSP
  do i = LAGOON_MF_SGD, LAGOON_MF_CCD
    options%method = i
    call lagoon_mf_fit(lg, user, item, rating, options, res, user(1:1), item(1:1), rating(1:1))
    call check(res%ratings == users * items .and. res%users == users .and. &
      res%items == items .and. res%replaced == 0, 'result')
    call check(res%rmse < 0.05 .and. res%test_rmse < 0.2, 'the ratings are found')
    if (lagoon_rank(lg) == 0) then
      call lagoon_mf_predict(res%model, user, item, said)
      call check(all(abs(said - rating) < 0.3), 'the model says them')
      call lagoon_mf_model_save(path, res%model)
    end if
    call lagoon_mf_result_free(res)
    call check(.not. c_associated(res%model%user), 'the result is freed')
  end do

  if (lagoon_rank(lg) == 0) then
    call lagoon_mf_model_load(path, model)
    call check(model%rank == 1 .and. model%biases == 1 .and. model%users == users, 'a model')
    call lagoon_mf_predict(model, user, item, rating)
    call check(all(abs(said - rating) < 1e-12_c_double), 'the same from its file')
    call lagoon_mf_predict(model, user(2:), item, rating, ierr)
    call check(ierr == LAGOON_EINVAL, 'shapes that differ')
    open (newunit=unit, file=path)
    write (unit, '(a)') '1 1 2.5', '1 99 3'
    close (unit)
    call lagoon_mf_predict_file(model, path, score=score)
    call check(score%ratings == 2 .and. score%unknown == 1, 'the score of a file')
    open (newunit=unit, file=path)
    close (unit, status='delete')
    call lagoon_mf_model_free(model)
    call lagoon_mf_predict_file(model, path, score=score, ierr=ierr)
    call check(ierr == LAGOON_ENOENT, 'ratings that are not there')
  end if

  if (lagoon_rank(lg) == lagoon_size(lg) - 1) &
    rating(3) = ieee_value(1.0_c_double, ieee_quiet_nan)
  call lagoon_mf_fit(lg, user, item, rating, options, res, ierr=ierr)
  call check(ierr == LAGOON_EINVAL, 'a rating that is not a number is refused')
  call check(index(lagoon_errmsg(), 'data: rating 3 of user') > 0, &
    'the message: ' // lagoon_errmsg())
  call lagoon_mf_fit_file(lg, '/nonexistent', options=options, result=res, ierr=ierr)
  call check(ierr == LAGOON_ENOENT, 'a file that is not there')
  deallocate (user, item, rating, said)
  call lagoon_close(lg)

contains

  function what(u, i) result(r)
    integer(c_int32_t), intent(in) :: u, i
    real(c_double) :: r

    r = 3 + 0.1_c_double * (u - 5) * (i - 3) / 2
  end function

  subroutine check(ok, what)
    logical, intent(in) :: ok
    character(len=*), intent(in) :: what

    if (ok) return
    print '(2a)', '# ', what
    error stop 1
  end subroutine
end program
