/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A wire: a way to reach memory of another process by one-sided operations.
 * Made for verbs, so: memory is registered, batches of work requests are
 * posted at once, completion is asynchronous, and the runtime above does not
 * know which wire it talks to.
 *
 * In order:
 *	ops->open()      one wire object a process
 *	ops->reg()       memory of mine that others may reach; gives a key
 *	ops->start()     with every process's address: others can connect now
 *	ops->attach()    a peer's memory by its key
 *	ops->post()      a batch of work requests
 *	ops->poll()      until lgn_batch_done()
 *
 * Bells: a PUT can tell the process whose memory it writes. That process
 * registers one region with LGN_ACC_BELL and waits in hear(), asleep in the
 * kernel, for pairs of who wrote and a value of 32 bits. Nothing else of a
 * wire wakes the owner of memory.
 *
 * Order: NONE between work requests, not even within a batch and to the same
 * word. What must be ordered is posted after the completion of what it must
 * follow. A completed request has taken effect in the peer's memory, and its
 * local buffer is readable. A GET may read its words in any order, and may be
 * executed more than once: its content is of some moment between post and
 * completion, word by word. The bell of a PUT_BELL is heard once, after its own
 * data is in place, before or after its completion; bells are in no order
 * either. Of a PUT_BELL that failed the data may be in place, in part or whole,
 * and the bell may be heard.
 *
 * Atomicity: 64-bit aligned words. ADD and CAS are atomic to each other on
 * one wire. PUT and CAS of one word are not. A CPU may load such words at any
 * time; it may change them only if the wire says LGN_WIRE_CPU_ATOMIC.
 *
 * No entry of an ops table is NULL; wire_null has a version of each that
 * says no. After open() only reg() and attach() allocate.
 */
#ifndef LGN_VERBS_WIRE_H
#define LGN_VERBS_WIRE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "numa/place.h"
#include "runtime/base/attr.h"

struct lgn_wire;

enum lgn_wire_cap {
	LGN_WIRE_CPU_ATOMIC = 1,	/* CPU atomics are in the wire's domain */
};

/* What a region is for: use by peers, or as local buffer of requests. 0: just
 * memory. */
enum lgn_access {
	LGN_ACC_READ = 1,	/* GET */
	LGN_ACC_WRITE = 2,	/* PUT */
	LGN_ACC_ATOMIC = 4,	/* ADD, CAS */
	LGN_ACC_REMOTE = 7,
	LGN_ACC_LOCAL = 8,
	LGN_ACC_BELL = 16,	/* PUT_BELL, with WRITE; after start(), and one
				 * region of a process at a time */
};

/* Names a region to peers; travels in directories. */
struct lgn_key {
	uint64_t addr;
	uint64_t len;		/* bytes */
	uint64_t rkey;
};

/* A region of this process. */
struct lgn_mem {
	void *addr;
	uint64_t len;
	struct lgn_key key;
	void *priv;		/* the wire's */
	bool borrowed;		/* was there before: unreg() leaves it */
};

/* A peer's region (or one of our own), as this process reaches it. */
struct lgn_rmem {
	struct lgn_wire *wire;
	int peer;		/* rank */
	uint64_t len;
	/* for loads by the CPU, same node only, else NULL; for atomics by the
	 * CPU too if the wire says LGN_WIRE_CPU_ATOMIC */
	uint64_t *map;
	bool bell;		/* was registered with LGN_ACC_BELL */
	void *priv;		/* the wire's */
};

/* The blob that the one fence carries for a wire. */
#define LGN_WIRE_ADDR_MAX 64
struct lgn_wire_addr {
	uint8_t bytes[LGN_WIRE_ADDR_MAX];
};

enum lgn_op {
	LGN_GET,	/* local <- remote */
	LGN_PUT,	/* remote <- local; atomic for one aligned word */
	LGN_ADD,	/* *local = old; remote += operand */
	LGN_CAS,	/* *local = old; if old == expect, remote = operand */
	/* PUT, then the owner hears the low 32 bits of operand. Alone in its
	 * batch; one thread of a process at a time. */
	LGN_PUT_BELL,
	LGN_OPS
};

