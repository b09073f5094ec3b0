/* SPDX-License-Identifier: BSD-3-Clause */
/* Decimal text to double, equal to strtod() in the C locale bit for bit. */
#ifndef LGN_DATA_DECIMAL_H
#define LGN_DATA_DECIMAL_H

/* Parse a decimal number [+-]digits[.digits][e[+-]digits] at text, which must
 * be followed somewhere by a byte that no number contains. No leading space,
 * no hexadecimal, no nan or inf.
 * Returns the first byte behind it; NULL when there is no number, or when
 * memory for a very long one is missing. A value out of range is infinite,
 * as with strtod(). */
const char *lgn_decimal_parse(const char *text, double *value);

#endif
