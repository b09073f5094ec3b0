/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/sched/point.h"

#include <stdio.h>
#include <string.h>

#include "runtime/base/status.h"
#include "test/sched/wire_sim.h"
#include "test/support/test.h"

enum {
	IN_FLIGHT = 1 << 16,
	REGIONS = 1 << 16,
	AGAIN_MOST = 3,
	LINGER_BITS = 11,
	WATCHES = WIRE_SIM_SMALL * WIRE_SIM_SMALL,
};

/* Memory of a process. Its number is the key. */
struct region {
	uint64_t *words;
	uint64_t bytes;
	int proc;
	bool borrowed;			/* it was there before */
	bool given_back;
};

struct sim;

/* A request on its way. Bit i of todo: words i, i + 64 ... are still to be
 * moved. The poster's array is not looked at again: a dead process's may be
 * gone. */
struct op {
	struct op *next;		/* done, or free */
	struct sim *owner;
	struct lgn_batch *batch;
	const struct region *region;
	uint64_t *remote, *local;
	uint32_t words;
	enum lgn_op op;
	uint64_t operand, expect, old;
	uint64_t todo;
	uint64_t standing;		/* until that event */
	bool late;			/* or so long, once it is executed */
	unsigned again;
	int status;
	bool uncertain;
};

/* One process's. */
struct sim {
	struct lgn_wire wire;
	struct lgn_wire_config config;
	bool started, quiet;
	bool telling;			/* a call of lost() runs */
	struct op *done;		/* to be told by poll() */
	uint32_t n_done;
	int nodes[SCHED_PROCS];
};

struct wire_sim_style wire_sim_style;
uint64_t wire_sim_posted, wire_sim_again;

/* Who hears that a process has ended. */
struct watch {
	int proc, dead;
};

static struct op pool[IN_FLIGHT], *unused;
static struct op *in_flight[IN_FLIGHT];
static unsigned n_pool, n_in_flight;
static struct region region[REGIONS];
static unsigned n_regions;
static struct sim *sim_of_proc[SCHED_PROCS];
static struct watch watch[WATCHES];
static int n_watches, n_deaths;

static const char *const op_name[] = { "GET", "PUT", "ADD", "CAS" };

static struct sim *sim_of(struct lgn_wire *wire)
{
	return (struct sim *)wire;
}

void sched_wire_begin(void)
{
	unused = NULL;
	n_pool = n_in_flight = n_regions = 0;
	n_deaths = n_watches = 0;
	memset(sim_of_proc, 0, sizeof(sim_of_proc));
	node_sim_begin();
}

/* --------------------------------------------------------------- opening */

static int sim_open(const struct lgn_wire_near *near,
		    struct lgn_wire_addr *mine, struct lgn_wire **wire)
{
	struct sim *sim = sched_calloc(1, sizeof(*sim));

	(void)near;
	*mine = (struct lgn_wire_addr){ { 0 } };
	sim->wire.ops = &lgn_wire_sim;
	sim->wire.caps = wire_sim_style.cpu_atomic ? LGN_WIRE_CPU_ATOMIC : 0;
	sim->wire.max_batch = wire_sim_style.max_batch;
	*wire = &sim->wire;
	return 0;
}

static int sim_start(struct lgn_wire *wire, const struct lgn_wire_config *config,
		     const struct lgn_wire_addr *all, const int *node_of)
{
	struct sim *sim = sim_of(wire);

	(void)all;
	sim->config = *config;
	memcpy(sim->nodes, node_of, (size_t)config->size * sizeof(*node_of));
	sim->started = true;
	sim_of_proc[config->rank] = sim;
	return 0;
}

static bool others_are_there(const struct sim *sim)
{
	for (int i = 0; i < sim->config.size; i++)
		if (i != sim->config.rank && sim_of_proc[i] &&
		    !(sim_of_proc[i]->quiet && !sim_of_proc[i]->telling) &&
		    !sched_dead(i))
			return true;
	return false;
}

/* The board is at rank 0: others still look at it while they leave. */
static void sim_quiet(struct lgn_wire *wire)
{
	struct sim *sim = sim_of(wire);

	sim->quiet = true;
	while (sim->telling ||
	       (sim->started && !sim->config.rank && others_are_there(sim)))
		SCHED_WAIT("wire quiet");
}

