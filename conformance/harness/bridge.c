/* SPDX-License-Identifier: MIT */
/* The suite in the part of Bridge. */

#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* What the slowest hub and disk that are waited for take. */
#define OCTETS_A_MS 5000

struct bridge_stream {
  struct bridge bridge;
  uv_tcp_t tcp;
  uv_connect_t connecting;
  bool settled;     /* connected, or refused */
  bool write_reset; /* a write has met the reset, which no read tells then */
  size_t unwritten;
};

struct exported {
  char *octets;
  size_t size;
  struct exported *next;
};

static unsigned bridge_count;
static struct exported *exports;

struct writing {
  uv_write_t request;
  char octets[];
};

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  static char space[4096];
  (void)handle;
  (void)suggested;
  *buffer = uv_buf_init(space, sizeof space);
}

static void on_read(uv_stream_t *handle, ssize_t size, const uv_buf_t *buffer) {
  struct bridge_stream *stream = handle->data;
  struct bridge *bridge = &stream->bridge;
  if (size > 0) {
    record_traffic(RECORD_RECEIVE, bridge->name, "octets", buffer->base, (size_t)size, false);
  } else if (size < 0) {
    bridge->ended = true;
    bridge->reset = size != UV_EOF || stream->write_reset;
    bridge->ended_at = now_ms();
    case_hub_closed();
    record_event(bridge->name, "is closed by the hub, %s", bridge->reset ? "with a reset" : "orderly");
    uv_read_stop(handle);
  }
}

static void on_connected(uv_connect_t *request, int status) {
  struct bridge_stream *stream = request->data;
  if (status == UV_ECANCELED) {
    return;
  }
  stream->settled = true;
  stream->bridge.connected = status == 0;
  if (status == 0) {
    uv_read_start((uv_stream_t *)&stream->tcp, give_space, on_read);
  }
}

static bool is_settled(void *arg) {
  return ((struct bridge *)arg)->stream->settled;
}

struct bridge *bridge_open_at(struct hub *hub, const char *address, uint16_t port) {
  struct bridge_stream *stream = allocate(sizeof *stream);
  struct bridge *bridge = &stream->bridge;
  bridge->hub = hub;
  bridge->stream = stream;
  bridge->name = format("bridge %u", ++bridge_count);
  struct sockaddr_storage where = {0};
  if (uv_ip4_addr(address, port, (struct sockaddr_in *)&where) != 0 &&
      uv_ip6_addr(address, port, (struct sockaddr_in6 *)&where) != 0) {
    suite_broke("%s is no address", address);
  }
  uv_tcp_init(loop(), &stream->tcp);
  stream->tcp.data = stream;
  stream->connecting.data = stream;
  if (uv_tcp_connect(&stream->connecting, &stream->tcp, (const struct sockaddr *)&where, on_connected) != 0) {
    stream->settled = true;
  }
  wait_until(is_settled, bridge, deadline_ms());
  if (bridge->connected) {
    uv_tcp_nodelay(&stream->tcp, 1);
  }
  record_event(bridge->name, bridge->connected ? "is opened to %s port %u" : "finds nobody at %s port %u", address,
               port);
  return bridge;
}

struct bridge *bridge_open(struct hub *hub) {
  struct bridge *bridge = bridge_open_at(hub, "127.0.0.1", hub->port);
  if (!bridge->connected) {
    fail_as("BH-INGEST-001", "the hub listens on 127.0.0.1", "a connection to port %u is not taken", hub->port);
  }
  return bridge;
}

static void on_written(uv_write_t *request, int status) {
  struct bridge_stream *stream = request->data;
  stream->write_reset = stream->write_reset || status == UV_ECONNRESET;
  stream->unwritten--;
  free(request);
}

static void write_octets(struct bridge_stream *stream, const void *octets, size_t size) {
  struct writing *writing = malloc(sizeof *writing + size);
  if (!writing) {
    suite_broke("no memory for %zu octets", size);
  }
  memcpy(writing->octets, octets, size);
  extend_deadline(size / OCTETS_A_MS);
  writing->request.data = stream;
  uv_buf_t buffer = uv_buf_init(writing->octets, (unsigned)size);
  stream->unwritten++;
  if (uv_write(&writing->request, (uv_stream_t *)&stream->tcp, &buffer, 1, on_written) != 0) {
    stream->unwritten--;
    free(writing);
  }
}

