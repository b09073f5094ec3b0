/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "kernels/solve/options.h"
#include "runtime/base/status.h"

#define ASP_ROUNDS 5		/* taken as the age of what asp reads */

int lgn_options_check(const struct lgn_option *option, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (option[i].value < option[i].least ||
		    option[i].value > option[i].most)
			return lgn_fail(LAGOON_EINVAL, "%s %d: expected %d to "
					"%d", option[i].name, option[i].value,
					option[i].least, option[i].most);
	return 0;
}

void lgn_options_consistency(int model, int32_t staleness, int32_t sample,
			     struct lagoon_table_attr *attr)
{
	attr->model = model;
	attr->sample = sample;
	if (model != LAGOON_BSP && model != LAGOON_ASP && model != LAGOON_VAP)
		attr->staleness = staleness;
}

double lgn_options_unseen(int model, int32_t staleness)
{
	switch (model) {
	case LAGOON_BSP:
		return 1;
	case LAGOON_SSP:
	case LAGOON_ESSP:
		return 1.0 + staleness;
	case LAGOON_PSP:	/* who is not in the sample may be further behind */
		return fmax(1.0 + staleness, ASP_ROUNDS);
	default:
		return ASP_ROUNDS;
	}
}
