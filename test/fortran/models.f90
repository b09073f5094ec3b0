! launch: -n 1
! SPDX-License-Identifier: BSD-3-Clause
!
! Model files from Fortran: what is saved is loaded, bit for bit, whatever the
! number of outputs; what it says to rows in memory, dense and sparse, and of a
! file is the same; a call that fails says why.
program models
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int32, real32, real64
  use lagoon
  use lagoon_kernels
  use lagoon_solve
  implicit none

  interface
    function c_getpid() bind(c, name='getpid') result(pid)
      import
      integer(c_int) :: pid
    end function
  end interface

  integer, parameter :: d = 7, k = 3, n = 9
  type(lagoon_model_file) :: out, in
  real(real64), target :: w(k, d), classes(k) = [1, 2, 5]
  real(real64), pointer :: weights(:,:), labels(:)
  type(lagoon_predict_options) :: options
  type(lagoon_predict_result) :: res
  real(real64) :: x(d, n), values(n), again(n), products(k, n), chances(k, n)
  real(real64), target :: val(d * n)
  integer(int32), target :: start(n + 1), place(d * n)
  character(len=:), allocatable :: path
  character(len=16) :: pid
  character(len=256) :: folder
  integer :: i, j, l, ierr

  write (pid, '(i0)') c_getpid()
  call get_environment_variable('TMPDIR', folder)
  if (folder == '') folder = '/tmp'
  path = trim(folder) // '/lagoon-models-f90.' // trim(pid)
  w = reshape([(1 / real(3 * i, real64), i = 1, d * k)], [k, d])
  out%solver(:8) = [(text('softmax', i), i = 1, 8)]
  out%features = d
  out%weights = c_loc(w)
  out%outputs = k
  out%classes = c_loc(classes)
  out%c = 0.1_real64
  call lagoon_model_check_path(path)
  call lagoon_model_save(path, out)
  call lagoon_model_load(path, in)
  call check(all(in%solver(:8) == out%solver(:8)), 'solver')
  call check(in%features == d .and. in%outputs == k, 'shape')
  call check(abs(in%c - out%c) <= 0, 'c')
  call c_f_pointer(in%weights, weights, [k, d])
  call c_f_pointer(in%classes, labels, [k])
  call check(all([((abs(weights(i, j) - w(i, j)) <= 0, i = 1, k), j = 1, d)]), 'weights')
  call check(all(abs(labels - classes) <= 0), 'classes')

  x = reshape([(real(mod(13 * i, 17) - 8, real64), i = 1, d * n)], [d, n])
  call lagoon_predict(in, x, values, products, chances)
  call check(all(abs(products - matmul(w, x)) < 1e-12), 'products')
  call check(all(abs(values - classes(maxloc(products, 1))) <= 0), 'values')
  call check(all(abs(sum(chances, 1) - 1) < 1e-12), 'probabilities')
  call lagoon_predict(in, real(x, real32), values=again)
  call check(all(abs(values - again) <= 0), 'real32')
  val = [x]
  start = [(d * i, i = 0, n)]
  place = [((j, j = 1, d), i = 1, n)]
  again = 0
  call lagoon_predict(in, lagoon_sparse_view(LAGOON_CSR, n, d, start, place, val), again)
  call check(all(abs(values - again) <= 0), 'sparse')
  call lagoon_predict(in, x, again(2:), ierr=ierr)
  call check(ierr == LAGOON_EINVAL, 'fewer values than rows')
  open (newunit=j, file=path // '.rows', status='replace')
  do i = 1, n
    write (j, '(i0,7(a,i0,a,f0.1))') nint(values(i)), &
      (' ', l, ':', x(l, i), l = 1, d)
  end do
  close (j)
  call lagoon_predict_options_init(options)
  call lagoon_predict_file(in, path // '.rows', path // '.out', options, res)
  call check(res%rows == n .and. res%correct == n, 'a file of rows')
  open (newunit=j, file=path // '.out')
  read (j, *) again
  call check(all(abs(values - again) <= 0), 'a file of values')
  close (j, status='delete')
  call lagoon_predict_file(in, path // '.rows', '', options, res)
  open (newunit=j, file=path // '.rows')
  close (j, status='delete')
  call lagoon_predict_file(in, path // '.rows', '', options, res, ierr)
  call check(ierr == LAGOON_ENOENT, 'no such rows')
  call lagoon_model_free(in)

  out%classes = c_null_ptr
  call lagoon_model_save(path, out, ierr)
  call check(ierr == LAGOON_EINVAL, 'saved without classes')
  call lagoon_model_load('/nowhere', in, ierr)
  call check(ierr == LAGOON_ENOENT, 'no such file')
  open (newunit=i, file=path)
  close (i, status='delete')
  deallocate (path)

contains

  ! One letter of a C string.
  pure function text(word, i) result(letter)
    character(len=*), intent(in) :: word
    integer, intent(in) :: i
    character(kind=c_char) :: letter

    letter = c_null_char
    if (i <= len(word)) letter = word(i:i)
  end function

  subroutine check(condition, what)
    logical, intent(in) :: condition
    character(len=*), intent(in) :: what

    if (condition) return
    print '(3a)', what, ': ', lagoon_errmsg()
    error stop 'models'
  end subroutine
end program
