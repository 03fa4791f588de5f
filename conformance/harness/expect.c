/* SPDX-License-Identifier: MIT */
/* What a case waits for on a connection. */

#include <string.h>

#include "client.h"
#include "conn.h"

static bool has_next(const struct conn_stream *stream) {
  return stream->taken < stream->message_count;
}

static bool has_something(void *arg) {
  struct conn *conn = arg;
  return has_next(conn->stream) || conn->ended || conn->stream->in_broken;
}

static bool is(const struct message *message, const char *type) {
  return strcmp(message->type, type) == 0;
}

static struct {
  const struct conn *conn;
  uint64_t end;
} patience;

void end_patience(void) {
  patience.conn = NULL;
}

const struct message *next_message_in(struct conn *conn, uint64_t ms) {
  uint64_t now = now_ms();
  if (patience.conn != conn) {
    patience.conn = conn;
    patience.end = now + ms;
  }
  wait_patiently(has_something, conn, patience.end > now ? patience.end - now : 0);
  const struct message *message = has_next(conn->stream) ? conn->stream->messages[conn->stream->taken++] : NULL;
  if (!message || !is(message, "HEARTBEAT")) {
    end_patience();
  }
  return message;
}

static const char *shown(const struct message *message) {
  return format("%s %u %s", message->type, message->id, printable(message->json.text, message->json.size, 300));
}

/* Why no message came. */
static const char *absence(const struct conn *conn) {
  if (conn->stream->in_broken) {
    return format("octets on %s that are no message", conn->name);
  }
  if (conn->ended) {
    return format("the end of %s, closed by the %s", conn->name, conn->peer);
  }
  uint64_t waited = deadline_ms();
  learn(MUTE);
  return format("nothing on %s in %llu ms", conn->name, (unsigned long long)waited);
}

/* The requirement that a hub breaks which calls a run of right messages a break of the framing, or NULL. */
static const char *broken_by_refusing(const struct conn_stream *stream, const struct message *message) {
  if (stream->odd || !is(message, "ERROR") || !json_is_text(&message->json, "code")) {
    return NULL;
  }
  const char *code = json_text(&message->json, "code");
  if (strcmp(code, "too-large") == 0) {
    return "BH-FRAME-006";
  }
  if (strcmp(code, "malformed") == 0) {
    return json_is_null(&message->json, "for") ? "BH-FRAME-001" : "BH-FRAME-008";
  }
  return NULL;
}

/* The requirement that a hub breaks which closes a connection behind an ERROR after which it is to go on, or NULL. */
static const char *broken_by_closing(const struct conn_stream *stream) {
  static const struct {
    const char *code, *requirement;
  } errors[] = {
      {"unknown-type", "BH-FRAME-010"},     {"bad-body", "BH-BODY-009"},  {"unsupported-protocol", "BH-REG-002"},
      {"not-registered", "BH-MSG-009"},     {"not-active", "BH-REL-003"}, {"already-registered", "BH-REG-008"},
      {"no-such-instance", "BH-CLAIM-005"}, {"unexpected", "BH-MSG-008"},
  };
  const struct message *last = stream->message_count ? stream->messages[stream->message_count - 1] : NULL;
  if (last && broken_by_refusing(stream, last)) {
    return broken_by_refusing(stream, last);
  }
  for (size_t i = 0; last && json_is_text(&last->json, "code") && i < sizeof errors / sizeof *errors; i++) {
    if (strcmp(json_text(&last->json, "code"), errors[i].code) == 0) {
      return errors[i].requirement;
    }
  }
  return NULL;
}

/* What is plainly broken where nothing more comes, or NULL. */
static const char *broken_by_absence(const struct conn *conn) {
  if (conn->stream->in_broken) {
    return "BH-FRAME-001";
  }
  return conn->ended ? broken_by_closing(conn->stream) : NULL;
}

