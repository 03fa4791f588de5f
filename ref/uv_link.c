/* SPDX-License-Identifier: MIT */
#include "uv_link.h"

#include "buffer.h"
#include "uv_port.h"
#include "uv_process.h"

#include <stdio.h>
#include <stdlib.h>

enum {
  INPUT_MAX = 65536,
  AGAIN_MS = 250,    /* BH-ELECT-007: a random time up to this */
  REFUSED_MS = 1000, /* a hub that refuses the registration now may take it later */
  PROBE_EACH_MS = 1000,
  TEXT_MAX = BH_PATH_MAX + 128,
};

/* One attempt, and the connection that may come of it. */
typedef struct {
  bh_link *link;
  uv_pipe_t pipe;
  uv_connect_t connect;
  uv_write_t write;
  bool writing;
  size_t writing_size;
} connection;

/* A look at the port, to tell whether anything holds it. */
typedef struct {
  bh_link *link;
  uv_tcp_t tcp;
  uv_connect_t connect;
} probe;

struct bh_link {
  uv_loop_t *loop;
  bh_client *client;
  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t endpoint_count;
  uint16_t port;
  uint32_t timeout_ms;
  void (*event)(void *ctx, const bh_event *event);
  void (*news)(void *ctx, bh_link_news news, const char *text);
  void *ctx;
  bh_logger logger;

  connection *connection; /* the current one, or NULL */
  size_t trying;          /* which endpoint */
  int failure;            /* of this round of attempts: the most telling error */
  bool open;              /* the core has a connection */
  bool absent;            /* nobody is at the endpoint ... */
  uint64_t absent_since;
  bool silent; /* the core is about to find that the hub does not respond */
  probe *probe;
  uint64_t next_probe;
  bool said;
  bh_link_news last_news;

  uv_timer_t again;
  uv_timer_t deadline;
  size_t handles;
  bool ended; /* superseded */
  bool stopping;
  void (*stopped)(void *ctx);
  void *stopped_ctx;
  uint8_t input[INPUT_MAX];
};

static void attempt(bh_link *link);

static void tell(bh_link *link, bh_link_news news, const char *text) {
  if (!link->stopping && (!link->said || link->last_news != news)) {
    link->said = true;
    link->last_news = news;
    link->news(link->ctx, news, text);
  }
}

/* ---- handles */

static void handle_closed(bh_link *link) {
  void (*stopped)(void *ctx) = link->stopped;
  void *ctx = link->stopped_ctx;

  link->handles--;
  if (link->handles > 0) {
    return;
  }
  bh_client_free(link->client);
  free(link);
  if (stopped != NULL) {
    stopped(ctx);
  }
}

static void on_timer_closed(uv_handle_t *handle) {
  handle_closed(handle->data);
}

static void on_connection_closed(uv_handle_t *handle) {
  connection *c = handle->data;
  bh_link *link = c->link;

  free(c);
  handle_closed(link);
}

static void on_probe_closed(uv_handle_t *handle) {
  probe *p = handle->data;
  bh_link *link = p->link;

  free(p);
  handle_closed(link);
}

static void close_probe(bh_link *link) {
  if (link->probe != NULL) {
    uv_close((uv_handle_t *)&link->probe->tcp, on_probe_closed);
    link->probe = NULL;
  }
}

static void close_connection(bh_link *link) {
  connection *c = link->connection;

  link->connection = NULL;
  link->open = false;
  uv_timer_stop(&link->deadline);
  if (c != NULL) {
    uv_close((uv_handle_t *)&c->pipe, on_connection_closed);
  }
}

/* ---- the next attempt */

static void on_again(uv_timer_t *timer) {
  bh_link *link = timer->data;

  link->trying = 0;
  link->failure = 0;
  attempt(link);
}

/* `least_ms`: what is added to the random time. */
static void try_again(bh_link *link, uint64_t least_ms) {
  uint16_t random = 0;

  if (link->stopping || link->ended) {
    return;
  }
  /* Without a random number all try at once, which is slower and not wrong. */
  (void)uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
  uv_timer_start(&link->again, on_again, least_ms + random % (AGAIN_MS + 1), 0);
}

