/* SPDX-License-Identifier: MIT */
#ifndef BH_ELECTION_H
#define BH_ELECTION_H

#include "bridgehub.h"

/*
 * Who becomes the hub, and how a client finds it: spec/protocol.md, section 7. Only what to try next, and when; the
 * trying is the driver's. After each call that takes `now`:
 *
 *     while (bh_election_poll(&election, &action))
 *       begin it, and tell how it ended where the action says so;
 *     arm a timer for bh_election_expiry(&election);
 *
 * One action at most is under way at a time, and none while the client has a connection.
 */

typedef enum {
  BH_ELECT_SERVE,        /* try to become the hub; then bh_election_served() */
  BH_ELECT_CONNECT,      /* try each endpoint; then bh_election_connected() */
  BH_ELECT_LOOK_AT_PORT, /* find whether something holds the port; then bh_election_port() */
  BH_ELECT_TELL,         /* `news`, for the user: each once, until something else is news or a hub has registered it */
} bh_election_kind;

typedef enum {
  BH_NEWS_NO_HUB,         /* nobody is at the endpoint, for all one knows so far */
  BH_NEWS_PORT_TAKEN,     /* ... and the port is taken by something that is not a hub (BH-ELECT-008) */
  BH_NEWS_NOT_RESPONDING, /* a hub is there and does not answer (BH-ELECT-009) */
  BH_NEWS_UNUSABLE,       /* the endpoint cannot be used: the driver knows why */
  BH_NEWS_LOST,           /* a registered client has lost its hub */
} bh_election_news;

typedef struct {
  bh_election_kind kind;
  bh_election_news news; /* TELL */
} bh_election_action;

typedef enum {
  BH_SERVE_DONE,       /* this process is the hub, and ready */
  BH_SERVE_PORT_HELD,  /* somebody else listens on the port */
  BH_SERVE_LOCK_HELD,  /* the port was free, and another hub has the spool */
  BH_SERVE_IMPOSSIBLE, /* no spool, no endpoint: the driver has said why */
} bh_serve_result;

typedef enum {
  BH_CONNECT_DONE,
  BH_CONNECT_NOBODY,    /* ENOENT, ECONNREFUSED */
  BH_CONNECT_NO_ANSWER, /* EAGAIN: somebody listens and does not accept */
  BH_CONNECT_UNUSABLE,  /* another error, or another user's */
} bh_connect_result;

typedef enum {
  BH_LOST_CLOSED,
  BH_LOST_SILENT,  /* the hub has sent nothing for the time-out */
  BH_LOST_REFUSED, /* the hub has refused the registration */
} bh_lost_why;

typedef struct {
  bool may_serve;
  bool port_known;     /* LOOK_AT_PORT is of use */
  uint32_t timeout_ms; /* until bh_election_registered() tells the hub's; 0 means BH_TIMEOUT_MS */
  uint64_t random;     /* 64 random bits: no two processes should wait alike */
} bh_election_config;

/* Nothing in it is for the driver to touch. It needs no clean-up. */
typedef struct {
  bool may_serve;
  bool port_known;
  uint32_t timeout_ms;
  uint64_t random;
  int step;
  uint64_t due;     /* of the next attempt */
  uint16_t soon_ms; /* the longest wait after the next attempt that finds nobody */
  bool serving;
  bool port_held; /* as the last look at it, or attempt to serve, has told */
  bool absent;    /* nobody is at the endpoint ... */
  uint64_t absent_since;
  uint64_t next_look;
  bool news_due;
  bh_election_news news; /* the last one */
  bool told;             /* it is still news */
} bh_election;

void bh_election_init(bh_election *election, const bh_election_config *config, uint64_t now);
bool bh_election_poll(bh_election *election, bh_election_action *action);

void bh_election_served(bh_election *election, bh_serve_result result, uint64_t now);
void bh_election_connected(bh_election *election, bh_connect_result result, uint64_t now);
void bh_election_port(bh_election *election, bool held, uint64_t now);

/* The client of the connection is registered. `timeout_ms`: the hub's. */
void bh_election_registered(bh_election *election, uint32_t timeout_ms);
/* The connection is closed. `was_registered`: the client had been registered on it. */
void bh_election_lost(bh_election *election, bh_lost_why why, bool was_registered, uint64_t now);

uint64_t bh_election_expiry(const bh_election *election);
void bh_election_expire(bh_election *election, uint64_t now);

#endif
