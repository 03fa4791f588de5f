/* SPDX-License-Identifier: MIT */
/* A port for each hub. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

/* Below the range from which systems take the local ports of connections: none of these comes to lie on a hub's. */
#define FIRST_PORT 12000
#define PORTS 12000

static struct sockaddr_in at(uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/*
 * A hub that is dead for a moment leaves its port to whoever asks. Cases, of other runs too, keep theirs by the UDP
 * socket of the same number, which nothing else uses: it is gone with the case, however that ends.
 */
static bool reserve(uint16_t port) {
  struct sockaddr_in address = at(port);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) {
    suite_broke("cannot open a socket");
  }
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return false;
  }
  return true;
}

bool port_is_free(uint16_t port) {
  struct sockaddr_in address = at(port);
  int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) {
    suite_broke("cannot open a socket");
  }
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  bool listens = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0;
  close(fd);
  return listens;
}

uint16_t free_port(void) {
  for (int attempt = 0; attempt < 1000; attempt++) {
    uint16_t random;
    uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    uint16_t port = (uint16_t)(FIRST_PORT + random % PORTS);
    if (reserve(port) && port_is_free(port)) {
      return port;
    }
  }
  suite_broke("no port between %d and %d is free", FIRST_PORT, FIRST_PORT + PORTS);
}
