/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_SERVER_H
#define BH_UV_SERVER_H

#include "uv_say.h"

#include <uv.h>

/* The hub on a libuv loop: the core of hub*.c with its ports, endpoint, state file and spool. */

typedef struct {
  const char *endpoint;
  const char *state;
  const char *spool;
  uint16_t port;
  const uint16_t *also_ports;
  size_t also_port_count; /* at most BH_ALSO_PORTS_MAX */
  uint32_t heartbeat_ms;
  uint32_t timeout_ms;
  bh_logger logger;
} bh_server_config;

typedef struct bh_server bh_server;

/*
 * Becomes the hub, and is ready when it returns 0. UV_EADDRINUSE: another process has the port; UV_EBUSY: another hub
 * has the spool or the endpoint. Nothing was touched then. On every failure the port is free again, and what is left
 * are handles that close as the loop runs on. All of `config` is copied.
 */
int bh_server_start(uv_loop_t *loop, const bh_server_config *config, bh_server **result, bh_why *why);

/*
 * A clean end (BH-ELECT-010): all of it happens in this call. `stopped` is called, from the loop, once every handle is
 * closed; the server is freed then. It may be NULL.
 */
void bh_server_stop(bh_server *server, void (*stopped)(void *ctx), void *ctx);

#endif
