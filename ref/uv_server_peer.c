/* SPDX-License-Identifier: MIT */
#include "uv_server_internal.h"

#include "uv_endpoint.h"
#include "uv_fork.h"

#include <stdlib.h>
#include <string.h>

/* Connections at the endpoint. */

enum { BACKLOG = 512, UNHEARD_MAX = BH_UNREGISTERED_MAX / 2, LAST_READS_MAX = 64 };

static bh_server_peer *find(const bh_server *server, bh_peer id) {
  for (bh_server_peer *p = server->peers; p != NULL; p = p->next) {
    if (p->id == id) {
      return p;
    }
  }
  return NULL;
}

static void set_heard(bh_server_peer *p) {
  if (!p->heard) {
    p->heard = true;
    p->server->unheard--;
  }
}

/* ---- closing */

static void on_closed(uv_handle_t *handle) {
  bh_server_peer *p = handle->data;
  bh_server *server = p->server;

  if (p->previous != NULL) {
    p->previous->next = p->next;
  } else {
    server->peers = p->next;
  }
  if (p->next != NULL) {
    p->next->previous = p->previous;
  }
  free(p);
  bh_server_handle_closed(server);
}

static void close_connection(bh_server_peer *p) {
  set_heard(p);
  p->id = 0;
  bh_server_close_handle(p->server, (uv_handle_t *)&p->pipe, on_closed);
}

/* Its socket closes a moment before its process is gone: it is asked after later (BH-TIME-009). */
static void remember_lost(bh_server *server, bh_peer id, const bh_process *process) {
  if (process->pid == 0 || !bh_hub_reserves(server->hub, id)) {
    return;
  }
  if (server->lost_count == BH_LOST_MAX) {
    server->lost_count--;
    memmove(&server->lost[0], &server->lost[1], server->lost_count * sizeof server->lost[0]);
  }
  server->lost[server->lost_count++] = (bh_server_lost){.id = id, .process = *process};
}

/* The connection has ended by itself, or cannot be used: the core is told. */
static void lose(bh_server_peer *p) {
  bh_server *server = p->server;
  bh_peer id = p->id;

  if (id != 0) {
    bh_hub_close(server->hub, p->id, bh_process_look(&p->process) != BH_PROCESS_LIVES, bh_server_now(server));
    remember_lost(server, id, &p->process);
  }
  close_connection(p);
}

/* The core has forgotten it. What it still sends is read away, so that its last message is not followed by a reset. */
void bh_server_close_peer(bh_server *server, bh_peer id) {
  bh_server_peer *p = find(server, id);

  if (p != NULL) {
    bh_endpoint_drain(&p->pipe, server->input, sizeof server->input);
    remember_lost(server, id, &p->process);
    close_connection(p);
  }
}

void bh_server_close_peers(bh_server *server) {
  for (bh_server_peer *p = server->peers; p != NULL; p = p->next) {
    close_connection(p);
  }
}

/* ---- reading */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  bh_server_peer *p = handle->data;

  (void)suggested;
  bh_server_alloc(p->server, buffer);
}

static void take(bh_server_peer *p, const void *octets, size_t size) {
  set_heard(p);
  if (bh_hub_recv(p->server->hub, p->id, octets, size, bh_server_now(p->server)) != BH_OK) {
    uv_read_stop((uv_stream_t *)&p->pipe);
  }
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  bh_server_peer *p = stream->data;
  bh_server *server = p->server;

  if (got == 0 || p->id == 0) {
    return;
  }
  if (got < 0) {
    lose(p);
  } else {
    take(p, buffer->base, (size_t)got);
  }
  bh_server_go_on(server);
}

/* ---- writing */

/*
 * A write finds the end of a connection before it is read: what the client had sent by then, an ACK perhaps, counts.
 */
static void lose_unwritable(bh_server_peer *p) {
  bh_server *server = p->server;
  size_t got = 1;

  for (int i = 0; i < LAST_READS_MAX && got > 0; i++) {
    got = bh_endpoint_read(&p->pipe, server->input, sizeof server->input);
    if (got > 0) {
      take(p, server->input, got);
    }
  }
  lose(p);
}

static void on_written(uv_write_t *request, int status) {
  bh_server_peer *p = request->data;
  bh_server *server = p->server;

  p->writing = false;
  if (p->id == 0) {
    return;
  }
  if (status != 0) {
    lose_unwritable(p);
  } else {
    bh_hub_sent(server->hub, p->id, p->writing_size, bh_server_now(server));
  }
  bh_server_go_on(server);
}

