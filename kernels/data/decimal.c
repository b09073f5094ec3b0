/* SPDX-License-Identifier: BSD-3-Clause */
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/decimal.h"
#include "runtime/base/attr.h"

/* Powers of ten that a double holds exactly. */
static const double ten[] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};
#define TEN_MAX 22
#define DIGITS_MAX 19	/* fit in 64 bits */

struct scan {
	uint64_t mantissa;
	long digits;
	long exponent;
};

static inline const char *scan_digits(const char *p, uint64_t *sum)
{
	uint64_t x = *sum;
	unsigned d;

	while ((d = (unsigned)*p - '0') <= 9) {
		x = x * 10 + d;
		p++;
	}
	*sum = x;
	return p;
}

/* "e" without digits behind it is not part of the number. */
static const char *scan_exponent(const char *p, struct scan *s)
{
	const char *q = p + 1;
	bool negative = *q == '-';
	uint64_t x = 0;
	const char *end;

	if (*q == '+' || *q == '-')
		q++;
	end = scan_digits(q, &x);
	if (end == q)
		return p;
	if (end - q > 9)
		s->digits = DIGITS_MAX + 1;	/* leave it to strtod() */
	s->exponent += negative ? -(long)x : (long)x;
	return end;
}

static inline const char *scan_number(const char *p, struct scan *s)
{
	const char *q = scan_digits(p, &s->mantissa);

	s->digits = q - p;
	if (*q == '.') {
		const char *fraction = q + 1;

		q = scan_digits(fraction, &s->mantissa);
		s->exponent = fraction - q;
		s->digits += q - fraction;
	}
	if (lgn_unlikely(!s->digits))
		return NULL;
	if (lgn_unlikely((*q | 0x20) == 'e'))
		q = scan_exponent(q, s);
	return q;
}

/* strtod() without the locale of the host program. Made once, never freed. */
static locale_t c_locale(void)
{
	static locale_t made;
	locale_t now = __atomic_load_n(&made, __ATOMIC_ACQUIRE);
	locale_t none = (locale_t)0;

	if (now)
		return now;
	now = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (now && !__atomic_compare_exchange_n(&made, &none, now, false,
						__ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE)) {
		freelocale(now);
		now = none;
	}
	return now;
}

/* The text is copied because strtod() would read on: "1" "\n" "nan", 0x. */
static const char *slow(const char *text, const char *end, double *value)
{
	char buf[128];
	size_t len = (size_t)(end - text);
	char *copy = len < sizeof(buf) ? buf : malloc(len + 1);
	locale_t locale = c_locale();

	if (!copy || !locale) {
		if (copy != buf)
			free(copy);
		return NULL;
	}
	memcpy(copy, text, len);
	copy[len] = 0;
	*value = strtod_l(copy, NULL, locale);
	if (copy != buf)
		free(copy);
	return end;
}

/* A mantissa below 2^53 and a power of ten up to 10^22 are exact doubles, so
 * one multiplication or division rounds once, as strtod() does. */
const char *lgn_decimal_parse(const char *text, double *value)
{
	bool negative = *text == '-';
	const char *p = text + (*text == '-' || *text == '+');
	struct scan s = { 0, 0, 0 };
	const char *end = scan_number(p, &s);
	double x;

	if (lgn_unlikely(!end))
		return NULL;
	if (lgn_unlikely(s.digits > DIGITS_MAX || s.mantissa >> 53 ||
			 s.exponent > TEN_MAX || s.exponent < -TEN_MAX))
		return slow(text, end, value);
	x = (double)s.mantissa;
	x = s.exponent < 0 ? x / ten[-s.exponent] : x * ten[s.exponent];
	*value = negative ? -x : x;
	return end;
}
