/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies of words that other threads or processes may be changing. */
#ifndef LGN_VERBS_COPY_H
#define LGN_VERBS_COPY_H

#include <stddef.h>
#include <stdint.h>

/* n aligned 64-bit words. Each word is read once and never torn; there is no
 * order among them. */
void lgn_copy_words(uint64_t *dst, const uint64_t *src, size_t n);

#endif
