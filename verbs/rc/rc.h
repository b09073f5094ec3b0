/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RC wire: one-sided operations of an RDMA device over reliable
 * connections. A process has queue pairs of its own to every peer whose memory
 * it touches; at the peer they only answer. So no thread runs there, and
 * connections needed are processes x homes x qps.
 *
 *	wire_rc.c	the ops: open, start, attach, close
 *	device.c	which device and port (choose.c, gid.c, address.c)
 *	memory.c	regions and their keys
 *	qp.c		queue pairs, from creation to ready
 *	connect.c	asks a peer's listener for queue pairs and keys
 *	cm.c		the same for queue pairs, through librdmacm
 *	listener.c	the thread: answers peers, watches them and the device
 *	guest.c		connections to it that have not asked yet
 *	post.c		batches -> chains of work requests, a doorbell each
 *	poll.c		completions -> batches
 *	bell.c		WRITEs that wake their owner
 *
 * How a batch goes: post() sorts its requests into chains, one a queue pair,
 * reserves room in that send queue and in the completion queue, and a `part`
 * that remembers whose the chain is. No lock is held: a chain is posted by one
 * call of the library, which keeps it together. poll() retires parts: RC
 * completes in order, so the completion of request i completes all before it.
 */
#ifndef LGN_VERBS_RC_H
#define LGN_VERBS_RC_H

#include <pthread.h>
#include <rdma/rdma_cma.h>

#include "verbs/rc/device.h"
#include "verbs/wire.h"

enum {
	LGN_RC_DEPTH = 256,	/* of a send queue */
	LGN_RC_CQE = 4096,	/* work requests of the process in flight */
	LGN_RC_PARTS = 1024,
	LGN_RC_SIGNAL = 32,	/* one completion for so many requests */
};

/* A region is registered in chunks of this size, each with a key. */
/* At most: less where the device registers no more at once. */
#define LGN_RC_CHUNK_SHIFT 31
#define LGN_RC_CHUNKS 64		/* of a region, at most: 128 GiB */

/* What the fence carries: how to ask this process for a connection. */
struct lgn_rc_addr {
	uint8_t gid[16];		/* of its port: who shares a device */
	uint8_t ip[16];			/* IPv6 or v4-mapped */
	uint16_t tcp_port;
	uint16_t cm_port;		/* of librdmacm; 0: none */
	uint16_t spare[2];
};

/* One side of the queue pairs of two processes; travels over TCP. */
struct lgn_rc_end {
	uint8_t gid[16];
	uint16_t lid;
	uint8_t mtu;			/* enum ibv_mtu */
	uint8_t grh;
	uint8_t rd_atomic;		/* as initiator, or as responder */
	uint8_t spare[3];
	uint32_t qpn[LGN_RC_QPS_MAX];
	uint32_t psn[LGN_RC_QPS_MAX];
};

struct lgn_rc_guest;
struct lgn_rc_peer;

/* What a queue pair is for: to post, or to serve; memory with bells has one of
 * its own, which carries no atomics and can be made anew. */
enum lgn_rc_use { LGN_RC_POST = 0, LGN_RC_SERVE = 1, LGN_RC_BELL = 2 };

/* A queue pair that this process posts to. */
struct lgn_rc_qp {
	struct ibv_qp *qp;
	struct lgn_rc_peer *peer;
	bool bell;
	_Atomic int32_t room;		/* free places in the send queue */
};

struct lgn_rc_peer {
	int rank;
	_Atomic bool claimed;		/* somebody writes why, then failed: */
	_Atomic int failed;		/* LAGOON_E code */
	char why[256];
	struct lgn_rc_qp qp[LGN_RC_QPS_MAX];
	struct rdma_cm_id *id[LGN_RC_QPS_MAX];	/* of cm.c, or NULL */
	_Atomic bool connected;
	_Atomic bool told;		/* the thread knows that it failed */
	/* The way to its memory with bells. That it fails says nothing of the
	 * peer. Its queue pair changes under lgn_rc.lock. */
	struct lgn_rc_qp bell;
	struct rdma_cm_id *bell_id;	/* of cm.c, or NULL */
	_Atomic bool bell_claimed;
	_Atomic int bell_failed;	/* 0 when it is connected */
	char bell_why[256];
};

/* A chain in flight. Its poster fills it before it is posted; from there on
 * who polls owns it. */
