/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_FORK_H
#define BH_UV_FORK_H

#include <uv.h>

/*
 * Descriptors that no child may keep (spec/protocol.md, BH-ELECT-012). All of them are close-on-exec; a child that
 * never executes anything would still hold the port and the connections, so they are closed in it as fork() returns.
 * Process-wide, and safe from any thread. What a fork() in another thread could still catch is a socket between its
 * making and its guarding, a few instructions. (Windows has no fork(): there nothing is inherited that was not made
 * so.)
 */

void bh_fork_guard(int descriptor);
void bh_fork_forget(int descriptor); /* before it is closed: the number may be another's at once */
void bh_fork_guard_handle(const uv_handle_t *handle);
/* uv_close(), and what comes before it. */
void bh_fork_close_handle(uv_handle_t *handle, uv_close_cb closed);

#endif
