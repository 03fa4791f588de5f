/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_LINK_H
#define BH_UV_LINK_H

#include "uv_paths.h"
#include "uv_say.h"

#include <uv.h>

/* A client on a libuv loop: the core of client*.c, connected to the hub for as long as there is one. */

typedef enum {
  BH_LINK_CONNECTED,      /* a hub took the connection; registration comes next */
  BH_LINK_LOST,           /* a registered client has lost its hub */
  BH_LINK_NO_HUB,         /* nobody is at the endpoint */
  BH_LINK_PORT_TAKEN,     /* ... and the port is taken by something that is not a hub (BH-ELECT-008) */
  BH_LINK_NOT_RESPONDING, /* a hub is there and does not answer (BH-ELECT-009) */
  BH_LINK_REFUSED,        /* who is at the endpoint is not to be trusted, or it may not be opened */
} bh_link_news;

typedef struct {
  const char *endpoints[BH_ENDPOINTS_MAX]; /* best first; each has passed bh_endpoint_check() */
  size_t endpoint_count;
  uint16_t port; /* of the group, to tell what holds it; 0: not known */
  bh_client_config client;
  /* Both may call the client's functions, bh_link_flush() and bh_link_stop(). What they get is borrowed. */
  void (*event)(void *ctx, const bh_event *event);
  void (*news)(void *ctx, bh_link_news news, const char *text); /* each once, until something else is news */
  void *ctx;
} bh_link_config;

typedef struct bh_link bh_link;

/* Tries again and again, until it is stopped or its instance is superseded. `config`'s texts are copied. */
int bh_link_start(uv_loop_t *loop, const bh_link_config *config, bh_link **result, bh_why *why);
bh_client *bh_link_client(bh_link *link);
/* Sends what was queued by calls on the client. */
void bh_link_flush(bh_link *link);
/* Closes the connection without a word. `stopped`, which may be NULL, is called once every handle is closed. */
void bh_link_stop(bh_link *link, void (*stopped)(void *ctx), void *ctx);

#endif