/* What hear() brings. */
struct lgn_bell {
	int rank;		/* who wrote */
	uint32_t value;
};

struct lgn_wr {
	struct lgn_rmem *mem;
	uint64_t off;		/* bytes into the region, multiple of 8 */
	uint64_t *local;
	const struct lgn_mem *buf; /* the region that local is in */
	uint32_t len;		/* bytes, multiple of 8; 8 for ADD and CAS */
	enum lgn_op op;
	uint64_t operand;
	uint64_t expect;
};

/*
 * Work requests that are posted together. The poster owns the array and the
 * local buffers, and keeps them until the batch is done. Any thread's poll()
 * may complete it.
 */
struct lgn_batch {
	struct lgn_wr *wr;
	uint32_t n;
	/* Called once, by the thread that completes the last request, before
	 * the batch is done; may be NULL. Must not post. */
	void (*complete)(struct lgn_batch *batch);
	bool posted;		/* since lgn_wire_post(), or nothing was sent */
	_Atomic uint32_t left;	/* requests not complete yet */
	_Atomic uint32_t busy;	/* 0 when done */
	_Atomic int status;	/* first error */
	_Atomic uint32_t uncertain; /* atomics that may or may not have run */
};

/* Acquire: what the completed requests brought is visible after it. */
static inline bool lgn_batch_done(const struct lgn_batch *batch)
{
	return !atomic_load_explicit(&batch->busy, memory_order_acquire);
}

/* For wires: post() has accepted the batch. */
static inline void lgn_batch_begin(struct lgn_batch *batch)
{
	batch->posted = true;
	atomic_store_explicit(&batch->left, batch->n, memory_order_relaxed);
	atomic_store_explicit(&batch->status, 0, memory_order_relaxed);
	atomic_store_explicit(&batch->uncertain, 0, memory_order_relaxed);
	atomic_store_explicit(&batch->busy, 1, memory_order_release);
}

/* For wires: n more requests are complete, with this status. Any thread; the
 * batch must not be touched after the call that completes the last one. */
static inline void lgn_batch_complete(struct lgn_batch *batch, uint32_t n,
				      int status)
{
	int none = 0;

	if (status)
		atomic_compare_exchange_strong(&batch->status, &none, status);
	if (atomic_fetch_sub(&batch->left, n) != n)
		return;
	if (batch->complete)
		batch->complete(batch);
	atomic_store_explicit(&batch->busy, 0, memory_order_release);
}

/* Where the process's shard is, for wires that choose a device. */
struct lgn_wire_near {
	const struct lgn_topo *topo;
	int node;		/* NUMA node as topo numbers them; -1: anywhere */
};

struct lgn_wire_config {
	int rank;
	int size;
	uint64_t nonce[2];	/* the job's; peers without it are refused */
	bool mates;		/* all are of one node, and must know of each
				 * other's deaths: start() fails if one cannot
				 * be watched (shm) */
	int homes;		/* processes whose memory others reach, */
	const int *home_rank;	/* [homes]; read by start() only */
	int timeout_s;
	/* Not among those that started together: its rank is new to them, and
	 * nobody watches it. It reaches their memory; they do not know it. */
	bool late;
	/* Called from a thread of the wire, once a rank, when a peer's process
	 * is known to be dead. Must not block. */
	void (*lost)(void *arg, int rank);
	void *lost_arg;
	/* Called from a thread of the wire when a peer has called poke(); NULL:
	 * nothing to do. */
	void (*poked)(void *lost_arg);
};

/* Memory for reg(): len bytes, zeroed, allocated in full, bound to NUMA node
 * (-1: anywhere) by bind() before anybody touches it. */
struct lgn_mem_want {
	uint64_t len;
	int access;		/* enum lgn_access, or-ed */
	bool sparse;		/* peers' memory, but taken from the system when
				 * it is touched, as private memory is */
	void *at;		/* not allocated: this memory, for access as
				 * local buffer; unreg() leaves it */
	int (*bind)(void *arg, void *addr, uint64_t len);
	void *bind_arg;
};

