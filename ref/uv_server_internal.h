/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_SERVER_INTERNAL_H
#define BH_UV_SERVER_INTERNAL_H

/* What the files uv_server*.c share. */

#include "uv_lock.h"
#include "uv_paths.h"
#include "uv_process.h"
#include "uv_server.h"
#include "uv_spool.h"

enum {
  /* Each port on 127.0.0.1 and ::1. */
  BH_LISTENERS_MAX = 2 * (1 + BH_ALSO_PORTS_MAX),
  BH_INPUT_MAX = 65536,
  /* The oldest of more is not asked after any more: its time to resume ends by itself. */
  BH_LOST_MAX = BH_INSTANCES_MAX,
};

/* A connection that was lost with imports in hand, until its process is known to be gone (BH-TIME-009). */
typedef struct {
  bh_peer id;
  bh_process process;
} bh_server_lost;

/* A connection at the endpoint. */
typedef struct bh_server_peer {
  bh_server *server;
  uv_pipe_t pipe;
  uv_write_t write;
  bool writing;
  size_t writing_size;
  bh_peer id; /* 0: the core does not know it */
  bh_process process;
  bool heard; /* something came from it */
  struct bh_server_peer *previous, *next;
} bh_server_peer;

/* A connection from Bridge. */
typedef struct bh_server_bridge {
  bh_server *server;
  uv_tcp_t tcp;
  bh_bridge id;
  bh_spool_value value;
  struct bh_server_bridge *previous, *next;
} bh_server_bridge;

struct bh_server {
  uv_loop_t *loop;
  bh_logger logger;
  bh_hub *hub;
  bh_ingest *ingest;
  bh_spool spool;
  bh_lock lock;
  char endpoint[BH_PATH_MAX];
  char state[BH_PATH_MAX];
  uint16_t port;

  uv_tcp_t ports[BH_LISTENERS_MAX]; /* the first is the lock (BH-ELECT-001) */
  size_t port_count;
  uv_pipe_t listener;
  bool listens; /* `listener` is a handle of the loop's */
  uv_timer_t deadline;
  uv_timer_t sweep;
  size_t handles; /* open, or closing */

  bh_server_peer *peers;
  size_t unheard; /* of them, those from which nothing came yet */
  bh_server_lost lost[BH_LOST_MAX];
  size_t lost_count;
  bh_server_bridge *bridges;
  bh_buffer file;         /* of the state file, or of an import on its way to the core */
  bool state_failed;      /* the last writing of the state file */
  bh_why state_problem;   /* ... and why */
  bool spool_failed;      /* something in the spool since it was tried last */
  size_t spool_needs;     /* octets that a value had which could not be written */
  bh_why spool_problem;   /* "": it can be written */
  uint64_t accept_failed; /* when a failure to accept was said last; 0: never */
  bool stopping;
  void (*stopped)(void *ctx);
  void *stopped_ctx;
  uint8_t input[BH_INPUT_MAX]; /* of the connection that is being read */
};

/* uv_server.c */
uint64_t bh_server_now(const bh_server *server);
/* Performs what the cores have to do, and arms the timer. After every call on one of them. */
void bh_server_go_on(bh_server *server);
/* Each handle of the server's is counted when it is initialised, and closed by this. */
void bh_server_close_handle(bh_server *server, uv_handle_t *handle, uv_close_cb closed);
void bh_server_handle_closed(bh_server *server);
void bh_server_alloc(bh_server *server, uv_buf_t *buffer);
void bh_server_accept_failed(bh_server *server, const char *what, int error);

/* uv_server_actions.c: what the core of the hub wants done. */
void bh_server_perform(bh_server *server);
void bh_server_write_state(bh_server *server, bool ended);
int bh_server_import_found(void *ctx, const bh_import *import);
/* Something could not be done in the spool: every client is told. */
void bh_server_spool_failed(bh_server *server, int error);

/* uv_server_peer.c */
int bh_server_listen(bh_server *server, bh_why *why);
void bh_server_send(bh_server *server, bh_peer id);
void bh_server_close_peer(bh_server *server, bh_peer id);
void bh_server_sweep(bh_server *server);
void bh_server_close_peers(bh_server *server);

/* uv_server_bridge.c */
void bh_server_on_bridge(uv_stream_t *listener, int status);
void bh_server_take_events(bh_server *server);
void bh_server_close_bridges(bh_server *server);

#endif
