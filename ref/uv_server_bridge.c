/* SPDX-License-Identifier: MIT */
#include "uv_server_internal.h"

#include "uv_fork.h"
#include "uv_port.h"

#include <inttypes.h>
#include <stdlib.h>

/* Connections from Bridge: octets to the core, values to the spool. */

static bh_server_bridge *find(const bh_server *server, bh_bridge id) {
  for (bh_server_bridge *b = server->bridges; b != NULL; b = b->next) {
    if (b->id == id) {
      return b;
    }
  }
  return NULL;
}

/* ---- closing */

static void on_closed(uv_handle_t *handle) {
  bh_server_bridge *b = handle->data;
  bh_server *server = b->server;

  if (b->previous != NULL) {
    b->previous->next = b->next;
  } else {
    server->bridges = b->next;
  }
  if (b->next != NULL) {
    b->next->previous = b->previous;
  }
  free(b);
  bh_server_handle_closed(server);
}

/* The sender may take an orderly end for "all is safe" (BH-INGEST-017): everything else ends with a reset. */
static void close_connection(bh_server_bridge *b, bool orderly) {
  b->id = 0;
  bh_spool_drop(&b->server->spool, &b->value);
  if (orderly) {
    bh_port_set_reset(&b->tcp, false);
  }
  bh_server_close_handle(b->server, (uv_handle_t *)&b->tcp, on_closed);
}

void bh_server_close_bridges(bh_server *server) {
  for (bh_server_bridge *b = server->bridges; b != NULL; b = b->next) {
    if (b->id != 0) {
      close_connection(b, false);
    }
  }
}

/* ---- values */

static void give_up(bh_server_bridge *b, const char *what, int error) {
  bh_server *server = b->server;

  bh_say(&server->logger, BH_LOG_ERROR, "Bridge: a value cannot be %s, and its sender is told by a reset: %s", what,
         uv_strerror(error));
  if (b->value.size > server->spool_needs) {
    server->spool_needs = b->value.size;
  }
  bh_spool_drop(&server->spool, &b->value);
  bh_server_spool_failed(server, error);
  bh_ingest_abort(server->ingest, b->id, "the spool cannot be written");
}

static void begin(bh_server_bridge *b) {
  int error = bh_spool_begin(&b->server->spool, &b->value);

  if (error != 0) {
    give_up(b, "begun in the spool", error);
  }
}

static void append(bh_server_bridge *b, const bh_ingest_event *event) {
  int error = bh_spool_append(&b->value, event->octets, event->size);

  if (error != 0) {
    give_up(b, "written to the spool", error);
  }
}

/* Its place in the order is that of its completion: one that takes long does not hold up the others. */
static void commit(bh_server_bridge *b) {
  bh_server *server = b->server;
  bh_import import;
  int error;

  bh_hub_next_import(server->hub, &import);
  error = bh_spool_commit(&server->spool, &b->value, &import);
  if (error != 0) {
    give_up(b, "made complete in the spool", error);
    return;
  }
  error = bh_hub_import(server->hub, &import, bh_server_now(server));
  if (error != 0) {
    bh_say(&server->logger, BH_LOG_ERROR, "import %s stays in the spool for the next hub: %s", import.import,
           bh_error_string((bh_error)error));
  }
}

static void drop(bh_server_bridge *b, const bh_ingest_event *event) {
  bh_server *server = b->server;

  bh_spool_drop(&server->spool, &b->value);
  if (event->reason != NULL) {
    bh_say(&server->logger, BH_LOG_WARNING, "Bridge: a value was dropped after octet %" PRIu64 ": %s", event->offset,
           event->reason);
  }
}

static void end(bh_server_bridge *b, const bh_ingest_event *event) {
  bh_say(&b->server->logger, event->orderly ? BH_LOG_DEBUG : BH_LOG_WARNING,
         "Bridge: a connection was closed after octet %" PRIu64 ": %s", event->offset, event->reason);
  close_connection(b, event->orderly);
}

static void take(bh_server_bridge *b, const bh_ingest_event *event) {
  switch (event->kind) {
  case BH_INGEST_BEGIN:
    begin(b);
    break;
  case BH_INGEST_OCTETS:
    append(b, event);
    break;
  case BH_INGEST_COMMIT:
    commit(b);
    break;
  case BH_INGEST_DROP:
    drop(b, event);
    break;
  case BH_INGEST_CLOSE:
    end(b, event);
    break;
  }
}

void bh_server_take_events(bh_server *server) {
  bh_ingest_event event;

  while (bh_ingest_poll(server->ingest, &event)) {
    bh_server_bridge *b = find(server, event.bridge);

    if (b != NULL) {
      take(b, &event);
    }
  }
}

/* ---- reading */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  bh_server_bridge *b = handle->data;

  (void)suggested;
  bh_server_alloc(b->server, buffer);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  bh_server_bridge *b = stream->data;
  bh_server *server = b->server;

  if (got == 0 || b->id == 0) {
    return;
  }
  if (got < 0) {
    bh_ingest_end(server->ingest, b->id, got != UV_EOF, bh_server_now(server));
  } else {
    bh_ingest_recv(server->ingest, b->id, (const uint8_t *)buffer->base, (size_t)got, bh_server_now(server));
  }
  bh_server_go_on(server);
}

/* ---- opening */

static bh_server_bridge *new_bridge(bh_server *server) {
  bh_server_bridge *b = calloc(1, sizeof *b);

  if (b == NULL) {
    return NULL;
  }
  b->server = server;
  b->value.file = -1;
  uv_tcp_init(server->loop, &b->tcp);
  b->tcp.data = b;
  server->handles++;
  b->next = server->bridges;
  if (b->next != NULL) {
    b->next->previous = b;
  }
  server->bridges = b;
  return b;
}

static int admit(bh_server_bridge *b, uv_stream_t *listener) {
  bh_server *server = b->server;
  int error = uv_accept(listener, (uv_stream_t *)&b->tcp);

  if (error == 0) {
    bh_fork_guard_handle((const uv_handle_t *)&b->tcp);
    error = bh_port_set_reset(&b->tcp, true); /* not every system lets it be inherited from the listener */
  }
  if (error != 0) {
    return error;
  }
  b->id = bh_ingest_open(server->ingest, bh_server_now(server));
  if (b->id == 0) {
    return UV_ENOMEM;
  }
  return uv_read_start((uv_stream_t *)&b->tcp, on_alloc, on_read);
}

void bh_server_on_bridge(uv_stream_t *listener, int status) {
  bh_server *server = listener->data;
  bh_server_bridge *b = status == 0 ? new_bridge(server) : NULL;
  int error = status;

  if (b == NULL) {
    bh_server_accept_failed(server, "from Bridge", error != 0 ? error : UV_ENOMEM);
    return;
  }
  error = admit(b, listener);
  if (error != 0) {
    bh_server_accept_failed(server, "from Bridge", error);
    if (b->id != 0) {
      bh_ingest_end(server->ingest, b->id, true, bh_server_now(server));
    }
    close_connection(b, false);
  }
  bh_server_go_on(server);
}
