/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/base/machine.h"
#include "runtime/base/status.h"

int lgn_machine_id(uint8_t id[16])
{
	char text[40] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	int k = 0;

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i + 1 < n && k < 16; i++) {
		char two[3] = { text[i], text[i + 1], 0 };

		if (text[i] == '-')
			continue;
		id[k++] = (uint8_t)strtoul(two, NULL, 16);
		i++;
	}
	return k == 16 ? 0 :
		lgn_fail(LAGOON_EIO, "/proc/sys/kernel/random/boot_id is not readable");
}
