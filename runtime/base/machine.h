/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LGN_BASE_MACHINE_H
#define LGN_BASE_MACHINE_H

#include <stdint.h>

/* The kernel's identity of this boot of this machine: processes with the same
 * one share memory. LAGOON_EIO. Any thread. */
int lgn_machine_id(uint8_t id[16]);

#endif
