/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_SHIM_PARAMETERIZED_H
#define TEST_SHIM_PARAMETERIZED_H

#include <criterion/criterion.h>

#define cr_make_param_array(Type, Array, Length, ...) \
	((struct criterion_test_params){ sizeof(Type), (void *)(Array), (Length) })

#define ParameterizedTestParameters(Suite, Name) \
	static struct criterion_test_params Suite##_##Name##_params(void)

#define ParameterizedTest(Param, Suite, Name, ...) \
	static void Suite##_##Name##_body(Param); \
	static void Suite##_##Name##_call(void *param) \
	{ \
		Suite##_##Name##_body(param); \
	} \
	SHIM_REGISTER(Suite##_##Name, .suite = #Suite, .name = #Name, \
		      .body_with = Suite##_##Name##_call, \
		      .params = Suite##_##Name##_params, \
		      .options = { .timeout = 0, __VA_ARGS__ }) \
	static void Suite##_##Name##_body(Param)

#endif
