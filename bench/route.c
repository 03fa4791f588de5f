/* SPDX-License-Identifier: MIT */
#include "route.h"

#include "buffer.h"
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_MS = 10000, AGAIN_MS = 1 };

static bool failed(const char *what) {
  fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
  return false;
}

static uint64_t now_ms(void) {
  return (uint64_t)(clock_ns() / 1e6);
}

/* ---- the client's end */

static bool send_waiting(route *r) {
  const uint8_t *octets;
  size_t size;

  while ((size = bh_client_send(r->client, &octets)) > 0) {
    ssize_t sent = send(r->connection, octets, size, MSG_NOSIGNAL);
    if (sent < 0) {
      return failed("the client cannot write");
    }
    bh_client_sent(r->client, (size_t)sent);
  }
  return true;
}

typedef enum { FOUND, WANTS_MORE, BROKEN } progress;

/* Takes what was read, up to the next event of that kind. */
static progress take_until(route *r, bh_event_kind kind, bh_event *event) {
  for (;;) {
    size_t consumed;

    while (bh_client_poll(r->client, event)) {
      if (event->kind == kind) {
        return FOUND;
      }
      if (event->kind == BH_EV_CLOSE || event->kind == BH_EV_SUPERSEDED) {
        fprintf(stderr, "bench: the hub's messages are wrong: %s\n", event->message);
        return BROKEN;
      }
    }
    if (r->taken == r->filled) {
      return WANTS_MORE;
    }
    bh_client_recv(r->client, r->input + r->taken, r->filled - r->taken, &consumed, now_ms());
    r->taken += consumed;
  }
}

/* More octets for take_until(). */
static bool read_more(route *r) {
  ssize_t size = read(r->connection, r->input, sizeof r->input);

  if (size <= 0) {
    fprintf(stderr, "bench: the hub has closed the client's connection\n");
    return false;
  }
  r->taken = 0;
  r->filled = (size_t)size;
  return true;
}

static bool wait_for(route *r, bh_event_kind kind) {
  for (;;) {
    struct pollfd readable = {.fd = r->connection, .events = POLLIN};
    bh_event event;
    progress progress = take_until(r, kind, &event);

    if (progress != WANTS_MORE) {
      return progress == FOUND;
    }
    if (poll(&readable, 1, DEADLINE_MS) != 1) {
      return failed("the hub does not answer");
    }
    if (!read_more(r)) {
      return false;
    }
  }
}

/* ---- opening */

static bool has_ended(route *r) {
  int status;

  if (waitpid(r->process, &status, WNOHANG) != r->process) {
    return false;
  }
  r->process = 0;
  fprintf(stderr, "bench: the server has ended, by %s %d, instead of listening at %s\n",
          WIFSIGNALED(status) ? "signal" : "exit status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
          r->endpoint);
  return true;
}

/* It is ready when its endpoint takes a connection. */
static bool connect_client(route *r) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  uint64_t deadline = now_ms() + DEADLINE_MS;

  snprintf(address.sun_path, sizeof address.sun_path, "%s", r->endpoint);
  r->connection = socket(AF_UNIX, SOCK_STREAM, 0);
  fcntl(r->connection, F_SETFD, FD_CLOEXEC);
  while (r->connection >= 0 && connect(r->connection, (const struct sockaddr *)&address, sizeof address) != 0) {
    if (has_ended(r)) {
      return false;
    }
    if (now_ms() > deadline) {
      return failed(r->endpoint);
    }
    poll(NULL, 0, AGAIN_MS);
  }
  return r->connection >= 0 || failed("socket");
}

static bool begin(route *r, const char *directory, const char *socket_name) {
  *r = (route){.connection = -1, .port = place_port()};
  snprintf(r->endpoint, sizeof r->endpoint, "%s/%s", directory, socket_name);
  return r->port != 0;
}

static bool start(route *r, char *const argv[]) {
  r->process = place_start(argv);
  if (r->process < 0) {
    r->process = 0;
    return false;
  }
  return connect_client(r);
}

static bool register_client(route *r) {
  bh_client_config config = {
      .pid = (uint32_t)getpid(), .name = "bench", .window = 1, .allocator = bh_system_allocator()};

  r->client = bh_client_new(&config);
  if (r->client == NULL || bh_client_open(r->client, now_ms()) != BH_OK) {
    fprintf(stderr, "bench: no memory\n");
    return false;
  }
  return send_waiting(r) && wait_for(r, BH_EV_ACTIVE);
}

bool route_open_hub(route *r, const char *program, const char *directory) {
  char port[8];
  char state[ROUTE_PATH_MAX];
  char spool[ROUTE_PATH_MAX];
  const char *const argv[] = {program, "serve",   "--endpoint", r->endpoint,   "--port", port, "--state",
                              state,   "--spool", spool,        "--log-level", "error",  NULL};

  if (!begin(r, directory, "hub.sock")) {
    return false;
  }
  snprintf(port, sizeof port, "%u", (unsigned)r->port);
  snprintf(state, sizeof state, "%s/state.json", directory);
  snprintf(spool, sizeof spool, "%s/spool", directory);
  return start(r, (char *const *)argv) && register_client(r);
}

