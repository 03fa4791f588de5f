/* SPDX-License-Identifier: MIT */
/*
 * Connections to a hub's endpoint, and those of a client to the hub that the suite plays: octets in both directions,
 * and what can be told of them without knowing the case.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "body.h"
#include "conn.h"

/* How long one message's pieces may wait for being read, all together. */
#define PATIENCE_WITH_PIECES_MS 20
#define OCTETS_A_MS 5000
#define AGAIN_MS 10
/* Larger bodies of ours are not read again to see whether they are right: that would hold up what is tested. */
#define READ_MAX 1048576
/* How long a program of --connect may take to close the connection when its input has ended, and the hub not to. */
#define PARTING_MS 500
/* ... and then to end. */
#define PROCESS_END_MS 100

static struct conn_stream *conns;
static unsigned conn_count;

/* ---------------------------------------------------------------------------------------------- what we have sent */

static bool is_answer(bh_type type) {
  return type == BH_ACK || type == BH_ERROR;
}

static void remember(struct conn_stream *stream, uint32_t id, bh_type type) {
  stream->sent = grow(stream->sent, stream->sent_count, &stream->sent_capacity, sizeof *stream->sent);
  stream->sent[stream->sent_count++] = (struct sent){.id = id, .type = type, .at = now_ms()};
}

/* Keeps count of messages in whatever is sent, whether it was made as a message or as octets. */
static void follow(struct conn_stream *stream, const uint8_t *octets, size_t size) {
  while (size && !stream->out_broken) {
    if (stream->out_body) {
      size_t taken = size < stream->out_body ? size : stream->out_body;
      stream->out_body -= taken;
      octets += taken;
      size -= taken;
    } else {
      size_t consumed;
      bh_frame_status status = bh_frame_feed(&stream->out, octets, size, &consumed);
      octets += consumed;
      size -= consumed;
      if (status == BH_FRAME_MORE) {
        return;
      }
      stream->out_broken = status == BH_FRAME_BROKEN || stream->out.id != stream->out_id + 1;
      if (stream->out_broken) {
        return;
      }
      stream->out_id = stream->out.id;
      stream->out_body = stream->out.length;
      remember(stream, stream->out.id, stream->out.type);
      bh_frame_init(&stream->out, BH_BODY_MAX);
    }
  }
}

static bool at_boundary(const struct conn_stream *stream) {
  return !stream->out_broken && stream->out_body == 0 && stream->out.offset == 0;
}

struct writing {
  uv_write_t request;
  char octets[];
};

static void on_written(uv_write_t *request, int status) {
  struct writing *writing = (struct writing *)request;
  struct conn_stream *stream = request->data;
  (void)status; /* a hub that closes is found by reading */
  stream->unwritten--;
  free(writing);
}

static void write_octets(struct conn_stream *stream, const void *octets, size_t size) {
  follow(stream, octets, size);
  if (stream->accepted) { /* that much passes through a client, and comes back as a line */
    extend_deadline(size / OCTETS_A_MS);
  }
  struct writing *writing = malloc(sizeof *writing + size);
  if (!writing) {
    suite_broke("no memory for %zu octets", size);
  }
  memcpy(writing->octets, octets, size);
  writing->request.data = stream;
  uv_buf_t buffer = uv_buf_init(writing->octets, (unsigned)size);
  stream->unwritten++;
  if (uv_write(&writing->request, &stream->wire.stream, &buffer, 1, on_written) != 0) {
    stream->unwritten--;
    free(writing);
  }
}

static bool is_for_client(bh_type type) {
  return type == BH_HEARTBEAT || type == BH_IMPORT_DATA || is_answer(type);
}

/* What the other side takes, whatever the connection is about. */
static bool is_taken(const struct conn_stream *stream, bh_type type, const void *body, size_t size) {
  bool fits = stream->accepted ? is_for_client(type) : type != BH_TYPE_UNKNOWN && type != BH_IMPORT_DATA;
  bh_body read;
  bh_body_fault fault;
  return fits && size <= READ_MAX &&
         bh_body_read(stream->accepted ? BH_FROM_HUB : BH_FROM_CLIENT, type, body, size, &read, &fault);
}