/* The rest of it, as the socket takes it. */
static int write_later(bh_server_peer *p, const uint8_t *octets, size_t size) {
  uv_buf_t buffer = uv_buf_init((char *)octets, (unsigned)size);
  int error;

  p->write.data = p;
  p->writing_size = size;
  error = uv_write(&p->write, (uv_stream_t *)&p->pipe, &buffer, 1, on_written);
  p->writing = error == 0;
  return error;
}

/* Sends what the socket takes now; false: the connection is of no use any more. */
static bool send_now(bh_server_peer *p) {
  bh_server *server = p->server;
  const uint8_t *octets;
  size_t size;

  while ((size = bh_hub_send(server->hub, p->id, &octets)) > 0) {
    int sent = bh_endpoint_try_write(&p->pipe, octets, size);

    if (sent == UV_EAGAIN) {
      return write_later(p, octets, size) == 0;
    }
    if (sent < 0) {
      return false;
    }
    bh_hub_sent(server->hub, p->id, (size_t)sent, bh_server_now(server));
  }
  return true;
}

/* While a write is on its way, its end brings what is queued by then. */
void bh_server_send(bh_server *server, bh_peer id) {
  bh_server_peer *p = find(server, id);

  if (p != NULL && !p->writing && !send_now(p)) {
    lose_unwritable(p);
  }
}

/* ---- opening */

static bh_server_peer *new_peer(bh_server *server) {
  bh_server_peer *p = calloc(1, sizeof *p);

  if (p == NULL) {
    return NULL;
  }
  p->server = server;
  uv_pipe_init(server->loop, &p->pipe, 0);
  p->pipe.data = p;
  server->handles++;
  server->unheard++;
  p->next = server->peers;
  if (p->next != NULL) {
    p->next->previous = p;
  }
  server->peers = p;
  return p;
}

/*
 * libuv takes all connections that wait before it reads from any. Many at once, each with its REGISTER already there,
 * would then count as too many that have not registered (BH-LIMIT-001).
 */
static void hear_the_unheard(bh_server *server) {
  for (bh_server_peer *p = server->peers; p != NULL; p = p->next) {
    size_t got = p->id == 0 || p->heard ? 0 : bh_endpoint_read(&p->pipe, server->input, sizeof server->input);

    if (got > 0) {
      take(p, server->input, got);
    }
  }
}

static int admit(bh_server_peer *p) {
  bh_server *server = p->server;
  int error = bh_process_of_peer(&p->pipe, &p->process);

  if (error != 0) {
    bh_say(&server->logger, BH_LOG_WARNING, "a connection at the endpoint is refused: %s",
           error == UV_EACCES ? "it is another user's" : uv_strerror(error));
    return error;
  }
  if (server->unheard >= UNHEARD_MAX) {
    hear_the_unheard(server);
  }
  if (bh_hub_open(server->hub, bh_server_now(server), &p->id) != BH_OK) {
    return UV_EMFILE;
  }
  return uv_read_start((uv_stream_t *)&p->pipe, on_alloc, on_read);
}

static void on_connection(uv_stream_t *listener, int status) {
  bh_server *server = listener->data;
  bh_server_peer *p;
  int error = status;

  if (error != 0) {
    bh_server_accept_failed(server, "at the endpoint", error);
    return;
  }
  p = new_peer(server);
  if (p == NULL) {
    bh_server_accept_failed(server, "at the endpoint", UV_ENOMEM);
    return;
  }
  error = uv_accept(listener, (uv_stream_t *)&p->pipe);
  if (error == 0) {
    bh_fork_guard_handle((const uv_handle_t *)&p->pipe);
    error = admit(p);
  }
  if (error != 0) {
    lose(p);
  }
  bh_server_go_on(server);
}

int bh_server_listen(bh_server *server, bh_why *why) {
  server->handles++;
  server->listens = true;
  server->listener.data = server;
  return bh_endpoint_listen(server->loop, &server->listener, server->endpoint, BACKLOG, on_connection, why);
}

/* ---- the sweep (BH-TIME-008, BH-TIME-009) */

static void sweep_lost(bh_server *server) {
  size_t kept = 0;

  for (size_t i = 0; i < server->lost_count; i++) {
    const bh_server_lost *lost = &server->lost[i];

    if (!bh_hub_reserves(server->hub, lost->id)) {
      continue;
    }
    if (bh_process_look(&lost->process) == BH_PROCESS_GONE) {
      bh_hub_gone(server->hub, lost->id, bh_server_now(server));
      continue;
    }
    server->lost[kept++] = *lost;
  }
  server->lost_count = kept;
}

void bh_server_sweep(bh_server *server) {
  for (bh_server_peer *p = server->peers; p != NULL; p = p->next) {
    if (p->id != 0 && bh_process_look(&p->process) == BH_PROCESS_GONE) {
      lose(p);
    }
  }
  sweep_lost(server);
}
