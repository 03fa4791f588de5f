/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 3.1: the frame. */
#include "harness.h"
#include "steps.h"
#include "vector_player.h"

#include <string.h>

/* A hub that does not close a connection by then does not do so for its silence either. */
#define LONG_TIMEOUT .timeout_ms = 60000

/* ---- BH-FRAME-001: a run of messages */

CASE(frame, typed_by_hand, MUST, "BH-FRAME-001") {
  struct conn *conn = conn_open(hub_start());

  send_text(conn, "BH1 REGISTER 1 42\n{\"protocol\":1,\"pid\":4242,\"name\":\"by hand\"}");
  expect_ack(conn, 1);
  uint32_t id = next_id(conn);
  send_text(conn, "BH1 HEARTBEAT %u 2\n{}", (unsigned)id);
  expect_ack(conn, id);
}

CASE(frame, right_messages_one_behind_the_other, MUST, "BH-FRAME-001 BH-FRAME-007") {
  play_octets("frame.json", "BH-FRAME-001");
}

CASE(frame, white_space_between_messages_is_malformed, MUST, "BH-FRAME-001 BH-FRAME-003") {
  static const char *const between[] = {"\n", " ", "\r\n", "\t"};
  struct hub *hub = hub_start_with((struct hub_options){LONG_TIMEOUT});

  for (size_t i = 0; i < sizeof between / sizeof between[0]; i++) {
    struct conn *conn = join(hub, "spaced");
    send_text(conn, "%s", between[i]);
    expect_break(conn);
  }
}

/* ---- BH-FRAME-002: any chunking */

CASE(frame, one_octet_at_a_time, MUST, "BH-FRAME-002") {
  struct conn *conn = conn_open(hub_start());
  const char *text = message_text("REGISTER", 1, "{\"protocol\":1,\"pid\":1,\"name\":\"slow \\u20ac €\"}");

  send_pieces(conn, text, strlen(text), 1);
  expect_ack(conn, 1);
  uint32_t id = next_id(conn);
  text = message_text("HEARTBEAT", id, " { \n } ");
  send_pieces(conn, text, strlen(text), 1);
  expect_ack(conn, id);
}

/* The pause between the two parts is another connection's request and its answer. */
CASE(frame, split_at_every_octet, MUST, "BH-FRAME-002") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "split");
  struct conn *other = join(hub, "other");
  const char *body = format("{\"instance\":\"%s\"}\n", conn->instance);
  size_t size = strlen(message_text("CLAIM_ACTIVE", 9, body));

  for (size_t at = 1; at < size; at++) {
    uint32_t id = next_id(conn);
    const char *text = message_text("CLAIM_ACTIVE", id, body);
    send_octets(conn, text, at);
    fence(other);
    send_text(conn, "%s", text + at);
    expect_ack(conn, id);
  }
}

/* All of them are taken. */
static void expect_acks(struct conn *conn, const uint32_t *ids, size_t count) {
  const struct message **answers = allocate(count * sizeof(const struct message *));

  find_answers(conn, ids, count, answers);
  for (size_t i = 0; i < count; i++) {
    EXPECT(strcmp(answers[i]->type, "ACK") == 0, "messages are taken in any chunking", "number %zu of %zu was refused",
           i + 1, count);
  }
}

CASE(frame, many_messages_in_one_write, MUST, "BH-FRAME-002") {
  enum { COUNT = 400, ROOM = 64 };
  struct conn *conn = conn_open(hub_start());
  char *all = allocate((size_t)COUNT * ROOM);
  uint32_t ids[COUNT];
  size_t size = 0;

  for (uint32_t i = 0; i < COUNT; i++) {
    ids[i] = i + 1;
    const char *text = i == 0 ? message_text("REGISTER", 1, "{\"protocol\":1,\"pid\":1,\"name\":\"x\"}")
                              : message_text("HEARTBEAT", i + 1, "{}");
    memcpy(all + size, text, strlen(text));
    size += strlen(text);
  }
  send_octets(conn, all, size);
  expect_acks(conn, ids, COUNT);
}

CASE(frame, odd_chunks_of_long_and_short_messages, MUST, "BH-FRAME-002") {
  static const size_t pieces[] = {3, 7, 61, 4093, 65537};
  struct conn *conn = join(hub_start(), "odd");
  const char *body = format("{%s}", repeat(" \n", 30000));

  for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
    uint32_t id = next_id(conn);
    const char *all = format("%s%s%s", message_text("HEARTBEAT", id, "{}"), message_text("HEARTBEAT", id + 1, body),
                             message_text("HEARTBEAT", id + 2, "{}"));
    note("in pieces of %zu", pieces[i]);
    send_pieces(conn, all, strlen(all), pieces[i]);
    expect_acks(conn, (const uint32_t[]){id, id + 1, id + 2}, 3);
  }
}