/* What the case answers, where that is an import. */
static void note_answer(struct conn_stream *stream, const char *type, const void *body, size_t size) {
  bool ack = strcmp(type, "ACK") == 0;
  bh_body read;
  bh_body_fault fault;
  if ((!ack && strcmp(type, "ERROR") != 0) ||
      !bh_body_read(BH_FROM_CLIENT, ack ? BH_ACK : BH_ERROR, body, size, &read, &fault)) {
    return;
  }
  for (size_t i = 0; i < stream->import_count; i++) {
    struct received *import = &stream->imports[i];
    if (import->id == read.answers && !import->answered) {
      import->answered = true;
      import->finished = ack;
    }
  }
}

static uint32_t write_message(struct conn_stream *stream, const char *type, const void *body, size_t size,
                              bool automatic) {
  note_answer(stream, type, body, size);
  uint32_t id = stream->out_id + 1;
  char header[64];
  int header_size = snprintf(header, sizeof header, "BH1 %s %u %zu\n", type, id, size);
  record_traffic(RECORD_SEND, stream->conn.name, format("%.*s", header_size - 1, header), body, size, automatic);
  char *whole = allocate((size_t)header_size + size);
  memcpy(whole, header, (size_t)header_size);
  if (size) {
    memcpy(whole + header_size, body, size);
  }
  write_octets(stream, whole, (size_t)header_size + size);
  const struct sent *sent = stream->sent_count ? &stream->sent[stream->sent_count - 1] : NULL;
  bool plain =
      sent && sent->id == id && is_taken(stream, sent->type, body, size) && (automatic || !is_answer(sent->type));
  stream->odd = stream->odd || !plain;
  return id;
}

static void answer_by_itself(struct conn_stream *stream) {
  while (stream->to_answer_count && at_boundary(stream) && !stream->in_pieces && !stream->conn.ended) {
    const char *body = format("{\"for\":%u}", stream->to_answer[0]);
    stream->to_answer_count--;
    memmove(stream->to_answer, stream->to_answer + 1, stream->to_answer_count * sizeof *stream->to_answer);
    write_message(stream, "ACK", body, strlen(body), true);
  }
}

static void to_be_answered(struct conn_stream *stream, uint32_t id) {
  stream->to_answer =
      grow(stream->to_answer, stream->to_answer_count, &stream->to_answer_capacity, sizeof *stream->to_answer);
  stream->to_answer[stream->to_answer_count++] = id;
  answer_by_itself(stream);
}

/* ------------------------------------------------------------------------------------------ what the other side sent
 */

static struct sent *find_sent(struct conn_stream *stream, uint32_t id) {
  return id >= 1 && id <= stream->sent_count ? &stream->sent[id - 1] : NULL;
}

const char *answering(const struct conn_stream *stream) {
  return stream->accepted ? "BH-MSG-004" : "BH-MSG-001";
}

/*
 * Who answers what, whatever the case is about. A break of the framing is answered by the id of the break. A client may
 * answer in any order. False: an answer too many, which no case is to trip over.
 */
static bool match_answer(struct conn_stream *stream, const struct message *message, const bh_body *body) {
  if (body->answers == 0 || strcmp(body->code, "malformed") == 0 || strcmp(body->code, "too-large") == 0) {
    return true;
  }
  struct sent *sent = find_sent(stream, body->answers);
  if (!sent) {
    breach(answering(stream), "%s %u of %s answers message %u, which was never sent", message->type, message->id,
           stream->conn.name, body->answers);
  } else if (is_answer(sent->type)) {
    breach("BH-MSG-005", "%s %u of %s answers message %u, which is %s", message->type, message->id, stream->conn.name,
           body->answers, bh_type_name(sent->type));
  } else if (sent->answered) {
    breach(answering(stream), "%s %u of %s answers message %u a second time", message->type, message->id,
           stream->conn.name, body->answers);
  } else if (sent->overtaken && !stream->accepted) {
    breach("BH-MSG-002", "%s %u of %s answers message %u after a later one was answered", message->type, message->id,
           stream->conn.name, body->answers);
  }
  if (!sent) {
    return true;
  }
  if (sent->answered || is_answer(sent->type)) {
    return false;
  }
  sent->answered = true;
  for (; stream->oldest_open < body->answers; stream->oldest_open++) {
    struct sent *older = &stream->sent[stream->oldest_open];
    bool may_wait = stream->accepted && older->type == BH_IMPORT_DATA;
    if (!older->answered && !is_answer(older->type) && !may_wait) {
      older->overtaken = true;
    }
  }
  return true;
}

