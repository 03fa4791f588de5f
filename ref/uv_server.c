/* SPDX-License-Identifier: MIT */
#include "uv_server_internal.h"

#include "uv_endpoint.h"
#include "uv_fork.h"
#include "uv_port.h"
#include "uv_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The hub's beginning and end, in the order that section 7 of the specification asks for. */

static const uint64_t epoch_max = 9007199254740991;
enum { ACCEPT_FAILED_EACH_MS = 1000, SWEEP_HEARTBEATS = 2 };

uint64_t bh_server_now(const bh_server *server) {
  return uv_now(server->loop);
}

void bh_server_alloc(bh_server *server, uv_buf_t *buffer) {
  *buffer = uv_buf_init((char *)server->input, sizeof server->input);
}

/* Said once in a while: it fails again at once as long as descriptors are short. */
void bh_server_accept_failed(bh_server *server, const char *what, int error) {
  uint64_t now = bh_server_now(server);

  if (server->accept_failed == 0 || now - server->accept_failed >= ACCEPT_FAILED_EACH_MS) {
    server->accept_failed = now;
    bh_say(&server->logger, BH_LOG_WARNING, "a connection %s cannot be taken: %s", what, uv_strerror(error));
  }
}

/* ---- the timer */

static void on_deadline(uv_timer_t *timer) {
  bh_server *server = timer->data;

  bh_hub_expire(server->hub, bh_server_now(server));
  bh_ingest_expire(server->ingest, bh_server_now(server));
  bh_server_go_on(server);
}

static void arm(bh_server *server) {
  uint64_t hub = bh_hub_expiry(server->hub);
  uint64_t bridge = bh_ingest_expiry(server->ingest);
  uint64_t expiry = hub < bridge ? hub : bridge;
  uint64_t now = bh_server_now(server);

  if (expiry == BH_NEVER) {
    uv_timer_stop(&server->deadline);
  } else {
    uv_timer_start(&server->deadline, on_deadline, expiry > now ? expiry - now : 0, 0);
  }
}

void bh_server_go_on(bh_server *server) {
  if (server->stopping) {
    return;
  }
  bh_server_take_events(server);
  bh_server_perform(server);
  arm(server);
}

static void on_sweep(uv_timer_t *timer) {
  bh_server *server = timer->data;

  bh_server_sweep(server);
  bh_server_go_on(server);
}

/* ---- handles */

static void free_server(bh_server *server) {
  void (*stopped)(void *ctx) = server->stopped;
  void *ctx = server->stopped_ctx;

  bh_hub_free(server->hub);
  bh_ingest_free(server->ingest);
  bh_spool_close(&server->spool);
  bh_buffer_free(&server->file);
  free(server);
  if (stopped != NULL) {
    stopped(ctx);
  }
}

void bh_server_handle_closed(bh_server *server) {
  server->handles--;
  if (server->handles == 0) {
    free_server(server);
  }
}

void bh_server_close_handle(bh_server *server, uv_handle_t *handle, uv_close_cb closed) {
  (void)server;
  if (!uv_is_closing(handle)) {
    bh_fork_close_handle(handle, closed);
  }
}

static void on_closed(uv_handle_t *handle) {
  bh_server_handle_closed(handle->data);
}

static void close_ports(bh_server *server) {
  for (size_t i = server->port_count; i > 0; i--) {
    bh_server_close_handle(server, (uv_handle_t *)&server->ports[i - 1], on_closed);
  }
}

/*
 * What a new hub must not find goes first, and the port, which lets it in, last. uv_close() closes a socket at once and
 * removes the endpoint's path with it: later it could be the next hub's.
 */
static void close_all(bh_server *server, bool write_state) {
  server->stopping = true;
  bh_server_close_bridges(server);
  if (server->listens) {
    bh_server_close_handle(server, (uv_handle_t *)&server->listener, on_closed);
  }
  if (write_state) {
    bh_server_write_state(server, true);
  }
  bh_server_close_peers(server);
  bh_lock_release(&server->lock);
  close_ports(server);
  bh_server_close_handle(server, (uv_handle_t *)&server->deadline, on_closed);
  bh_server_close_handle(server, (uv_handle_t *)&server->sweep, on_closed);
}

/* ---- the beginning */

static int listen_on(bh_server *server, const char *address, uint16_t port, bh_why *why) {
  uv_tcp_t *listener = &server->ports[server->port_count++];

  listener->data = server;
  server->handles++;
  return bh_port_listen(server->loop, listener, address, port, bh_server_on_bridge, why);
}

/* Their failure is shown and stops nothing (BH-INGEST-001, BH-INGEST-016). */
static void listen_on_further_ports(bh_server *server, const bh_server_config *config) {
  bh_why why = {""};

  if (listen_on(server, bh_port_ipv6, config->port, &why) != 0) {
    bh_say(&server->logger, BH_LOG_WARNING, "%s", why.text);
  }
  for (size_t i = 0; i < config->also_port_count; i++) {
    if (listen_on(server, bh_port_ipv4, config->also_ports[i], &why) != 0) {
      bh_say(&server->logger, BH_LOG_WARNING, "%s", why.text);
      continue;
    }
    if (listen_on(server, bh_port_ipv6, config->also_ports[i], &why) != 0) {
      bh_say(&server->logger, BH_LOG_WARNING, "%s", why.text);
    }
  }
}