struct lgn_wire_ops {
	const char *name;
	int (*open)(const struct lgn_wire_near *near,
		    struct lgn_wire_addr *mine, struct lgn_wire **wire);
	int (*start)(struct lgn_wire *wire, const struct lgn_wire_config *config,
		     const struct lgn_wire_addr *all, const int *node_of);
	/* No more calls of config.lost after it returns. */
	void (*quiet)(struct lgn_wire *wire);
	void (*close)(struct lgn_wire *wire);
	int (*reg)(struct lgn_wire *wire, const struct lgn_mem_want *want,
		   struct lgn_mem *mem);
	void (*unreg)(struct lgn_wire *wire, struct lgn_mem *mem);
	int (*attach)(struct lgn_wire *wire, int peer, const struct lgn_key *key,
		      struct lgn_rmem *mem);
	/* Nothing for memory that is all zero: never attached. */
	void (*detach)(struct lgn_rmem *mem);
	/* All of it or nothing: LAGOON_EAGAIN when there is no room. At most
	 * max_batch requests. Any thread. */
	int (*post)(struct lgn_wire *wire, struct lgn_batch *batch);
	/* Progress for everybody's batches. Any thread. */
	void (*poll)(struct lgn_wire *wire);
	/* What is wrong with the way to a peer, "" if nothing is: device,
	 * operation, status. Until close(). Any thread. */
	const char *(*why)(struct lgn_wire *wire, int peer);
	/* Bells of my region with LGN_ACC_BELL: waits until there are some, in
	 * the kernel after a short while, and brings at most n. 0 after hush().
	 * One thread. */
	int (*hear)(struct lgn_wire *wire, struct lgn_bell *bell, int n);
	/* hear() returns, and returns 0 until the region is registered anew.
	 * Any thread. */
	void (*hush)(struct lgn_wire *wire);
	/* A batch on a region with bells has failed, with LAGOON_EPEER or
	 * LAGOON_EIO: make the way to it anew, and nothing that was posted
	 * before takes effect any more. All batches on it are done. Requests
	 * to other memory of the peer go by other ways: atomics are never on
	 * one that is mended. Blocks. 0 or why it stays broken; may be tried
	 * again. */
	int (*mend)(struct lgn_rmem *mem);
	/* Wake a thread of a peer's process, which calls its config.poked. Does
	 * not wait for it; who cannot be reached is not. Any thread. */
	void (*poke)(struct lgn_wire *wire, int peer);
};

/* What was posted, by any thread. */
struct lgn_wire_counts {
	_Atomic uint64_t posts;		/* batches */
	_Atomic uint64_t ops[LGN_OPS];	/* requests, by enum lgn_op */
	_Atomic uint64_t bytes[LGN_OPS];
};

/* Every wire object begins with this. */
struct lgn_wire {
	const struct lgn_wire_ops *ops;
	struct lgn_wire_counts counts;	/* by lgn_wire_send() */
	int caps;		/* enum lgn_wire_cap, or-ed */
	uint32_t max_batch;	/* requests a post */
	char device[72];	/* "mlx5_0:1"; "": the wire needs none */
};

extern const struct lgn_wire_ops lgn_wire_shm;
extern const struct lgn_wire_ops lgn_wire_rc;
extern const struct lgn_wire_ops lgn_wire_null;

/* ops->post(), counted: what the runtime posts goes through here. */
int lgn_wire_send(struct lgn_wire *wire, struct lgn_batch *batch);

/* Post; spins on LAGOON_EAGAIN, and polls meanwhile. */
int lgn_wire_post(struct lgn_wire *wire, struct lgn_batch *batch,
		  int timeout_s);

/* Poll until a posted batch is done. LAGOON_ETIMEDOUT after timeout_s without
 * progress. */
int lgn_wire_drain(struct lgn_wire *wire, struct lgn_batch *batch,
		   int timeout_s);

/* The status of a batch that is done, with its message. */
int lgn_wire_status(const struct lgn_wire *wire, const struct lgn_batch *batch);

/* Post, then poll until done. Spins on LAGOON_EAGAIN. Returns the batch's
 * status, or LAGOON_ETIMEDOUT after timeout_s without progress. */
int lgn_wire_run(struct lgn_wire *wire, struct lgn_batch *batch,
		 int timeout_s);

#endif