CASE(frame, right_frames_in_pieces, MUST, "BH-FRAME-002") {
  play_in_pieces("frame.json");
}

CASE(frame, bodies_in_pieces, MUST, "BH-FRAME-002") {
  play_in_pieces("messages.json");
}

/* ---- BH-FRAME-003: found at the first wrong octet */

CASE(frame, wrong_magic_is_found_at_once, MUST, "BH-FRAME-003") {
  play_breaks("frame.json", "BH-FRAME-003", "Magic");
}

CASE(frame, wrong_type_is_found_at_once, MUST, "BH-FRAME-003") {
  play_breaks("frame.json", "BH-FRAME-003", "Type");
}

CASE(frame, wrong_id_digits_are_found_at_once, MUST, "BH-FRAME-003") {
  play_breaks("frame.json", "BH-FRAME-003", "Id");
}

CASE(frame, wrong_length_digits_are_found_at_once, MUST, "BH-FRAME-003") {
  play_breaks("frame.json", "BH-FRAME-003", "Length");
}

CASE(frame, wrong_header_behind_right_messages_is_found_at_once, MUST, "BH-FRAME-003") {
  play_breaks("frame.json", "BH-FRAME-003", "Second");
}

/* ---- BH-FRAME-004: ERROR, and closed */

static void expect_broken(struct conn *conn, const char *code) {
  const struct message *error = expect_message(conn, "ERROR");

  expect_text(&error->json, "code", code);
  expect_closed(conn);
}

CASE(frame, break_before_registration_is_answered_and_closed, MUST, "BH-FRAME-004") {
  static const char *const texts[] = {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "{}\n", "\x16\x03\x01\x02\n"};
  struct hub *hub = hub_start_with((struct hub_options){LONG_TIMEOUT});

  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    struct conn *conn = conn_open(hub);
    send_text(conn, "%s", texts[i]);
    expect_broken(conn, "malformed");
  }
}

CASE(frame, break_of_a_registered_connection_is_answered_and_closed, MUST, "BH-FRAME-004") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_TIMEOUT});
  struct conn *conn = join(hub, "broken");

  fence(conn);
  send_text(conn, "BH1 HEARTBEAT %u ?\n", (unsigned)next_id(conn));
  expect_broken(conn, "malformed");

  conn = join(hub, "too large");
  fence(conn);
  send_text(conn, "BH1 HEARTBEAT %u 999999999999\n", (unsigned)next_id(conn));
  expect_broken(conn, "too-large");
}

CASE(frame, break_is_answered_behind_the_answers_before_it, MUST, "BH-FRAME-004") {
  struct conn *conn = conn_open(hub_start_with((struct hub_options){LONG_TIMEOUT}));

  send_text(conn, "%s%sBH1 HEARTBEAT 3 two\n", message_text("REGISTER", 1, "{\"protocol\":1,\"pid\":1,\"name\":\"x\"}"),
            message_text("HEARTBEAT", 2, "{}"));
  expect_ack(conn, 1);
  expect_ack(conn, 2);
  expect_broken(conn, "malformed");
}

CASE(frame, break_of_one_connection_leaves_the_others, MUST, "BH-FRAME-004") {
  struct hub *hub = hub_start();
  struct conn *right = join(hub, "right");
  struct conn *wrong = join(hub, "wrong");

  send_text(wrong, "?\n");
  pass_break(wrong);
  fence(right);
}

/* ---- BH-FRAME-005: nothing behind a break is done */

/* The text, with a claim behind it, goes out at once; `claim_id` is the claim's. */
static void expect_claim_not_done(struct conn *active, struct conn *conn, const char *text, uint32_t claim_id) {
  send_text(conn, "%s%s", text, message_text("CLAIM_ACTIVE", claim_id, "{}"));
  await_break(conn);
  expect_still_active(active, active->instance);
}

CASE(frame, claim_behind_a_wrong_header_is_not_done, MUST, "BH-FRAME-005") {
  static const char *const breaks[] = {"X\n", "BH1 heartbeat 1 0\n", "BH1 HEARTBEAT 0 0\n", "GET / HTTP/1.1\r\n\r\n"};
  struct hub *hub = hub_start();
  struct conn *active = join(hub, "active");

  make_active(active);
  for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
    struct conn *conn = join(hub, "wrong");
    fence(conn);
    expect_claim_not_done(active, conn, breaks[i], next_id(conn));
  }
  note("the same without a break");
  struct conn *conn = join(hub, "right");
  make_active(conn);
  pass_active(active, conn->instance, "BH-CLAIM-001");
}

