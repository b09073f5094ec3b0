/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/base/limits.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "verbs/rc/rc.h"

#define HUGE_BYTES (2u << 20)

/* Shared, though nobody else maps it: a child of fork() then never takes the
 * pages away from the device by copy on write. */
static int map(const struct lgn_mem_want *want, void **addr)
{
	const int flags = MAP_SHARED | MAP_ANONYMOUS;
	void *p = MAP_FAILED;

	if (want->len >= HUGE_BYTES && want->len % HUGE_BYTES == 0)
		p = mmap(NULL, want->len, PROT_READ | PROT_WRITE,
			 flags | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		p = mmap(NULL, want->len, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (p == MAP_FAILED)
		return lgn_fail(LAGOON_ENOMEM, "%llu bytes of memory: %s",
				(unsigned long long)want->len, strerror(errno));
	/* Nor does it get them at all. */
	madvise(p, want->len, MADV_DONTFORK);
	if (want->bind && want->bind(want->bind_arg, p, want->len))
		lgn_log(LGN_WARN, "memory is not bound: %s", lagoon_errmsg());
	*addr = p;
	return 0;
}

/* Parameters are never writable by peers, and never relaxed: a region is for
 * what it was asked for. Atomics need local write, too. */
static int flags_of(int access)
{
	int flags = IBV_ACCESS_LOCAL_WRITE;

	if (access & LGN_ACC_READ)
		flags |= IBV_ACCESS_REMOTE_READ;
	if (access & LGN_ACC_WRITE)
		flags |= IBV_ACCESS_REMOTE_WRITE;
	if (access & LGN_ACC_ATOMIC)
		flags |= IBV_ACCESS_REMOTE_ATOMIC;
	return flags;
}

static int reg_error(const struct lgn_rc *rc, uint64_t len)
{
	char need[LGN_SIZE_TEXT], there[LGN_SIZE_TEXT];
	struct lgn_limits limits;
	int error = errno;

	lgn_limits_read(&limits);
	return lgn_fail(LAGOON_ENOMEM,
			"device %s cannot register %s: %s; max_mr_size is %llu, RLIMIT_MEMLOCK %s (ulimit -l; under Slurm LimitMEMLOCK of slurmd and PropagateResourceLimitsExcept=MEMLOCK)",
			rc->device.name, lgn_size_text(len, need),
			strerror(error),
			(unsigned long long)rc->device.attr.max_mr_size,
			lgn_size_text(limits.memlock, there));
}

static void dereg(struct lgn_rc_mem *m)
{
	for (uint32_t i = 0; i < m->chunks; i++)
		ibv_dereg_mr(m->mr[i]);
	free(m);
}

/* Pins the pages, and so touches them first: after binding. */
static int register_chunks(struct lgn_rc *rc, void *addr, uint64_t len,
			   int access, struct lgn_rc_mem **out)
{
	const uint64_t chunk = 1ull << rc->chunk_shift;
	struct lgn_rc_mem *m;

	if (len > chunk * LGN_RC_CHUNKS)
		return lgn_fail(LAGOON_ENOTSUP,
				"a region of %llu bytes: at most %d chunks of %llu; use more shard homes",
				(unsigned long long)len, LGN_RC_CHUNKS,
				(unsigned long long)chunk);
	m = calloc(1, sizeof(*m));
	if (!m)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a region");
	m->addr = (uint64_t)(uintptr_t)addr;
	for (uint64_t off = 0; off < len; off += chunk) {
		uint64_t n = len - off < chunk ? len - off : chunk;
		struct ibv_mr *mr = ibv_reg_mr(rc->pd, (char *)addr + off, n,
					       flags_of(access));
		int error;

		if (!mr) {
			error = reg_error(rc, len);
			dereg(m);
			return error;
		}
		m->mr[m->chunks++] = mr;
	}
	*out = m;
	return 0;
}

static void list_add(struct lgn_rc *rc, struct lgn_rc_mem *m)
{
	pthread_mutex_lock(&rc->lock);
	m->next = rc->mems;
	rc->mems = m;
	pthread_mutex_unlock(&rc->lock);
}

static void list_del(struct lgn_rc *rc, const struct lgn_rc_mem *m)
{
	struct lgn_rc_mem **p = &rc->mems;

	pthread_mutex_lock(&rc->lock);
	while (*p != m)
		p = &(*p)->next;
	*p = m->next;
	pthread_mutex_unlock(&rc->lock);
}

int lgn_rc_reg(struct lgn_wire *wire, const struct lgn_mem_want *want,
	       struct lgn_mem *mem)
{
	struct lgn_rc *rc = lgn_rc_of(wire);
	struct lgn_mem m = { .len = want->len };
	struct lgn_rc_mem *priv = NULL;
	int err = 0;

	if (want->access)
		err = lgn_limits_check(want->len, true);
	if (!err && want->at)
		m.addr = want->at;
	else if (!err)
		err = map(want, &m.addr);
	if (err)
		return err;
	m.borrowed = want->at;
	m.key = (struct lgn_key){ (uint64_t)(uintptr_t)m.addr, want->len, 0 };
	if (want->access & LGN_ACC_BELL)
		err = lgn_rc_bells_open(rc);
	if (err) {
		munmap(m.addr, want->len);
		return err;
	}
	if (want->access) {
		err = register_chunks(rc, m.addr, want->len, want->access, &priv);
		if (err) {
			if (want->access & LGN_ACC_BELL)
				lgn_rc_bells_close(rc);
			if (!m.borrowed)
				munmap(m.addr, want->len);
			return err;
		}
		m.priv = priv;
		priv->bell = want->access & LGN_ACC_BELL;
		m.key.rkey = lgn_rc_key_pack(priv->mr[0]->rkey, rc->chunk_shift) |
			(priv->bell ? LGN_RC_KEY_BELL : 0);
		list_add(rc, priv);
	}
	*mem = m;
	return 0;
}

void lgn_rc_unreg(struct lgn_wire *wire, struct lgn_mem *mem)
{
	if (!mem->addr)
		return;
	if (mem->priv) {
		const struct lgn_rc_mem *m = mem->priv;

		if (m->bell)
			lgn_rc_bells_close(lgn_rc_of(wire));
		list_del(lgn_rc_of(wire), mem->priv);
		dereg(mem->priv);
	}
	if (!mem->borrowed)
		munmap(mem->addr, mem->len);
	*mem = (struct lgn_mem){ 0 };
}

uint32_t lgn_rc_keys(struct lgn_rc *rc, const struct lgn_key *key,
		     uint32_t rkey[LGN_RC_CHUNKS])
{
	const struct lgn_rc_mem *m;
	uint32_t n = 0;

	pthread_mutex_lock(&rc->lock);
	for (m = rc->mems; m; m = m->next)
		if (m->addr == key->addr && m->mr[0]->rkey == (uint32_t)key->rkey)
			break;
	for (; m && n < m->chunks; n++)
		rkey[n] = m->mr[n]->rkey;
	pthread_mutex_unlock(&rc->lock);
	return n;
}