/* ... or where this comes in place of the answer to message `id` (0: in place of something else). */
static const char *broken_by_coming(const struct conn *conn, const struct message *message, uint32_t id) {
  const struct conn_stream *stream = conn->stream;
  const char *broken = broken_by_refusing(stream, message);
  if (broken || !json_is_integer(&message->json, "for")) {
    return broken;
  }
  uint64_t answered = json_integer(&message->json, "for");
  bool late = answered >= 1 && answered <= stream->sent_count && stream->sent[answered - 1].overtaken;
  bool early = id && id <= stream->sent_count && answered > id && !stream->sent[id - 1].answered;
  return late || early ? "BH-MSG-002" : NULL;
}

/* Laid to the case, unless it is plain that something else is broken. */
static _Noreturn void fail_plainly(const char *broken, const char *expected, const char *came) {
  if (broken) {
    fail_as(broken, expected, "%s", came);
  }
  fail(expected, "%s", came);
}

static _Noreturn void fail_absent(struct conn *conn, const char *expected) {
  const char *broken = broken_by_absence(conn);
  fail_plainly(broken, expected, absence(conn));
}

static _Noreturn void fail_unfit(struct conn *conn, const char *expected, const struct message *message, uint32_t id) {
  fail_plainly(broken_by_coming(conn, message, id), expected, shown(message));
}

static const struct message *expect_any(struct conn *conn, const char *expected) {
  const struct message *message = next_message_in(conn, deadline_ms());
  if (!message) {
    fail_absent(conn, expected);
  }
  return message;
}

const struct message *next_message(struct conn *conn) {
  return expect_any(conn, "a message");
}

/* HEARTBEATs may come at any time. */
static const struct message *expect_no_heartbeat(struct conn *conn, const char *expected) {
  end_patience();
  const struct message *message;
  do {
    message = expect_any(conn, expected);
  } while (is(message, "HEARTBEAT"));
  return message;
}

const struct message *expect_message(struct conn *conn, const char *type) {
  end_patience();
  const char *expected = format("%s on %s", type, conn->name);
  const struct message *message =
      strcmp(type, "HEARTBEAT") == 0 ? expect_any(conn, expected) : expect_no_heartbeat(conn, expected);
  if (!is(message, type)) {
    fail_unfit(conn, expected, message, 0);
  }
  return message;
}

static bool answers(const struct message *message, uint32_t id) {
  if (!json_has(&message->json, "for")) {
    return false;
  }
  if (id == 0) {
    return json_is_null(&message->json, "for");
  }
  return json_is_integer(&message->json, "for") && json_integer(&message->json, "for") == id;
}

static const struct message *expect_one_of(struct conn *conn, const char *expected, bool ack, bool error, uint32_t id) {
  const struct message *message = expect_no_heartbeat(conn, expected);
  bool fits = (ack && is(message, "ACK")) || (error && is(message, "ERROR"));
  if (!fits || !answers(message, id)) {
    fail_unfit(conn, expected, message, id);
  }
  return message;
}

const struct message *expect_ack(struct conn *conn, uint32_t id) {
  return expect_one_of(conn, format("ACK for message %u of %s", id, conn->name), true, false, id);
}

const struct message *expect_answer(struct conn *conn, uint32_t id) {
  return expect_one_of(conn, format("ACK or ERROR for message %u of %s", id, conn->name), true, true, id);
}

const struct message *expect_error(struct conn *conn, const char *code, uint32_t id) {
  const char *expected = id ? format("ERROR \"%s\" for message %u of %s", code, id, conn->name)
                            : format("ERROR \"%s\" for null on %s", code, conn->name);
  const struct message *message = expect_one_of(conn, expected, false, true, id);
  if (!json_is_text(&message->json, "code") || strcmp(json_text(&message->json, "code"), code) != 0) {
    fail_unfit(conn, expected, message, id);
  }
  return message;
}

const struct message *expect_heartbeat(struct conn *conn) {
  return expect_message(conn, "HEARTBEAT");
}

