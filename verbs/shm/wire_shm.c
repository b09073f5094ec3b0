/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "runtime/base/machine.h"
#include "runtime/base/status.h"
#include "verbs/copy.h"
#include "verbs/shm/shm.h"

enum { MAX_BATCH = 256 };

/* A region as this process has it mapped; rmem.priv. */
struct mapping {
	uint64_t *addr;
	uint64_t len;		/* with its bells */
	struct lgn_shm_bells *bells;	/* or NULL */
	int own;		/* our own region: not unmapped here */
	int writable;
};

static struct lgn_shm *shm_of(struct lgn_wire *wire)
{
	return (struct lgn_shm *)wire;
}

static void shm_quiet(struct lgn_wire *wire)
{
	lgn_shm_listener_stop(shm_of(wire));
}

static void shm_close(struct lgn_wire *wire)
{
	struct lgn_shm *shm = shm_of(wire);

	lgn_shm_listener_stop(shm);
	for (int i = 0; i < LGN_SHM_REGIONS; i++)
		if (shm->region[i].fd >= 0)
			close(shm->region[i].fd);
	pthread_mutex_destroy(&shm->lock);
	free(shm->peer);
	free(shm->node_of);
	free(shm->pidfd);
	free(shm);
}

static int shm_open_wire(const struct lgn_wire_near *near,
			 struct lgn_wire_addr *mine, struct lgn_wire **wire)
{
	struct lgn_shm *shm = calloc(1, sizeof(*shm));
	int rc;

	(void)near;
	if (!shm)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a wire");
	shm->wire.ops = &lgn_wire_shm;
	shm->wire.caps = LGN_WIRE_CPU_ATOMIC;
	shm->wire.max_batch = MAX_BATCH;
	shm->listen_fd = shm->stop_fd = shm->epoll_fd = -1;
	pthread_mutex_init(&shm->lock, NULL);
	for (int i = 0; i < LGN_SHM_REGIONS; i++)
		shm->region[i].fd = -1;
	rc = lgn_machine_id(shm->self.boot_id);
	if (!rc && getrandom(shm->self.socket, sizeof(shm->self.socket), 0) < 0)
		rc = lgn_fail(LAGOON_EIO, "getrandom: %s", strerror(errno));
	if (!rc)
		rc = lgn_shm_listen(shm);
	if (rc) {
		shm_close(&shm->wire);
		return rc;
	}
	*mine = (struct lgn_wire_addr){ { 0 } };
	memcpy(mine->bytes, &shm->self, sizeof(shm->self));
	*wire = &shm->wire;
	return 0;
}

static int check_machines(const struct lgn_shm *shm)
{
	for (int i = 0; i < shm->config.size; i++)
		if (memcmp(shm->peer[i].boot_id, shm->self.boot_id, 16))
			return lgn_fail(LAGOON_ENOTSUP,
					"rank %d runs on another machine, which shared memory does not reach: run all processes on one machine",
					i);
	return 0;
}

static int shm_start(struct lgn_wire *wire, const struct lgn_wire_config *config,
		     const struct lgn_wire_addr *all, const int *node_of)
{
	struct lgn_shm *shm = shm_of(wire);
	size_t n = (size_t)config->size;
	int rc;

	shm->config = *config;
	shm->peer = calloc(n, sizeof(*shm->peer));
	shm->node_of = calloc(n, sizeof(*shm->node_of));
	shm->pidfd = calloc(n, sizeof(*shm->pidfd));
	if (!shm->peer || !shm->node_of || !shm->pidfd)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu peers", n);
	for (size_t i = 0; i < n; i++) {
		memcpy(&shm->peer[i], all[i].bytes, sizeof(shm->peer[i]));
		shm->node_of[i] = node_of[i];
		shm->pidfd[i] = -1;
	}
	rc = check_machines(shm);
	return rc ? rc : lgn_shm_listener_start(shm);
}

static uint64_t random_key(int slot)
{
	uint64_t r = 0;

	if (getrandom(&r, sizeof(r), 0) < 0)
		r = (uint64_t)getpid() << 32;
	return (r << 16) | (uint64_t)slot | (1ull << 63);
}

/* Any thread. Puts the region where the listener finds it. */
static int publish_region(struct lgn_shm *shm, const struct lgn_mem_want *want,
			  struct lgn_mem *mem, int fd, uint64_t bells)
{
	int slot = 0;

	pthread_mutex_lock(&shm->lock);
	while (slot < LGN_SHM_REGIONS && shm->region[slot].fd >= 0)
		slot++;
	if (slot < LGN_SHM_REGIONS) {
		mem->key.rkey = random_key(slot);
		shm->region[slot] = (struct lgn_shm_region){
			.fd = fd, .len = want->len, .bells = bells,
			.rkey = mem->key.rkey,
			.writable = !!(want->access & (LGN_ACC_WRITE | LGN_ACC_ATOMIC)),
		};
	}
	pthread_mutex_unlock(&shm->lock);
	return slot < LGN_SHM_REGIONS ? 0 :
		lgn_fail(LAGOON_EAGAIN, "all %d regions are in use", LGN_SHM_REGIONS);
}