CASE(frame, claim_in_a_body_that_is_too_large_is_not_done, MUST, "BH-FRAME-005") {
  struct hub *hub = hub_start();
  struct conn *active = join(hub, "active");
  struct conn *conn = join(hub, "large");

  make_active(active);
  fence(conn);
  uint32_t id = next_id(conn);
  expect_claim_not_done(active, conn, format("BH1 HEARTBEAT %u 65537\n", (unsigned)id), id + 1);
}

CASE(frame, claims_with_and_behind_a_wrong_id_are_not_done, MUST, "BH-FRAME-005 BH-FRAME-008") {
  struct hub *hub = hub_start();
  struct conn *active = join(hub, "active");

  make_active(active);
  for (uint32_t ahead = 0; ahead < 3; ahead++) {
    struct conn *conn = join(hub, "wrong id");
    fence(conn);
    uint32_t id = next_id(conn);
    expect_claim_not_done(active, conn, message_text("CLAIM_ACTIVE", id + 7, "{}"), ahead == 0 ? id : id + 7 + ahead);
  }
}

CASE(frame, claim_behind_a_bad_answer_is_not_done, MUST, "BH-FRAME-005 BH-MSG-007") {
  struct hub *hub = hub_start();
  struct conn *active = join(hub, "active");
  struct conn *conn = join(hub, "bad answer");

  make_active(active);
  fence(conn);
  uint32_t id = next_id(conn);
  expect_claim_not_done(active, conn, message_text("ACK", id, "{\"for\":0}"), id + 1);
}

/* ---- BH-FRAME-006: lengths */

CASE(frame, body_of_65536_is_taken, MUST, "BH-FRAME-006") {
  struct conn *conn = join(hub_start(), "long");
  const char *body = format("{%s}", repeat(" ", 65536 - 2));

  expect_ack(conn, send_body(conn, "HEARTBEAT", body, 65536));
}

CASE(frame, length_is_found_too_large_at_its_digit, MUST, "BH-FRAME-006") {
  play_codes_of_breaks("frame.json", "BH-FRAME-006");
}

CASE(frame, right_lengths_are_taken, MUST, "BH-FRAME-006 BH-FRAME-001 BH-BODY-003") {
  play_octets("frame.json", "BH-FRAME-006");
}

/* ---- BH-FRAME-007: the hub's ids, each of which the harness sees as it comes */

CASE(frame, hub_numbers_messages_of_every_type, MUST, "BH-FRAME-007") {
  struct hub *hub = hub_start();
  struct conn *conn = conn_open(hub);

  find_answer(conn, send_message(conn, "CLAIM_ACTIVE", "{}"));
  register_instance(conn, "numbered");
  make_active(conn);
  find_answer(conn, send_message(conn, "CLAIM_ACTIVE", "{'instance':'nobody'}"));
  bridge_export(hub, "[{\"id\":\"numbered\"}]");
  while (strcmp(next_message(conn)->type, "IMPORT_DATA") != 0) {
  }
  find_answer(conn, send_message(conn, "RELEASE_ACTIVE", "{}"));
  expect_heartbeat(conn);
  expect_heartbeat(conn);
}

CASE(frame, hub_numbers_each_connection_on_its_own, MUST, "BH-FRAME-007") {
  struct hub *hub = hub_start();
  struct conn *conns[] = {join(hub, "1"), join(hub, "2"), join(hub, "3")};

  for (size_t round = 0; round < 2; round++) {
    for (size_t i = 0; i < sizeof conns / sizeof conns[0]; i++) {
      expect_goes_on(conns[i]);
    }
  }
}

CASE(frame, hub_numbers_the_error_for_a_break, MUST, "BH-FRAME-007") {
  struct conn *conn = conn_open(hub_start());

  expect_goes_on(conn);
  send_text(conn, "?\n");
  pass_break(conn);
}

/* ---- BH-FRAME-008: the client's ids */

CASE(frame, id_out_of_order_is_malformed_at_the_end_of_its_header, MUST, "BH-FRAME-008") {
  play_codes_of_breaks("frame.json", "BH-FRAME-008");
}

CASE(frame, ids_in_order_are_taken, MUST, "BH-FRAME-008 BH-FRAME-007 BH-BODY-009") {
  play_octets("frame.json", "BH-FRAME-007");
  play_octets("frame.json", "BH-FRAME-008");
}

/* The ids of a registered connection have gone on for a while. */
CASE(frame, id_repeated_or_left_out_later_is_malformed, MUST, "BH-FRAME-008") {
  static const int wrong[] = {-1, 1, 2, 256, 65536};
  struct hub *hub = hub_start_with((struct hub_options){LONG_TIMEOUT});

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct conn *conn = join(hub, "wrong id");
    fence(conn);
    fence(conn);
    uint32_t id = next_id(conn) + (uint32_t)wrong[i];
    send_text(conn, "BH1 HEARTBEAT %u 0\n", (unsigned)id);
    expect_text(&expect_break(conn)->json, "code", "malformed");
  }
}

