/* SPDX-License-Identifier: BSD-3-Clause */
/* What others must find again: the checksum, and the names of files. */
#include <criterion/criterion.h>

#include "runtime/checkpoint.h"

/* RFC 3720, B.4, and the check value of CRC-32C. */
Test(runtime_checkpoint, checksum)
{
	unsigned char bytes[32] = { 0 };

	cr_assert_eq(lgn_ckpt_crc("123456789", 9), 0xe3069283u);
	cr_assert_eq(lgn_ckpt_crc(bytes, 32), 0x8a9136aau);
	for (int i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	cr_assert_eq(lgn_ckpt_crc(bytes, 32), 0x46dd794eu);
	cr_assert_eq(lgn_ckpt_crc("", 0), 0);
}

Test(runtime_checkpoint, names)
{
	static const char *const others[] = {
		"", "manifest", "shard-", "shard-00001-", "shard-1-0123456789abcdef",
		"shard-00001-0123456789abcdef.old", "shard-00001-0123456789ABCDEF",
		"shard-00001-0123456789abcdef0", "xshard-00001-0123456789abcdef",
	};
	char name[LGN_CKPT_NAME_MAX];

	lgn_ckpt_name(1, 0x123456789abcdefu, name);
	cr_assert_str_eq(name, "shard-00001-0123456789abcdef");
	cr_assert_eq(lgn_ckpt_name_id(name), 0x123456789abcdefu);
	cr_assert_eq(lgn_ckpt_name_id("shard-00001-0123456789abcdef.tmp"),
		     0x123456789abcdefu);
	for (size_t i = 0; i < LGN_COUNT(others); i++)
		cr_assert_eq(lgn_ckpt_name_id(others[i]), 0, "\"%s\"", others[i]);
}