/* Bells are behind the region, in pages as large as its own. */
static int bells_of(const struct lgn_shm *shm, const struct lgn_mem_want *want,
		    uint64_t *bytes)
{
	const uint64_t page = want->len % (2u << 20) ? 4096 : 2u << 20;

	*bytes = 0;
	if (!(want->access & LGN_ACC_BELL))
		return 0;
	if (!shm->config.size || shm->bells)
		return lgn_fail(LAGOON_EINVAL, "a region with bells: one at a time, after start()");
	*bytes = lgn_round_up(lgn_shm_bells_bytes(shm->config.size), page);
	return 0;
}

static int shm_reg(struct lgn_wire *wire, const struct lgn_mem_want *want,
		   struct lgn_mem *mem)
{
	struct lgn_shm *shm = shm_of(wire);
	struct lgn_mem m = { .len = want->len, .addr = want->at, .borrowed = want->at };
	struct lgn_mem_want all = *want;
	uint64_t bells = 0;
	int fd = -1;
	int rc = want->at ? 0 : bells_of(shm, want, &bells);

	all.len += bells;
	if (!rc && !want->at)
		rc = lgn_shm_region_make(&all, &m.addr, &fd);
	if (rc)
		return rc;
	m.key.addr = (uint64_t)(uintptr_t)m.addr;
	m.key.len = want->len;
	if (fd >= 0) {
		rc = publish_region(shm, want, &m, fd, bells);
		if (rc) {
			close(fd);
			lgn_shm_region_drop(m.addr, all.len);
			return rc;
		}
	}
	if (bells) {
		atomic_store(&shm->hushed, false);
		shm->bells = (void *)((char *)m.addr + want->len);
	}
	*mem = m;
	return 0;
}

static void shm_unreg(struct lgn_wire *wire, struct lgn_mem *mem)
{
	struct lgn_shm *shm = shm_of(wire);
	uint64_t bells = 0;

	if (!mem->addr)
		return;
	if (mem->key.rkey) {
		struct lgn_shm_region *r =
			&shm->region[(mem->key.rkey & 0xffff) % LGN_SHM_REGIONS];

		pthread_mutex_lock(&shm->lock);
		close(r->fd);
		r->fd = -1;
		bells = r->bells;
		pthread_mutex_unlock(&shm->lock);
	}
	if (bells)
		shm->bells = NULL;
	if (!mem->borrowed)
		lgn_shm_region_drop(mem->addr, mem->len + bells);
	*mem = (struct lgn_mem){ 0 };
}

static int map_peer(struct lgn_shm *shm, int peer, const struct lgn_key *key,
		    struct mapping *m)
{
	struct lgn_shm_answer answer;
	int fd, pid;
	int rc = lgn_shm_ask_peer(shm, peer, key->rkey, &answer, &fd, &pid);

	if (rc)
		return rc;
	if (fd < 0 || answer.len != key->len) {
		if (fd >= 0)
			close(fd);
		return lgn_fail(LAGOON_EPEER,
				"rank %d handed over %llu bytes of a region of %llu",
				peer, (unsigned long long)answer.len,
				(unsigned long long)key->len);
	}
	m->writable = answer.writable;
	m->len = key->len + answer.bells;
	m->addr = lgn_shm_map(m->len,
			      PROT_READ | (m->writable ? PROT_WRITE : 0),
			      MAP_SHARED, fd);
	close(fd);
	if (!m->addr)
		return lgn_fail(LAGOON_ENOMEM, "mapping %llu bytes of rank %d: %s",
				(unsigned long long)key->len, peer,
				strerror(errno));
	if (answer.bells)
		m->bells = (void *)((char *)m->addr + key->len);
	return 0;
}

static void map_own(const struct lgn_shm *shm, const struct lgn_key *key,
		    struct mapping *m)
{
	m->addr = (uint64_t *)(uintptr_t)key->addr;
	m->own = m->writable = 1;
	if (shm->bells == (void *)((char *)m->addr + key->len))
		m->bells = shm->bells;
}

static int shm_attach(struct lgn_wire *wire, int peer, const struct lgn_key *key,
		      struct lgn_rmem *mem)
{
	struct lgn_shm *shm = shm_of(wire);
	struct mapping *m = calloc(1, sizeof(*m));
	int rc = 0;

	if (!m)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a mapping");
	if (peer == shm->config.rank)
		map_own(shm, key, m);
	else
		rc = map_peer(shm, peer, key, m);
	if (rc) {
		free(m);
		return rc;
	}
	*mem = (struct lgn_rmem){
		.wire = wire, .peer = peer, .len = key->len,
		.bell = m->bells, .priv = m,
	};
	if (shm->node_of[peer] == shm->node_of[shm->config.rank])
		mem->map = m->addr;
	return 0;
}

