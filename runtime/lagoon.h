/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon.h
 * Lagoon: parameter tables in registered memory, pulled with bounded
 * staleness and pushed with atomic adds.
 *
 * A program in order:
 *
 *     struct lagoon_attr attr;
 *     lagoon_attr_init(&attr);
 *     lagoon_open(&attr, &lg);                         every process
 *     lagoon_table_create(lg, "w", &shape, &t);        every process
 *     lagoon_run(lg, work, arg);                       work() in each worker:
 *         lagoon_pull(w, t, 0, rows, x);
 *         ... compute ...
 *         lagoon_add(w, t, 0, rows, dx);
 *         lagoon_clock(w);
 *     lagoon_close(lg);                                every process
 *
 * Errors: every call that returns int returns 0 or a negative LAGOON_E
 * code, unless it says otherwise. The place that detects an error writes one
 * sentence about it that lagoon_errmsg() returns in the same thread. Outputs
 * are written only on success. The library never exits, never writes to
 * standard output and installs no signal handler.
 *
 * Each call says three things:
 * Threads: who may call it at once; "the worker's" means one thread at a time
 * for each worker, different workers at once.
 * Blocks: whether it can wait for other processes.
 * Collective: whether every process (or worker) of the job must call it.
 */
#ifndef LAGOON_H
#define LAGOON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAGOON_VERSION_MAJOR 0
#define LAGOON_VERSION_MINOR 1
#define LAGOON_VERSION_PATCH 0

/** Result codes. The class tells what is broken. */
enum lagoon_status {
	LAGOON_OK = 0,
	/* the caller's mistake; nothing was changed */
	LAGOON_EINVAL = -1,	/* an argument is not legal */
	LAGOON_ENOENT = -2,	/* no table, file or rank of that name */
	LAGOON_EEXIST = -3,	/* the name is taken, with another shape */
	LAGOON_ENOTSUP = -4,	/* legal, but not with this table or build */
	/* this process lacks something */
	LAGOON_ENOMEM = -5,	/* memory or a limit on it */
	LAGOON_ENODEV = -6,	/* no device, or it does not work */
	LAGOON_EIO = -7,	/* a system call, a file or a device failed */
	/* try again */
	LAGOON_EAGAIN = -8,	/* every slot is in use: complete something first */
	LAGOON_ETIMEDOUT = -9,	/* no progress within the time limit */
	/* numbers */
	LAGOON_ERANGE = -10,	/* an element left its legal range: delta dropped */
	LAGOON_ECORRUPT = -11,	/* stored data failed its check */
	/* the job */
	LAGOON_EPEER = -12,	/* another process of the job is dead */
	LAGOON_EJOB = -13,	/* this process can no longer be part of the job */
};

/** The longest table name [bytes], without the terminating zero. */
#define LAGOON_NAME_MAX 47

/** Any staleness: no bound. Returned for an asp or vap table. */
#define LAGOON_UNBOUNDED INT32_MAX

/** Entries of the histogram of ages; the last one counts all larger ages. */
#define LAGOON_AGES 16

/** The name of a wire [bytes], with the terminating zero. */
#define LAGOON_WIRE_NAME 16

struct lagoon;		/* one process's part of a job */
struct lagoon_table;	/* rows x cols of numbers, spread over the shards */
struct lagoon_worker;	/* a thread of work with a clock of its own */
struct lagoon_request;	/* an asynchronous pull or add of one worker */

/** Version of the library in use, "major.minor.patch". Static.
 * Threads: any.  Blocks: no.  Collective: no.
 */
const char *lagoon_version(void);

/** Short text of a result code. Static; never NULL.
 * Threads: any.  Blocks: no.  Collective: no.
 */
const char *lagoon_strerror(int status);

/** What went wrong in the last failed call of the calling thread: rank,
 * table, value and what to do. Owned by the library, until the next failed
 * call of this thread. "" when none failed.
 * Threads: any.  Blocks: no.  Collective: no.
 */
const char *lagoon_errmsg(void);

/* ------------------------------------------------------------- the job */

enum lagoon_on_death {
	LAGOON_DEATH_STOP = 0,		/* survivors get LAGOON_EPEER */
	LAGOON_DEATH_CONTINUE = 1,	/* the dead process leaves the job; as stop
					 * if it was rank 0 or home of a shard,
					 * or with a bsp table; what it was just
					 * sending for its node is uncertain */
};

