/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_ENDPOINT_H
#define BH_UV_ENDPOINT_H

#include "uv_say.h"

#include <uv.h>

/*
 * The hub's endpoint (spec/protocol.md, sections 2 and 7), a unix socket or a named pipe. Its path has passed
 * bh_endpoint_check().
 */

/*
 * Removes the socket file that a dead hub left; a pipe goes with its hub. Fails where the path is no socket, or where
 * somebody listens on it: that is a hub with another port and spool.
 */
int bh_endpoint_clear(const char *endpoint, bh_why *why);
/* For this user alone, and this machine. `listener` is a handle of the loop's afterwards, also on failure; closing it
 * removes the path. */
int bh_endpoint_listen(uv_loop_t *loop, uv_pipe_t *listener, const char *endpoint, int backlog,
                       uv_connection_cb connection, bh_why *why);
/* As uv_pipe_connect(). What cannot be connected to at once is UV_EAGAIN. */
void bh_endpoint_connect(uv_connect_t *request, uv_pipe_t *pipe, const char *endpoint, uv_connect_cb connected);
/* As uv_try_write(), where nothing that was written before is still on its way: how many octets were taken. */
int bh_endpoint_try_write(uv_pipe_t *pipe, const void *octets, size_t size);
/* Reads what has come by now, without waiting for the loop: how many octets; 0: none, or the connection has ended. */
size_t bh_endpoint_read(const uv_pipe_t *pipe, void *octets, size_t size);
/* Reads away what has come, as far as that is within reason. Closing with octets unread would look like a reset. */
void bh_endpoint_drain(const uv_pipe_t *pipe, void *octets, size_t size);

#endif
