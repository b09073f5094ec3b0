/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon info`: topologies, devices near them, and plans for machines that are
 * not this one. */
#include <stdlib.h>
#include <string.h>

#include "numa/place.h"
#include "runtime/base/status.h"
#include "tools/info.h"
#include "verbs/rdma.h"

static int status_of(int rc)
{
	if (!rc)
		return 0;
	return rc == LAGOON_EINVAL ? 2 : 1;
}

static void print_indented(FILE *out, const char *text)
{
	while (*text) {
		int n = (int)strcspn(text, "\n");

		fprintf(out, "  %.*s\n", n, text);
		text += n + (text[n] == '\n');
	}
}

static int print_topology(FILE *out, const struct lgn_topo *topo)
{
	int n = lgn_topo_print(topo, NULL, 0);
	char *text = n < 0 ? NULL : malloc((size_t)n + 1);

	if (n < 0)
		return n;
	if (!text)
		return lgn_fail(LAGOON_ENOMEM, "no memory for text");
	lgn_topo_print(topo, text, (size_t)n + 1);
	fputs("Topology\n", out);
	print_indented(out, text);
	free(text);
	return 0;
}

int info_topology(FILE *out, const char *synthetic)
{
	struct lgn_topo *topo;
	int rc = lgn_topo_open(synthetic, &topo);

	if (rc)
		return status_of(rc);
	rc = print_topology(out, topo);
	lgn_topo_close(topo);
	return status_of(rc);
}

/* The node of the first worker's core is the shard's. */
static int print_rdma(FILE *out, const struct lgn_topo *topo)
{
	size_t len = 1 << 16;
	char *text = malloc(len);
	int n = text ? lgn_rdma_print(topo, 0, text, len) :
		lgn_fail(LAGOON_ENOMEM, "no memory for text");

	fputs("RDMA\n", out);
	if (n >= 0)
		print_indented(out, text);
	if (n >= (int)len)
		fputs("  and more\n", out);
	free(text);
	return n < 0 ? n : 0;
}

int info_rdma(FILE *out, const char *synthetic)
{
	struct lgn_topo *topo;
	int rc = lgn_topo_open(synthetic, &topo);

	if (rc)
		return status_of(rc);
	rc = print_rdma(out, topo);
	lgn_topo_close(topo);
	return status_of(rc);
}

static void print_worker(FILE *out, const struct lgn_topo *topo,
			 const struct lgn_plan *plan, int i)
{
	char pus[128];
	int core = plan->core[i];

	if (core < 0) {
		fprintf(out, "    worker %-4d unpinned\n", i);
		return;
	}
	lgn_topo_core_pus(topo, core, pus, sizeof(pus));
	fprintf(out, "    worker %-4d core %d (PUs P%s) of node %d\n", i, core,
		pus, lgn_topo_core_node(topo, core));
}

static int print_process(FILE *out, const struct lgn_topo *topo,
			 const struct lgn_share *share, struct lgn_plan *plan)
{
	int rc = lgn_plan_make(topo, share, plan);

	if (rc)
		return rc;
	fprintf(out, "  process %d: shard on node %d [P%d]\n", share->homes,
		plan->node, lgn_topo_node_os(topo, plan->node));
	for (int i = 0; i < plan->workers; i++)
		print_worker(out, topo, plan, i);
	return 0;
}

static int print_plan(FILE *out, const struct lgn_topo *topo, int processes,
		      int workers)
{
	struct lgn_plan *plan = malloc(sizeof(*plan));
	int rc = 0;

	if (!plan)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a plan");
	fprintf(out, "Plan for %d process%s with %d worker%s each\n", processes,
		processes == 1 ? "" : "es", workers, workers == 1 ? "" : "s");
	for (int p = 0; p < processes && !rc; p++) {
		struct lgn_share share = {
			p * workers, workers, processes * workers, p,
		};

		rc = print_process(out, topo, &share, plan);
	}
	if (!rc && workers && !plan->pinned)
		fprintf(out, "  unpinned: %d workers share %d cores\n",
			processes * workers, lgn_topo_cores(topo));
	free(plan);
	return rc;
}

int info_plan(FILE *out, const char *synthetic, int processes, int workers)
{
	struct lgn_topo *topo;
	int rc = lgn_topo_open(synthetic, &topo);

	if (rc)
		return status_of(rc);
	rc = print_topology(out, topo);
	if (!rc)
		rc = print_plan(out, topo, processes, workers);
	lgn_topo_close(topo);
	return status_of(rc);
}