/** How to open. Fill with lagoon_attr_init(), then change fields. */
struct lagoon_attr {
	size_t size;		/* sizeof(struct lagoon_attr), set by init */
	int workers;		/* workers of this process; 0: it only owns shards
				 * [default LAGOON_WORKERS, else 1] */
	int nodes;		/* pretend this many nodes on one machine; 0: the
				 * real ones [default LAGOON_NODES, else 0] */
	int on_death;		/* enum lagoon_on_death [LAGOON_ON_DEATH, stop] */
	int timeout_s;		/* give up on a communication without progress
				 * after this time [s; LAGOON_TIMEOUT, 30] */
	uint64_t seed;		/* of stochastic rounding; the same in every
				 * process [LAGOON_SEED, 1] */
	/** The caller's own bootstrap instead of PMIx, over any set of
	 * processes: allgather(arg, mine, len, all) hands len bytes of every
	 * process to every process, in rank order, and returns 0. Called twice,
	 * in lagoon_open(). NULL: PMIx, or one process without a launcher. */
	int (*allgather)(void *arg, const void *mine, size_t len, void *all);
	void *allgather_arg;
	int rank;		/* with allgather only */
	int nranks;		/* with allgather only */
};

/** Set every field to its default, from the environment where it says so.
 * @return 0; LAGOON_EINVAL if an environment variable is malformed.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_attr_init(struct lagoon_attr *attr);

/** Join the job: find the other processes, connect, place, make the board.
 *
 * Uses PMIx (srun --mpi=pmix, mpirun, lagoon run), or attr->allgather, or
 * opens a job of one process when no launcher is there. PMIx is left again
 * before the call returns.
 *
 * @param attr  NULL for the defaults; read only during the call
 * @param lg    the handle; close it with lagoon_close()
 * @return 0; LAGOON_EINVAL for an attribute out of range; LAGOON_EJOB if the
 * bootstrap failed; LAGOON_ENOMEM if memory or a limit is too small;
 * LAGOON_EPEER if a process died meanwhile; LAGOON_ETIMEDOUT.
 * Threads: one at a time.  Blocks: until all processes have called it.
 * Collective: yes, every process.
 */
int lagoon_open(const struct lagoon_attr *attr, struct lagoon **lg);

/** Leave the job: flush what is left, wait for the others, free everything
 * including tables and workers.
 * @return 0; or the first error that the last flush met (ERANGE, EPEER). The
 * handle is gone in any case.
 * Threads: one, with no other call in progress.  Blocks: until all live
 * processes have called it or the job has failed.  Collective: yes.
 */
int lagoon_close(struct lagoon *lg);

/** Rank of this process, number of processes, of nodes; workers of the whole
 * job; workers of this process.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_rank(const struct lagoon *lg);
int lagoon_size(const struct lagoon *lg);
int lagoon_nodes(const struct lagoon *lg);
int lagoon_workers(const struct lagoon *lg);
int lagoon_local_workers(const struct lagoon *lg);

/* ---------------------------------------------------------- the workers */

/** The worker with this index [0, lagoon_local_workers). It exists and
 * holds the others back from lagoon_open() on, at clock 0. Owned by lg.
 * @return 0; LAGOON_EINVAL if there is no such worker.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_worker(struct lagoon *lg, int index, struct lagoon_worker **w);

/** Number of the worker in the whole job [0, lagoon_workers): the workers of
 * rank 0 first. It does not depend on how workers are grouped.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_worker_id(const struct lagoon_worker *w);

/** Rounds that the worker has finished.
 * Threads: the worker's.  Blocks: no.  Collective: no.
 */
int64_t lagoon_worker_clock(const struct lagoon_worker *w);

/** The worker takes no further part: its deltas are flushed and nobody waits
 * for it any more. Only lagoon_worker_id() may be called on it afterwards.
 * Under bsp with unflushed deltas this ends its round as lagoon_clock() does.
 * @return as lagoon_clock().
 * Threads: the worker's.  Blocks: as lagoon_clock().  Collective: no.
 */
int lagoon_worker_leave(struct lagoon_worker *w);

