/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's addresses. */
#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "verbs/rc/choose.h"

bool lgn_rc_gid_is_v4(const union ibv_gid *gid)
{
	return lgn_rc_ip_is_v4(gid->raw);
}

bool lgn_rc_gid_is_local(const union ibv_gid *gid)
{
	return gid->raw[0] == 0xfe && (gid->raw[1] & 0xc0) == 0x80;
}

const char *lgn_rc_gid_text(const struct ibv_gid_entry *entry,
			    char text[LGN_RC_GID_TEXT])
{
	char address[INET6_ADDRSTRLEN] = "";
	const char *type = "unknown type";

	if (entry->gid_type == IBV_GID_TYPE_IB)
		type = "InfiniBand";
	else if (entry->gid_type == IBV_GID_TYPE_ROCE_V1)
		type = "RoCE v1";
	else if (entry->gid_type == IBV_GID_TYPE_ROCE_V2)
		type = "RoCE v2";
	inet_ntop(AF_INET6, entry->gid.raw, address, sizeof(address));
	snprintf(text, LGN_RC_GID_TEXT, "%s, %s", type, address);
	return text;
}

void lgn_rc_gid_interface(const struct ibv_gid_entry *entry,
			  char name[IF_NAMESIZE])
{
	if (!entry->ndev_ifindex || !if_indextoname(entry->ndev_ifindex, name))
		name[0] = '\0';
}

/* Places of the table that hold nothing give an error. */
int lgn_rc_gid_list(struct ibv_context *context, int port,
		    const struct ibv_port_attr *attr,
		    struct ibv_gid_entry list[LGN_RC_GIDS])
{
	static const union ibv_gid zero;
	int n = 0;

	for (int i = 0; i < attr->gid_tbl_len && n < LGN_RC_GIDS; i++) {
		struct ibv_gid_entry *e = &list[n];

		if (!ibv_query_gid_ex(context, (uint32_t)port, (uint32_t)i, e, 0) &&
		    memcmp(&e->gid, &zero, sizeof(zero)))
			n++;
	}
	return n;
}

/* Small is good. RoCE v1 does not pass routers; a link-local GID may belong
 * to an interface that peers cannot reach by it. */
static int rank(const struct ibv_gid_entry *e, bool ethernet)
{
	int address = lgn_rc_gid_is_v4(&e->gid) ? 0 :
		lgn_rc_gid_is_local(&e->gid) ? 2 : 1;

	if (!ethernet)
		return 0;
	return (e->gid_type == IBV_GID_TYPE_ROCE_V2 ? 0 : 3) + address;
}

int lgn_rc_gid_choose(const struct ibv_gid_entry *list, int n, bool ethernet,
		      int wanted)
{
	int best = -1, best_rank = INT_MAX;
	uint32_t lowest = UINT32_MAX;

	for (int i = 0; i < n; i++) {
		const struct ibv_gid_entry *e = &list[i];
		int r = rank(e, ethernet);

		if (wanted >= 0) {
			if (e->gid_index == (uint32_t)wanted)
				return i;
		} else if (r < best_rank ||
			   (r == best_rank && e->gid_index < lowest)) {
			best = i;
			best_rank = r;
			lowest = e->gid_index;
		}
	}
	return best;
}
