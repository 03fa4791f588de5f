/* SPDX-License-Identifier: MIT */
#include "uv_port.h"

#include <winsock2.h>

/*
 * Any process could otherwise take a port that another listens on, by SO_REUSEADDR: the lock between hubs would be
 * none. The option counts only where it is set before the bind, so that the socket is made at once and not by
 * uv_tcp_bind().
 */
int bh_port_init(uv_loop_t *loop, uv_tcp_t *listener, const struct sockaddr *address) {
  BOOL exclusive = TRUE;
  uv_os_fd_t socket;
  int error = uv_tcp_init_ex(loop, listener, address->sa_family);

  if (error != 0) {
    uv_tcp_init(loop, listener); /* it must be a handle, to be closed */
    return error;
  }
  error = uv_fileno((const uv_handle_t *)listener, &socket);
  if (error == 0 &&
      setsockopt((SOCKET)socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&exclusive, sizeof exclusive) != 0) {
    error = uv_translate_sys_error(WSAGetLastError());
  }
  return error;
}

int bh_port_set_reset(const uv_tcp_t *socket, bool reset) {
  const struct linger linger = {.l_onoff = reset, .l_linger = 0};
  uv_os_fd_t handle;
  int error = uv_fileno((const uv_handle_t *)socket, &handle);

  if (error == 0 && setsockopt((SOCKET)handle, SOL_SOCKET, SO_LINGER, (const char *)&linger, sizeof linger) != 0) {
    error = uv_translate_sys_error(WSAGetLastError());
  }
  return error;
}