bool route_open_relay(route *r, const char *program, const char *directory, size_t most) {
  char port[8];
  const char *const argv[] = {program, port, r->endpoint, NULL};

  if (!begin(r, directory, "relay.sock")) {
    return false;
  }
  snprintf(port, sizeof port, "%u", (unsigned)r->port);
  r->octets = malloc(most + sizeof r->input);
  if (r->octets == NULL) {
    return failed("the relay's client");
  }
  return start(r, (char *const *)argv);
}

void route_close(route *r) {
  if (r->connection >= 0) {
    close(r->connection);
  }
  if (r->process > 0) {
    place_end(r->process);
  }
  bh_client_free(r->client);
  free(r->octets);
}

/* ---- an export */

typedef struct {
  const payload *payload;
  size_t written;
  int bridge;
  const uint8_t *received; /* NULL: not whole yet */
  size_t received_size;
  char import[BH_IMPORT_ID_MAX + 1];
} export;

/* As Bridge does: a connection of its own for each export. */
static bool connect_bridge(const route *r, export *e) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(r->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

  e->bridge = socket(AF_INET, SOCK_STREAM, 0);
  fcntl(e->bridge, F_SETFD, FD_CLOEXEC);
  if (e->bridge < 0 || connect(e->bridge, (const struct sockaddr *)&address, sizeof address) != 0 ||
      fcntl(e->bridge, F_SETFL, O_NONBLOCK) != 0) {
    return failed("Bridge cannot connect");
  }
  return true;
}

static bool write_some(export *e) {
  ssize_t written = send(e->bridge, e->payload->octets + e->written, e->payload->size - e->written, MSG_NOSIGNAL);

  if (written < 0 && errno != EAGAIN) {
    return failed("Bridge cannot write");
  }
  e->written += written > 0 ? (size_t)written : 0;
  return true;
}

static bool receive_plain(route *r, export *e) {
  ssize_t size = read(r->connection, r->octets + e->received_size, sizeof r->input);

  if (size <= 0) {
    return failed("the relay's client");
  }
  e->received_size += (size_t)size;
  if (e->received_size >= e->payload->size) {
    e->received = r->octets;
  }
  return true;
}

static bool receive_import(route *r, export *e) {
  bh_event event;
  progress progress = take_until(r, BH_EV_IMPORT, &event);

  if (progress == WANTS_MORE) {
    progress = read_more(r) ? take_until(r, BH_EV_IMPORT, &event) : BROKEN;
  }
  if (progress == FOUND) {
    e->received = event.assets;
    e->received_size = event.assets_size;
    memcpy(e->import, event.import, sizeof e->import);
  }
  return progress != BROKEN;
}

static bool transfer(route *r, export *e) {
  struct pollfd files[] = {{.fd = r->connection, .events = POLLIN}, {.fd = e->bridge, .events = POLLOUT}};

  while (e->received == NULL) {
    if (e->written < e->payload->size && !write_some(e)) {
      return false;
    }
    if (e->written == e->payload->size) {
      files[1].fd = -1;
    }
    if (poll(files, 2, DEADLINE_MS) < 1) {
      return failed("an export does not arrive");
    }
    if (files[0].revents != 0 && !(r->client != NULL ? receive_import(r, e) : receive_plain(r, e))) {
      return false;
    }
  }
  return true;
}

/* The server has closed the connection too: with an orderly end, all is safe. */
static bool end_bridge(export *e) {
  struct pollfd readable = {.fd = e->bridge, .events = POLLIN};
  uint8_t octet;

  return (shutdown(e->bridge, SHUT_WR) == 0 && poll(&readable, 1, DEADLINE_MS) == 1 &&
          read(e->bridge, &octet, 1) == 0) ||
         failed("Bridge's connection does not end well");
}

/* The answer to a HEARTBEAT comes after all that the ACK has brought about. */
static bool finish_import(route *r, const export *e) {
  uint32_t request;

  if (bh_client_ack(r->client, e->import) != BH_OK || bh_client_heartbeat(r->client, &request) != BH_OK) {
    fprintf(stderr, "bench: the client cannot answer\n");
    return false;
  }
  return send_waiting(r) && wait_for(r, BH_EV_DONE);
}

static bool finish(route *r, export *e) {
  if (e->received_size != e->payload->size || memcmp(e->received, e->payload->octets, e->received_size) != 0) {
    fprintf(stderr, "bench: something else came than was exported\n");
    return false;
  }
  return end_bridge(e) && (r->client == NULL || finish_import(r, e));
}

double route_export(route *r, const payload *p) {
  export e = {.payload = p, .bridge = -1};
  bool done = connect_bridge(r, &e);
  double start = clock_ns();
  double end;

  done = done && transfer(r, &e);
  end = clock_ns();
  done = done && finish(r, &e);
  if (e.bridge >= 0) {
    close(e.bridge);
  }
  return done ? end - start : -1;
}
