/* SPDX-License-Identifier: MIT */
#include "uv_port.h"

#include "uv_fork.h"

#include <errno.h>
#include <string.h>

#include <sys/socket.h>

const char bh_port_ipv4[] = "127.0.0.1";
const char bh_port_ipv6[] = "::1";

enum { BACKLOG = 128 };

static int bind_to(uv_tcp_t *listener, const char *address, uint16_t port) {
  struct sockaddr_in6 ipv6;
  struct sockaddr_in ipv4;
  int error;

  if (strchr(address, ':') != NULL) {
    error = uv_ip6_addr(address, port, &ipv6);
    return error != 0 ? error : uv_tcp_bind(listener, (const struct sockaddr *)&ipv6, UV_TCP_IPV6ONLY);
  }
  error = uv_ip4_addr(address, port, &ipv4);
  return error != 0 ? error : uv_tcp_bind(listener, (const struct sockaddr *)&ipv4, 0);
}

int bh_port_listen(uv_loop_t *loop, uv_tcp_t *listener, const char *address, uint16_t port, uv_connection_cb connection,
                   bh_why *why) {
  int error = uv_tcp_init(loop, listener);

  if (error == 0) {
    error = bind_to(listener, address, port);
    bh_fork_guard_handle((const uv_handle_t *)listener);
  }
  /* Accepted sockets inherit it, so that there is no moment in which the hub's death looks like an orderly end. */
  if (error == 0) {
    error = bh_port_set_reset(listener, true);
  }
  /* Of two that bind, libuv lets both think that it worked; only one can listen. */
  if (error == 0) {
    error = uv_listen((uv_stream_t *)listener, BACKLOG, connection);
  }
  if (error != 0) {
    return bh_why_set(why, error, "port %u of %s cannot be listened on: %s", (unsigned)port, address,
                      uv_strerror(error));
  }
  return 0;
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