struct lgn_rc_part {
	struct lgn_batch *batch;
	struct lgn_rc_qp *qp;
	uint32_t n;			/* requests */
	uint32_t done;
	uint32_t generation;		/* tells stale completions */
	_Atomic uint32_t next;		/* in the free list: index + 1 */
};

/* Registered memory of this process; lgn_mem.priv. */
struct lgn_rc_mem {
	struct lgn_rc_mem *next;	/* listed, for peers that ask for keys */
	uint64_t addr;
	bool bell;
	uint32_t chunks;
	struct ibv_mr *mr[LGN_RC_CHUNKS];
};

/* A peer's region; lgn_rmem.priv. */
struct lgn_rc_rmem {
	struct lgn_rc_peer *peer;
	uint64_t addr;
	bool bell;
	unsigned chunk_shift;		/* of the peer's device */
	uint32_t rkey[LGN_RC_CHUNKS];
};

/* lgn_key.rkey: that of the first chunk, how large chunks are there, and
 * whether it has bells. */
#define LGN_RC_KEY_BELL (1ull << 63)

static inline uint64_t lgn_rc_key_pack(uint32_t rkey, unsigned chunk_shift)
{
	return (uint64_t)chunk_shift << 32 | rkey;
}

static inline unsigned lgn_rc_key_shift(uint64_t key)
{
	return key >> 32 & 0xff;
}

/* Queue pairs that answer a peer. */
struct lgn_rc_served {
	struct lgn_rc_served *next;
	int rank;
	struct ibv_qp *qp[LGN_RC_QPS_MAX];
	struct rdma_cm_id *id;		/* of cm.c: of qp[0], the only one */
};

struct lgn_rc_bells;

struct lgn_rc {
	struct lgn_wire wire;		/* first */
	struct lgn_wire_config config;
	struct lgn_rc_options options;
	struct lgn_rc_device device;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_cq *idle_cq;		/* of queue pairs that only answer */
	uint32_t depth;
	unsigned chunk_shift;
	_Atomic int32_t room;		/* free places in the completion queue */
	_Atomic bool polling;
	_Atomic uint32_t turn;		/* whose queue pair it is */
	_Atomic uint64_t free_parts;	/* tag << 32 | index + 1 */
	struct lgn_rc_part *part;
	struct lgn_rc_addr *addr;	/* [size] */
	struct lgn_rc_peer *peer;	/* [size] */
	pthread_mutex_t connecting;	/* guards peer[].qp until connected */
	pthread_mutex_t lock;		/* guards mems, peer[].bell.qp */
	struct lgn_rc_mem *mems;
	_Atomic(struct lgn_rc_bells *) bells;	/* NULL: never had any */
	uint64_t pairs;			/* of processes that ask and answer, all
					 * that share my device */
	/* the listener's */
	struct lgn_rc_served *served;
	struct lgn_rc_guest *guest;	/* [LGN_RC_GUESTS] */
	uint64_t guests;		/* that ever came */
	pthread_t thread;
	bool started;
	_Atomic bool leaving;
	int listen_fd, stop_fd, epoll_fd;
	int fail_fd;			/* a queue pair has failed: look */
	int *watch;			/* [size] links that a death breaks, or -1 */
	_Atomic int watching;		/* links open */
	/* cm.c's */
	struct rdma_event_channel *cm_listen;
	struct rdma_event_channel *cm_ask;	/* under connecting */
	struct rdma_cm_id *cm_id;		/* that listens */
	bool cm_broken;				/* under connecting: use TCP */
};

static inline struct lgn_rc *lgn_rc_of(struct lgn_wire *wire)
{
	return (struct lgn_rc *)wire;
}

/* ------------------------------------------------------------ memory.c */
int lgn_rc_reg(struct lgn_wire *wire, const struct lgn_mem_want *want,
	       struct lgn_mem *mem);
void lgn_rc_unreg(struct lgn_wire *wire, struct lgn_mem *mem);

/* The keys of a region of this process, for a peer that knows its address and
 * its first key. Returns how many, 0 if there is none such. Any thread. */
uint32_t lgn_rc_keys(struct lgn_rc *rc, const struct lgn_key *key,
		     uint32_t rkey[LGN_RC_CHUNKS]);

/* ---------------------------------------------------------------- qp.c */

/* How many of a use two processes have. */
static inline int lgn_rc_qps(const struct lgn_rc *rc, int use)
{
	return use & LGN_RC_BELL ? 1 : rc->options.qps;
}

/* As many queue pairs in the INIT state, and what a peer must know of them.
 * Those that serve answer, and never post. */