static struct received *find_received(struct conn_stream *stream, const char *import) {
  for (size_t i = stream->import_count; i > 0; i--) {
    if (strcmp(stream->imports[i - 1].import, import) == 0) {
      return &stream->imports[i - 1];
    }
  }
  return NULL;
}

/* An import that comes twice says nothing about what most cases judge: it is told, and they do not see it. */
static bool match_import(struct conn_stream *stream, const struct message *message, const bh_body *body) {
  const struct received *before = find_received(stream, body->import);
  if (before && before->finished) {
    breach("BH-ROUTE-006", "%s came to %s again after its ACK", body->import, stream->conn.name);
    to_be_answered(stream, message->id);
    return false;
  }
  if (before && !before->answered && before->attempt == body->attempt) {
    breach("BH-ROUTE-008", "%s came to %s twice with the attempt %u", body->import, stream->conn.name, body->attempt);
    return false;
  }
  stream->imports = grow(stream->imports, stream->import_count, &stream->import_capacity, sizeof(struct received));
  stream->imports[stream->import_count++] =
      (struct received){.import = format("%s", body->import), .attempt = body->attempt, .id = message->id};
  return true;
}

/* False: the case is not to see it. */
static bool check_message(struct conn_stream *stream, bh_type type, const struct message *message) {
  if (message->id != stream->in_id + 1) {
    breach("BH-FRAME-007", "%s of %s has the id %u; the one before it had %u", message->type, stream->conn.name,
           message->id, stream->in_id);
  }
  stream->in_id = message->id;
  if (type == BH_TYPE_UNKNOWN) {
    breach("BH-FRAME-001", "the %s sends a message of the type %s on %s", stream->conn.peer, message->type,
           stream->conn.name);
  }
  bh_body body;
  bh_body_fault fault;
  if (type != BH_TYPE_UNKNOWN &&
      !bh_body_read(stream->accepted ? BH_FROM_CLIENT : BH_FROM_HUB, type, (const uint8_t *)message->json.text,
                    message->json.size, &body, &fault)) {
    breach(fault.requirement, "%s %u of %s: %s, at octet %zu of the body", message->type, message->id,
           stream->conn.name, fault.what, fault.offset);
    return true;
  }
  if (type == BH_IMPORT_DATA && !stream->accepted) {
    return match_import(stream, message, &body);
  }
  return !is_answer(type) || match_answer(stream, message, &body);
}

static void take_message(struct conn_stream *stream) {
  if (stream->message_count == 0) {
    learn(HEARD);
  }
  struct message *message = allocate(sizeof *message);
  char *body = allocate(stream->body_size + 1);
  if (stream->body_size) {
    memcpy(body, stream->body, stream->body_size);
  }
  message->type = stream->type_name;
  message->id = stream->in.id;
  message->json = stream->body_size ? json_read(body, stream->body_size) : json_read("{}", 2);
  message->at = now_ms();
  bool heartbeat = stream->in.type == BH_HEARTBEAT;
  bool parting = stream->parting && stream->in.type == BH_UNREGISTER;
  record_traffic(RECORD_RECEIVE, stream->conn.name,
                 format("BH1 %s %u %u", message->type, message->id, stream->in.length), body, stream->body_size,
                 heartbeat && !stream->mute);
  if (!check_message(stream, stream->in.type, message)) {
    return;
  }
  stream->messages = grow(stream->messages, stream->message_count, &stream->message_capacity, sizeof(struct message *));
  stream->messages[stream->message_count++] = message;
  if ((heartbeat && !stream->mute) || parting) {
    to_be_answered(stream, message->id);
  }
}

