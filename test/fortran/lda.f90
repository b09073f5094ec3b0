! launch: -n 1
! launch: -n 2 --nodes 2
! SPDX-License-Identifier: BSD-3-Clause
!
! lagoon_lda_fit from Fortran: the counts are those of the documents of all
! processes, and those of this one's have their topics; a bad word is told with
! its document.
program lda
  use, intrinsic :: iso_c_binding
  use lagoon
  use lagoon_solve
  implicit none

  integer, parameter :: n = 24, words = 12, topics = 2
  type(lagoon_t) :: lg
  type(lagoon_lda_options) :: options
  type(lagoon_lda_result) :: res
  integer(c_int64_t), allocatable :: start(:)
  integer(c_int32_t), allocatable :: word(:), count(:), documents(:,:)
  integer(c_int32_t), target :: counts(topics, words), again(topics, words)
  integer :: i, first, last, ierr, found
  integer(c_int64_t), target :: totals(topics)
  integer(c_int64_t) :: top(words)
  type(lagoon_lda_model) :: model
  character(len=64) :: path
  character(kind=c_char), target :: folder(28)

  ! Document i has the six words of one half, three times each.
  call lagoon_open(lg)
  first = n * lagoon_rank(lg) / lagoon_size(lg) + 1
  last = n * (lagoon_rank(lg) + 1) / lagoon_size(lg)
  allocate (start, source=[(int(6 * i + 1, c_int64_t), i = 0, last - first + 1)])
  allocate (word, source=[(half(i), i = first, last)])
  allocate (count(size(word)), documents(topics, last - first + 1))
  count = 3

  call lagoon_lda_options_init(options)
  options%topics = topics
  options%sweeps = 40
  options%rounds = 2
  options%model = LAGOON_BSP
  do i = LAGOON_LDA_DENSE, LAGOON_LDA_ALIAS
    options%sampler = i
    call lagoon_lda_fit(lg, start, word, count, int(words, c_int64_t), options, counts, &
      documents, res)
    call check(res%documents == n .and. res%tokens == 18 * n .and. res%words == words, &
      'result')
    call check(all(counts >= 0) .and. all(sum(counts, 1) == 3 * n / 2), 'tokens of words')
    call check(all(sum(documents, 1) == 18), 'tokens of documents')
    call check(all(maxval(counts, 1) == 3 * n / 2), 'each word has one topic')
    call check(res%log_likelihood < 0, 'log likelihood')
    call lagoon_lda_result_free(res)
  end do

  ! A checkpoint after 30 sweeps, and on from there.
  folder = transfer('test/fortran/lda.checkpoint' // c_null_char, folder)
  options%checkpoint = c_loc(folder)
  options%checkpoint_every = 30
  call lagoon_lda_fit(lg, start, word, count, int(words, c_int64_t), options, counts, &
    documents, res)
  call check(res%resumed == 0 .and. res%interrupted == 0, 'it began anew')
  again = counts
  options%checkpoint = c_null_ptr
  options%checkpoint_every = 0
  options%resume = c_loc(folder)
  call lagoon_lda_fit(lg, start, word, count, int(words, c_int64_t), options, counts, &
    documents, res)
  call check(res%resumed == 30 .and. res%sweeps == 40, 'it did not go on from the checkpoint')
  call check(all(again == counts), 'a checkpoint: other counts')
  options%resume = c_null_ptr
  if (lagoon_rank(lg) == 0) call execute_command_line('rm -r test/fortran/lda.checkpoint')

  ! A model goes through a file, and a topic has the words of one half, of which
  ! all have as many tokens.
  write (path, '(a,i0,a,i0)') 'lda_fortran.', lagoon_size(lg), '.', lagoon_rank(lg)
  model%topics = topics
  model%words = words
  model%alpha = 0.5
  model%beta = 0.25
  model%counts = c_loc(counts)
  totals = sum(counts, 2)
  model%totals = c_loc(totals)
  call lagoon_lda_model_save(path, model)
  model = lagoon_lda_model()
  call lagoon_lda_model_load(path, model)
  call check(model%topics == topics .and. model%words == words, 'shape of the model')
  call check(abs(model%beta - 0.25) < 1e-12, 'beta of the model')
  call check(.not. c_associated(model%vocabulary), 'no vocabulary')
  do i = 1, topics
    call lagoon_lda_top_words(model, i, top, found)
    call check(found == words / 2, 'words of a topic')
    call check(all(counts(i, top(:found)) == 3 * n / 2), 'they are those of the counts')
  end do
  call lagoon_lda_top_words(model, topics + 1, top, found, ierr)
  call check(ierr == LAGOON_EINVAL .and. found == 0, 'a topic beyond the last is refused')
  call lagoon_lda_model_free(model)
  call check(.not. c_associated(model%counts), 'the model is freed')
  open (newunit=i, file=path)
  close (i, status='delete')
  call lagoon_lda_model_load(path, model, ierr)
  call check(ierr == LAGOON_ENOENT, 'a model that is not there')

  if (lagoon_rank(lg) == lagoon_size(lg) - 1) word(7) = words + 1
  call lagoon_lda_fit(lg, start, word, count, int(words, c_int64_t), options, counts, &
    documents, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'a word beyond the last is refused')
  call check(index(lagoon_errmsg(), 'document 2: word 13: expected 1 to 12') > 0, &
    'the message: ' // lagoon_errmsg())
  call lagoon_lda_fit(lg, start(2:), word, count, int(words, c_int64_t), options, counts, &
    documents, res, ierr)
  call check(ierr == LAGOON_EINVAL, 'starts of fewer words are refused')
  call lagoon_lda_fit_file(lg, '/nonexistent', options=options, result=res, ierr=ierr)
  call check(ierr == LAGOON_ENOENT, 'a file that is not there')
  deallocate (start, word, count, documents)
  call lagoon_close(lg)

contains

  function half(document) result(w)
    integer, intent(in) :: document
    integer(c_int32_t) :: w(6)
    integer :: k

    w = [(int(6 * mod(document, 2) + k, c_int32_t), k = 1, 6)]
  end function

  subroutine check(ok, what)
    logical, intent(in) :: ok
    character(len=*), intent(in) :: what

    if (ok) return
    print '(2a)', '# ', what
    error stop 1
  end subroutine
end program