/** Run work(worker, arg) in one new thread for each worker of this process,
 * each pinned to its own core when there are enough; the calling thread is
 * not re-pinned. A worker leaves when its function returns.
 *
 * Called again, it is collective: all processes meet first, and every worker
 * starts at clock 0.
 *
 * @return 0; else the first nonzero value that a function returned, or an
 * error of its own (LAGOON_ENOMEM, LAGOON_EPEER). The message of a worker's
 * failed call is handed to the calling thread.
 * Threads: one at a time.  Blocks: until all functions have returned.
 * Collective: from the second call on, every process.
 */
int lagoon_run(struct lagoon *lg,
	       int (*work)(struct lagoon_worker *w, void *arg), void *arg);

/** End the worker's round: clock c becomes c + 1.
 *
 * When every worker of the node has finished round c, the one that comes last
 * sends what all of them added in rounds <= c, waits until it is complete, and
 * publishes. (In a job of one node over shared memory each process does so for
 * itself.) With a bsp table in the job it waits for every worker.
 *
 * @return 0; LAGOON_ERANGE if a delta, perhaps of another worker of the node,
 * was dropped because its element would have left the legal range (the
 * message names table, row, column, value);
 * LAGOON_EPEER, LAGOON_EJOB, LAGOON_ETIMEDOUT.
 * Threads: the worker's.  Blocks: until completions; under bsp until all
 * workers have ended the round.  Collective: under bsp, every live worker.
 */
int lagoon_clock(struct lagoon_worker *w);

/** Wait for every live worker of the job. Whatever any of them added before
 * is in the shards and in every pull after. Clocks stay. It does not end a
 * bsp round: what was added to a bsp table since lagoon_clock() stays the
 * worker's own.
 * @return as lagoon_clock().
 * Threads: the worker's.  Blocks: yes.  Collective: yes, every live worker.
 */
int lagoon_barrier(struct lagoon_worker *w);

/* ----------------------------------------------------------- the tables */

/** How an element is stored. A shard is an array of 64-bit words. */
enum lagoon_format {
	LAGOON_Q64 = 0,	/* fixed point, 1 lane of 64 bits, |lane| <= 2^62 */
	LAGOON_Q32 = 1,	/* fixed point, 2 lanes of 32 bits, |lane| <= 2^30 */
	LAGOON_I64 = 2,	/* integers, as q64 with unit 1 */
	LAGOON_I32 = 3,	/* integers, as q32 with unit 1 */
	LAGOON_FLOAT64 = 4, /* double; LAGOON_PUSH_APPLY only */
	LAGOON_FLOAT32 = 5, /* float, 2 a word; LAGOON_PUSH_APPLY only */
};

/** What becomes of a delta at the shard. */
enum lagoon_push {
	LAGOON_PUSH_ATOMIC = 0,	/* added by atomic operations, by a HCA or a CPU;
				 * formats q64, q32, i64, i32 */
	LAGOON_PUSH_APPLY = 1,	/* handed to an update function on a CPU near
				 * the shard; formats float64 and float32 */
};

/** The C type of the elements in the caller's buffers. */
enum lagoon_type {
	LAGOON_F64 = 0,		/* double; q64, q32 and float64 */
	LAGOON_F32 = 1,		/* float; q64, q32 and float32 */
	LAGOON_INT64 = 2,	/* int64_t; i64 and i32 only */
	LAGOON_INT32 = 3,	/* int32_t; i32 only */
};

/** What a pull promises (a worker at clock c). */
enum lagoon_model {
	LAGOON_SSP = 0,	/* every delta of rounds <= c - staleness - 1 */
	LAGOON_BSP = 1,	/* exactly rounds <= c - 1, and its own round c */
	LAGOON_ASP = 2,	/* no bound; the worker's own deltas */
	LAGOON_ESSP = 3, /* as ssp; pages in use are read ahead */
	LAGOON_PSP = 4,	/* as ssp, of the deltas of `sample` other workers that
			 * are drawn anew for every worker and round */
	LAGOON_VAP = 5,	/* no bound; but no process keeps back a change of an
			 * element beyond `change` */
};

