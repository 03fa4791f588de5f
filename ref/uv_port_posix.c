/* SPDX-License-Identifier: MIT */
#include "uv_port.h"

#include <errno.h>

#include <sys/socket.h>

int bh_port_init(uv_loop_t *loop, uv_tcp_t *listener, const struct sockaddr *address) {
  (void)address; /* its socket is made by the bind */
  return uv_tcp_init(loop, listener);
}

int bh_port_set_reset(const uv_tcp_t *socket, bool reset) {
  const struct linger linger = {.l_onoff = reset, .l_linger = 0};
  uv_os_fd_t descriptor;
  int error = uv_fileno((const uv_handle_t *)socket, &descriptor);

  if (error == 0 && setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) != 0) {
    error = uv_translate_sys_error(errno);
  }
  return error;
}