static void op_free(struct op *op)
{
	op->next = unused;
	unused = op;
}

/* What the process had in flight takes effect or not. Its local buffers are
 * there after a death, but not after it has closed. */
static void ops_orphan(const struct sim *sim, bool buffers)
{
	for (unsigned i = n_in_flight; i--; ) {
		struct op *op = in_flight[i];

		if (op->owner != sim)
			continue;
		op->owner = NULL;
		op->batch = NULL;
		if (op->op != LGN_GET && (buffers || op->op != LGN_PUT) &&
		    sched_once_in(2))
			continue;
		sched_tell("wire: %s of the dead is lost", op_name[op->op]);
		in_flight[i] = in_flight[--n_in_flight];
		op_free(op);
	}
}

static void tell_end(int proc, int size);

static void sim_close(struct lgn_wire *wire)
{
	struct sim *sim = sim_of(wire);
	bool told = sim->started && sim->config.size <= WIRE_SIM_SMALL && sched_once_in(2);

	for (unsigned i = 0; i < n_in_flight; i++)
		T_CHECK(in_flight[i]->owner != sim || n_deaths,
			"a process closes with requests in flight");
	ops_orphan(sim, false);
	if (sim->started)
		sim_of_proc[sim->config.rank] = NULL;
	/* It has left in order, or given up: that is on the board. */
	if (told)
		tell_end(sim->config.rank, sim->config.size);
	sched_free(sim);
}

bool wire_sim_orphans(void)
{
	for (unsigned i = 0; i < n_in_flight; i++)
		if (!in_flight[i]->owner)
			return true;
	return false;
}

/* A thread of the wire. */
static void *hear(void *arg)
{
	const struct watch *w = arg;
	struct sim *sim;

	while (wire_sim_orphans())
		SCHED_WAIT("the last of the dead");
	for (uint64_t n = sched_below(WIRE_SIM_LATE); n; n--)
		SCHED_WAIT("news of a death");
	/* A wire has one such thread. */
	while ((sim = sim_of_proc[w->proc]) && sim->telling)
		SCHED_WAIT("other news");
	if (!sim || sim->quiet)
		return NULL;
	sim->telling = true;
	sim->config.lost(sim->config.lost_arg, w->dead);
	sim->telling = false;
	return NULL;
}

static void tell_end(int proc, int size)
{
	for (int i = 0; i < size; i++) {
		if (i == proc || sched_dead(i) || !sim_of_proc[i])
			continue;
		T_CHECK(n_watches < WATCHES, "too many ends");
		watch[n_watches] = (struct watch){ i, proc };
		sched_spawn(i, "watch", hear, &watch[n_watches++]);
	}
}

void sched_wire_kill(int proc)
{
	const struct sim *dead = sim_of_proc[proc];

	n_deaths++;
	node_sim_kill(proc);
	if (!dead)
		return;
	ops_orphan(dead, true);
	tell_end(proc, dead->config.size);
}

/* ---------------------------------------------------------------- memory */

static int sim_reg(struct lgn_wire *wire, const struct lgn_mem_want *want,
		   struct lgn_mem *mem)
{
	struct region *r = &region[n_regions];

	(void)wire;
	T_CHECK(n_regions < REGIONS, "more than %d regions", REGIONS);
	r->borrowed = want->at;
	r->words = want->at ? want->at :
		memset(sched_malloc(want->len), 0, want->len);
	r->bytes = want->len;
	r->proc = sched_proc();
	r->given_back = false;
	*mem = (struct lgn_mem){
		.addr = r->words, .len = want->len,
		.key = { .addr = (uintptr_t)r->words, .len = want->len,
			 .rkey = n_regions++ },
		.priv = r, .borrowed = r->borrowed,
	};
	return 0;
}

static void sim_unreg(struct lgn_wire *wire, struct lgn_mem *mem)
{
	struct region *r = mem->priv;

	(void)wire;
	if (!r)
		return;
	r->given_back = true;
	if (!r->borrowed)
		sched_free(r->words);
	*mem = (struct lgn_mem){ 0 };
}