/* What the first wrong octet stands behind: a header begun well, or a message, whose length may be what is wrong. */
static const char *before_break(const struct conn_stream *stream) {
  if (stream->header_size) {
    return format("behind \"%s\" ", printable(stream->header, stream->header_size, 60));
  }
  if (stream->message_count) {
    const struct message *last = stream->messages[stream->message_count - 1];
    return format("behind %s %u, by its length, ", last->type, last->id);
  }
  return "";
}

static void break_off(struct conn_stream *stream, const uint8_t *octets, size_t size) {
  stream->in_broken = true;
  record_traffic(RECORD_RECEIVE, stream->conn.name, "octets that are no message", octets, size, false);
  breach("BH-FRAME-001", "what the %s sends on %s is no message: %scame \"%s\"", stream->conn.peer, stream->conn.name,
         before_break(stream), printable(octets, size, 60));
}

/* The type is kept as it came, because one that is none of the eight has no name in the core. */
static void end_header(struct conn_stream *stream) {
  const char *type = stream->header + strlen("BH1 ");
  stream->type_name = format("%.*s", (int)strcspn(type, " "), type);
  stream->in_body = true;
  stream->body_size = 0;
  stream->header_size = 0;
  if (stream->in.length > stream->body_capacity) {
    stream->body_capacity = stream->in.length;
    stream->body = allocate(stream->body_capacity);
  }
}

static size_t take_header(struct conn_stream *stream, const uint8_t *octets, size_t size) {
  size_t consumed;
  bh_frame_status status = bh_frame_feed(&stream->in, octets, size, &consumed);
  size_t room = sizeof stream->header - 1 - stream->header_size;
  size_t kept = consumed < room ? consumed : room;
  memcpy(stream->header + stream->header_size, octets, kept);
  stream->header_size += kept;
  stream->header[stream->header_size] = '\0';
  if (status == BH_FRAME_BROKEN) {
    break_off(stream, octets + consumed, size - consumed);
  } else if (status == BH_FRAME_HEADER) {
    end_header(stream);
  }
  return consumed;
}

static void take_octets(struct conn_stream *stream, const uint8_t *octets, size_t size) {
  while (!stream->in_broken) {
    size_t taken = 0;
    if (!stream->in_body) {
      if (!size) {
        return;
      }
      taken = take_header(stream, octets, size);
    } else {
      size_t missing = stream->in.length - stream->body_size;
      taken = size < missing ? size : missing;
      if (taken) {
        memcpy(stream->body + stream->body_size, octets, taken);
      }
      stream->body_size += taken;
      if (stream->body_size < stream->in.length) {
        return;
      }
      take_message(stream);
      stream->in_body = false;
      bh_frame_init(&stream->in, BH_BODY_MAX);
    }
    octets += taken;
    size -= taken;
  }
}

/* --------------------------------------------------------------------------------------------------- open and end */

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  static char space[65536];
  (void)handle;
  (void)suggested;
  *buffer = uv_buf_init(space, sizeof space);
}

static void on_read(uv_stream_t *handle, ssize_t size, const uv_buf_t *buffer) {
  struct conn_stream *stream = handle->data;
  if (size > 0 && !stream->left) {
    take_octets(stream, (const uint8_t *)buffer->base, (size_t)size);
  } else if (size < 0) {
    stream->conn.ended = true;
    stream->conn.ended_at = now_ms();
    if (!stream->left) {
      case_hub_closed();
      record_event(stream->conn.name, "is closed by the %s%s", stream->conn.peer,
                   size == UV_EOF ? "" : ", with a reset");
    }
    if (!uv_is_closing((uv_handle_t *)handle)) {
      uv_close((uv_handle_t *)handle, NULL);
    }
  }
}

static void connected(struct conn_stream *stream, bool well) {
  stream->stage = well ? CONN_CONNECTED : CONN_FAILED;
  if (!well) {
    uv_close(&stream->wire.handle, NULL);
    return;
  }
  stream->conn.opened_at = now_ms();
  uv_read_start(&stream->wire.stream, give_space, on_read);
}

static void on_connected(uv_connect_t *request, int status) {
  if (status != UV_ECANCELED) {
    connected(request->data, status == 0);
  }
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  (void)request;
  (void)status;
}

/* ---------------------------------------------------------------------------------------- by a program of --connect */

