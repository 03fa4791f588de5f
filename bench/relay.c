/* SPDX-License-Identifier: MIT */

/*
 * bridgehub-bench-relay PORT PATH
 *
 * The least that could stand between Bridge and one client: octets from TCP go to the unix socket as they come. It
 * checks nothing and keeps nothing.
 */

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 16, EVENTS = 16, CHUNK = 65536 };

static int fail(const char *what) {
  perror(what);
  return EXIT_FAILURE;
}

static int watch(int poll, int file) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = file};

  return epoll_ctl(poll, EPOLL_CTL_ADD, file, &event);
}

static int listen_at(int poll, const struct sockaddr *address, socklen_t size) {
  int file = socket(address->sa_family, SOCK_STREAM, 0);

  if (file < 0 || bind(file, address, size) != 0 || listen(file, BACKLOG) != 0 || watch(poll, file) != 0) {
    return -1;
  }
  return file;
}

static int pass_on(int from, int to) {
  static uint8_t chunk[CHUNK];
  ssize_t size = read(from, chunk, sizeof chunk);

  if (size <= 0) {
    return close(from);
  }
  for (ssize_t done = 0; done < size;) {
    ssize_t written = write(to, chunk + done, (size_t)(size - done));
    if (written < 0) {
      return -1;
    }
    done += written;
  }
  return 0;
}

int main(int argc, char **argv) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  struct epoll_event events[EVENTS];
  int poll = epoll_create1(0);
  int client = -1;
  int bridge;
  int endpoint;

  if (argc != 3 || poll < 0) {
    return fail("bridgehub-bench-relay PORT PATH");
  }
  in.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
  snprintf(un.sun_path, sizeof un.sun_path, "%s", argv[2]);
  bridge = listen_at(poll, (const struct sockaddr *)&in, sizeof in);
  endpoint = bridge < 0 ? -1 : listen_at(poll, (const struct sockaddr *)&un, sizeof un);
  if (endpoint < 0) {
    return fail("listen");
  }
  for (;;) {
    int count = epoll_wait(poll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      int file = events[i].data.fd;
      if (file == endpoint) {
        client = accept(file, NULL, NULL);
      } else if (file == bridge) {
        watch(poll, accept(file, NULL, NULL));
      } else if (pass_on(file, client) != 0) {
        return fail("relay");
      }
    }
  }
}
