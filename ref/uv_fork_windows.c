/* SPDX-License-Identifier: MIT */
#include "uv_fork.h"

/* There is no fork(), and neither libuv nor these drivers make a handle that a child inherits. */

void bh_fork_guard(int descriptor) {
  (void)descriptor;
}

void bh_fork_forget(int descriptor) {
  (void)descriptor;
}

void bh_fork_guard_handle(const uv_handle_t *handle) {
  (void)handle;
}

void bh_fork_close_handle(uv_handle_t *handle, uv_close_cb closed) {
  uv_close(handle, closed);
}
