/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_LINK_H
#define BH_UV_LINK_H

#include "election.h"
#include "uv_paths.h"
#include "uv_port_holder.h"
#include "uv_server.h"

#include <uv.h>

/*
 * A client on a libuv loop: the core of client*.c, connected to the hub for as long as there is one, and with the hub
 * beside it where this process wins the election (election.h).
 */

typedef struct {
  const char *endpoints[BH_ENDPOINTS_MAX]; /* best first; each has passed bh_endpoint_check() */
  size_t endpoint_count;
  uint16_t port;                 /* of the group, to tell what holds it; 0: not known */
  const bh_server_config *serve; /* the hub that this process may become; NULL: none. Its endpoint is among the above */
  bh_client_config client;
  /* Both may call the client's functions, bh_link_flush() and bh_link_stop(). What they get is borrowed. */
  void (*event)(void *ctx, const bh_event *event);
  void (*news)(void *ctx, bh_election_news news, const char *text);
  void *ctx;
} bh_link_config;

typedef struct bh_link bh_link;

/* 1-256 octets of UTF-8. */
bool bh_link_name_is_valid(const char *name);

/* Whether a hub could register it: what is wrong with its name, instance or window. */
int bh_link_check(const bh_client_config *config, bh_why *why);

/* Tries again and again, until it is stopped or its instance is superseded. `config`'s texts are copied. */
int bh_link_start(uv_loop_t *loop, const bh_link_config *config, bh_link **result, bh_why *why);
bh_client *bh_link_client(bh_link *link);
/* Sends what was queued by calls on the client. */
void bh_link_flush(bh_link *link);
/* It registers anew, by a new connection to the same hub, which is told as if it were the first. */
void bh_link_reconnect(bh_link *link);
/* The hub is in this process. */
bool bh_link_serves(const bh_link *link);
/* Who had the port when BH_NEWS_PORT_TAKEN was told. */
const bh_port_holder *bh_link_port_holder(const bh_link *link);
/* Closes the connection without a word, and ends the hub cleanly if it is in this process. `stopped`, which may be
 * NULL, is called once every handle is closed. */
void bh_link_stop(bh_link *link, void (*stopped)(void *ctx), void *ctx);

#endif