/* The harness answers each HEARTBEAT. */
CASE(frame, ids_of_answers_count, MUST, "BH-FRAME-008") {
  struct conn *conn = join(hub_start_with((struct hub_options){LONG_TIMEOUT}), "answers");

  for (int heartbeats = 0; heartbeats < 3; heartbeats++) {
    expect_heartbeat(conn);
  }
  uint32_t id = next_id(conn);
  send_text(conn, "%s", message_text("HEARTBEAT", id, "{}"));
  expect_ack(conn, id);
  send_text(conn, "%s", message_text("HEARTBEAT", id, "{}"));
  expect_text(&expect_break(conn)->json, "code", "malformed");
}

/* ---- BH-FRAME-009: `for` */

CASE(frame, for_of_a_break, MUST, "BH-FRAME-009") {
  play_for_of_breaks("frame.json");
}

CASE(frame, for_of_a_break_later_on_a_connection, MUST, "BH-FRAME-009") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "null");

  fence(conn);
  send_text(conn, "BH1 HEARTBEAT %ux\n", (unsigned)next_id(conn));
  EXPECT(json_is_null(&pass_break(conn)->json, "for"), "`for` is null before the space behind the id", "it is not");

  conn = join(hub, "the id");
  fence(conn);
  uint32_t id = next_id(conn);
  send_text(conn, "BH1 HEARTBEAT %u x\n", (unsigned)id);
  EXPECT(is_answer_to(pass_break(conn), id), "`for` is the id behind whose space the header is wrong", "it is not %u",
         (unsigned)id);
}

/* ---- BH-FRAME-010: unknown types */

CASE(frame, unknown_types_are_answered_and_the_connection_goes_on, MUST, "BH-FRAME-010 BH-FRAME-006 BH-MSG-010") {
  play_octets("frame.json", "BH-FRAME-010");
}

CASE(frame, unknown_type_of_a_registered_connection_changes_nothing, MUST, "BH-FRAME-010 BH-MSG-001") {
  static const char *const types[] = {
      "A", "_", "UNREGISTE", "UNREGISTERS", "CLAIM_ACTIVE_", "_ACK", "ERRO", "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ"};
  struct conn *conn = join(hub_start(), "future");

  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    expect_error(conn, "unknown-type", send_message(conn, types[i], "{'for':1}"));
  }
  fence(conn);
}

/* ---- BH-FRAME-011: cut short */

/* A connection that is registered and not active sends this and is closed. */
static void expect_cut_short_not_done(struct hub *hub, struct conn *active, const char *format_of_claim) {
  struct conn *conn = join(hub, "cut short");

  fence(conn);
  wait_for_listed(active, conn->instance);
  note("cut short: %s", format_of_claim);
  char *text = format("BH1 CLAIM_ACTIVE %u %s", (unsigned)next_id(conn), format_of_claim);
  send_text(conn, "%s", text);
  conn_close(conn);
  expect_text(&wait_for_unlisted(active, conn->instance)->json, "active", active->instance);
  expect_still_active(active, active->instance);
}

CASE(frame, claim_cut_short_is_not_done, MUST, "BH-FRAME-011") {
  static const char *const claims[] = {"", "0", "2", "2\n", "2\n{", "15\n{\"x\":1}       ", "3\n{}"};
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 20});
  struct conn *active = join(hub, "active");

  make_active(active);
  for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
    expect_cut_short_not_done(hub, active, claims[i]);
  }
}

/* Whether an instance of this name is told to be registered. */
static bool lists_name(const struct message *heartbeat, const char *name) {
  bool found = false;

  for (size_t i = 0; i < json_count(&heartbeat->json, "instances"); i++) {
    found = found || strcmp(json_text(&heartbeat->json, format("instances[%zu].name", i)), name) == 0;
  }
  return found;
}

/* It would be alone, and active: that would be told at once, also where it is lost right after. */
CASE(frame, register_cut_short_registers_nobody, MUST, "BH-FRAME-011") {
  struct hub *hub = hub_start();
  struct conn *observer = conn_open(hub);
  struct conn *conn = conn_open(hub);
  const char *body = "{\"protocol\":1,\"pid\":1,\"name\":\"cut short\"}";
  const struct message *heartbeat;

  register_observer(observer, "observer");
  send_text(conn, "BH1 REGISTER 1 %zu\n%s", strlen(body) + 1, body);
  conn_close(conn);
  struct conn *next = join(hub, "next");
  do {
    heartbeat = expect_heartbeat_with(observer, "instances");
    EXPECT(!lists_name(heartbeat, "cut short"), "a message that the end of the connection cuts short is not acted on",
           "it registered an instance");
  } while (json_find_instance(&heartbeat->json, "instances", next->instance) < 0);
}