/** Shape and rules of a table. Fill with lagoon_table_attr_init(). */
struct lagoon_table_attr {
	size_t size;		/* sizeof(struct lagoon_table_attr) */
	uint64_t rows;		/* >= 1 */
	uint32_t cols;		/* >= 1 [1] */
	int format;		/* enum lagoon_format [LAGOON_Q64] */
	int type;		/* enum lagoon_type [-1: double, int64_t for i64
				 * and i32, float for float32] */
	int frac_bits;		/* value = lane x 2^-frac_bits; q formats
				 * [-1: 32 for q64, 20 for q32] */
	int model;		/* enum lagoon_model [LAGOON_SSP] */
	int32_t staleness;	/* ssp, essp, psp: >= 0 [0] */
	uint32_t page_rows;	/* rows a page; 0: about 4 KiB [0] */
	int32_t sample;		/* psp: workers asked, >= 0; 0 is asp, all others
				 * (or more) is ssp [0] */
	double change;		/* vap: >= 0 [0] */
	int push;		/* enum lagoon_push [LAGOON_PUSH_ATOMIC] */
	const char *update;	/* push apply: the update function, by name or
				 * "file.so:symbol", with its parameters; see
				 * lagoon_update(7) [NULL: "add"] */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_table_attr_init(struct lagoon_table_attr *attr);

/** Make a table of zeros, spread over all shard homes of the job.
 *
 * @param name  at most LAGOON_NAME_MAX bytes, not empty
 * @param attr  the same in every process; read only during the call
 * @param t     the table; owned by lg
 * @return 0; LAGOON_ENOENT, LAGOON_ENOTSUP if there is no such update function,
 * or not for this table; LAGOON_EINVAL for a shape that is not legal, in every process
 * when the processes do not agree (the message tells both); LAGOON_EEXIST;
 * LAGOON_ENOMEM, in every process, when a home lacks memory or a limit
 * forbids it; LAGOON_EAGAIN when the directory is full; LAGOON_EPEER.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process, in the same order.
 */
int lagoon_table_create(struct lagoon *lg, const char *name,
			const struct lagoon_table_attr *attr,
			struct lagoon_table **t);

/** The table of this name.
 * @return 0; LAGOON_ENOENT.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_table_attach(struct lagoon *lg, const char *name,
			struct lagoon_table **t);

/** Free the table in every process. What was not flushed is lost.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes.
 */
int lagoon_table_destroy(struct lagoon_table *t);

/** Shape and rules as the table has them; defaults are resolved; update is the
 * table's own text.
 * @param attr  its size field must be set (lagoon_table_attr_init())
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_table_get_attr(const struct lagoon_table *t,
			  struct lagoon_table_attr *attr);

/** The process that holds a row: the home of its shard.
 * @return the rank; LAGOON_EINVAL if there is no such row.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_table_home(const struct lagoon_table *t, uint64_t row);

/** Change the staleness bound of an ssp, essp or psp table, for the pulls of
 * this process that begin from now on.
 * @return 0; LAGOON_EINVAL if negative; LAGOON_ENOTSUP if of another model.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_table_set_staleness(struct lagoon_table *t, int32_t staleness);

/** Change how many workers a pull from a psp table asks, for the pulls of this
 * process that begin from now on.
 * @return 0; LAGOON_EINVAL if negative; LAGOON_ENOTSUP if not psp.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_table_set_sample(struct lagoon_table *t, int32_t sample);

/** Change how much of an element a vap table may keep back, for the adds of
 * this process that begin from now on.
 * @return 0; LAGOON_EINVAL if negative or not finite; LAGOON_ENOTSUP if not
 * vap.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_table_set_change(struct lagoon_table *t, double change);

/** Let a table follow another model, with its numbers: the fields model,
 * staleness, sample and change of attr; the others are not looked at. It is
 * a lagoon_barrier() too: whatever any worker added before is in every pull
 * after, also what it added in the bsp round that this ends for the table.
 *
 * @param attr  the same in every worker; from lagoon_table_get_attr()
 * @return 0; LAGOON_EINVAL, in every worker, if the fields are not legal, if
 * the workers do not agree, if one has requests in flight, or if the model
 * is bsp, no other table is, and the workers' clocks differ; LAGOON_ENOMEM,
 * in every worker; nothing is changed then. Else as lagoon_barrier().
 * Threads: the worker's.  Blocks: yes.  Collective: yes, every live worker.
 */
int lagoon_table_set_model(struct lagoon_worker *w, struct lagoon_table *t,
			   const struct lagoon_table_attr *attr);

/** The staleness bound now [rounds]: 0 for bsp, LAGOON_UNBOUNDED for asp and
 * vap.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int32_t lagoon_table_staleness(const struct lagoon_table *t);

/* -------------------------------------------------------- pull and add */

/** Pull nrows rows from row on, or the n rows of a list in its order (a row
 * may stand twice). The values are complete as the model promises, contain
 * all of the worker's own adds exactly once, and are never older than what
 * this worker pulled before.
 *
 * @param row, rows  first row, or the list [n]
 * @param out        [nrows x cols] of the table's type, written by the call
 * @return 0; LAGOON_EINVAL if a row is out of range; LAGOON_EPEER, also of a
 * page in apply mode that a process died while it changed; LAGOON_EJOB,
 * LAGOON_ETIMEDOUT. In apply mode, if the update function has no view, also
 * what lagoon_clock() returns: the worker's own deltas are sent first.
 * Threads: the worker's.  Blocks: until the bound allows it; in apply mode
 * without a view also until own deltas are applied.  Collective: no.
 */
int lagoon_pull(struct lagoon_worker *w, struct lagoon_table *t, uint64_t row,
		uint64_t nrows, void *out);
int lagoon_pull_rows(struct lagoon_worker *w, struct lagoon_table *t,
		     const uint64_t *rows, uint64_t n, void *out);

/** Add to nrows rows from row on, or to the n rows of a list (a row may stand
 * twice; the deltas add up). Rounded to the table's unit once, here,
 * stochastically and without bias. Visible to this worker's pulls at once, to
 * others as the model promises. The buffer is the caller's again on return.
 * In apply mode nothing is rounded, and each goes through the table's update
 * function.
 *
 * @param in  [nrows x cols] deltas of the table's type
 * @return 0; LAGOON_EINVAL if a row is out of range or a delta is NaN or
 * infinite; LAGOON_ERANGE if a delta does not fit the format or an element
 * would leave the legal range. After an error the deltas before the one that
 * the message names are added, that one and those after are not (in apply mode
 * its row may be left out as a whole); LAGOON_EPEER in apply mode if a process
 * died while it changed the page. With a vap
 * table, what lagoon_clock() returns if it fails to send.
 * Threads: the worker's.  Blocks: with a vap table, until what passed the bound
 * has arrived, and while the process sends; else no.  Collective: no.
 */
int lagoon_add(struct lagoon_worker *w, struct lagoon_table *t, uint64_t row,
	       uint64_t nrows, const void *in);
int lagoon_add_rows(struct lagoon_worker *w, struct lagoon_table *t,
		    const uint64_t *rows, uint64_t n, const void *in);

/** Begin a pull or an add. Buffers and the list stay the library's until
 * lagoon_wait() or a lagoon_test() that says done.
 * @param req  freed by the lagoon_wait() or lagoon_test() that completes it
 * @return 0; LAGOON_EAGAIN if the worker has 64 requests in flight; otherwise
 * as the blocking form, except what only shows later.
 * Threads: the worker's.  Blocks: an add as lagoon_add(); a pull does not, but
 * in apply mode without a view until own deltas are applied.
 * Collective: no.
 */
int lagoon_pull_start(struct lagoon_worker *w, struct lagoon_table *t,
		      uint64_t row, uint64_t nrows, void *out,
		      struct lagoon_request **req);
int lagoon_pull_rows_start(struct lagoon_worker *w, struct lagoon_table *t,
			   const uint64_t *rows, uint64_t n, void *out,
			   struct lagoon_request **req);
int lagoon_add_start(struct lagoon_worker *w, struct lagoon_table *t,
		     uint64_t row, uint64_t nrows, const void *in,
		     struct lagoon_request **req);
int lagoon_add_rows_start(struct lagoon_worker *w, struct lagoon_table *t,
			  const uint64_t *rows, uint64_t n, const void *in,
			  struct lagoon_request **req);

/** Complete a request.
 * @return the result of the operation, as the blocking form has it.
 * Threads: the worker's.  Blocks: as the blocking form.  Collective: no.
 */
int lagoon_wait(struct lagoon_request *req);

/** Make progress on a request, and complete it if that is possible now.
 * @param done  set to 1 if it is complete (the request is gone), else 0
 * @return the result of the operation if it is complete, else 0.
 * Threads: the worker's.  Blocks: no.  Collective: no.
 */
int lagoon_test(struct lagoon_request *req, int *done);

/** Atomically add to one element of an i64 table in its shard, at once: the
 * next block of rows, a ticket, a count.
 * @param old  the value before
 * @return 0; LAGOON_ENOTSUP if the table is not i64 or is bsp; LAGOON_ERANGE
 * (nothing is added); LAGOON_EINVAL; LAGOON_EPEER.
 * Threads: the worker's.  Blocks: for one round trip.  Collective: no.
 */
int lagoon_fetch_add(struct lagoon_worker *w, struct lagoon_table *t,
		     uint64_t row, uint32_t col, int64_t delta, int64_t *old);

/* ---------------------------------------------------------- checkpoints */

/** Write the tables of the job to a folder, as they are at the workers' clock:
 * all deltas of the rounds before it, none of later ones. It is a
 * lagoon_barrier() too. Homes copy their shards while all workers are in the
 * call, with the states of update functions; a thread of the library writes the
 * copies to the disk while the workers go on. The next lagoon_checkpoint(),
 * lagoon_restore() and lagoon_close() wait for it and return what it met.
 *
 * The folder then holds one file a shard and a manifest, each with checksums.
 * It is made if need be, and must be the same for all processes. The checkpoint
 * that was in it stays whole until this one is, and is removed then; one job
 * writes to one folder.
 *
 * @param dir    the same in every worker
 * @param state  what the caller wants back from lagoon_restore(): the bytes of
 *               the live worker with the lowest number are kept; copied
 * @return 0; LAGOON_EINVAL, in every worker, if the workers are not at one
 * clock, if one has added to a table since its last lagoon_clock() or has
 * requests in flight, or if they do not agree; LAGOON_EIO if the folder cannot
 * be written, or if the last checkpoint could not: then nothing is written now;
 * LAGOON_ENOMEM; LAGOON_EPEER if a page is uncertain, or as lagoon_barrier().
 * No error removes the checkpoint that is in the folder.
 * Threads: the worker's.  Blocks: until the copies are made.
 * Collective: yes, every live worker.
 */
int lagoon_checkpoint(struct lagoon_worker *w, const char *dir,
		      const void *state, size_t bytes);

/** Whether checkpoints contain the table: 0 for one that depends on the number
 * of workers, or is made anew in any case [1].
 * @return 0.
 * Threads: one, outside lagoon_run().  Blocks: no.  Collective: yes, every
 * process.
 */
int lagoon_table_set_saved(struct lagoon_table *t, int saved);

/** Go on from a checkpoint, with any number of processes, nodes, workers and
 * shards. Tables of it that this job has are filled, the others are made, with
 * the rules that they had; tables that it does not have stay as they are. All
 * workers begin at its clock, also in the next lagoon_run(). With the same
 * workers and seed, bsp tables then go on as if nothing had happened, bit for
 * bit. A table in apply mode goes on with its update function's states; here it
 * must have the same function and parameters, and a function of your own the
 * same bytes in its file.
 *
 * @param state  [*bytes] gets what lagoon_checkpoint() was given; may be NULL
 *               with bytes
 * @param bytes  in: room; out: what was kept
 * @return 0; LAGOON_ENOENT if there is no checkpoint; LAGOON_ECORRUPT if a file
 * is damaged, cut or missing; LAGOON_ENOTSUP if it is of another version or
 * byte order; LAGOON_EEXIST if a table has another shape or update function
 * here; LAGOON_EINVAL if the state is larger than the room, or the processes
 * find different checkpoints; what lagoon_table_create() says of an update
 * function that is not there; LAGOON_EIO; LAGOON_ENOMEM; LAGOON_EPEER. After an error no table
 * is changed, in any process.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_restore(struct lagoon *lg, const char *dir, void *state,
		   size_t *bytes);

/** Read a checkpoint whole and check it.
 * @return 0; as lagoon_restore().
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_checkpoint_verify(const char *dir);

/** Write a description of a checkpoint as text: clock, time, job, tables,
 * files.
 * @param buf  [len bytes]; always terminated when len > 0
 * @return bytes that the whole text needs without the zero (as snprintf); or as
 * lagoon_restore().
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_checkpoint_describe(const char *dir, char *buf, size_t len);

/* ----------------------------------------------------------- statistics */

/** What this process did with one table since it was made. The processes of a
 * node share copies and what is not sent yet, so what is read or sent once for
 * all of them counts where it happened; sums over processes are right. */
struct lagoon_stats {
	size_t size;		/* sizeof(struct lagoon_stats), set by the caller */
	uint64_t pulls;		/* calls */
	uint64_t rows_pulled;
	uint64_t adds;		/* calls */
	uint64_t rows_added;
	uint64_t page_uses;	/* pages that pulls used, from wherever */
	uint64_t cache_hits;	/* of these, served without asking the shard */
	uint64_t pages_read;	/* pages read from shards into the cache */
	uint64_t pages_ahead;	/* of these, before a pull asked (essp) */
	uint64_t words_pushed;	/* words sent to shards (atomic operations), or
				 * handed to update functions */
	uint64_t flushes;	/* how often words of the table were sent together:
				 * once for all workers of the process when its
				 * clock advances, or by a barrier, a leave, a
				 * change of model, a checkpoint; vap: also what
				 * passed the bound, once a lot. Nothing to send:
				 * not counted. 0 where adds go to the shard at
				 * once */
	uint64_t rejected;	/* deltas dropped with LAGOON_ERANGE; of those sent
				 * to homes in apply mode, records with such */
	uint64_t uncertain;	/* words pushed that may or may not have arrived;
				 * also those of a process of this node that
				 * died while it pushed, and of pages locked by
				 * a dead process */
	uint64_t wait_ns;	/* pulls waited for clocks [ns, all workers] */
	uint64_t ages[LAGOON_AGES]; /* pulls by the age of their oldest page */
	double unpushed;	/* vap: the largest change of an element that an
				 * add of this process left unsent */
};

/** @return 0; LAGOON_EINVAL if stats->size is not set.
 * Threads: any; exact when no worker is in a call.  Blocks: no.
 * Collective: no.
 */
int lagoon_table_stats(const struct lagoon_table *t,
		       struct lagoon_stats *stats);

/** How long workers of this process waited for the clock of that process:
 * the one with the smallest clock at the time. 0 for a rank out of range.
 * @return [ns]
 * Threads: any.  Blocks: no.  Collective: no.
 */
uint64_t lagoon_waited_for(const struct lagoon *lg, int rank);

/** How long this worker has waited, in all runs: pulls for clocks, and
 * lagoon_barrier(), lagoon_table_set_model() and collective rounds for
 * others, with what was sent meanwhile.
 * @return [ns]
 * Threads: any.  Blocks: no.  Collective: no.
 */
uint64_t lagoon_worker_waited(const struct lagoon_worker *w);

/** What this process posted to its wire since lagoon_open(), for tables, board
 * and directories, to itself too. Tables in memory that all processes map are
 * used without it. */
struct lagoon_wire_counts {
	size_t size;		/* sizeof(struct lagoon_wire_counts), set by the
				 * caller */
	char name[LAGOON_WIRE_NAME];	/* "shm", "rc" */
	uint64_t posts;		/* batches of requests */
	uint64_t gets;		/* requests that read, */
	uint64_t puts;		/* write, */
	uint64_t adds;		/* fetch and add, */
	uint64_t cas;		/* compare and swap */
	uint64_t get_bytes;	/* their bytes, as asked for; what a network adds
				 * or repeats is not in it */
	uint64_t put_bytes;
	uint64_t add_bytes;
	uint64_t cas_bytes;
};

/** @return 0; LAGOON_EINVAL if stats->size is not set.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_wire_stats(const struct lagoon *lg, struct lagoon_wire_counts *stats);

/** Write a description of placement (plan, applied, verified), shards and
 * wire of this process as text.
 * @param buf  [len bytes]; always terminated when len > 0
 * @return bytes that the whole text needs without the zero (as snprintf).
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_describe(const struct lagoon *lg, char *buf, size_t len);

#ifdef __cplusplus
}
#endif

#endif