/* Until a HEARTBEAT that fits: one that says what has changed, or, unless RARE_HEARTBEATS, the next periodic one. */
static const struct message *expect_heartbeat_that(struct conn *conn, const char *expected,
                                                   bool (*fits)(const struct message *, const char *),
                                                   const char *arg) {
  uint64_t period = conn->hub->heartbeat_ms;
  /* The next periodic one may bring it, but for where they are rare on purpose. */
  uint64_t end = now_ms() + deadline_ms() + (period <= deadline_ms() ? period : 0);
  const char *last = NULL;
  end_patience();
  while (now_ms() < end) {
    const struct message *message = next_message_in(conn, end - now_ms());
    if (!message && (conn->ended || conn->stream->in_broken)) {
      fail_absent(conn, expected);
    }
    if (!message) {
      break;
    }
    if (!is(message, "HEARTBEAT")) {
      fail_unfit(conn, expected, message, 0);
    }
    if (fits(message, arg)) {
      return message;
    }
    last = shown(message);
  }
  if (!last && period <= deadline_ms()) {
    fail_as("BH-TIME-001", expected, "%s, not even a periodic one", absence(conn));
  }
  fail(expected, "%s%s%s", absence(conn), last ? ", and before that " : "", last ? last : "");
}

static bool has_member(const struct message *message, const char *member) {
  return json_has(&message->json, member);
}

const struct message *expect_heartbeat_with(struct conn *conn, const char *member) {
  return expect_heartbeat_that(conn, format("HEARTBEAT with \"%s\" on %s", member, conn->name), has_member, member);
}

static bool says_active(const struct message *message, const char *instance) {
  if (!instance) {
    return json_is_null(&message->json, "active");
  }
  return json_is_text(&message->json, "active") && strcmp(json_text(&message->json, "active"), instance) == 0;
}

const struct message *expect_active(struct conn *conn, const char *instance) {
  const char *expected =
      format("HEARTBEAT on %s that says that %s is active", conn->name, instance ? instance : "nobody");
  return expect_heartbeat_that(conn, expected, says_active, instance);
}

void expect_closed(struct conn *conn) {
  const char *expected = format("the %s closes %s", conn->peer, conn->name);
  uint64_t end = now_ms() + deadline_ms();
  end_patience();
  while (now_ms() < end || has_next(conn->stream)) {
    const struct message *message = next_message_in(conn, end > now_ms() ? end - now_ms() : 0);
    if (message && !is(message, "HEARTBEAT")) {
      fail(expected, "%s", shown(message));
    }
    if (!message && conn->ended) {
      return;
    }
  }
  fail(expected, "%s; it stays open", absence(conn));
}

/* A client's ACK for a HEARTBEAT before this one, which no case takes. */
static bool answers_older_heartbeat(const struct conn_stream *stream, const struct message *message, uint32_t id) {
  if (!stream->accepted || !is(message, "ACK") || !json_is_integer(&message->json, "for")) {
    return false;
  }
  uint64_t answered = json_integer(&message->json, "for");
  return answered < id && answered <= stream->sent_count && stream->sent[answered - 1].type == BH_HEARTBEAT;
}

void fence(struct conn *conn) {
  /* An empty body is what other cases are about. */
  uint32_t id = conn->client ? send_heartbeat(conn) : send_message(conn, "HEARTBEAT", "{}");
  const char *expected = format("%s goes on, and the next that comes answers message %u", conn->name, id);
  const struct message *message;
  end_patience();
  do {
    message = next_message_in(conn, deadline_ms());
  } while (message && (is(message, "HEARTBEAT") || answers_older_heartbeat(conn->stream, message, id)));
  if (!message && !conn->ended && !conn->stream->in_broken && !conn->stream->odd) {
    fail_as(answering(conn->stream), expected, "%s", absence(conn));
  }
  if (!message) {
    fail_absent(conn, expected);
  } else if ((!is(message, "ACK") && !is(message, "ERROR")) || !answers(message, id)) {
    fail_unfit(conn, expected, message, id);
  }
}