int lgn_rc_qps_create(struct lgn_rc *rc, int use, struct ibv_qp **qp,
		      struct lgn_rc_end *end);

/* What peers may do through it: nothing, where it does not serve. */
static inline unsigned lgn_rc_qp_access(int use)
{
	return !(use & LGN_RC_SERVE) ? 0 :
		IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE |
		(use & LGN_RC_BELL ? 0 : IBV_ACCESS_REMOTE_ATOMIC);
}

/* How long a peer waits before it sends again what found no receive, as
 * InfiniBand encodes it: 0.64 ms; 10 ms for bells, which use receives. */
static inline uint8_t lgn_rc_rnr_timer(int use)
{
	return use & LGN_RC_BELL ? 20 : 12;
}

/* One of them. */
int lgn_rc_qp_create(struct lgn_rc *rc, int use, struct ibv_qp **qp);

/* To the end of the connection that the peer described: ready. */
int lgn_rc_qps_ready(struct lgn_rc *rc, int rank, int use, struct ibv_qp **qp,
		     const struct lgn_rc_end *mine,
		     const struct lgn_rc_end *theirs);
void lgn_rc_qps_destroy(const struct lgn_rc *rc, int use, struct ibv_qp **qp);

/* ----------------------------------------------------------- connect.c */

/* Connect to a peer, once; blocks. Needs lgn_rc.connecting. */
int lgn_rc_connect(struct lgn_rc *rc, int rank);

/* The same for its memory with bells. */
int lgn_rc_connect_bell(struct lgn_rc *rc, int rank);
int lgn_rc_mend(struct lgn_rmem *mem);
void lgn_rc_disconnect(struct lgn_rc *rc, struct lgn_rc_peer *peer);
int lgn_rc_ask_keys(struct lgn_rc *rc, int rank, const struct lgn_key *key,
		    uint32_t rkey[LGN_RC_CHUNKS]);

/* A link to rank 0 that breaks when either of us dies. */
int lgn_rc_watch(struct lgn_rc *rc, int *sock);

/* ---------------------------------------------------------------- cm.c */

/* By LAGOON_CONNECT. */
bool lgn_rc_cm_wanted(const struct lgn_rc_options *o,
		      const struct lgn_rc_device *d);

/* Listen, for peers and for lgn_rc_cm_event() when cm_listen->fd is ready. */
int lgn_rc_cm_listen(struct lgn_rc *rc, struct lgn_rc_addr *mine);
void lgn_rc_cm_event(struct lgn_rc *rc);

/* Queue pairs in the INIT state, to a peer that listens: ready. The caller
 * destroys ids that are not NULL, also after an error. Blocks; needs
 * lgn_rc.connecting. */
int lgn_rc_cm_connect(struct lgn_rc *rc, int rank, int use, struct ibv_qp **qp,
		      struct rdma_cm_id **id);
void lgn_rc_cm_close(struct lgn_rc *rc);

/* ---------------------------------------------------------- listener.c */

/* Whether who asks belongs to the job and has its options. */
int lgn_rc_check_peer(const struct lgn_rc *rc, uint64_t magic,
		      const uint64_t nonce[2], int rank, int qps);
void lgn_rc_served_add(struct lgn_rc *rc, struct lgn_rc_served *s);
int lgn_rc_listen(struct lgn_rc *rc, struct lgn_rc_addr *mine);
int lgn_rc_listener_start(struct lgn_rc *rc);
void lgn_rc_listener_stop(struct lgn_rc *rc);
void lgn_rc_listener_close(struct lgn_rc *rc);

/* Answer a question, then close the socket or keep it as a link. */
struct lgn_rc_ask;
void lgn_rc_answer(struct lgn_rc *rc, const struct lgn_rc_ask *ask, int sock);

/* ------------------------------------------------------------- guest.c */
enum {
	LGN_RC_GUESTS = 128,
	LGN_RC_TAG_GUEST = -100,	/* epoll tag of guest 0; then downwards */
};

int lgn_rc_guests_open(struct lgn_rc *rc);
void lgn_rc_guests_close(struct lgn_rc *rc);
/* The listener's thread only. */
void lgn_rc_guest_accept(struct lgn_rc *rc);
void lgn_rc_guest_read(struct lgn_rc *rc, int i);

/* ------------------------------------------------------ post.c, poll.c */
int lgn_rc_post(struct lgn_wire *wire, struct lgn_batch *batch);
void lgn_rc_poll(struct lgn_wire *wire);
const char *lgn_rc_why(struct lgn_wire *wire, int peer);