/* What it has passed on before its end is still read, and then the end. */
static void on_program_changed(struct program *program) {
  struct conn_stream *stream = program->owner;
  uv_os_fd_t wire;
  if (uv_is_closing(&stream->wire.handle)) {
    return;
  }
  if (stream->stage == CONN_CONNECTING && (program->is_ready || program_is_over(program))) {
    connected(stream, program->is_ready);
  }
  if (program_is_over(program) && uv_fileno(&stream->wire.handle, &wire) == 0) {
    shutdown(wire, SHUT_RD);
  }
}

/* One socket for its standard input and output, as inetd has it. */
static void begin_program(struct conn_stream *stream) {
  const struct hub *hub = stream->conn.hub;
  const struct placeholder values[] = {{"endpoint", hub->endpoint}};
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || uv_pipe_open(&stream->wire.pipe, ends[0]) != 0) {
    suite_broke("cannot make a socket for the program of --connect: %s", strerror(errno));
  }
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  uv_stdio_container_t both = {.flags = UV_INHERIT_FD, .data.fd = ends[1]};
  stream->program = allocate(sizeof *stream->program);
  stream->program->ready = "connected";
  stream->program->changed = on_program_changed;
  stream->program->owner = stream;
  program_start(stream->program, fill_in(environment(ENV_CONNECT), values, 1), hub->dir,
                (const uv_stdio_container_t[]){both, both});
  close(ends[1]);
}

static bool has_program_ended(void *arg) {
  return program_is_over(((struct conn *)arg)->stream->program);
}

/*
 * A program that is killed is a client whose process is gone, which is something else than a closed connection: it is
 * given the time to close it by itself. One that does not, because the hub reads no end, is killed all the same.
 */
static void close_program(struct conn *conn) {
  struct program *program = conn->stream->program;
  uint64_t began = now_ms();
  conn->stream->left = true;
  if (!conn->stream->unheard && !conn->ended) {
    uv_shutdown(allocate(sizeof(uv_shutdown_t)), &conn->stream->wire.stream, on_shutdown);
    if (hub_is_stopped(conn->hub)) {
      return; /* it reads all, and the end, when it goes on */
    }
    wait_until(has_program_ended, conn, (uint64_t)(PARTING_MS * time_scale()));
  }
  if (!program_is_over(program)) {
    program_kill(program);
    wait_until(has_program_ended, conn, deadline_ms());
  }
  case_allow_ms(now_ms() - began);
}

static struct conn_stream *new_stream(void) {
  struct conn_stream *stream = allocate(sizeof *stream);
  stream->conn.stream = stream;
  bh_frame_init(&stream->in, BH_BODY_MAX);
  bh_frame_init(&stream->out, BH_BODY_MAX);
  stream->next = conns;
  conns = stream;
  stream->connecting.data = stream;
  return stream;
}

struct conn *conn_take(struct client *client, uv_stream_t *endpoint) {
  struct conn_stream *stream = new_stream();
  stream->conn.client = client;
  stream->conn.peer = "client";
  stream->conn.name = format("conn %u", ++conn_count);
  stream->conn.opened_at = now_ms();
  stream->accepted = true;
  stream->stage = CONN_CONNECTED;
  if (endpoint->type == UV_TCP) {
    uv_tcp_init(loop(), &stream->wire.tcp);
    uv_tcp_nodelay(&stream->wire.tcp, 1);
  } else {
    uv_pipe_init(loop(), &stream->wire.pipe, 0);
  }
  stream->wire.handle.data = stream;
  if (uv_accept(endpoint, &stream->wire.stream) != 0) {
    suite_broke("a connection cannot be accepted");
  }
  record_event(stream->conn.name, "is opened by the client");
  uv_read_start(&stream->wire.stream, give_space, on_read);
  return &stream->conn;
}

struct conn *conn_begin(struct hub *hub) {
  struct conn_stream *stream = new_stream();
  stream->conn.hub = hub;
  stream->conn.peer = "hub";
  stream->conn.name = "a probe";
  uv_pipe_init(loop(), &stream->wire.pipe, 0);
  stream->wire.handle.data = stream;
  if (*environment(ENV_CONNECT)) {
    begin_program(stream);
    return &stream->conn;
  }
  /* libuv would connect to the path cut short. */
  if (strlen(hub->endpoint) >= sizeof((struct sockaddr_un *)0)->sun_path) {
    stream->stage = CONN_FAILED;
  } else {
    uv_pipe_connect(&stream->connecting, &stream->wire.pipe, hub->endpoint, on_connected);
  }
  return &stream->conn;
}

