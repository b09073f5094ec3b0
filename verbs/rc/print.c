/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices as text, for people. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/limits.h"
#include "runtime/base/status.h"
#include "verbs/rc/choose.h"
#include "verbs/rdma.h"

enum { GIDS_SHOWN = 8 };

struct site {
	const struct lgn_topo *topo;
	int near;
};

/* A sentence in place of a choice: what went wrong is what is to be told. */
static void print_choice(FILE *out, const struct site *site)
{
	bool several = site->near >= 0 && lgn_topo_nodes(site->topo) > 1;
	struct lgn_rc_options o;
	struct lgn_rc_device device;
	int rc = lgn_rc_options_read(&o);

	o.fork = false;		/* it would last */
	if (!rc)
		rc = lgn_rc_device_open(&o, site->topo, site->near, &device);
	if (several)
		fprintf(out, "chosen, node %-2d ", site->near);
	else
		fputs("chosen          ", out);
	if (rc) {
		fprintf(out, "none: %s\n", lagoon_errmsg());
		return;
	}
	fprintf(out, "%s%s\n", device.reason,
		device.own_ip ? ", its own address" : "");
	rc = lgn_rc_device_check(&device, 1, "one peer", 1, 1);
	if (rc)
		fprintf(out, "but             %s\n", lagoon_errmsg());
	lgn_rc_device_close(&device);
}

static void print_memlock(FILE *out)
{
	struct lgn_limits limits;
	char text[LGN_SIZE_TEXT];

	lgn_limits_read(&limits);
	fprintf(out, "locked memory   %s may be registered (RLIMIT_MEMLOCK)%s\n",
		lgn_size_text(limits.memlock, text),
		limits.memlock_exempt ? "; not enforced: CAP_IPC_LOCK" : "");
}

static void print_place(FILE *out, const struct lgn_rc_candidate *c)
{
	fprintf(out, "%-15s ", c->device);
	if (c->node_os < 0)
		fputs("NUMA node unknown", out);
	else if (c->node < 0)
		fprintf(out, "NUMA node [P%d], not one of this process",
			c->node_os);
	else
		fprintf(out, "NUMA node %d [P%d]", c->node, c->node_os);
	if (c->distance)
		fprintf(out, ", distance %d", c->distance);
	fputc('\n', out);
}

static void print_port(FILE *out, int number, const struct ibv_port_attr *port)
{
	bool ethernet = port->link_layer == IBV_LINK_LAYER_ETHERNET;

	fprintf(out, "  port %-9d %s, %s, %g Gb/s, MTU %d of %d", number,
		lgn_rc_state_text(port->state),
		ethernet ? "Ethernet" : "InfiniBand", lgn_rc_mbps(port) / 1e3,
		128 << port->active_mtu, 128 << port->max_mtu);
	if (!ethernet)
		fprintf(out, ", LID %d, subnet manager at LID %d", port->lid,
			port->sm_lid);
	fputc('\n', out);
}

static void print_gids(FILE *out, struct ibv_context *context, int number,
		       const struct ibv_port_attr *port)
{
	struct ibv_gid_entry list[LGN_RC_GIDS];
	char text[LGN_RC_GID_TEXT], interface[IF_NAMESIZE];
	int n = lgn_rc_gid_list(context, number, port, list);

	for (int i = 0; i < n && i < GIDS_SHOWN; i++) {
		lgn_rc_gid_interface(&list[i], interface);
		fprintf(out, "  GID %-10u %s%s%s\n", list[i].gid_index,
			lgn_rc_gid_text(&list[i], text),
			interface[0] ? ", " : "", interface);
	}
	if (n > GIDS_SHOWN)
		fprintf(out, "  GID            %d more\n", n - GIDS_SHOWN);
}

static void print_ports(FILE *out, struct ibv_context *context, int ports)
{
	for (int i = 1; i <= ports; i++) {
		struct ibv_port_attr port;

		if (ibv_query_port(context, (uint8_t)i, &port)) {
			fprintf(out, "  port %-9d cannot be queried: %s\n", i,
				strerror(errno));
			continue;
		}
		print_port(out, i, &port);
		print_gids(out, context, i, &port);
	}
}

static void print_sizes(FILE *out, const char *what, unsigned sizes)
{
	if (!sizes)
		return;
	fprintf(out, " %s", what);
	for (int i = 0; i < 3; i++)
		if (sizes >> i & 1)
			fprintf(out, " %d", 4 << i);
}

