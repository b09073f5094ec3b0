/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The listener of the RC wire and those it must not listen to: a question
 * with a wrong nonce, or any other that is wrong, is refused and leads to no
 * queue pair; garbage, half questions and silence keep nobody waiting. After
 * all of it the right question is answered. Needs an RDMA device; a program
 * of its own, without a launcher.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/support/test.h"
#include "test/support/wire_pair.h"
#include "verbs/rc/rc.h"

enum {
	LIMIT_S = 60,		/* of any answer, and of silence */
	SILENT = 60,		/* silent connections at a time */
};

static struct pair pair;

/* A connection to the listener of a rank. */
static int dial(int rank)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
	struct lgn_rc_addr to;
	int sock = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(&to, pair.addr[rank].bytes, sizeof(to));
	memcpy(&sa.sin6_addr, to.ip, 16);
	sa.sin6_port = to.tcp_port;
	lgn_rc_socket_limits(sock, LIMIT_S);
	T_CHECK(!connect(sock, (struct sockaddr *)&sa, sizeof(sa)),
		"rank %d does not listen", rank);
	return sock;
}

/* Queue pairs that processes on this machine have at any device. */
static int queue_pairs(void)
{
	FILE *f = popen("rdma resource show", "r");
	char line[300];
	int all = 0, devices = 0, n;

	T_CHECK(f, "rdma resource show");
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, " qp ");

		if (at && sscanf(at, " qp %d", &n) == 1) {
			all += n;
			devices++;
		}
	}
	T_CHECK(!pclose(f) && devices, "rdma resource show tells nothing");
	return all;
}

static struct lgn_rc_ask good_ask(int kind)
{
	struct lgn_rc_ask ask = {
		.magic = LGN_RC_MAGIC, .nonce = PAIR_NONCE, .kind = kind,
		.rank = 0, .qps = 1, .key = pair.peer_key,
	};
	const struct lgn_rc_device *d = &lgn_rc_of(pair.wire)->device;

	/* The end of a queue pair that does not exist is as good as one. */
	memcpy(ask.end.gid, &d->gid, sizeof(ask.end.gid));
	ask.end.mtu = (uint8_t)d->mtu;
	ask.end.grh = d->grh;
	ask.end.rd_atomic = 1;
	ask.end.qpn[0] = 0x777;
	return ask;
}

static void refused(struct lgn_rc_ask ask, const char *what, const char *why)
{
	static const struct lgn_rc_answer nothing;
	struct lgn_rc_answer answer;
	int sock = dial(1);

	T_CHECK(!lgn_rc_send(sock, &ask, sizeof(ask)), "%s: sending", what);
	T_CHECK(!lgn_rc_receive(sock, &answer, sizeof(answer)), "%s: no answer",
		what);
	T_CHECK(answer.status < 0, "%s: not refused: status %d", what,
		answer.status);
	T_CHECK(strstr(answer.why, why), "%s: refused with \"%s\"", what,
		answer.why);
	T_CHECK(!memcmp(&answer.end, &nothing.end, sizeof(nothing.end)) &&
		!memcmp(answer.rkey, nothing.rkey, sizeof(nothing.rkey)) &&
		!answer.chunks, "%s: the refusal tells more than why", what);
	close(sock);
	printf("listener: %s: %s\n", what, answer.why);
}

static void wrong_questions(void)
{
	int before = queue_pairs(), after;
	struct lgn_rc_ask other;

	for (int kind = LGN_RC_CONNECT; kind <= LGN_RC_WATCH; kind++) {
		struct lgn_rc_ask ask = good_ask(kind);

		ask.nonce[0] ^= 1;
		refused(ask, "first half of the nonce", "nonce");
		ask = good_ask(kind);
		ask.nonce[1] ^= UINT64_C(1) << 63;
		refused(ask, "second half of the nonce", "nonce");
		ask = good_ask(kind);
		ask.magic++;
		refused(ask, "another protocol", "nonce");
		ask = good_ask(kind);
		ask.rank = -1;
		refused(ask, "a negative rank", "rank -1");
		ask = good_ask(kind);
		ask.qps = LGN_RC_QPS_MAX + 1;
		refused(ask, "more queue pairs", "LAGOON_QPS");
	}
	/* Others may come late, but only members are watched. */
	other = good_ask(LGN_RC_WATCH);
	other.rank = 2;
	refused(other, "a rank too many", "rank 2 of 2");
	refused(good_ask(77), "an unknown question", "77");
	other = good_ask(LGN_RC_KEYS);
	other.key.rkey++;
	refused(other, "keys of no region", "no such region");
	other = good_ask(LGN_RC_CONNECT);
	other.end.grh = !other.end.grh;
	refused(other, "a device of another kind", "InfiniBand");
	after = queue_pairs();
	T_CHECK(after == before, "%d queue pairs, before %d", after, before);
}

