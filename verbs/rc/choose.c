/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/status.h"
#include "verbs/rc/choose.h"

/* What decided between two ports that can be used. */
enum decided { BY_LAYER, BY_DISTANCE, BY_RATE, BY_NAME };

const char *lgn_rc_state_text(enum ibv_port_state state)
{
	static const char *const text[] = {
		"NOP", "DOWN", "INIT", "ARMED", "ACTIVE", "ACTIVE_DEFER",
	};

	return (size_t)state < LGN_COUNT(text) ? text[state] : "unknown";
}

/* Speed is of one lane; both are bits, as the InfiniBand standard has them. */
int lgn_rc_mbps(const struct ibv_port_attr *port)
{
	static const struct {
		uint8_t code;
		int value;
	} width[] = { { 1, 1 }, { 2, 4 }, { 4, 8 }, { 8, 12 }, { 16, 2 } },
	speed[] = {
		{ 1, 2500 }, { 2, 5000 }, { 4, 10000 }, { 8, 10000 },
		{ 16, 14000 }, { 32, 25000 }, { 64, 50000 }, { 128, 100000 },
	};
	int lanes = 0, lane = 0;

	for (size_t i = 0; i < LGN_COUNT(width); i++)
		if (width[i].code == port->active_width)
			lanes = width[i].value;
	for (size_t i = 0; i < LGN_COUNT(speed); i++)
		if (speed[i].code == port->active_speed)
			lane = speed[i].value;
	return lanes * lane;
}

static void not_active(const struct lgn_rc_candidate *c, char *text, size_t len)
{
	const char *name = c->interface[0] ? c->interface : "NAME";
	int n = snprintf(text, len, "%s port %d is %s, not ACTIVE: ", c->device,
			 c->port, lgn_rc_state_text(c->state));

	if (n < 0 || (size_t)n >= len)
		return;
	text += n;
	len -= (size_t)n;
	if (c->state == IBV_PORT_INIT || c->state == IBV_PORT_ARMED)
		snprintf(text, len, "no subnet manager has set it up; see whether opensm runs, and sminfo");
	else if (c->ethernet)
		snprintf(text, len, "ip link set dev %s up, and see its cable",
			 name);
	else
		snprintf(text, len, "see its cable and switch, and ibstat");
}

const char *lgn_rc_trouble(const struct lgn_rc_candidate *c, char *text,
			   size_t len)
{
	text[0] = '\0';
	if (!c->port)
		snprintf(text, len, "%s: %s", c->device, c->trouble);
	else if (c->state != IBV_PORT_ACTIVE)
		not_active(c, text, len);
	else if (!c->atomics)
		snprintf(text, len, "%s has no atomic operations", c->device);
	else if (!c->gid)
		snprintf(text, len, "%s port %d has no GID: give its network interface an IP address",
			 c->device, c->port);
	return text;
}

static bool usable(const struct lgn_rc_candidate *c)
{
	return c->port && c->state == IBV_PORT_ACTIVE && c->atomics && c->gid;
}

/* A device that could not be opened stands for all of its ports. */
static bool asked_for(const struct lgn_rc_options *o,
		      const struct lgn_rc_candidate *c)
{
	if (o->device[0] && strcmp(o->device, c->device))
		return false;
	return !o->port || !c->port || o->port == c->port;
}

static int far(const struct lgn_rc_candidate *c)
{
	return c->distance ? c->distance : INT_MAX;
}

/* Whether a goes before b. */
static bool before(const struct lgn_rc_candidate *a,
		   const struct lgn_rc_candidate *b, enum decided *by)
{
	int names = strverscmp(a->device, b->device);

	*by = BY_LAYER;
	if (a->ethernet != b->ethernet)
		return b->ethernet;
	*by = BY_DISTANCE;
	if (far(a) != far(b))
		return far(a) < far(b);
	*by = BY_RATE;
	if (a->mbps != b->mbps)
		return a->mbps > b->mbps;
	*by = BY_NAME;
	return names ? names < 0 : a->port < b->port;
}

