/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LGN_BASE_THREAD_H
#define LGN_BASE_THREAD_H

#include <pthread.h>

/* Start a thread of the library. It takes no signals: those are for the
 * threads of the host program. LAGOON_ENOMEM. Any thread. */
int lgn_thread_start(pthread_t *thread, const char *name,
		     void *(*run)(void *arg), void *arg);

#endif