/* The question that these are in the way of, if anything is. */
static void good_question(const char *after)
{
	struct lgn_rc_ask ask = good_ask(LGN_RC_KEYS);
	struct lgn_rc_answer answer;
	int sock = dial(1);

	T_CHECK(!lgn_rc_send(sock, &ask, sizeof(ask)) &&
		!lgn_rc_receive(sock, &answer, sizeof(answer)),
		"%s: the right question got no answer", after);
	T_CHECK(!answer.status && answer.chunks == 1 &&
		answer.rkey[0] == (uint32_t)pair.peer_key.rkey,
		"%s: the right question: status %d: %s", after, answer.status,
		answer.why);
	close(sock);
}

static void garbage(void)
{
	static const struct linger at_once = { 1, 0 };
	struct t_rng rng = { 7 };
	uint64_t noise[512];
	char rest[8];

	for (int n = 0; n < 40; n++) {
		int sock = dial(1);
		size_t len = t_below(&rng, sizeof(noise));

		for (size_t i = 0; i < T_COUNT(noise); i++)
			noise[i] = t_rand(&rng);
		/* Closed on the other side before all is sent: as well. */
		lgn_rc_send(sock, noise, len);
		if (t_once_in(&rng, 2))
			setsockopt(sock, SOL_SOCKET, SO_LINGER, &at_once,
				   sizeof(at_once));
		else if (len >= sizeof(struct lgn_rc_ask))
			T_CHECK(recv(sock, rest, sizeof(rest), 0) <= 8, "recv");
		close(sock);
	}
	good_question("after garbage");
}

/* Half of a question; then others; then the other half. */
static void in_halves(void)
{
	struct lgn_rc_ask ask = good_ask(LGN_RC_KEYS);
	struct lgn_rc_answer answer;
	const size_t half = sizeof(ask) / 2;
	int sock = dial(1);

	T_CHECK(!lgn_rc_send(sock, &ask, half), "half a question");
	good_question("beside half a question");
	T_CHECK(!lgn_rc_send(sock, (char *)&ask + half, sizeof(ask) - half) &&
		!lgn_rc_receive(sock, &answer, sizeof(answer)),
		"a question in halves got no answer");
	T_CHECK(!answer.status && answer.chunks == 1, "in halves: %s", answer.why);
	close(sock);
}

/* They stay while the test goes on. */
static void silence(int rank, int sock[SILENT])
{
	for (int i = 0; i < SILENT; i++) {
		sock[i] = dial(rank);
		if (i % 2)
			lgn_rc_send(sock[i], "half", 4);
	}
}

/* As many as it takes to push out those who came before. */
static void crowd(void)
{
	for (int n = 0; n < 4; n++) {
		int sock[SILENT];

		silence(1, sock);
		good_question("in a crowd");
		for (int i = 0; i < SILENT; i++)
			close(sock[i]);
	}
}

/* The wire itself: queue pairs, and a word there and back. */
static void connects(void)
{
	uint64_t old = 1;
	int before = queue_pairs();
	int rc = pair.wire->ops->attach(pair.wire, 1, &pair.peer_key, &pair.peer);

	t_ok(rc, "attach beside silent connections");
	T_CHECK(queue_pairs() > before, "a connection without queue pairs");
	t_ok(pair_run(&pair, &pair.peer, LGN_ADD, 3, &old, 1, 5, 0), "an add");
	T_CHECK(!old && pair_peer_load(&pair, 3) == 5, "the add did not arrive");
}

/* Nor are deaths kept waiting. */
static void death_is_told(void)
{
	uint64_t limit = t_now_ns() + LIMIT_S * UINT64_C(1000000000);

	kill(pair.child, SIGKILL);
	while (!atomic_load(&pair.lost))
		T_CHECK(t_now_ns() < limit, "the death of rank 1 was not told");
}

int main(void)
{
	int here[SILENT], there[SILENT];

	t_name("listener", 0);
	t_ok(pair_open(&pair, &lgn_wire_rc, 0, false), "two processes");
	wrong_questions();
	garbage();
	in_halves();
	crowd();
	silence(0, here);
	silence(1, there);
	good_question("beside silent connections");
	connects();
	death_is_told();
	for (int i = 0; i < SILENT; i++) {
		close(here[i]);
		close(there[i]);
	}
	pair_close(&pair);
	return 0;
}