enum conn_stage conn_stage(const struct conn *conn) {
  if (conn->stream->program) {
    program_check(conn->stream->program, "--connect");
  }
  return conn->stream->stage;
}

void conn_abandon(struct conn *conn) {
  conn->ended = true;
  if (conn->stream->program && !program_is_over(conn->stream->program)) {
    program_kill(conn->stream->program);
  }
  if (!uv_is_closing(&conn->stream->wire.handle)) {
    uv_close(&conn->stream->wire.handle, NULL);
  }
}

static bool has_connected(void *arg) {
  return conn_stage(arg) != CONN_CONNECTING;
}

const char *conn_excuse(const struct conn *conn) {
  const struct program *program = conn->stream->program;
  return program && program->last_line ? format(": %s", program->last_line) : "";
}

static bool never(void *arg) {
  (void)arg;
  return false;
}

/* As many can wait to be accepted as the hub's system lets wait: those beyond try again, as clients do. */
static struct conn *connect_patiently(struct hub *hub) {
  uint64_t end = now_ms() + deadline_ms();
  for (;;) {
    struct conn *conn = conn_begin(hub);
    wait_until(has_connected, conn, deadline_ms());
    if (conn->stream->stage != CONN_FAILED || now_ms() > end) {
      return conn;
    }
    wait_until(never, NULL, AGAIN_MS);
  }
}

struct conn *conn_open(struct hub *hub) {
  struct conn *conn = hub_take_probe(hub);
  if (!conn) {
    uint64_t began = now_ms();
    conn = connect_patiently(hub);
    case_allow_ms(conn->stream->program ? now_ms() - began : 0); /* a program takes its time to start */
    if (conn->stream->stage != CONN_CONNECTED) {
      fail_as("BH-IUT-001", "the endpoint takes a connection", "it took none%s", conn_excuse(conn));
    }
  }
  conn->name = format("conn %u", ++conn_count);
  record_event(conn->name, "is opened");
  return conn;
}

struct conn *conn_open_by_process(struct hub *hub) {
  int descriptor;

  if (*environment(ENV_CONNECT)) {
    unimplemented("the program of --connect ends with its connection: its process cannot end before");
  }
  struct conn_stream *stream = new_stream();
  stream->conn.hub = hub;
  stream->conn.peer = "hub";
  stream->conn.name = format("conn %u", ++conn_count);
  stream->opener = opener_start(hub->endpoint, &descriptor);
  if (!stream->opener) {
    suite_broke("cannot start a process: %s", strerror(errno));
  }
  uv_pipe_init(loop(), &stream->wire.pipe, 0);
  stream->wire.handle.data = stream;
  if (descriptor < 0 || uv_pipe_open(&stream->wire.pipe, descriptor) != 0) {
    fail_as("BH-IUT-001", "the endpoint takes a connection", "it took none of process %d", (int)stream->opener->pid);
  }
  connected(stream, true);
  record_event(stream->conn.name, "is opened by process %d", (int)stream->opener->pid);
  return &stream->conn;
}

void conn_kill_process(struct conn *conn) {
  record_event(conn->name, "the process that has opened it is killed");
  opener_kill(conn->stream->opener);
}

void conn_mute(struct conn *conn) {
  conn->stream->mute = true;
  conn->stream->to_answer_count = 0;
}

void conn_stop_reading(struct conn *conn) {
  record_event(conn->name, "is not read any more");
  conn->stream->unheard = true;
  if (!conn->ended) {
    uv_read_stop(&conn->stream->wire.stream);
  }
}

void conn_read_again(struct conn *conn) {
  record_event(conn->name, "is read again");
  conn->stream->unheard = false;
  if (!conn->ended) {
    uv_read_start(&conn->stream->wire.stream, give_space, on_read);
  }
}

static bool is_written(void *arg) {
  struct conn *conn = arg;
  return conn->stream->unwritten == 0 || conn->ended;
}

