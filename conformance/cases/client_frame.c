/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 3.1: the frame, at a client. */
#include "client_steps.h"
#include "client_vectors.h"

#include <string.h>

/* ---- BH-FRAME-001, -002 */

CASE(client_frame, right_messages_one_behind_the_other, MUST, "BH-FRAME-001 BH-FRAME-007") {
  play_to_client("frame.json", "BH-FRAME-001");
}

CASE(client_frame, many_messages_at_once, MUST, "BH-FRAME-002") {
  enum { MESSAGES = 50 };
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  uint32_t first = next_id(conn);
  const char *octets = "";

  for (uint32_t i = 0; i < MESSAGES; i++) {
    octets = format("%s%s", octets, message_of("HEARTBEAT", first + i, "{\"active\":null,\"waiting\":0,\"parked\":0}"));
  }
  const char *body = format("{\"import\":\"%s\",\"attempt\":1,\"assets\":[{}]}", import_id(1));
  octets = format("%s%s", octets, message_of("IMPORT_DATA", first + MESSAGES, body));
  send_octets(conn, octets, strlen(octets));
  for (uint32_t i = 0; i < MESSAGES; i++) {
    expect_taken(conn, first + i);
  }
  expect_import(client, import_id(1));
  fence(conn);
}

CASE(client_frame, one_octet_at_a_time, MUST, "BH-FRAME-002") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  const char *body =
      format(" {\"import\":\"%s\", \"attempt\":1, \"assets\":[{\"name\":\"\\u20ac €\"}]}\n", import_id(1));
  const char *octets = message_of("IMPORT_DATA", next_id(conn), body);

  send_pieces(conn, octets, strlen(octets), 1);
  const struct client_event *event = expect_import(client, import_id(1));
  expect_text(&event->json, "assets", "[{\"name\":\"\\u20ac €\"}]");
  octets = message_of("HEARTBEAT", next_id(conn), "{\"active\":null,\"waiting\":0,\"parked\":0}");
  uint32_t id = next_id(conn);
  send_pieces(conn, octets, strlen(octets), 1);
  expect_taken(conn, id);
}

CASE(client_frame, in_pieces_of_any_size, MUST, "BH-FRAME-002") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  const char *pad = repeat("0123456789", 500);

  for (unsigned piece = 2; piece < 5000; piece = piece * 2 + 1) {
    const char *body = format("{\"import\":\"%s\",\"attempt\":1,\"assets\":[\"%s\"]}", import_id(piece), pad);
    uint32_t id = next_id(conn);
    const char *octets = message_of("IMPORT_DATA", id, body);
    send_pieces(conn, octets, strlen(octets), piece);
    const struct client_event *event = expect_import(client, import_id(piece));
    expect_text(&event->json, "assets", format("[\"%s\"]", pad));
    command(client, "ack %s", import_id(piece));
    expect_taken(conn, id);
  }
}

/* ---- BH-FRAME-003 to -005: breaks */

static void expect_malformed(const char *octets, bool id_is_read) {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  uint32_t id = next_id(conn);

  client_may_end(client);
  note("\"%s\"", printable(octets, strlen(octets), 60));
  send_text(conn, "%s", octets);
  expect_break_found(conn, "malformed", id_is_read ? id : 0);
  client_dismiss(client);
}

CASE(client_frame, what_no_header_can_begin_with_is_found_at_once, MUST, "BH-FRAME-003 BH-FRAME-004") {
  static const char *const wrong[] = {"\n", " ", "bh1 ", "BH1\n", "BH1  ", "BH1 h", "HTTP/1.1 200 OK\r\n"};

  checking("BH-FRAME-003");
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    expect_malformed(wrong[i], false);
  }
}

CASE(client_frame, a_hub_of_another_version_is_malformed, MUST, "BH-FRAME-003 BH-FRAME-004") {
  checking("BH-FRAME-004");
  expect_malformed("BH2", false);
  expect_malformed("BH10", false);
}

CASE(client_frame, a_wrong_length_is_malformed_and_answered_by_id, MUST, "BH-FRAME-009 BH-FRAME-004") {
  static const char *const wrong[] = {"-", "01", "x", "\n", "1 "};

  checking("BH-FRAME-009");
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    expect_malformed(format("BH1 HEARTBEAT 3 %s", wrong[i]), true);
  }
  expect_malformed("BH1 HEARTBEAT 3x", false);
}

