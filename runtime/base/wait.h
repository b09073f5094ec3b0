/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time, and waiting that gives the core away: a short spin, then
 * sched_yield(), then sleeps that grow with the time already waited (an
 * idle process stays far below 1 % of a core) up to 10 ms.
 *
 *	struct lgn_wait wait = LGN_WAIT_INIT;
 *	while (!condition)
 *		lgn_wait_step(&wait);
 */
#ifndef LGN_BASE_WAIT_H
#define LGN_BASE_WAIT_H

#include <stdint.h>

#include "runtime/base/attr.h"

struct lgn_wait {
	uint64_t start_ns;	/* 0 until the first step */
	uint32_t steps;
};

#define LGN_WAIT_INIT { 0, 0 }

LGN_EXPORT uint64_t lgn_now_ns(void);		/* CLOCK_MONOTONIC */
LGN_EXPORT void lgn_wait_step(struct lgn_wait *wait);
uint64_t lgn_waited_ns(const struct lgn_wait *wait);

static inline double lgn_seconds_since(uint64_t start_ns)
{
	return (double)(lgn_now_ns() - start_ns) * 1e-9;
}

#endif
