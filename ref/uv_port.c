/* SPDX-License-Identifier: MIT */
#include "uv_port.h"

#include "uv_fork.h"

#include <string.h>

const char bh_port_ipv4[] = "127.0.0.1";
const char bh_port_ipv6[] = "::1";

enum { BACKLOG = 128 };

typedef union {
  struct sockaddr any;
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
} address_of_port;

static bool is_ipv6(const char *address) {
  return strchr(address, ':') != NULL;
}

static int set_address(address_of_port *place, const char *address, uint16_t port) {
  return is_ipv6(address) ? uv_ip6_addr(address, port, &place->ipv6) : uv_ip4_addr(address, port, &place->ipv4);
}

int bh_port_listen(uv_loop_t *loop, uv_tcp_t *listener, const char *address, uint16_t port, uv_connection_cb connection,
                   bh_why *why) {
  address_of_port place;
  int wrong = set_address(&place, address, port);
  int error = bh_port_init(loop, listener, &place.any);

  error = error != 0 ? error : wrong;
  if (error == 0) {
    error = uv_tcp_bind(listener, &place.any, is_ipv6(address) ? UV_TCP_IPV6ONLY : 0);
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