CASE(client_frame, nothing_behind_a_break_is_done, MUST, "BH-FRAME-005 BH-CLIENT-005") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  const char *body = format("{\"import\":\"%s\",\"attempt\":1,\"assets\":[{}]}", import_id(1));

  checking("BH-FRAME-005");
  uint32_t id = next_id(conn);
  send_text(conn, "BH1 HEARTBEAT %u 0x\n%s%s", id,
            message_of("HEARTBEAT", id + 1, "{\"active\":null,\"waiting\":0,\"parked\":0}"),
            message_of("IMPORT_DATA", id + 2, body));
  expect_break_found(conn, "malformed", id);
  conn = welcome(client);
  expect_no_import(conn);
}

/* ---- BH-FRAME-006: lengths */

CASE(client_frame, too_large_is_found_at_its_digit, MUST, "BH-FRAME-006") {
  play_breaks_to_client("frame.json", "BH-FRAME-006");
}

CASE(client_frame, the_limit_of_a_hub_is_not_its_own, MUST, "BH-FRAME-006") {
  play_to_client("frame.json", "BH-FRAME-006");
}

CASE(client_frame, the_longest_body_is_taken, MUST, "BH-FRAME-006") {
  enum { LONGEST = 67108864 };
  static const char body[] = "{\"active\":null,\"waiting\":0,\"parked\":0}";
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  char *padded = repeat(" ", LONGEST);

  memcpy(padded + LONGEST - strlen(body), body, strlen(body));
  expect_taken(conn, send_body(conn, "HEARTBEAT", padded, LONGEST));
}

/* ---- BH-FRAME-007, -008: ids */

CASE(client_frame, its_own_ids_begin_at_1_and_have_no_gaps, MUST, "BH-FRAME-007") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  let_finish(conn, import_id(1));
  expect_rejected(conn, send_message(conn, "PING", "{}"), "unknown-type");
  command(client, "claim");
  answer(conn, expect_request(conn, "CLAIM_ACTIVE"), ",'active':'%s'", conn->instance);
  fence(conn);
  conn = hub_is_replaced(conn);
  fence(conn);
}

static void expect_id_malformed(int moved) {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  uint32_t id = (uint32_t)((int)next_id(conn) + moved);

  client_may_end(client);
  send_text(conn, "%s", message_of("HEARTBEAT", id, "{\"active\":null,\"waiting\":0,\"parked\":0}"));
  expect_break_found(conn, "malformed", id);
  client_dismiss(client);
}

CASE(client_frame, an_id_that_is_repeated_or_left_out_is_malformed, MUST, "BH-FRAME-008") {
  expect_id_malformed(-1);
  expect_id_malformed(1);
  expect_id_malformed(1000);
  play_breaks_to_client("frame.json", "BH-FRAME-008");
}

/* ---- BH-FRAME-010 */

CASE(client_frame, an_unknown_type_is_answered_and_the_connection_goes_on, MUST, "BH-FRAME-010") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  expect_rejected(conn, send_message(conn, "PING", "{}"), "unknown-type");
  expect_rejected(conn, send_message(conn, "A", NULL), "unknown-type");
  expect_rejected(conn, send_message(conn, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_ABCDE", "no JSON"), "unknown-type");
  fence(conn);
}

/* ---- BH-FRAME-011: cut short */

CASE(client_frame, a_message_that_the_hubs_death_cuts_short_is_none, MUST, "BH-FRAME-011") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  const char *body = format("{\"import\":\"%s\",\"attempt\":1,\"assets\":[{}]}", import_id(1));
  const char *octets = message_of("IMPORT_DATA", next_id(conn), body);

  send_octets(conn, octets, strlen(octets) - 1);
  conn = hub_is_replaced(conn);
  expect_no_import(conn);
  expect_unanswered(conn, hand_over(conn, import_id(1)));
}

CASE(client_frame, a_header_that_the_hubs_death_cuts_short_is_none, MUST, "BH-FRAME-011") {
  static const char *const cut[] = {"B", "BH1 HEARTBEAT 3 ", "BH1 HEARTBEAT 3 38\n"};
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
    send_text(conn, "%s", cut[i]);
    hub_dies(conn);
    conn = arrival(client);
    confirm(conn, expect_register(conn), NULL);
    expect_event(client, "registered");
    fence(conn);
  }
}
