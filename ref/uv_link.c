/* SPDX-License-Identifier: MIT */
#include "uv_link.h"

#include "json.h"
#include "json_write.h"
#include "uv_endpoint.h"
#include "uv_fork.h"
#include "uv_port.h"
#include "uv_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  INPUT_MAX = 65536,
  PROBE_MS = 1000, /* the longest that a look at the port may take */
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

/* What a server's config points to. */
typedef struct {
  bh_server_config config;
  bh_paths paths;
  uint16_t also_ports[BH_ALSO_PORTS_MAX];
} serve_config;

struct bh_link {
  uv_loop_t *loop;
  bh_client *client;
  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t endpoint_count;
  uint16_t port;
  void (*event)(void *ctx, const bh_event *event);
  void (*news)(void *ctx, bh_election_news news, const char *text);
  void *ctx;
  bh_logger logger;

  bh_election election;
  bool may_serve;
  serve_config serve;
  bh_server *server; /* the hub in this process, or NULL */
  bh_why why_not;    /* the last reason for which it could not begin: said once */
  bh_port_holder holder;

  connection *connection; /* the current one, or NULL */
  size_t trying;          /* which endpoint */
  int failure;            /* of this round of attempts: the most telling error */
  bool open;              /* the core has a connection */
  bool silent;            /* the core is about to find that the hub does not respond */
  probe *probe;

  uv_timer_t again; /* for the election, or for a look at the port that takes too long */
  uv_timer_t deadline;
  size_t handles;
  bool ended; /* superseded */
  bool stopping;
  void (*stopped)(void *ctx);
  void *stopped_ctx;
  uint8_t input[INPUT_MAX];
};

static void drive(bh_link *link);

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
    bh_fork_close_handle((uv_handle_t *)&link->probe->tcp, on_probe_closed);
    link->probe = NULL;
  }
}

static void close_connection(bh_link *link) {
  connection *c = link->connection;

  link->connection = NULL;
  link->open = false;
  uv_timer_stop(&link->deadline);
  if (c != NULL) {
    bh_fork_close_handle((uv_handle_t *)&c->pipe, on_connection_closed);
  }
}

/* ---- a look at the port */

static void probe_ended(bh_link *link, bool held) {
  close_probe(link);
  uv_timer_stop(&link->again);
  bh_election_port(&link->election, held, uv_now(link->loop));
  drive(link);
}

static void on_probed(uv_connect_t *request, int status) {
  probe *p = request->data;

  if (p->link->probe == p) {
    probe_ended(p->link, status == 0);
  }
}

/* Nothing has refused it all the while: a queue that is full. */
static void on_probe_late(uv_timer_t *timer) {
  probe_ended(timer->data, true);
}

/* By connecting: a test by listening would for a moment keep a hub from beginning. */
static void look_at_port(bh_link *link) {
  struct sockaddr_in address;
  probe *p = calloc(1, sizeof *p);

  if (p == NULL) {
    probe_ended(link, false);
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
    probe_ended(link, false);
    return;
  }
  bh_fork_guard_handle((const uv_handle_t *)&p->tcp);
  uv_timer_start(&link->again, on_probe_late, PROBE_MS, 0);
}

/* ---- becoming the hub */

static bh_serve_result served(bh_link *link, int error, const bh_why *why) {
  switch (error) {
  case 0:
    return BH_SERVE_DONE;
  case UV_EADDRINUSE:
    return BH_SERVE_PORT_HELD;
  case UV_EBUSY:
    return BH_SERVE_LOCK_HELD;
  default:
    if (strcmp(why->text, link->why_not.text) != 0) {
      link->why_not = *why;
      bh_say(&link->logger, BH_LOG_ERROR, "this process cannot become the hub: %s", why->text);
    }
    return BH_SERVE_IMPOSSIBLE;
  }
}

static void serve(bh_link *link) {
  bh_why why = {""};
  int error = bh_server_start(link->loop, &link->serve.config, &link->server, &why);

  link->handles += error == 0;
  bh_election_served(&link->election, served(link, error, &why), uv_now(link->loop));
}

static void on_server_stopped(void *ctx) {
  handle_closed(ctx);
}