void conn_close(struct conn *conn) {
  wait_until(is_written, conn, deadline_ms());
  record_event(conn->name, "is closed by the suite");
  conn->stream->closed_by_us = true;
  if (conn->stream->program) {
    close_program(conn);
    conn->ended = true;
  } else {
    conn_abandon(conn);
  }
}

static bool has_process_ended(void *arg) {
  return !((const struct program *)arg)->running;
}

void conn_needs_process(const struct conn *conn) {
  struct program *program = conn->stream->program;
  if (program && wait_until(has_process_ended, program, (uint64_t)(PROCESS_END_MS * time_scale()))) {
    unimplemented(
        "the program of --connect ends with its connection: the hub needs not wait for a process that is gone");
  }
}

void conn_half_close(struct conn *conn) {
  record_event(conn->name, "is half-closed by the suite");
  conn->stream->mute = true;
  conn->stream->closed_by_us = true;
  if (!conn->ended) {
    uv_shutdown(allocate(sizeof(uv_shutdown_t)), &conn->stream->wire.stream, on_shutdown);
  }
}

void conns_part(void) {
  for (struct conn_stream *stream = conns; stream; stream = stream->next) {
    stream->parting = stream->accepted;
  }
}

/* Answers came behind these, so that their own will never come. */
void conns_finish(void) {
  for (struct conn_stream *stream = conns; stream; stream = stream->next) {
    for (size_t i = 0; i < stream->sent_count && !stream->closed_by_us; i++) {
      if (stream->sent[i].overtaken && !stream->sent[i].answered) {
        breach(answering(stream), "%s %u on %s was never answered, and a later message was",
               bh_type_name(stream->sent[i].type), stream->sent[i].id, stream->conn.name);
      }
    }
  }
}

void conns_forget(void) {
  conns = NULL;
  conn_count = 0;
}

/* -------------------------------------------------------------------------------------------------------- sending */

uint32_t next_id(const struct conn *conn) {
  return conn->stream->out_id + 1;
}

uint32_t send_body(struct conn *conn, const char *type, const void *body, size_t size) {
  end_patience();
  return write_message(conn->stream, type, body, size, false);
}

uint32_t send_message(struct conn *conn, const char *type, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  const char *body = pattern ? format_body(pattern, args) : "";
  va_end(args);
  return send_body(conn, type, body, strlen(body));
}

void send_octets(struct conn *conn, const void *octets, size_t size) {
  end_patience();
  conn->stream->odd = true;
  record_traffic(RECORD_SEND, conn->name, "octets", octets, size, false);
  if (size) {
    write_octets(conn->stream, octets, size);
  }
  answer_by_itself(conn->stream);
}

void send_text(struct conn *conn, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  const char *text = format_list(pattern, args);
  va_end(args);
  send_octets(conn, text, strlen(text));
}

/* Octets that the other side has not read yet, where the system tells. */
static int unread(const struct conn_stream *stream) {
  uv_os_fd_t socket;
  int count = 0;
  bool told = uv_fileno(&stream->wire.handle, &socket) == 0 && ioctl(socket, TIOCOUTQ, &count) == 0;
  return told ? count : 0;
}

/* Pieces that are read together are no pieces. Each is read within microseconds, unless the host or the hub is slow. */
static void let_read(const struct conn_stream *stream, uint64_t until) {
  while (unread(stream) > 0 && now_ms() < until) {
    sched_yield();
  }
}

void send_pieces(struct conn *conn, const void *octets, size_t size, size_t piece) {
  uint64_t until = now_ms() + PATIENCE_WITH_PIECES_MS;
  conn->stream->odd = true;
  conn->stream->in_pieces = true; /* ids that are laid out already: also where a piece ends with a message */
  record_traffic(RECORD_SEND, conn->name, format("octets, %zu at a time", piece), octets, size, false);
  for (size_t at = 0; at < size && !conn->ended; at += piece) {
    write_octets(conn->stream, (const char *)octets + at, size - at < piece ? size - at : piece);
    wait_until(is_written, conn, deadline_ms());
    let_read(conn->stream, until);
  }
  conn->stream->in_pieces = false;
  answer_by_itself(conn->stream);
}