static void shm_detach(struct lgn_rmem *mem)
{
	struct mapping *m = mem->priv;

	if (!m)
		return;
	if (!m->own)
		munmap(m->addr, m->len);
	free(m);
	*mem = (struct lgn_rmem){ 0 };
}

static int check_request(const struct lgn_wr *wr)
{
	const struct mapping *m = wr->mem->priv;

	if (lgn_unlikely((wr->off | wr->len) & 7 || wr->off > wr->mem->len ||
			 wr->len > wr->mem->len - wr->off))
		return lgn_fail(LAGOON_EINVAL,
				"request of %u bytes at %llu in a region of %llu bytes of rank %d",
				wr->len, (unsigned long long)wr->off,
				(unsigned long long)wr->mem->len, wr->mem->peer);
	if (lgn_unlikely(wr->op != LGN_GET && !m->writable))
		return lgn_fail(LAGOON_EINVAL, "the region of rank %d is read-only",
				wr->mem->peer);
	return 0;
}

static int execute(const struct lgn_wr *wr)
{
	const struct mapping *m = wr->mem->priv;
	_Atomic uint64_t *word = (_Atomic uint64_t *)(m->addr + wr->off / 8);
	uint64_t old;
	int rc = check_request(wr);

	if (lgn_unlikely(rc))
		return rc;
	switch (wr->op) {
	case LGN_GET:
		lgn_copy_words(wr->local, m->addr + wr->off / 8, wr->len / 8);
		break;
	case LGN_PUT:
		for (uint32_t i = 0; i < wr->len / 8; i++)
			atomic_store_explicit(&word[i], wr->local[i],
					      memory_order_release);
		break;
	case LGN_ADD:
		*wr->local = atomic_fetch_add(word, wr->operand);
		break;
	case LGN_CAS:
		old = wr->expect;
		atomic_compare_exchange_strong(word, &old, wr->operand);
		*wr->local = old;
		break;
	default:
		return lgn_fail(LAGOON_EINVAL, "a request that rings a bell is alone in its batch");
	}
	return 0;
}

static int post_bell(const struct lgn_shm *shm, struct lgn_batch *batch)
{
	const struct lgn_wr *wr = batch->wr;
	const struct mapping *m = wr->mem->priv;
	int rc = check_request(wr);

	if (!rc && (!m->bells || shm->config.late))
		rc = lgn_fail(LAGOON_EINVAL, "the region of rank %d has no bell for this process",
			      wr->mem->peer);
	if (rc)
		return rc;
	if (!lgn_shm_bell_room(m->bells, shm->config.rank))
		return LAGOON_EAGAIN;
	lgn_batch_begin(batch);
	lgn_copy_words(m->addr + wr->off / 8, wr->local, wr->len / 8);
	lgn_shm_bell_ring(m->bells, shm->config.rank, (uint32_t)wr->operand);
	lgn_batch_complete(batch, 1, 0);
	return 0;
}

/* Any thread. Executed here and now: complete on return. */
static int shm_post(struct lgn_wire *wire, struct lgn_batch *batch)
{
	int status = 0;

	if (batch->n == 1 && lgn_unlikely(batch->wr[0].op == LGN_PUT_BELL))
		return post_bell(shm_of(wire), batch);
	lgn_batch_begin(batch);
	for (uint32_t i = 0; i < batch->n && !status; i++)
		status = execute(&batch->wr[i]);
	/* Orders the loads of these GETs before whatever the poster loads
	 * after it has seen the batch done: a board read before a data read. */
	atomic_thread_fence(memory_order_acquire);
	lgn_batch_complete(batch, batch->n, status);
	return 0;
}

static void shm_poll(struct lgn_wire *wire)
{
	(void)wire;
}

static const char *shm_why(struct lgn_wire *wire, int peer)
{
	(void)wire;
	(void)peer;
	return "";
}

static int shm_mend(struct lgn_rmem *mem)
{
	return lgn_fail(LAGOON_EIO, "shared memory of rank %d cannot be made anew",
			mem->peer);
}

static void shm_poke(struct lgn_wire *wire, int peer)
{
	lgn_shm_poke_peer(shm_of(wire), peer);
}

const struct lgn_wire_ops lgn_wire_shm = {
	.name = "shm",
	.open = shm_open_wire,
	.start = shm_start,
	.quiet = shm_quiet,
	.close = shm_close,
	.reg = shm_reg,
	.unreg = shm_unreg,
	.attach = shm_attach,
	.detach = shm_detach,
	.post = shm_post,
	.poll = shm_poll,
	.why = shm_why,
	.hear = lgn_shm_hear,
	.hush = lgn_shm_hush,
	.mend = shm_mend,
	.poke = shm_poke,
};
