/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/env.h"
#include "runtime/base/status.h"
#include "verbs/rc/device.h"

enum { PORT_MAX = 255 };

struct number {
	enum lgn_env_id id;
	int *value;
};

static int read_number(const struct number *n)
{
	int64_t value;
	int rc = lgn_env_int(n->id, &value);

	if (!rc)
		*n->value = (int)value;
	return rc;
}

static int read_mtu(int *mtu)
{
	/* as the row lists them */
	static const int bytes[] = { 0, 256, 512, 1024, 2048, 4096 };
	int choice, rc = lgn_env_choice(LGN_ENV_ID_MTU, &choice);

	if (!rc)
		*mtu = bytes[choice];
	return rc;
}

static int read_text(enum lgn_env_id id, char *to, size_t len)
{
	const char *text = lgn_env_text(id);

	if (strlen(text) >= len || strpbrk(text, " /"))
		return lgn_fail(LAGOON_EINVAL, "%s is \"%.80s\": not a name",
				lgn_env_entry(id)->name, text);
	strcpy(to, text);
	return 0;
}

static int bad_device(void)
{
	return lgn_fail(LAGOON_EINVAL,
			"LAGOON_DEVICE is \"%.80s\": expected a device, as in mlx5_0, or a device and a port, as in mlx5_0:2",
			lgn_env_text(LGN_ENV_ID_DEVICE));
}

/* "mlx5_0", "mlx5_0:2", or nothing. */
static int read_device(struct lgn_rc_options *o)
{
	char *colon, *end;
	long port;

	if (read_text(LGN_ENV_ID_DEVICE, o->device, sizeof(o->device)))
		return bad_device();
	colon = strchr(o->device, ':');
	if (!colon)
		return 0;
	*colon++ = '\0';
	errno = 0;
	port = strtol(colon, &end, 10);
	if (!*o->device || *colon < '0' || *colon > '9' || *end || errno ||
	    port < 1 || port > PORT_MAX)
		return bad_device();
	o->port = (int)port;
	return 0;
}

static int read_fork(bool *init)
{
	int choice, rc = lgn_env_choice(LGN_ENV_ID_FORK, &choice);

	if (!rc)
		*init = choice == 1;
	return rc;
}

static int read_connect(enum lgn_rc_how *how)
{
	int choice, rc = lgn_env_choice(LGN_ENV_ID_CONNECT, &choice);

	if (!rc)
		*how = (enum lgn_rc_how)choice;
	return rc;
}

int lgn_rc_options_read(struct lgn_rc_options *out)
{
	struct lgn_rc_options o = { .port = 0 };
	const struct number numbers[] = {
		{ LGN_ENV_ID_GID_INDEX, &o.gid_index },
		{ LGN_ENV_ID_QPS, &o.qps },
		{ LGN_ENV_ID_ACK_TIMEOUT, &o.timeout },
		{ LGN_ENV_ID_RETRY, &o.retry_cnt },
		{ LGN_ENV_ID_RNR_RETRY, &o.rnr_retry },
		{ LGN_ENV_ID_PKEY_INDEX, &o.pkey_index },
		{ LGN_ENV_ID_SL, &o.sl },
		{ LGN_ENV_ID_TRAFFIC_CLASS, &o.traffic_class },
		{ LGN_ENV_ID_HOP_LIMIT, &o.hop_limit },
	};
	int rc = read_device(&o);

	for (size_t i = 0; !rc && i < LGN_COUNT(numbers); i++)
		rc = read_number(&numbers[i]);
	if (!rc)
		rc = read_text(LGN_ENV_ID_INTERFACE, o.interface,
			       sizeof(o.interface));
	if (!rc)
		rc = read_mtu(&o.mtu);
	if (!rc)
		rc = read_fork(&o.fork);
	if (!rc)
		rc = read_connect(&o.connect);
	if (!rc)
		*out = o;
	return rc;
}