/* ---- what holds the port */

static void tell_port_taken(bh_link *link) {
  char text[TEXT_MAX];

  snprintf(text, sizeof text, "port %u is taken by something that is not a hub: end it, or choose another port",
           (unsigned)link->port);
  tell(link, BH_LINK_PORT_TAKEN, text);
}

static void tell_no_hub(bh_link *link) {
  char text[TEXT_MAX];

  snprintf(text, sizeof text, "no hub is at %s", link->endpoints[0]);
  tell(link, BH_LINK_NO_HUB, text);
}

static void on_probed(uv_connect_t *request, int status) {
  probe *p = request->data;
  bh_link *link = p->link;

  if (link->probe != p) {
    return;
  }
  close_probe(link);
  if (status == 0) {
    tell_port_taken(link);
  } else if (status == UV_ECONNREFUSED) {
    tell_no_hub(link);
  }
}

/* By connecting: a test by listening would for a moment keep a hub from beginning. */
static void look_at_port(bh_link *link) {
  struct sockaddr_in address;
  probe *p;

  if (link->probe != NULL) {
    close_probe(link); /* nothing refused it for a whole second: a queue that is full */
    tell_port_taken(link);
  }
  p = calloc(1, sizeof *p);
  if (p == NULL) {
    return;
  }
  p->link = link;
  p->connect.data = p;
  uv_tcp_init(link->loop, &p->tcp);
  p->tcp.data = p;
  link->handles++;
  link->probe = p;
  if (uv_ip4_addr(bh_port_ipv4, link->port, &address) != 0 ||
      uv_tcp_connect(&p->connect, &p->tcp, (const struct sockaddr *)&address, on_probed) != 0) {
    close_probe(link);
  }
}

/* ---- no connection */

static bool says_absent(int error) {
  return error == UV_ENOENT || error == UV_ECONNREFUSED;
}

/* Of several endpoints the error that says most: somebody is there and does not answer, or may not be asked. */
static int more_telling(int a, int b) {
  if (a == 0 || (says_absent(a) && !says_absent(b))) {
    return b;
  }
  return a;
}

static void be_absent(bh_link *link) {
  uint64_t now = uv_now(link->loop);

  if (!link->absent) {
    link->absent = true;
    link->absent_since = now;
    link->next_probe = now + link->timeout_ms;
  }
  if (!link->said || link->last_news != BH_LINK_PORT_TAKEN) {
    tell_no_hub(link);
  }
  if (link->port != 0 && now >= link->next_probe && !link->stopping) {
    link->next_probe = now + PROBE_EACH_MS;
    look_at_port(link);
  }
}

static void round_failed(bh_link *link) {
  char text[TEXT_MAX];

  if (says_absent(link->failure)) {
    be_absent(link);
  } else {
    link->absent = false;
    if (link->failure == UV_EAGAIN) {
      tell(link, BH_LINK_NOT_RESPONDING, "the hub does not respond: it takes no connection");
    } else {
      snprintf(text, sizeof text, "%s cannot be used: %s", link->endpoints[0],
               link->failure == UV_EPERM ? "who listens there is another user's" : uv_strerror(link->failure));
      tell(link, BH_LINK_REFUSED, text);
    }
  }
  if (!link->stopping) {
    try_again(link, 0);
  }
}

static void attempt_failed(bh_link *link, int error) {
  close_connection(link);
  link->failure = more_telling(link->failure, error);
  link->trying++;
  if (link->trying < link->endpoint_count) {
    attempt(link);
  } else {
    round_failed(link);
  }
}

/* ---- events */

static void flush(bh_link *link);

static void lose(bh_link *link, bool was_registered, bool refused) {
  close_connection(link);
  if (was_registered) {
    tell(link, BH_LINK_LOST, "the hub is lost");
  }
  if (link->silent) {
    link->silent = false;
    tell(link, BH_LINK_NOT_RESPONDING, "the hub does not respond");
  }
  try_again(link, refused ? REFUSED_MS : 0);
}