void bridge_send(struct bridge *bridge, const void *octets, size_t size) {
  record_traffic(RECORD_SEND, bridge->name, "octets", octets, size, false);
  write_octets(bridge->stream, octets, size);
}

void bridge_send_text(struct bridge *bridge, const char *text) {
  bridge_send(bridge, text, strlen(text));
}

static bool is_written(void *arg) {
  struct bridge *bridge = arg;
  return bridge->stream->unwritten == 0 || bridge->ended;
}

void bridge_send_pieces(struct bridge *bridge, const void *octets, size_t size, size_t piece) {
  record_traffic(RECORD_SEND, bridge->name, format("octets, %zu at a time", piece), octets, size, false);
  for (size_t at = 0; at < size && !bridge->ended; at += piece) {
    write_octets(bridge->stream, (const char *)octets + at, size - at < piece ? size - at : piece);
    wait_until(is_written, bridge, deadline_ms());
  }
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  (void)request;
  (void)status;
}

void bridge_half_close(struct bridge *bridge) {
  record_event(bridge->name, "is half-closed by the suite");
  uv_shutdown(allocate(sizeof(uv_shutdown_t)), (uv_stream_t *)&bridge->stream->tcp, on_shutdown);
}

void bridge_close(struct bridge *bridge) {
  wait_until(is_written, bridge, deadline_ms());
  record_event(bridge->name, "is closed by the suite");
  uv_close((uv_handle_t *)&bridge->stream->tcp, NULL);
}

void bridge_reset(struct bridge *bridge) {
  wait_until(is_written, bridge, deadline_ms());
  record_event(bridge->name, "is reset by the suite");
  uv_tcp_close_reset(&bridge->stream->tcp, NULL);
}

static bool has_ended(void *arg) {
  return ((struct bridge *)arg)->ended;
}

void bridge_expect_closed(struct bridge *bridge) {
  if (!wait_until(has_ended, bridge, deadline_ms())) {
    fail(format("the hub closes %s", bridge->name), "it stays open for %llu ms", (unsigned long long)deadline_ms());
  }
}

void bridge_expect_end(struct bridge *bridge) {
  bridge_expect_closed(bridge);
  if (bridge->reset) {
    fail(format("the hub closes %s with an orderly end", bridge->name), "a reset");
  }
}

void bridge_expect_reset(struct bridge *bridge) {
  bridge_expect_closed(bridge);
  if (!bridge->reset) {
    fail(format("the hub closes %s with a reset", bridge->name), "an orderly end");
  }
}

static void remember(const void *octets, size_t size) {
  struct exported *e = allocate(sizeof *e);
  *e = (struct exported){.octets = allocate(size + 1), .size = size, .next = exports};
  memcpy(e->octets, octets, size);
  exports = e;
}

bool bridge_exported(const void *octets, size_t size) {
  for (const struct exported *e = exports; e; e = e->next) {
    if (e->size == size && memcmp(e->octets, octets, size) == 0) {
      return true;
    }
  }
  return false;
}

static struct bridge *offer(struct hub *hub, const void *octets, size_t size) {
  remember(octets, size);
  struct bridge *bridge = bridge_open(hub);
  bridge_send(bridge, octets, size);
  bridge_half_close(bridge);
  wait_until(has_ended, bridge, deadline_ms());
  return bridge;
}

void bridge_offer(struct hub *hub, const void *octets, size_t size) {
  bridge_close(offer(hub, octets, size));
}

void bridge_export_octets(struct hub *hub, const void *octets, size_t size) {
  struct bridge *bridge = offer(hub, octets, size);
  if (!bridge->ended || bridge->reset) {
    fail_as("BH-INGEST-017", format("the hub closes %s with an orderly end", bridge->name),
            bridge->ended ? "a reset" : "nothing");
  }
  bridge_close(bridge);
}

void bridge_export(struct hub *hub, const char *text) {
  bridge_export_octets(hub, text, strlen(text));
}

void bridges_forget(void) {
  bridge_count = 0;
  exports = NULL;
}