static bool is_mlx5(const struct ibv_device_attr *a)
{
	enum { MELLANOX = 0x02c9, MELLANOX_PCI = 0x15b3, CONNECT_IB = 4113 };

	return (a->vendor_id == MELLANOX || a->vendor_id == MELLANOX_PCI) &&
		a->vendor_part_id >= CONNECT_IB;
}

static void print_atomics(FILE *out, const struct ibv_device_attr_ex *x)
{
	static const char *const text[] = {
		[IBV_ATOMIC_NONE] = "ATOMIC_NONE: none",
		[IBV_ATOMIC_HCA] = "ATOMIC_HCA: among the operations of this device, not with those of CPUs",
		[IBV_ATOMIC_GLOB] = "ATOMIC_GLOB: also with the operations of CPUs",
	};
	const struct ibv_pci_atomic_caps *pci = &x->pci_atomic_caps;
	unsigned cap = x->orig_attr.atomic_cap;

	fprintf(out, "  atomics        %s\n",
		cap < LGN_COUNT(text) ? text[cap] : "unknown");
	fputs("  PCI atomics   ", out);
	print_sizes(out, "fetch-and-add", pci->fetch_add);
	print_sizes(out, "swap", pci->swap);
	print_sizes(out, "compare-and-swap", pci->compare_swap);
	fputs(pci->fetch_add | pci->swap | pci->compare_swap ?
	      " bytes\n" : " none\n", out);
	if (is_mlx5(&x->orig_attr))
		fputs("  masked         sizes not known: libibverbs has no query for them\n",
		      out);
}

static void print_limits(FILE *out, const struct ibv_device_attr_ex *x)
{
	const struct ibv_device_attr *a = &x->orig_attr;
	char text[LGN_SIZE_TEXT];

	fprintf(out, "  device memory  %s\n", x->max_dm_size ?
		lgn_size_text(x->max_dm_size, text) : "none");
	fprintf(out, "  limits         max_qp %d, max_qp_wr %d, max_cq %d, max_cqe %d\n",
		a->max_qp, a->max_qp_wr, a->max_cq, a->max_cqe);
	fprintf(out, "                 max_mr %d, max_mr_size %s\n", a->max_mr,
		lgn_size_text(a->max_mr_size, text));
	fprintf(out, "                 max_qp_rd_atom %d, max_qp_init_rd_atom %d\n",
		a->max_qp_rd_atom, a->max_qp_init_rd_atom);
}

static void print_open(FILE *out, struct ibv_context *context)
{
	struct ibv_device_attr_ex x;

	memset(&x, 0, sizeof(x));
	if (ibv_query_device_ex(context, NULL, &x)) {
		fprintf(out, "  cannot be queried: %s\n", strerror(errno));
		return;
	}
	print_ports(out, context, x.orig_attr.phys_port_cnt);
	print_atomics(out, &x);
	print_limits(out, &x);
}

/* Each device has one candidate at least, if only to say what is wrong. */
static void print_device(FILE *out, const struct lgn_rc_scan *scan,
			 struct ibv_device *device)
{
	const char *name = ibv_get_device_name(device);
	struct ibv_context *context;
	bool placed = false;
	char text[384];

	for (int i = 0; i < scan->n; i++) {
		const struct lgn_rc_candidate *c = &scan->candidate[i];

		if (strcmp(c->device, name))
			continue;
		if (!placed)
			print_place(out, c);
		placed = true;
		if (lgn_rc_trouble(c, text, sizeof(text))[0])
			fprintf(out, "  not used       %s\n", text);
	}
	context = ibv_open_device(device);
	if (!context)
		return;
	print_open(out, context);
	ibv_close_device(context);
}

static void print_all(FILE *out, const struct site *site)
{
	struct lgn_rc_scan scan;

	print_choice(out, site);
	print_memlock(out);
	if (lgn_rc_scan(site->topo, site->near, &scan))
		return;
	for (int i = 0; i < scan.devices; i++)
		print_device(out, &scan, scan.device[i]);
	lgn_rc_scan_free(&scan);
}

int lgn_rdma_print(const struct lgn_topo *topo, int near, char *buf, size_t len)
{
	const struct site site = { topo, near };
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return lgn_fail(LAGOON_ENOMEM, "no memory for text");
	print_all(out, &site);
	fclose(out);
	snprintf(buf, len, "%s", text ? text : "");
	free(text);
	return (int)n;
}