static bool is_registered(const bh_link *link) {
  bh_client_view view;

  bh_client_status(link->client, &view);
  return view.registered;
}

/* Takes the core's events; `was_registered` is how things were before the call that brought them. */
static void take_events(bh_link *link, bool was_registered) {
  bh_event event;

  while (!link->stopping && bh_client_poll(link->client, &event)) {
    bool ends = event.kind == BH_EV_CLOSE || event.kind == BH_EV_SUPERSEDED;

    if (ends) {
      flush(link); /* an ERROR may wait that says why */
      link->ended = event.kind == BH_EV_SUPERSEDED;
    }
    if (event.kind == BH_EV_REGISTERED) {
      was_registered = true;
      link->said = false; /* from here on everything is news again */
      bh_say(&link->logger, BH_LOG_INFO, "Running as CLIENT: process %lu is the hub, epoch %llu; this is instance %s",
             (unsigned long)event.hub_pid, (unsigned long long)event.epoch, event.instance);
    }
    link->event(link->ctx, &event);
    if (ends && !link->stopping) {
      lose(link, was_registered, !was_registered && !link->silent);
    }
  }
}

static void on_deadline(uv_timer_t *timer);

static void arm(bh_link *link) {
  uint64_t expiry = bh_client_expiry(link->client);
  uint64_t now = uv_now(link->loop);

  if (!link->open || expiry == BH_NEVER) {
    uv_timer_stop(&link->deadline);
  } else {
    uv_timer_start(&link->deadline, on_deadline, expiry > now ? expiry - now : 0, 0);
  }
}

static void on_deadline(uv_timer_t *timer) {
  bh_link *link = timer->data;
  bool was_registered = is_registered(link);

  link->silent = true;
  bh_client_expire(link->client, uv_now(link->loop));
  take_events(link, was_registered);
  link->silent = false;
  bh_link_flush(link);
}

/* ---- octets */

static void connection_ended(bh_link *link) {
  bool was_registered = is_registered(link);

  bh_client_close(link->client, uv_now(link->loop));
  close_connection(link);
  take_events(link, was_registered);
  if (!link->stopping) {
    lose(link, was_registered, false);
  }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  connection *c = handle->data;

  (void)suggested;
  *buffer = uv_buf_init((char *)c->link->input, sizeof c->link->input);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  connection *c = stream->data;
  bh_link *link = c->link;
  const uint8_t *octets = (const uint8_t *)buffer->base;
  size_t size = got > 0 ? (size_t)got : 0;

  if (got == 0 || link->connection != c) {
    return;
  }
  if (got < 0) {
    connection_ended(link);
    return;
  }
  while (size > 0 && link->connection == c) {
    bool was_registered = is_registered(link);
    size_t consumed;

    bh_client_recv(link->client, octets, size, &consumed, uv_now(link->loop));
    octets += consumed;
    size -= consumed;
    take_events(link, was_registered);
    if (link->stopping) {
      return;
    }
  }
  bh_link_flush(link);
}

static void on_written(uv_write_t *request, int status) {
  connection *c = request->data;
  bh_link *link = c->link;

  c->writing = false;
  if (link->connection != c || !link->open) {
    return;
  }
  if (status != 0) {
    connection_ended(link);
    return;
  }
  bh_client_sent(link->client, c->writing_size);
  bh_link_flush(link);
}

static int write_later(connection *c, const uint8_t *octets, size_t size) {
  uv_buf_t buffer = uv_buf_init((char *)octets, (unsigned)size);
  int error;

  c->write.data = c;
  c->writing_size = size;
  error = uv_write(&c->write, (uv_stream_t *)&c->pipe, &buffer, 1, on_written);
  c->writing = error == 0;
  return error;
}

