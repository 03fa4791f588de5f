/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 4: a client that is active, and one that wants to be. */
#include "client_steps.h"

#include <string.h>

/* ---- what the hub tells */

CASE(client_active, the_ack_of_register_says_so, MUST, "BH-IUT-009") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);
  const struct message *registration = expect_register(conn);

  send_message(
      conn, "ACK",
      "{'for':%u,'instance':'a-1','hub_pid':1,'epoch':1,'heartbeat_ms':60000,'timeout_ms':600000,'active':'a-1'}",
      registration->id);
  expect_event(client, "registered");
  expect_event(client, "active");
}

CASE(client_active, a_heartbeat_says_so, MUST, "BH-IUT-009") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  expect_event(client, "active");
  tell_active(conn, NULL);
  expect_event(client, "inactive");
  tell_active(conn, conn->instance);
  expect_event(client, "active");
  tell_active(conn, "another-1");
  expect_event(client, "inactive");
}

CASE(client_active, another_is_active_from_the_beginning, MUST, "BH-IUT-009") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);
  const struct message *registration = expect_register(conn);

  send_message(
      conn, "ACK",
      "{'for':%u,'instance':'a-2','hub_pid':1,'epoch':1,'heartbeat_ms':60000,'timeout_ms':600000,'active':'a-1'}",
      registration->id);
  expect_event(client, "registered");
  tell_active(conn, "a-1");
  hand_over(conn, import_id(1)); /* what was before it has been told */
  EXPECT(events_of(client, "active") == 0, "no event active while another is", "one");
  tell_active(conn, "a-2");
  expect_event(client, "active");
}

CASE(client_active, it_is_told_once_for_each_change, MUST, "BH-IUT-009") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (unsigned i = 0; i < 20; i++) {
    tell_active(conn, conn->instance);
  }
  tell_active(conn, "another-1");
  expect_event(client, "inactive");
  for (unsigned i = 0; i < 20; i++) {
    tell_active(conn, i % 2 ? NULL : "another-2");
  }
  fence(conn);
  tell_active(conn, conn->instance);
  do {
    expect_event(client, "active");
  } while (events_of(client, "active") < 2);
  EXPECT(events_of(client, "active") == 2 && events_of(client, "inactive") == 1,
         "an event active, one inactive and one active", "%zu active, %zu inactive", events_of(client, "active"),
         events_of(client, "inactive"));
}

CASE(client_active, what_is_in_hand_stays_when_the_role_moves, MUST, "BH-CLIENT-008") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  uint32_t id = hand_over(conn, import_id(1));
  tell_active(conn, "another-1");
  expect_event(client, "inactive");
  expect_unanswered(conn, id);
  command(client, "ack %s", import_id(1));
  expect_taken(conn, id);
}

/* ---- what the user asks for */

CASE(client_active, claim_is_for_itself, MUST, "BH-IUT-013") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  expect_event(client, "active");
  tell_active(conn, NULL);
  expect_event(client, "inactive");
  command(client, "claim");
  const struct message *claim = expect_request(conn, "CLAIM_ACTIVE");
  EXPECT(!json_has(&claim->json, "instance"), "no `instance` in the CLAIM_ACTIVE for itself", "%s", claim->json.text);
  answer(conn, claim, ",\"active\":\"%s\"", conn->instance);
  expect_event(client, "active");
}

CASE(client_active, claim_id_is_for_another, MUST, "BH-IUT-013") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  expect_event(client, "active");
  command(client, "claim another-1");
  const struct message *claim = expect_request(conn, "CLAIM_ACTIVE");
  expect_text(&claim->json, "instance", "another-1");
  answer(conn, claim, ",\"active\":\"another-1\"");
  expect_event(client, "inactive");
}

CASE(client_active, release_leaves_nobody, MUST, "BH-IUT-013") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  expect_event(client, "active");
  command(client, "release");
  answer(conn, expect_request(conn, "RELEASE_ACTIVE"), ",\"active\":null");
  expect_event(client, "inactive");
}

CASE(client_active, commands_are_done_in_their_order, MUST, "BH-IUT-013 BH-IUT-006") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  checking("BH-IUT-013");
  command(client, "claim\nrelease\nclaim another-1\nclaim");
  const struct message *requests[4];
  requests[0] = expect_request(conn, "CLAIM_ACTIVE");
  requests[1] = expect_request(conn, "RELEASE_ACTIVE");
  requests[2] = expect_request(conn, "CLAIM_ACTIVE");
  expect_text(&requests[2]->json, "instance", "another-1");
  requests[3] = expect_request(conn, "CLAIM_ACTIVE");
  answer(conn, requests[0], ",\"active\":\"%s\"", conn->instance);
  answer(conn, requests[1], ",\"active\":null");
  answer(conn, requests[2], ",\"active\":\"another-1\"");
  answer(conn, requests[3], ",\"active\":\"%s\"", conn->instance);
  fence(conn);
}

/* ---- what the hub does not do */

static void expect_failure_told(const char *line, const char *type, const char *code) {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  command(client, "%s", line);
  answer_error(conn, expect_request(conn, type), code, "said by the suite");
  expect_event(client, "error");
  fence(conn);
}

CASE(client_active, a_refused_claim_is_told, MUST, "BH-IUT-012") {
  expect_failure_told("claim", "CLAIM_ACTIVE", "refused");
}

CASE(client_active, a_refused_request_moves_no_role, MUST, "BH-IUT-009") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  expect_event(client, "active");
  command(client, "claim nobody-1\nclaim\nrelease");
  answer_error(conn, expect_request(conn, "CLAIM_ACTIVE"), "no-such-instance", "said by the suite");
  answer_error(conn, expect_request(conn, "CLAIM_ACTIVE"), "refused", "said by the suite");
  answer_error(conn, expect_request(conn, "RELEASE_ACTIVE"), "refused", "said by the suite");
  for (unsigned i = 0; i < 3; i++) {
    expect_event(client, "error");
  }
  fence(conn);
  EXPECT(events_of(client, "inactive") == 0, "no event inactive by an ERROR", "one");
}

CASE(client_active, a_claim_for_nobody_is_told, MUST, "BH-IUT-012") {
  expect_failure_told("claim nobody-1", "CLAIM_ACTIVE", "no-such-instance");
}

CASE(client_active, a_release_of_what_it_has_not_is_told, MUST, "BH-IUT-012") {
  expect_failure_told("release", "RELEASE_ACTIVE", "not-active");
}

CASE(client_active, a_claim_that_the_hub_dies_of_is_told, MUST, "BH-IUT-012") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  command(client, "claim");
  expect_request(conn, "CLAIM_ACTIVE");
  hub_dies(conn);
  expect_event(client, "error");
  fence(welcome(client));
}
