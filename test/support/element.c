/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "runtime/lagoon.h"
#include "test/support/element.h"

const struct el_kind el_pair[EL_PAIRS] = {
	{ LAGOON_Q64, LAGOON_F64, 32, false },
	{ LAGOON_Q64, LAGOON_F32, 32, false },
	{ LAGOON_Q32, LAGOON_F64, 20, false },
	{ LAGOON_Q32, LAGOON_F32, 20, false },
	{ LAGOON_I64, LAGOON_INT64, 0, false },
	{ LAGOON_I32, LAGOON_INT64, 0, false },
	{ LAGOON_I32, LAGOON_INT32, 0, false },
	{ LAGOON_FLOAT64, LAGOON_F64, 0, false },
	{ LAGOON_FLOAT32, LAGOON_F32, 0, false },
};

static bool is_narrow(const struct el_kind *kind)
{
	return kind->format == LAGOON_Q32 || kind->format == LAGOON_I32;
}

size_t el_bytes(const struct el_kind *kind)
{
	return kind->type == LAGOON_F32 || kind->type == LAGOON_INT32 ? 4 : 8;
}

int64_t el_limit(const struct el_kind *kind)
{
	return (int64_t)1 << (is_narrow(kind) ? 30 : 62);
}

uint32_t el_bits(const struct el_kind *kind)
{
	if (kind->type == LAGOON_F32)
		return 23;
	if (is_narrow(kind))
		return 29;
	return kind->type == LAGOON_F64 ? 52 : 61;
}

void el_put(const struct el_kind *kind, void *buf, size_t i, int64_t lane)
{
	double value = ldexp((double)(kind->negated ? -lane : lane),
			     -kind->frac_bits);

	switch (kind->type) {
	case LAGOON_F64:
		((double *)buf)[i] = value;
		break;
	case LAGOON_F32:
		((float *)buf)[i] = (float)value;
		break;
	case LAGOON_INT64:
		((int64_t *)buf)[i] = lane;
		break;
	default:
		((int32_t *)buf)[i] = (int32_t)lane;
	}
}

bool el_get(const struct el_kind *kind, const void *buf, size_t i,
	    int64_t *lane)
{
	double value;

	if (kind->type == LAGOON_INT64 || kind->type == LAGOON_INT32) {
		*lane = kind->type == LAGOON_INT64 ? ((const int64_t *)buf)[i]
						   : ((const int32_t *)buf)[i];
		return true;
	}
	value = kind->type == LAGOON_F64 ? ((const double *)buf)[i]
					 : (double)((const float *)buf)[i];
	value = ldexp(value, kind->frac_bits);
	if (!(fabs(value) < 0x1p63) || value != trunc(value))
		return false;
	*lane = (int64_t)value;
	return true;
}

const char *el_format_name(int format)
{
	static const char *const name[] = {
		"q64", "q32", "i64", "i32", "f64", "f32"
	};

	return name[format];
}
