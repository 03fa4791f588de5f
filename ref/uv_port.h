/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_PORT_H
#define BH_UV_PORT_H

#include "uv_say.h"

#include <uv.h>

/* Bridge's port, which is the lock between hubs too (spec/protocol.md, sections 5, 6 and 7). */

extern const char bh_port_ipv4[];
extern const char bh_port_ipv6[];

/*
 * Listens with SO_REUSEADDR and never SO_REUSEPORT; on Windows with SO_EXCLUSIVEADDRUSE. UV_EADDRINUSE: somebody else
 * does. `listener` is a handle of the loop's afterwards, also on failure: close it.
 */
int bh_port_listen(uv_loop_t *loop, uv_tcp_t *listener, const char *address, uint16_t port, uv_connection_cb connection,
                   bh_why *why);

/* The handle of a socket that is to listen there, and may keep all others out of it. */
int bh_port_init(uv_loop_t *loop, uv_tcp_t *listener, const struct sockaddr *address);

/* How the socket ends, by uv_close() or by the death of this process: with a reset, or orderly. */
int bh_port_set_reset(const uv_tcp_t *socket, bool reset);

#endif