static int sim_attach(struct lgn_wire *wire, int peer, const struct lgn_key *key,
		      struct lgn_rmem *mem)
{
	struct sim *sim = sim_of(wire);
	struct region *r = &region[key->rkey];
	bool near = sim->nodes[peer] == sim->nodes[sim->config.rank];

	T_CHECK(key->rkey < n_regions && r->proc == peer &&
		(uintptr_t)r->words == key->addr,
		"a key that rank %d never gave", peer);
	*mem = (struct lgn_rmem){
		.wire = wire, .peer = peer, .len = key->len,
		.map = near && wire_sim_style.map ? r->words : NULL,
		.priv = r,
	};
	return 0;
}

static void sim_detach(struct lgn_rmem *mem)
{
	mem->priv = NULL;
}

/* --------------------------------------------------------------- posting */

/* For a while: before it is begun, or complete but for saying so. */
static void stand(struct op *op)
{
	if (sched_once_in(2))
		op->late = true;
	else
		op->standing = sched_events() + sched_below(1 << LINGER_BITS);
}

static void op_take(struct sim *sim, struct lgn_batch *batch,
		    const struct lgn_wr *wr)
{
	const struct region *r = wr->mem->priv;
	struct op *op;

	T_CHECK(r && wr->len && !(wr->off % 8) && !(wr->len % 8) &&
		wr->off + wr->len <= r->bytes,
		"a request outside of its region");
	T_CHECK((wr->op <= LGN_PUT || wr->len == 8) && wr->local >=
		(uint64_t *)wr->buf->addr && (char *)wr->local + wr->len <=
		(char *)wr->buf->addr + wr->buf->len,
		"a request whose local buffer is not registered");
	op = unused;
	if (op)
		unused = op->next;
	else
		op = &pool[n_pool++];
	in_flight[n_in_flight++] = op;
	*op = (struct op){
		.owner = sim, .batch = batch, .region = r,
		.remote = r->words + wr->off / 8, .local = wr->local,
		.words = wr->len / 8, .op = wr->op,
		.operand = wr->operand, .expect = wr->expect,
		.todo = wr->len / 8 < 64 ? (1ull << wr->len / 8) - 1 : ~0ull,
	};
	if (wire_sim_style.linger_in && sched_once_in(wire_sim_style.linger_in))
		stand(op);
	if (sched_tracing())
		sched_tell("posts %s of region %u of %d, word %llu, %u words",
			   op_name[wr->op], (unsigned)(r - region), r->proc,
			   (unsigned long long)wr->off / 8, op->words);
}

static int sim_post(struct lgn_wire *wire, struct lgn_batch *batch)
{
	struct sim *sim = sim_of(wire);

	SCHED_POINT("post", "");
	T_CHECK(batch->n && batch->n <= wire->max_batch, "a batch of %u requests",
		batch->n);
	if (n_pool + batch->n > IN_FLIGHT ||
	    (wire_sim_style.refuse_in && sched_once_in(wire_sim_style.refuse_in)))
		return LAGOON_EAGAIN;
	lgn_batch_begin(batch);
	for (uint32_t i = 0; i < batch->n; i++)
		op_take(sim, batch, &batch->wr[i]);
	wire_sim_posted += batch->n;
	return 0;
}

/* Each one off the list first: what follows may give way to others of this
 * process that poll. */
static void sim_poll(struct lgn_wire *wire)
{
	struct sim *sim = sim_of(wire);

	SCHED_POINT("poll", "");
	for (uint32_t n = sim->n_done; n && sim->n_done && !sched_once_in(4); n--) {
		struct op *op = sim->done, it = *op;

		sim->done = op->next;
		sim->n_done--;
		op_free(op);
		if (it.op >= LGN_ADD && !it.status)
			*it.local = it.old;
		if (it.uncertain)
			it.batch->uncertain++;
		lgn_batch_complete(it.batch, 1, it.status);
	}
}

static const char *sim_why(struct lgn_wire *wire, int peer)
{
	static char text[40];

	(void)wire;
	snprintf(text, sizeof(text), "rank %d is gone", peer);
	return sched_dead(peer) || !sim_of_proc[peer] ? text : "";
}

