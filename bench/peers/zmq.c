/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The classic parameter server in the rows of peer.c: one server process that
 * holds arrays and answers requests over ZeroMQ (REQ/REP, a socket in the file
 * system), as fast as that can be: no keys to look up, no serialising. Needs
 * no launcher; the process that sleeps in the other programs is a second
 * client, and the server is a third process.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "bench/peers/peer.h"

enum what { GET_INT, ADD_INT, GET_LIST, ADD_LIST, GET_RANGE, ADD_RANGE, STOP };

struct request {
	uint64_t what, n;
	uint64_t body[];	/* indices, then values */
};

static void *context, *socket_;
static struct request *request;
static char address[128];
static pid_t server, other;

static void must(int rc)
{
	if (rc < 0)
		peer_die("%s", zmq_strerror(zmq_errno()));
}

/* ------------------------------------------------------------- the server */

static int64_t ints[PEER_ROWS];
static double reals[PEER_ROWS];

/* One request; the answer is *out of *bytes. */
static void answer(const struct request *q, double *buffer, const void **out,
		   size_t *bytes)
{
	const uint64_t *index = q->body;
	const double *value = (const double *)(q->body + q->n);

	*bytes = 0;
	*out = buffer;
	switch (q->what) {
	case GET_INT:
		*out = &ints[index[0]];
		*bytes = 8;
		break;
	case ADD_INT:
		ints[index[0]] += (int64_t)index[1];
		break;
	case GET_LIST:
		for (size_t i = 0; i < q->n; i++)
			buffer[i] = reals[index[i]];
		*bytes = q->n * 8;
		break;
	case ADD_LIST:
		for (size_t i = 0; i < q->n; i++)
			reals[index[i]] += value[i];
		break;
	case GET_RANGE:
		*out = reals;
		*bytes = q->n * 8;
		break;
	case ADD_RANGE:
		value = (const double *)q->body;
		for (size_t i = 0; i < q->n; i++)
			reals[i] += value[i];
		break;
	}
}

static void serve(void)
{
	double *buffer = malloc(PEER_LIST * sizeof(*buffer));
	const void *out;
	size_t bytes;
	void *s;

	context = zmq_ctx_new();
	s = zmq_socket(context, ZMQ_REP);
	must(zmq_bind(s, address));
	for (;;) {
		const struct request *q;
		zmq_msg_t msg;

		zmq_msg_init(&msg);
		must(zmq_msg_recv(&msg, s, 0));
		q = zmq_msg_data(&msg);
		if (q->what == STOP)
			_exit(0);
		answer(q, buffer, &out, &bytes);
		zmq_msg_close(&msg);
		must(zmq_send(s, out, bytes, 0));
	}
}

/* ------------------------------------------------------------ the clients */

static int start(int argc, char **argv)
{
	int role;

	(void)argc;
	(void)argv;
	snprintf(address, sizeof(address), "ipc://@lagoon-peers-%d", (int)getpid());
	request = malloc(sizeof(*request) + PEER_DENSE * 8ull);
	if (!request)
		peer_die("no memory");
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve();
	}
	other = fork();
	role = !other;
	if (role)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	context = zmq_ctx_new();
	socket_ = zmq_socket(context, ZMQ_REQ);
	must(zmq_connect(socket_, address));
	return role;
}

/* What comes back goes to out. */
static void ask(enum what what, uint64_t n, size_t words, void *out,
		size_t bytes)
{
	request->what = what;
	request->n = n;
	must(zmq_send(socket_, request, sizeof(*request) + words * 8, 0));
	if (zmq_recv(socket_, out, bytes, 0) != (int)bytes)
		peer_die("a reply of the wrong size");
}

static void stop(void)
{
	if (other) {
		waitpid(other, NULL, 0);
		request->what = STOP;
		must(zmq_send(socket_, request, sizeof(*request), 0));
		waitpid(server, NULL, 0);
	}
	_exit(0);	/* the request to stop has no reply */
}

static int64_t get_one(uint64_t row)
{
	int64_t x;

	request->body[0] = row;
	ask(GET_INT, 1, 1, &x, 8);
	return x;
}

static void add_one(uint64_t row, int64_t delta)
{
	request->body[0] = row;
	request->body[1] = (uint64_t)delta;
	ask(ADD_INT, 1, 2, NULL, 0);
}

static int64_t get(const uint64_t *index, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += get_one(index[i]);
	return sum;
}

static void add(const uint64_t *index, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_one(index[i], 1);
}

static void one_key(const uint64_t *index, size_t n)
{
	int64_t x = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t row = index[i] + (x < 0);

		x = get_one(row);
		add_one(row, 1 + (x < 0));
	}
}

static void sparse_get(const uint64_t *index, size_t n, void *out)
{
	memcpy(request->body, index, n * 8);
	ask(GET_LIST, n, n, out, n * 8);
}

static void sparse_add(const uint64_t *index, size_t n, const void *delta)
{
	memcpy(request->body, index, n * 8);
	memcpy(request->body + n, delta, n * 8);
	ask(ADD_LIST, n, 2 * n, NULL, 0);
}

static void dense_add(size_t n, const void *delta)
{
	memcpy(request->body, delta, n * 8);
	ask(ADD_RANGE, n, n, NULL, 0);
}

static void get_block(size_t n, void *out)
{
	ask(GET_RANGE, n, 0, out, n * 8);
}

struct peer peer = {
	.name = "zmq", .open = start, .close = stop,
	.get = get, .add = add, .one_key = one_key,
	.sparse_get = sparse_get, .sparse_add = sparse_add,
	.dense_add = dense_add, .get_block = get_block,
};
