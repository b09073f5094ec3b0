/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same-node wire: regions are memfds that no name refers to, handed to
 * peers over an abstract socket by a listener thread that sleeps otherwise.
 * Work requests are executed by the CPU of the caller at post().
 *
 *	wire_shm.c	the ops: open, start, attach, post
 *	region.c	memfd memory
 *	listener.c	gives out region descriptors, watches peers' pidfds
 *	client.c	asks a peer's listener
 *	copy.c		word copies that race with other processes
 *	bell.c		PUTs that wake their owner
 */
#ifndef LGN_VERBS_SHM_H
#define LGN_VERBS_SHM_H

#include <pthread.h>
#include <stddef.h>

#include "verbs/wire.h"

#define LGN_SHM_REGIONS 512

/* What of a peer the fence carries: its socket and its machine. */
struct lgn_shm_addr {
	uint8_t boot_id[16];
	uint8_t socket[16];	/* random; the abstract name is made of it */
};

/* A region that peers may ask for. */
struct lgn_shm_region {
	int fd;			/* -1: free */
	int writable;
	uint64_t len;
	uint64_t bells;		/* bytes of struct lgn_shm_bells behind it */
	uint64_t rkey;		/* slot in the low 16 bits, random above */
};

struct lgn_shm {
	struct lgn_wire wire;	/* first */
	struct lgn_wire_config config;
	struct lgn_shm_addr self;
	struct lgn_shm_addr *peer;	/* [size] */
	int *node_of;			/* [size] */
	pthread_mutex_t lock;		/* guards region[] */
	struct lgn_shm_region region[LGN_SHM_REGIONS];
	struct lgn_shm_bells *bells;	/* of my region that has some, or NULL */
	int hear_from;			/* whose bells are looked at first */
	_Atomic bool hushed;
	/* the listener thread's */
	pthread_t thread;
	int started;
	int listen_fd;
	int stop_fd;
	int epoll_fd;
	int *pidfd;			/* [size], -1 none */
};

/* One message each way. */
struct lgn_shm_ask {
	uint64_t magic;
	uint64_t nonce[2];
	uint64_t rkey;			/* 0: hello, no region */
};

struct lgn_shm_answer {
	int32_t status;			/* 0 or a LAGOON_E code */
	int32_t writable;
	uint64_t len;
	uint64_t bells;
};

enum { LGN_SHM_POKE = 1 };		/* as rkey: no answer is waited for */

#define LGN_SHM_MAGIC 0x316e6f6f67616cu	/* "lagoon1" */

int lgn_shm_region_make(const struct lgn_mem_want *want, void **addr, int *fd);
void lgn_shm_region_drop(void *addr, uint64_t len);

/* mmap() without the children; NULL and errno on failure. */
void *lgn_shm_map(uint64_t len, int protection, int flags, int fd);

/* Open the socket; needs no peers yet. */
int lgn_shm_listen(struct lgn_shm *shm);
int lgn_shm_listener_start(struct lgn_shm *shm);
void lgn_shm_listener_stop(struct lgn_shm *shm);

/* Ask peer's listener for rkey. *fd: the descriptor, or -1 for hello.
 * *pid: the peer's process, 0 if it is not visible from here. */
int lgn_shm_ask_peer(const struct lgn_shm *shm, int peer, uint64_t rkey,
		     struct lgn_shm_answer *answer, int *fd, int *pid);

/* ------------------------------------------------------------- bell.c */

/* Behind a region with LGN_ACC_BELL: bells that its owner has not heard. */
struct lgn_shm_bells;

/* Bytes for so many processes. */
uint64_t lgn_shm_bells_bytes(int size);

/* Whether rank's next bell has room; then ring it. One thread of rank. */
bool lgn_shm_bell_room(const struct lgn_shm_bells *bells, int rank);
void lgn_shm_bell_ring(struct lgn_shm_bells *bells, int rank, uint32_t value);

int lgn_shm_hear(struct lgn_wire *wire, struct lgn_bell *bell, int n);
void lgn_shm_hush(struct lgn_wire *wire);
/* Wake a peer's listener. */
void lgn_shm_poke_peer(const struct lgn_shm *shm, int peer);

/* The abstract socket's address; its length is returned. */
struct sockaddr_un;
unsigned lgn_shm_sockaddr(const struct lgn_shm_addr *addr,
			  struct sockaddr_un *un);

#endif
