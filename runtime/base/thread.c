/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/base/thread.h"

int lgn_thread_start(pthread_t *thread, const char *name,
		     void *(*run)(void *arg), void *arg)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return lgn_fail(LAGOON_ENOMEM, "starting a thread: %s",
				strerror(err));
	pthread_setname_np(*thread, name);
	return 0;
}
