/* SPDX-License-Identifier: BSD-3-Clause */
/* The error convention: codes, texts, and the sentence of the thread. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "runtime/base/status.h"

static const int codes[] = {
	LAGOON_OK, LAGOON_EINVAL, LAGOON_ENOENT, LAGOON_EEXIST, LAGOON_ENOTSUP,
	LAGOON_ENOMEM, LAGOON_ENODEV, LAGOON_EIO, LAGOON_EAGAIN,
	LAGOON_ETIMEDOUT, LAGOON_ERANGE, LAGOON_ECORRUPT, LAGOON_EPEER,
	LAGOON_EJOB,
};

Test(status, each_code_has_a_text_of_its_own)
{
	const char *unknown = lagoon_strerror(1);

	for (size_t i = 0; i < LGN_COUNT(codes); i++) {
		cr_assert(strcmp(lagoon_strerror(codes[i]), unknown),
			  "code %d", codes[i]);
		for (size_t k = 0; k < i; k++)
			cr_assert(strcmp(lagoon_strerror(codes[i]),
					 lagoon_strerror(codes[k])),
				  "codes %d and %d", codes[i], codes[k]);
	}
	cr_assert_str_eq(lagoon_strerror(LAGOON_EPEER),
			 "another process of the job is dead");
	cr_assert_str_eq(lagoon_strerror(LAGOON_ERANGE),
			 "element out of its legal range");
}

Test(status, what_is_no_code_is_unknown)
{
	const int none[] = { 1, 2147483647, LAGOON_EJOB - 1, -1000,
			     -2147483647 - 1 };

	for (size_t i = 0; i < LGN_COUNT(none); i++)
		cr_assert_str_eq(lagoon_strerror(none[i]), "unknown status",
				 "%d", none[i]);
}

Test(status, no_message_before_a_failure)
{
	cr_assert_str_eq(lagoon_errmsg(), "");
}

Test(status, fail_returns_the_code_and_keeps_errno)
{
	errno = ENOSPC;
	cr_assert_eq(lgn_fail(LAGOON_EIO, "%s: %d of %d", "file", 3, 7),
		     LAGOON_EIO);
	cr_assert_eq(errno, ENOSPC);
	cr_assert_str_eq(lagoon_errmsg(), "file: 3 of 7");
	lgn_fail(LAGOON_EINVAL, "short");
	cr_assert_str_eq(lagoon_errmsg(), "short");
}

Test(status, messages_name_the_rank_once_it_is_known)
{
	cr_assert_eq(lgn_status_rank(), -1);
	lgn_fail(LAGOON_EIO, "alone");
	cr_assert_str_eq(lagoon_errmsg(), "alone");
	lgn_status_set_rank(0);
	cr_assert_eq(lgn_status_rank(), 0);
	lgn_fail(LAGOON_EIO, "first");
	cr_assert_str_eq(lagoon_errmsg(), "rank 0: first");
	lgn_status_set_rank(17);
	lgn_fail(LAGOON_EIO, "later");
	cr_assert_str_eq(lagoon_errmsg(), "rank 17: later");
}

Test(status, a_long_message_is_cut_and_ends)
{
	char text[4096];
	size_t len;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	lgn_status_set_rank(3);
	lgn_fail(LAGOON_EIO, "%s", text);
	len = strlen(lagoon_errmsg());
	cr_assert(len > 100 && len < sizeof(text) - 1, "%zu bytes", len);
	cr_assert_eq(strncmp(lagoon_errmsg(), "rank 3: xxx", 11), 0);
	lgn_errmsg_set(text);
	cr_assert_eq(strlen(lagoon_errmsg()), len);
}

static void *fail_in_thread(void *seen)
{
	memcpy(seen, lagoon_errmsg(), 1);
	lgn_fail(LAGOON_EAGAIN, "the thread's");
	return NULL;
}

Test(status, each_thread_has_a_message)
{
	pthread_t thread;
	char seen = '?';

	lgn_fail(LAGOON_EIO, "mine");
	cr_assert_eq(pthread_create(&thread, NULL, fail_in_thread, &seen), 0);
	pthread_join(thread, NULL);
	cr_assert_eq(seen, '\0', "a new thread begins without a message");
	cr_assert_str_eq(lagoon_errmsg(), "mine");
}

Test(status, a_message_is_taken_over_as_it_stands)
{
	lgn_status_set_rank(4);
	lgn_errmsg_set("rank 2: the other's, 100 %s");
	cr_assert_str_eq(lagoon_errmsg(), "rank 2: the other's, 100 %s");
}