/* What a completion needs to find its way home. */
struct lgn_rc_id {
	uint32_t part, index, generation;
	enum lgn_op op;
};

static inline uint64_t lgn_rc_id_pack(struct lgn_rc_id id)
{
	return (uint64_t)id.generation << 32 | (uint64_t)id.op << 29 |
		(uint64_t)id.index << 16 | id.part;
}

static inline struct lgn_rc_id lgn_rc_id_unpack(uint64_t wr_id)
{
	return (struct lgn_rc_id){
		.part = wr_id & 0xffff, .index = wr_id >> 16 & 0x1fff,
		.generation = (uint32_t)(wr_id >> 32),
		.op = (enum lgn_op)(wr_id >> 29 & 7),
	};
}
_Static_assert(LGN_OPS <= 8, "3 bits");

void lgn_rc_parts_init(struct lgn_rc *rc);
/* -1: none is free. */
int lgn_rc_part_get(struct lgn_rc *rc);
void lgn_rc_part_put(struct lgn_rc *rc, int index);

/* Complete what is left of a part whose queue pair is lost. Poster only. */
void lgn_rc_abandon(struct lgn_rc *rc, int index);

/* The way to this peer is broken; the first one to say so is heard. */
void lgn_rc_fail_peer(struct lgn_rc *rc, struct lgn_rc_peer *peer, int code,
		      const char *why);

/* This queue pair is: the way to the peer, or that to its bells alone. */
void lgn_rc_fail_qp(struct lgn_rc *rc, struct lgn_rc_qp *qp, int code,
		    const char *why);

/* The code with which its way is broken, or 0. */
static inline int lgn_rc_failed(const struct lgn_rc_peer *peer, bool bell)
{
	int code = atomic_load_explicit(&peer->failed, memory_order_acquire);

	return code || !bell ? code :
		atomic_load_explicit(&peer->bell_failed, memory_order_acquire);
}

/* -------------------------------------------------------------- bell.c */

/* A region with bells comes, and goes. What hears them stays until
 * lgn_rc_bells_free(), with the queue pairs of peers that ring. */
int lgn_rc_bells_open(struct lgn_rc *rc);
void lgn_rc_bells_close(struct lgn_rc *rc);
void lgn_rc_bells_free(struct lgn_rc *rc);

/* The peer connects to bells, for the first time or again. What its last queue
 * pair carried has no effect after this. Before a new one is created; the
 * listener's thread. */
int lgn_rc_bells_renew(struct lgn_rc *rc, int rank);
/* The new one, from now on this file's, before the peer knows of it; or not,
 * after all. The listener's thread. */
void lgn_rc_bells_serve(struct lgn_rc *rc, struct lgn_rc_served *s);
void lgn_rc_bells_forget(struct lgn_rc *rc, const struct lgn_rc_served *s);

/* What a queue pair that serves bells receives with; NULL: no bells. */
struct ibv_srq *lgn_rc_bells_srq(struct lgn_rc *rc, struct ibv_cq **cq);

int lgn_rc_hear(struct lgn_wire *wire, struct lgn_bell *bell, int n);
void lgn_rc_hush(struct lgn_wire *wire);

/* ----------------------------------------------------------- message.c */
#define LGN_RC_MAGIC 0x31636e6f6f67616cu	/* "lagoonc1" */

enum lgn_rc_ask_kind { LGN_RC_CONNECT, LGN_RC_KEYS, LGN_RC_WATCH,
		       LGN_RC_CONNECT_BELL };

struct lgn_rc_ask {
	uint64_t magic;
	uint64_t nonce[2];
	int32_t kind;
	int32_t rank;			/* who asks */
	int32_t qps;
	int32_t spare;
	struct lgn_key key;		/* KEYS */
	struct lgn_rc_end end;		/* CONNECT, CONNECT_BELL */
};

struct lgn_rc_answer {
	int32_t status;			/* 0 or a LAGOON_E code */
	uint32_t chunks;
	uint32_t rkey[LGN_RC_CHUNKS];
	struct lgn_rc_end end;
	char why[160];
};

/* All of len bytes, before the socket's time limit. 0 or errno; ECONNRESET if
 * the other side closed. */
int lgn_rc_send(int sock, const void *data, size_t len);
int lgn_rc_receive(int sock, void *data, size_t len);
void lgn_rc_socket_limits(int sock, int seconds);
/* The other machine vanishing ends the connection in about 4 s. */
int lgn_rc_socket_keepalive(int sock);

#endif