size_t pending(const struct conn *conn, const char *type) {
  size_t count = 0;
  for (size_t i = conn->stream->taken; i < conn->stream->message_count; i++) {
    count += is(conn->stream->messages[i], type);
  }
  return count;
}

const struct message *request(struct conn *conn, const char *type, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  const char *body = pattern ? format_body(pattern, args) : "";
  va_end(args);
  return expect_ack(conn, send_body(conn, type, body, strlen(body)));
}

/* ------------------------------------------------------------------------------------- on the way to something else */

struct answer {
  struct conn *conn;
  uint32_t id;
  size_t at; /* where it stands among the messages */
};

static bool has_answer(void *arg) {
  struct answer *answer = arg;
  struct conn_stream *stream = answer->conn->stream;
  for (answer->at = stream->taken; answer->at < stream->message_count; answer->at++) {
    const struct message *message = stream->messages[answer->at];
    if ((is(message, "ACK") || is(message, "ERROR")) && message->json.valid && answers(message, answer->id)) {
      return true;
    }
  }
  return answer->conn->ended || stream->in_broken;
}

/* The answer is taken from among the messages; what else has come is left to be read. */
static const struct message *precondition(struct conn *conn, const char *id, const char *type, const char *body) {
  struct answer answer = {.conn = conn, .id = send_body(conn, type, body, strlen(body))};
  const char *expected = format("ACK for %s, message %u of %s", type, answer.id, conn->name);
  struct conn_stream *stream = conn->stream;
  wait_until(has_answer, &answer, deadline_ms());
  if (answer.at >= stream->message_count) {
    const char *broken = broken_by_absence(conn);
    fail_as(broken ? broken : "BH-MSG-001", expected, "%s", absence(conn));
  }
  struct message **place = &stream->messages[answer.at];
  const struct message *message = *place;
  memmove(place, place + 1, (--stream->message_count - answer.at) * sizeof(struct message *));
  if (!is(message, "ACK")) {
    const char *broken = broken_by_coming(conn, message, answer.id);
    fail_as(broken ? broken : id, expected, "%s", shown(message));
  }
  return message;
}

static const struct message *join_with(struct conn *conn, const char *name, const char *more) {
  const char *body = format("{\"protocol\":1,\"pid\":4242,\"name\":\"%s\"%s}", name, more);
  const struct message *ack = precondition(conn, "BH-REG-001", "REGISTER", body);
  const char *instance = json_is_text(&ack->json, "instance") ? json_text(&ack->json, "instance") : "";
  if (!*instance || strlen(instance) >= sizeof conn->instance) {
    fail_as("BH-REG-001", "an instance id in the ACK of REGISTER", "%s", shown(ack));
  }
  memcpy(conn->instance, instance, strlen(instance) + 1);
  conn->hub->peopled = true;
  hub_follow(conn->hub, ack);
  return ack;
}

/* The window is given, so that a hub with another default breaks none but the cases of that. */
const struct message *register_instance(struct conn *conn, const char *name) {
  return join_with(conn, name, ",\"window\":1");
}

const struct message *register_observer(struct conn *conn, const char *name) {
  return join_with(conn, name, ",\"role\":\"observer\"");
}

const struct message *register_with(struct conn *conn, const char *name, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  const char *more = format_body(pattern, args);
  va_end(args);
  return join_with(conn, name, more);
}

/* Cases about something else go on where the first one is not active by itself. */
struct conn *join(struct hub *hub, const char *name) {
  struct conn *conn = conn_open(hub);
  bool first = !hub->peopled;
  const struct message *ack = register_instance(conn, name);
  if (first && json_is_null(&ack->json, "active")) {
    breach("BH-ACT-003", "%s is the first instance of this hub, and nobody is active", conn->name);
    make_active(conn);
  }
  return conn;
}

void make_active(struct conn *conn) {
  precondition(conn, "BH-CLAIM-001", "CLAIM_ACTIVE", "{}");
}