/* ------------------------------------------------------------ what it does */

static void words_move(struct op *op, uint64_t which)
{
	bool get = op->op == LGN_GET;

	for (uint64_t bits = which; bits; bits &= bits - 1)
		for (uint32_t i = (uint32_t)__builtin_ctzll(bits);
		     i < op->words; i += 64) {
			if (get) {
				op->local[i] = op->remote[i];
				continue;
			}
			if (op->remote[i] != op->local[i])
				sched_progress();
			op->remote[i] = op->local[i];
		}
	op->todo &= ~which;
}

static void atomic_do(struct op *op)
{
	op->old = *op->remote;
	if (op->op == LGN_ADD)
		*op->remote += op->operand;
	else if (op->old == op->expect)
		*op->remote = op->operand;
	if (*op->remote != op->old)
		sched_progress();
	op->todo = 0;
}

/* Completions are told in any order. */
static void op_finish(unsigned i)
{
	struct op *op = in_flight[i], **at;
	struct sim *sim = op->owner;

	in_flight[i] = in_flight[--n_in_flight];
	sched_tell("wire: %s of region %u of %d, by %d, %s", op_name[op->op],
		   (unsigned)(op->region - region), op->region->proc,
		   sim ? sim->config.rank : -1, op->status ? "failed" : "done");
	if (!op->batch) {
		op_free(op);
		return;
	}
	at = &sim->done;
	for (uint64_t n = sched_below(sim->n_done + 1); n; n--)
		at = &(*at)->next;
	op->next = *at;
	*at = op;
	sim->n_done++;
}

/* What reaches for memory that is no more: an error of a job that goes down,
 * a fault of the runtime in one that is whole. */
static bool op_fails(struct op *op)
{
	const struct region *r = op->region;
	bool lost = sched_dead(r->proc) && wire_sim_style.gone_with_owner &&
		(op->op >= LGN_ADD || !wire_sim_style.reads_go_on || !r->proc);

	if (!lost && !r->given_back)
		return false;
	T_CHECK(lost || n_deaths, "a request reached memory that rank %d had given back",
		r->proc);
	if (op->op >= LGN_ADD && op->todo && !r->given_back && sched_once_in(2))
		atomic_do(op);
	op->uncertain = op->op >= LGN_ADD;
	op->status = LAGOON_EPEER;
	return true;
}

void sched_wire_step(void)
{
	unsigned i;
	struct op *op;

	if (!n_in_flight)
		return;
	i = (unsigned)sched_below(n_in_flight);
	op = in_flight[i];
	if (op->standing > sched_events())
		return;
	if (op->todo && op_fails(op)) {
		op_finish(i);
		return;
	}
	if (op->op >= LGN_ADD && op->todo)
		atomic_do(op);
	else if (op->todo)
		words_move(op, sched_once_in(2) ? op->todo :
			   op->todo & sched_random());
	if (op->todo)
		return;
	if (op->op == LGN_GET && op->again < AGAIN_MOST &&
	    wire_sim_style.again_in && sched_once_in(wire_sim_style.again_in)) {
		op->again++;
		op->todo = op->words < 64 ? (1ull << op->words) - 1 : ~0ull;
		wire_sim_again++;
		sched_tell("wire: a GET is executed again");
		return;
	}
	if (op->late)
		op->standing = sched_events() + sched_below(1 << LINGER_BITS);
	else if (!sched_once_in(2))
		op_finish(i);
	op->late = false;
}

/* The node's wire does that. */
static void sim_poke(struct lgn_wire *wire, int peer)
{
	(void)wire;
	(void)peer;
}

const struct lgn_wire_ops lgn_wire_sim = {
	.name = "sim",
	.open = sim_open,
	.start = sim_start,
	.quiet = sim_quiet,
	.close = sim_close,
	.reg = sim_reg,
	.unreg = sim_unreg,
	.attach = sim_attach,
	.detach = sim_detach,
	.post = sim_post,
	.poll = sim_poll,
	.why = sim_why,
	.poke = sim_poke,
};
