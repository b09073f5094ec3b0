/* SPDX-License-Identifier: BSD-3-Clause */
/* Temporary files and random numbers of the kernels' unit tests. */
#ifndef TEST_UNIT_KERNELS_H
#define TEST_UNIT_KERNELS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "kernels/lagoon_kernels.h"
#include "test/support/temp.h"

/* splitmix64 */
static inline uint64_t next(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline uint64_t below(uint64_t *seed, uint64_t n)
{
	return next(seed) % n;
}

static inline double uniform(uint64_t *seed)
{
	return (double)(next(seed) >> 11) * 0x1p-53;
}

/* A path that nobody uses; each test removes what it made there. */
static inline char *temp_path(char path[TEMP_PATH])
{
	static int count;

	char name[64];

	snprintf(name, sizeof(name), "lagoon-kernels-%ld-%d", (long)getpid(),
		 count++);
	cr_assert(temp_name(path, name));
	return path;
}

static inline void write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	cr_assert(f);
	cr_assert(fwrite(text, 1, len, f) == len);
	cr_assert(!fclose(f));
}

static inline char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text;

	cr_assert(f, "%s", path);
	fseek(f, 0, SEEK_END);
	*len = (size_t)ftell(f);
	rewind(f);
	text = malloc(*len + 1);
	cr_assert(fread(text, 1, *len, f) == *len);
	text[*len] = 0;
	fclose(f);
	return text;
}

/* A test of what is compiled for several instruction sets: all that this
 * machine has, one after the other. */
#define LEVEL_TEST(Suite, Name) \
	static void Suite##_##Name##_at_a_level(void); \
	Test(Suite, Name) \
	{ \
		for (int level = LAGOON_SIMD_GENERIC; \
		     level <= LAGOON_SIMD_SVE; level++) { \
			if (lagoon_simd_use(level) != level) \
				continue; \
			fprintf(stderr, "instructions: level %d\n", level); \
			Suite##_##Name##_at_a_level(); \
		} \
	} \
	static void Suite##_##Name##_at_a_level(void)

#endif