/* The best that was asked for, leaving one out; NULL: none. */
static const struct lgn_rc_candidate *
best_of(const struct lgn_rc_options *o, const struct lgn_rc_candidate *list,
	int n, const struct lgn_rc_candidate *except)
{
	const struct lgn_rc_candidate *best = NULL;
	enum decided by;

	for (int i = 0; i < n; i++)
		if (&list[i] != except && usable(&list[i]) &&
		    asked_for(o, &list[i]) &&
		    (!best || before(&list[i], best, &by)))
			best = &list[i];
	return best;
}

static void compared(const struct lgn_rc_candidate *a,
		     const struct lgn_rc_candidate *b, char *why, size_t len)
{
	enum decided by;

	before(a, b, &by);
	if (by == BY_LAYER)
		snprintf(why, len, "InfiniBand before RoCE (%s port %d)",
			 b->device, b->port);
	else if (by == BY_DISTANCE && b->distance)
		snprintf(why, len, "nearer to the shard than %s port %d (distance %d, not %d)",
			 b->device, b->port, a->distance, b->distance);
	else if (by == BY_DISTANCE)
		snprintf(why, len, "near the shard (distance %d); where %s is, is not known",
			 a->distance, b->device);
	else if (by == BY_RATE)
		snprintf(why, len, "faster than %s port %d (%g, not %g Gb/s)",
			 b->device, b->port, a->mbps / 1e3, b->mbps / 1e3);
	else
		snprintf(why, len, "as good as %s port %d, and before it by name",
			 b->device, b->port);
}

static void explain(const struct lgn_rc_options *o,
		    const struct lgn_rc_candidate *list, int n,
		    const struct lgn_rc_candidate *best, char *why, size_t len)
{
	const struct lgn_rc_candidate *second = best_of(o, list, n, best);
	size_t used = 0;

	why[0] = '\0';
	if (o->device[0])
		used = (size_t)snprintf(why, len, "LAGOON_DEVICE");
	if (o->device[0] && second && used < len)
		used += (size_t)snprintf(why + used, len - used, "; ");
	if (second && used < len)
		compared(best, second, why + used, len - used);
	else if (!o->device[0])
		snprintf(why, len, n > 1 ? "the only one of %d ports that can be used" :
			 "the only port", n);
}

/* "mlx5_0:1, mlx5_1:1" */
static void names(const struct lgn_rc_candidate *list, int n, char *text,
		  size_t len)
{
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < n && used < len; i++)
		used += (size_t)snprintf(text + used, len - used,
					 list[i].port ? "%s%s:%d" : "%s%s",
					 i ? ", " : "", list[i].device,
					 list[i].port);
}

static int no_such_device(const struct lgn_rc_options *o,
			  const struct lgn_rc_candidate *list, int n)
{
	char port[8] = "", text[300];

	if (o->port)
		snprintf(port, sizeof(port), ":%d", o->port);
	names(list, n, text, sizeof(text));
	return lgn_fail(LAGOON_EINVAL, "LAGOON_DEVICE is \"%s%s\": there is only %s",
			o->device, port, text);
}

/* All that is wrong, as far as a message holds it. */
static int none_usable(const struct lgn_rc_options *o,
		       const struct lgn_rc_candidate *list, int n)
{
	char text[400], one[384];
	size_t used = 0;

	for (int i = 0; i < n && used < sizeof(text); i++)
		if (asked_for(o, &list[i]))
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 "%s%s", used ? "; " : "",
						 lgn_rc_trouble(&list[i], one, sizeof(one)));
	if (!used)
		return no_such_device(o, list, n);
	return lgn_fail(LAGOON_ENODEV, "no RDMA port can be used: %s", text);
}

int lgn_rc_choose(const struct lgn_rc_options *o,
		  const struct lgn_rc_candidate *list, int n,
		  char *why, size_t len)
{
	const struct lgn_rc_candidate *best = best_of(o, list, n, NULL);

	if (!best)
		return none_usable(o, list, n);
	explain(o, list, n, best, why, len);
	return (int)(best - list);
}