/* Sends what the socket takes now. A connection that fails here ends by what reading says. */
static void flush(bh_link *link) {
  connection *c = link->connection;
  const uint8_t *octets;
  size_t size;

  while (c != NULL && link->open && !c->writing && (size = bh_client_send(link->client, &octets)) > 0) {
    uv_buf_t buffer = uv_buf_init((char *)octets, (unsigned)size);
    int sent = uv_try_write((uv_stream_t *)&c->pipe, &buffer, 1);

    if (sent == UV_EAGAIN && write_later(c, octets, size) == 0) {
      return;
    }
    if (sent < 0) {
      return;
    }
    bh_client_sent(link->client, (size_t)sent);
  }
}

void bh_link_flush(bh_link *link) {
  if (!link->stopping) {
    flush(link);
    arm(link);
  }
}

/* ---- a connection */

static void on_connected(uv_connect_t *request, int status) {
  connection *c = request->data;
  bh_link *link = c->link;
  bh_process hub;
  int error = status;

  if (link->connection != c) {
    return;
  }
  /* Whoever else could open the path first would be told all, and could send imports. */
  if (error == 0 && bh_process_of_peer(&c->pipe, &hub) == UV_EACCES) {
    error = UV_EPERM;
  }
  if (error == 0) {
    error = bh_client_open(link->client, uv_now(link->loop)) == BH_OK ? 0 : UV_ENOMEM;
    link->open = error == 0;
  }
  if (error == 0) {
    error = uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
  }
  if (error != 0) {
    bh_client_close(link->client, uv_now(link->loop));
    attempt_failed(link, error);
    return;
  }
  link->absent = false;
  close_probe(link);
  if (!link->said || link->last_news != BH_LINK_NOT_RESPONDING) {
    tell(link, BH_LINK_CONNECTED, link->endpoints[link->trying]);
  }
  bh_link_flush(link);
}

static void attempt(bh_link *link) {
  connection *c = calloc(1, sizeof *c);

  if (c == NULL) {
    attempt_failed(link, UV_ENOMEM);
    return;
  }
  c->link = link;
  c->connect.data = c;
  uv_pipe_init(link->loop, &c->pipe, 0);
  c->pipe.data = c;
  link->handles++;
  link->connection = c;
  uv_pipe_connect(&c->connect, &c->pipe, link->endpoints[link->trying], on_connected);
}

/* ---- beginning and end */

static bh_link *new_link(uv_loop_t *loop, const bh_link_config *config) {
  bh_link *link = calloc(1, sizeof *link);

  if (link == NULL) {
    return NULL;
  }
  link->client = bh_client_new(&config->client);
  if (link->client == NULL) {
    free(link);
    return NULL;
  }
  link->loop = loop;
  link->endpoint_count = config->endpoint_count;
  for (size_t i = 0; i < config->endpoint_count; i++) {
    snprintf(link->endpoints[i], sizeof link->endpoints[i], "%s", config->endpoints[i]);
  }
  link->port = config->port;
  link->timeout_ms = config->client.timeout_ms == 0 ? BH_TIMEOUT_MS : config->client.timeout_ms;
  link->event = config->event;
  link->news = config->news;
  link->ctx = config->ctx;
  link->logger = config->client.logger;
  return link;
}

int bh_link_start(uv_loop_t *loop, const bh_link_config *config, bh_link **result, bh_why *why) {
  bh_link *link = new_link(loop, config);

  *result = link;
  if (link == NULL) {
    return bh_why_set(why, UV_EINVAL, "the client cannot begin: no memory, or its name, window or instance is wrong");
  }
  uv_timer_init(loop, &link->again);
  uv_timer_init(loop, &link->deadline);
  link->again.data = link;
  link->deadline.data = link;
  link->handles = 2;
  uv_update_time(loop);
  uv_timer_start(&link->again, on_again, 0, 0);
  return 0;
}

bh_client *bh_link_client(bh_link *link) {
  return link->client;
}

void bh_link_stop(bh_link *link, void (*stopped)(void *ctx), void *ctx) {
  link->stopping = true;
  link->stopped = stopped;
  link->stopped_ctx = ctx;
  close_connection(link);
  close_probe(link);
  uv_close((uv_handle_t *)&link->again, on_timer_closed);
  uv_close((uv_handle_t *)&link->deadline, on_timer_closed);
}