static void stop_server(bh_link *link) {
  bh_server *server = link->server;

  link->server = NULL;
  if (server != NULL) {
    bh_server_stop(server, on_server_stopped, link);
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

static bh_connect_result connected(int error) {
  if (says_absent(error)) {
    return BH_CONNECT_NOBODY;
  }
  return error == UV_EAGAIN ? BH_CONNECT_NO_ANSWER : BH_CONNECT_UNUSABLE;
}

static void attempt(bh_link *link);

static void attempt_failed(bh_link *link, int error) {
  close_connection(link);
  link->failure = more_telling(link->failure, error);
  link->trying++;
  if (link->trying < link->endpoint_count) {
    attempt(link);
    return;
  }
  bh_election_connected(&link->election, connected(link->failure), uv_now(link->loop));
  drive(link);
}

/* ---- what is next */

static void tell_news(bh_link *link, bh_election_news news) {
  char holder[BH_PORT_HOLDER_TEXT_MAX];
  char text[TEXT_MAX];

  switch (news) {
  case BH_NEWS_NO_HUB:
    snprintf(text, sizeof text, "no hub is at %s", link->endpoints[0]);
    break;
  case BH_NEWS_PORT_TAKEN:
    bh_port_holder_find(link->port, &link->holder);
    bh_port_holder_say(&link->holder, holder);
    snprintf(text, sizeof text,
             "port %u is taken by %s, which is not a hub of this group: end it, or choose another port",
             (unsigned)link->port, holder);
    break;
  case BH_NEWS_NOT_RESPONDING:
    snprintf(text, sizeof text, "the hub does not respond");
    break;
  case BH_NEWS_UNUSABLE:
    snprintf(text, sizeof text, "%s cannot be used: %s", link->endpoints[0],
             link->failure == UV_EPERM ? "who listens there is another user's" : uv_strerror(link->failure));
    break;
  case BH_NEWS_LOST:
    snprintf(text, sizeof text, "the hub is lost");
    break;
  }
  link->news(link->ctx, news, text);
}

static void on_again(uv_timer_t *timer) {
  bh_link *link = timer->data;

  bh_election_expire(&link->election, uv_now(link->loop));
  drive(link);
}

static void perform(bh_link *link, const bh_election_action *action) {
  switch (action->kind) {
  case BH_ELECT_SERVE:
    serve(link);
    break;
  case BH_ELECT_CONNECT:
    link->trying = 0;
    link->failure = 0;
    attempt(link);
    break;
  case BH_ELECT_LOOK_AT_PORT:
    look_at_port(link);
    break;
  case BH_ELECT_TELL:
    tell_news(link, action->news);
    break;
  }
}

static void drive(bh_link *link) {
  bh_election_action action;
  uint64_t expiry;
  uint64_t now;

  while (!link->stopping && !link->ended && bh_election_poll(&link->election, &action)) {
    perform(link, &action);
  }
  expiry = bh_election_expiry(&link->election);
  now = uv_now(link->loop);
  if (!link->stopping && !link->ended && expiry != BH_NEVER) {
    uv_timer_start(&link->again, on_again, expiry > now ? expiry - now : 0, 0);
  }
}

/* ---- events */

static void flush(bh_link *link);

static void lose(bh_link *link, bh_lost_why why, bool was_registered) {
  close_connection(link);
  /* Of the two the election tells the graver. */
  if (was_registered && why == BH_LOST_SILENT) {
    tell_news(link, BH_NEWS_LOST);
  }
  bh_election_lost(&link->election, why, was_registered, uv_now(link->loop));
  drive(link);
}

static bool is_registered(const bh_link *link) {
  bh_client_view view;

  bh_client_status(link->client, &view);
  return view.registered;
}

static void say_registered(const bh_link *link, const bh_event *event) {
  if (link->server != NULL) {
    bh_say(&link->logger, BH_LOG_INFO, "Running as HUB, and as a client of itself: this is instance %s",
           event->instance);
    return;
  }
  bh_say(&link->logger, BH_LOG_INFO, "Running as CLIENT: process %lu is the hub, epoch %llu; this is instance %s",
         (unsigned long)event->hub_pid, (unsigned long long)event->epoch, event->instance);
}

static void registered(bh_link *link, const bh_event *event) {
  bh_client_view view;

  bh_client_status(link->client, &view);
  bh_election_registered(&link->election, view.timeout_ms);
  say_registered(link, event);
}

static bh_lost_why why_closed(const bh_link *link, bool was_registered) {
  if (link->silent) {
    return BH_LOST_SILENT;
  }
  return was_registered ? BH_LOST_CLOSED : BH_LOST_REFUSED;
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
      registered(link, &event);
    }
    link->event(link->ctx, &event);
    if (ends && !link->stopping) {
      lose(link, why_closed(link, was_registered), was_registered);
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
    lose(link, BH_LOST_CLOSED, was_registered);
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
    int sent = bh_endpoint_try_write(&c->pipe, octets, size);

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

/* As if it had never registered: that a connection ends which it ends itself is no news. */
void bh_link_reconnect(bh_link *link) {
  if (link->stopping || !link->open) {
    return;
  }
  bh_client_close(link->client, uv_now(link->loop));
  take_events(link, false);
  lose(link, BH_LOST_CLOSED, false);
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
  bh_election_connected(&link->election, BH_CONNECT_DONE, uv_now(link->loop));
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
  bh_endpoint_connect(&c->connect, &c->pipe, link->endpoints[link->trying], on_connected);
  bh_fork_guard_handle((const uv_handle_t *)&c->pipe);
}

/* ---- beginning and end */

static void copy_serve_config(serve_config *to, const bh_server_config *from) {
  snprintf(to->paths.endpoint, sizeof to->paths.endpoint, "%s", from->endpoint);
  snprintf(to->paths.state, sizeof to->paths.state, "%s", from->state);
  snprintf(to->paths.spool, sizeof to->paths.spool, "%s", from->spool);
  to->config = *from;
  to->config.endpoint = to->paths.endpoint;
  to->config.state = to->paths.state;
  to->config.spool = to->paths.spool;
  to->config.also_ports = to->also_ports;
  for (size_t i = 0; i < from->also_port_count; i++) {
    to->also_ports[i] = from->also_ports[i];
  }
}

static void begin_election(bh_link *link, uint32_t timeout_ms) {
  bh_election_config election = {.may_serve = link->may_serve, .port_known = link->port != 0, .timeout_ms = timeout_ms};

  /* Without a random number all try at once, which is slower and not wrong. */
  (void)uv_random(NULL, NULL, &election.random, sizeof election.random, 0, NULL);
  bh_election_init(&link->election, &election, uv_now(link->loop));
}

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
  link->event = config->event;
  link->news = config->news;
  link->ctx = config->ctx;
  link->logger = config->client.logger;
  link->may_serve = config->serve != NULL;
  if (link->may_serve) {
    copy_serve_config(&link->serve, config->serve);
  }
  return link;
}

static bool is_instance_id(const char *text) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  size_t size = strlen(text);

  return size > 0 && size <= BH_INSTANCE_ID_MAX && strspn(text, letters) == size;
}

/* The hub would refuse a name that is not UTF-8, again and again. */
bool bh_link_name_is_valid(const char *text) {
  bh_buffer string;
  bh_json json;
  size_t consumed;
  bool right;

  bh_buffer_init(&string, bh_system_allocator());
  bh_write_string(&string, text, strlen(text));
  bh_json_init(&json, BH_DEPTH_MAX, false);
  right = !string.failed && bh_json_feed(&json, string.octets, string.size, &consumed) == BH_JSON_MORE &&
          bh_json_end(&json) == BH_JSON_DONE;
  bh_buffer_free(&string);
  return right && text[0] != '\0' && strlen(text) <= BH_NAME_MAX;
}

int bh_link_check(const bh_client_config *config, bh_why *why) {
  if (config->name == NULL || !bh_link_name_is_valid(config->name)) {
    return bh_why_set(why, UV_EINVAL, "a name has 1-%d octets and is UTF-8", BH_NAME_MAX);
  }
  if (config->instance != NULL && !is_instance_id(config->instance)) {
    return bh_why_set(why, UV_EINVAL, "an instance is 1-%d of A-Z, a-z, 0-9 and '-', and '%s' is none of that",
                      BH_INSTANCE_ID_MAX, config->instance);
  }
  if (config->window < 1 || config->window > BH_WINDOW_MAX) {
    return bh_why_set(why, UV_EINVAL, "a window is 1-%d, and %lu is none", BH_WINDOW_MAX,
                      (unsigned long)config->window);
  }
  return 0;
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
  begin_election(link, config->client.timeout_ms);
  uv_timer_start(&link->again, on_again, 0, 0);
  return 0;
}

bh_client *bh_link_client(bh_link *link) {
  return link->client;
}

bool bh_link_serves(const bh_link *link) {
  return link->server != NULL;
}

const bh_port_holder *bh_link_port_holder(const bh_link *link) {
  return &link->holder;
}

void bh_link_stop(bh_link *link, void (*stopped)(void *ctx), void *ctx) {
  link->stopping = true;
  link->stopped = stopped;
  link->stopped_ctx = ctx;
  close_connection(link);
  close_probe(link);
  stop_server(link);
  uv_close((uv_handle_t *)&link->again, on_timer_closed);
  uv_close((uv_handle_t *)&link->deadline, on_timer_closed);
}
