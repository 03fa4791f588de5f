/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 3.3: answers and errors, of a client. */
#include "client_steps.h"
#include "client_vectors.h"
#include "lives.h"

#include <string.h>

CASE(client_answers, every_heartbeat_has_one, MUST, "BH-MSG-004") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  uint32_t ids[100];

  for (unsigned i = 0; i < 100; i++) {
    ids[i] = send_heartbeat(conn);
  }
  for (unsigned i = 0; i < 100; i++) {
    expect_taken(conn, ids[i]);
  }
  fence(conn);
}

CASE(client_answers, heartbeats_do_not_wait_for_what_is_in_hand, MUST, "BH-MSG-004") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  uint32_t import = hand_over(conn, import_id(1));
  expect_taken(conn, send_heartbeat(conn));
  expect_rejected(conn, send_message(conn, "PING", "{}"), "unknown-type");
  expect_taken(conn, send_heartbeat(conn));
  command(client, "ack %s", import_id(1));
  expect_taken(conn, import);
}

/* More than a socket holds: the client has to keep the answers, or to wait. */
CASE(client_answers, none_is_lost_while_the_hub_does_not_read, MUST, "BH-MSG-004") {
  enum { HEARTBEATS = 8000 };
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  uint32_t first = next_id(conn);
  const char *text = "";

  conn_stop_reading(conn);
  for (uint32_t i = 0; i < HEARTBEATS; i += 100) {
    text = "";
    for (uint32_t k = i; k < i + 100; k++) {
      text = format("%s%s", text, message_of("HEARTBEAT", first + k, "{\"active\":null,\"waiting\":0,\"parked\":0}"));
    }
    send_octets(conn, text, strlen(text));
  }
  pass_time(300);
  conn_read_again(conn);
  uint64_t end = now_ms() + 10 * deadline_ms(); /* that many take their time */
  for (uint32_t i = 0; i <= HEARTBEATS; i++) {  /* with that of the welcome */
    uint64_t now = now_ms();
    const struct message *message = next_message_in(conn, end > now ? end - now : 0);
    EXPECT(message != NULL, "an ACK for each HEARTBEAT", "%u of %u", i, (unsigned)HEARTBEATS + 1);
    EXPECT(strcmp(message->type, "ACK") == 0, "an ACK for each HEARTBEAT", "%s %s", message->type, message->json.text);
  }
  fence(conn);
}

CASE(client_answers, they_are_not_answered, MUST, "BH-MSG-005") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  fence(conn);
  send_message(conn, "ACK", "{'for':4711}");
  send_message(conn, "ERROR", "{'for':4711,'code':'refused','message':'no'}");
  send_message(conn, "ERROR", "{'for':null,'code':'refused','message':'no'}");
  fence(conn);
}

CASE(client_answers, those_that_fit_nothing_are_ignored, MUST, "BH-MSG-006") {
  play_to_client("messages.json", "BH-MSG-006");
}

CASE(client_answers, a_second_one_for_register_changes_nothing, MUST, "BH-MSG-006") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  expect_event(client, "active");
  send_message(conn, "ACK",
               "{'for':1,'instance':'another','hub_pid':1,'epoch':9,'heartbeat_ms':1,'timeout_ms':2,'active':null}");
  send_message(conn, "ERROR", "{'for':1,'code':'refused','message':'no'}");
  fence(conn);
  EXPECT(events_of(client, "registered") == 1 && events_of(client, "inactive") == 0,
         "nothing happens by an answer for what was answered", "an event");
  tell_active(conn, NULL);
  expect_event(client, "inactive");
}

CASE(client_answers, one_for_an_id_that_was_never_sent_is_ignored, MUST, "BH-MSG-006") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  fence(conn);
  command(client, "claim");
  const struct message *claim = expect_request(conn, "CLAIM_ACTIVE");
  send_message(conn, "ERROR", "{'for':%u,'code':'refused','message':'of another'}", claim->id + 1);
  send_message(conn, "ERROR", "{'for':%u,'code':'refused','message':'of another'}", claim->id - 1);
  send_message(conn, "ACK", "{'for':%u,'active':null}", claim->id + 100);
  answer(conn, claim, ",'active':'%s'", conn->instance);
  fence(conn);
  EXPECT(events_of(client, "error") == 0, "no event of an ERROR that answers nothing", "error");
}

CASE(client_answers, a_wrong_body_of_one_is_malformed, MUST, "BH-MSG-007") {
  play_wrong_answers("messages.json");
}

CASE(client_answers, a_wrong_body_of_the_first_is_malformed, MUST, "BH-MSG-007 BH-BODY-008") {
  checking("BH-MSG-007");
  play_wrong_welcomes("messages.json");
}

CASE(client_answers, one_that_lacks_what_its_request_asks_for_is_malformed, MUST, "BH-MSG-007") {
  static const char *const wrong[] = {"", ",\"active\":1", ",\"active\":\"\""};

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct client *client = client_start();
    struct conn *conn = welcome(client);
    client_may_end(client);
    command(client, "claim");
    const struct message *claim = expect_request(conn, "CLAIM_ACTIVE");
    expect_break_found(conn, "malformed", send_message(conn, "ACK", "{'for':%u%s}", claim->id, wrong[i]));
    client_dismiss(client);
  }
}

CASE(client_answers, types_that_a_client_does_not_take_are_unexpected, MUST, "BH-MSG-008") {
  play_to_client("messages.json", "BH-MSG-008");
}

CASE(client_answers, the_first_of_several_faults_counts, MUST, "BH-MSG-010") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  expect_rejected(conn, send_message(conn, "PING", "no JSON"), "unknown-type");
  expect_rejected(conn, send_message(conn, "CLAIM_ACTIVE", "{'instance':''}"), "unexpected");
  uint32_t id = next_id(conn) + 1;
  send_text(conn, "%s", message_of("PING", id, "no JSON"));
  expect_break_found(conn, "malformed", id);
}

CASE(client_answers, codes_of_any_kind_are_taken, MUST, "BH-MSG-011") {
  static const char *const codes[] = {"no-such-code", "unknown-type", "bad-body",   "unsupported-protocol",
                                      "not-active",   "refused",      "unexpected", "X \\u00e9"};
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    command(client, "claim");
    answer_error(conn, expect_request(conn, "CLAIM_ACTIVE"), codes[i], "so it is");
    expect_event(client, "error");
  }
  fence(conn);
}
