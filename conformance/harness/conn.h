/* SPDX-License-Identifier: MIT */
#ifndef CONN_H
#define CONN_H

/* The inside of a connection, for conn.c and expect.c. */

#include "frame.h"
#include "internal.h"
#include "opener.h"
#include "program.h"

struct sent {
  uint32_t id;
  bh_type type;
  uint64_t at;
  bool answered;
  bool overtaken; /* a later one was answered first */
};

/* An IMPORT_DATA that came from a hub, and what the case answered it with. */
struct received {
  const char *import;
  uint32_t attempt, id;
  bool answered, finished; /* finished: by ACK */
};

struct conn_stream {
  struct conn conn;
  struct conn_stream *next;
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tcp_t tcp; /* handed over by the program of --listen */
  } wire;
  uv_connect_t connecting;
  struct program *program; /* of --connect, at the other end of the wire; NULL: the endpoint is */
  struct opener *opener;   /* NULL: the suite has opened it itself */
  enum conn_stage stage;
  bool accepted; /* by the hub that the suite plays: the other side is a client */
  bool parting;  /* the case is over: UNREGISTER is answered by itself */
  bool mute, closed_by_us;
  bool unheard;     /* octets are left in the socket */
  bool left;        /* closed by the suite, as soon as its program has ended the connection */
  size_t unwritten; /* writes that libuv has not finished */

  /* To the other side. */
  bh_frame out;
  bool out_broken;
  bool in_pieces;    /* what the case sends is under way, piece by piece */
  bool odd;          /* not all that the case has sent is requests that the other side takes, with right bodies */
  uint32_t out_id;   /* of the last header that was sent whole */
  uint32_t out_body; /* octets of its body that were not sent yet */
  struct sent *sent; /* sent[id - 1] */
  size_t sent_count, sent_capacity;
  uint32_t oldest_open; /* messages up to this id are answered or overtaken */
  uint32_t *to_answer;  /* HEARTBEATs and repeats that wait for the end of a message of ours */
  size_t to_answer_count, to_answer_capacity;

  /* From the other side. */
  bh_frame in;
  bool in_broken, in_body;
  uint32_t in_id;
  char header[96];
  size_t header_size;
  const char *type_name;
  uint8_t *body;
  size_t body_size, body_capacity;
  struct message **messages;
  size_t message_count, message_capacity;
  size_t taken; /* how many of them the case has read */
  struct received *imports;
  size_t import_count, import_capacity;
};

/* The requirement that every request is answered just once: BH-MSG-001 of a hub, BH-MSG-004 of a client. */
const char *answering(const struct conn_stream *stream);

#endif
