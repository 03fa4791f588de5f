/* SPDX-License-Identifier: MIT */
#ifndef WORLD_H
#define WORLD_H

/*
 * A hub that is fuzzed: somebody who does everything right, those who do not, and what is known of both. Each function
 * ends the case where the hub does something that the specification does not let it do.
 */

#include "draw.h"
#include "reader.h"

#define LINGERING_MAX 10

/* A connection to the endpoint, from which whatever was drawn is sent. */
struct lane {
  struct conn *conn;
  bool registered, observer;
  bool over; /* nothing more is said on it */
  char instance[65];
  uint64_t sent_at; /* when its last octet was sent */
  bh_reader reader; /* of all that it sent */
};

struct world {
  struct hub *hub;
  struct lane good;
  unsigned exports, imports; /* numbers the right ones */
  uint32_t parked;

  bool active_is_known;
  char active[65]; /* "": nobody */

  struct lane *interrupted;              /* stopped in the middle; NULL: none */
  struct lane *lingering[LINGERING_MAX]; /* left as they were */
  size_t lingering_count;
  struct bridge *silent[LINGERING_MAX]; /* the same, at the port */
  size_t silent_count;
  unsigned unsure; /* connections to the port that were closed, and of which nothing says that the hub has found it */
};

/* --------------------------------------------------------------------------------------------- who does everything
 * right */

/* Starts a hub; registers the one window that must not be disturbed. */
void world_begin(struct world *world);
/* Its request is answered in time. */
void good_request(struct world *world);
/* It makes itself active, unless it is. */
void good_claims(struct world *world);
/* Bridge exports to it: the import comes, once, whole and in order, and is finished. */
void good_export(struct world *world);
/* These octets are its next import. */
void good_takes(struct world *world, const void *assets, size_t size);
/* Another window comes, is registered, and leaves. */
void good_visitor(struct world *world);
/* Nothing waits, nothing was parked but what has been refused, and there is room again for all that must have room. */
void world_end(struct world *world);
void world_capacity(struct world *world);

/* ----------------------------------------------------------------------------------------------------- the endpoint */

struct lane *lane_open(struct world *world);
/* All of it is sent; every answer that the specification fixes comes, and no other; an end comes where it has one. */
void lane_sends(struct world *world, struct lane *lane, const void *octets, size_t size);
/* The same where they are sent already. */
void lane_judge(struct world *world, struct lane *lane, const void *octets, size_t size);
/* It registers with this instance id, by a right message. */
void lane_registers(struct world *world, struct lane *lane, const char *instance);
/* The octets of a message with the next id. */
void lane_sends_message(struct world *world, struct lane *lane, const char *type, const char *body);
/* The next message on it that is no HEARTBEAT; NULL: none comes in time. */
const struct message *lane_next(struct lane *lane);
/* In pieces, some of them small. */
void send_in_pieces(struct lane *lane, const void *octets, size_t size);
/* It ends in one way or another, or is left open. */
void lane_leave(struct world *world, struct lane *lane);
void lane_close(struct world *world, struct lane *lane);
/* A lane is no longer there: what was its is not known any more. */
void lane_lost(struct world *world, struct lane *lane);
/* The other lane that has this instance now; NULL: none. */
struct lane *lane_of(struct world *world, const char *instance, const struct lane *but);
void world_close_lingering(struct world *world);
/* Waits until a new connection is held again: those that were closed are found closed a little later. */
void world_wait_room(struct world *world);

/* -------------------------------------------------------------------------------------------------------- the port */

/* What these octets are to the port. */
struct stream_outlook {
  const void **imports;
  size_t *sizes;
  size_t count;
  bool closes;  /* the hub has enough */
  bool orderly; /* by Bye Megascans */
  bool partial; /* a value has begun and is not whole */
  const char *reason;
};

struct stream_outlook stream_judge(const void *octets, size_t size);
/* Sends them, takes what comes of them, and ends. In the middle it waits until `between` is over, if that is given. */
void stream_run(struct world *world, const void *octets, size_t size, void (*between)(struct world *world));
/* By an end, or a reset. */
void stream_close(struct world *world, struct bridge *bridge, bool reset);

/* -------------------------------------------------------------------------------------------------------- the steps */

struct step {
  const char *what;
  void (*run)(struct world *world);
};

/* Each of the arrays ends with {NULL}. */
extern const struct step endpoint_steps[], bridge_steps[], connection_steps[], holder_steps[];

#endif