/* The port, then the spool's lock: without both, nothing is touched (BH-ELECT-001, BH-ELECT-002). */
static int win(bh_server *server, const bh_server_config *config, bh_why *why) {
  int error = bh_endpoint_check(config->endpoint, why);

  if (error == 0) {
    error = listen_on(server, bh_port_ipv4, config->port, why);
  }
  if (error == 0) {
    error = bh_spool_make(&server->spool, config->spool, &config->logger, why);
  }
  return error != 0 ? error : bh_lock_take(&server->lock, config->spool, why);
}

static int make_cores(bh_server *server, const bh_server_config *config, bh_why *why) {
  bh_hub_config hub = {.hub_pid = (uint32_t)uv_os_getpid(),
                       .heartbeat_ms = config->heartbeat_ms,
                       .timeout_ms = config->timeout_ms,
                       .allocator = bh_system_allocator(),
                       .logger = config->logger};
  bh_state_hint former;
  int error = uv_random(NULL, NULL, &hub.random, sizeof hub.random, 0, NULL);

  if (error != 0) {
    return bh_why_set(why, error, "the system gives no random number: %s", uv_strerror(error));
  }
  bh_state_file_read(server->state, &server->logger, &former);
  hub.epoch = former.epoch < epoch_max ? former.epoch + 1 : 1;
  hub.former_active = former.active[0] == '\0' ? NULL : former.active;
  server->hub = bh_hub_new(&hub, bh_server_now(server));
  server->ingest = bh_ingest_new(config->heartbeat_ms, config->timeout_ms, hub.allocator);
  if (server->hub == NULL || server->ingest == NULL) {
    return bh_why_set(why, UV_ENOMEM, "the hub cannot begin: no memory, or impossible timings (%u and %u ms)",
                      (unsigned)config->heartbeat_ms, (unsigned)config->timeout_ms);
  }
  return 0;
}

static int take_over(bh_server *server, bh_why *why) {
  uint64_t last_sequence;
  uint32_t parked;
  int error = bh_spool_open(&server->spool, why);

  if (error != 0) {
    return error;
  }
  parked = bh_spool_count_parked(&server->spool, &last_sequence);
  bh_hub_parked(server->hub, parked, last_sequence, bh_server_now(server));
  return bh_spool_take_over(&server->spool, bh_server_import_found, server, why);
}

static void say_ready(bh_server *server) {
  bh_hub_view view;

  bh_hub_state(server->hub, &view);
  bh_say(&server->logger, BH_LOG_INFO,
         "Running as HUB: nobody else had port %u; epoch %llu, %lu imports waiting, %lu parked; clients connect to %s",
         (unsigned)server->port, (unsigned long long)view.epoch, (unsigned long)view.waiting,
         (unsigned long)view.parked, server->endpoint);
}

static int begin(bh_server *server, const bh_server_config *config, bh_why *why) {
  int error = win(server, config, why);

  if (error != 0) {
    return error;
  }
  error = bh_endpoint_clear(server->endpoint, why);
  if (error != 0) {
    return error;
  }
  listen_on_further_ports(server, config);
  error = make_cores(server, config, why);
  if (error == 0) {
    error = take_over(server, why);
  }
  if (error != 0) {
    return error;
  }
  bh_server_go_on(server); /* writes the state file */
  error = bh_server_listen(server, why);
  if (error == 0) {
    say_ready(server);
  }
  return error;
}

static bh_server *new_server(uv_loop_t *loop, const bh_server_config *config) {
  bh_server *server = calloc(1, sizeof *server);

  if (server == NULL) {
    return NULL;
  }
  server->loop = loop;
  server->logger = config->logger;
  server->port = config->port;
  server->lock.file = -1;
  snprintf(server->endpoint, sizeof server->endpoint, "%s", config->endpoint);
  snprintf(server->state, sizeof server->state, "%s", config->state);
  bh_buffer_init(&server->file, bh_system_allocator());
  uv_timer_init(loop, &server->deadline);
  uv_timer_init(loop, &server->sweep);
  server->deadline.data = server;
  server->sweep.data = server;
  server->handles = 2;
  return server;
}

int bh_server_start(uv_loop_t *loop, const bh_server_config *config, bh_server **result, bh_why *why) {
  bh_server *server = new_server(loop, config);
  uint64_t sweep_ms = (uint64_t)SWEEP_HEARTBEATS * config->heartbeat_ms;
  int error;

  *result = NULL;
  if (server == NULL) {
    return bh_why_set(why, UV_ENOMEM, "the hub cannot begin: no memory");
  }
  uv_update_time(loop);
  error = begin(server, config, why);
  if (error != 0) {
    close_all(server, false);
    return error;
  }
  uv_timer_start(&server->sweep, on_sweep, sweep_ms, sweep_ms);
  *result = server;
  return 0;
}

void bh_server_stop(bh_server *server, void (*stopped)(void *ctx), void *ctx) {
  server->stopped = stopped;
  server->stopped_ctx = ctx;
  close_all(server, true);
}
