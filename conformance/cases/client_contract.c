/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 11: a client under test. */
#include "client_steps.h"
#include "lives.h"

#include <signal.h>
#include <string.h>

CASE(client_contract, it_comes_to_the_endpoint, MUST, "BH-IUT-016") {
  struct client *client = client_start_with((struct client_options){.group = "a-group", .need = "groups"});

  arrival(client);
}

CASE(client_contract, it_comes_to_the_endpoint_once_it_is_there, MUST, "BH-IUT-016") {
  struct client *client = client_start_with((struct client_options){.no_hub = true});

  pass_time(300);
  hub_play(client);
  arrival(client);
}

/* ---- the end */

/* UNREGISTER comes, is answered, and the client ends. */
static void expect_leave(struct conn *conn) {
  answer(conn, expect_request(conn, "UNREGISTER"), "%s", "");
  client_expect_clean_end(conn->client);
}

CASE(client_contract, quit_leaves_the_hub, MUST, "BH-IUT-014") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  client_may_end(client);
  command(client, "quit");
  expect_leave(conn);
}

CASE(client_contract, the_end_of_standard_input_is_a_quit, MUST, "BH-IUT-014") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  client_may_end(client);
  client_close_stdin(client);
  expect_leave(conn);
}

CASE(client_contract, sigterm_is_a_quit, MUST, "BH-IUT-014 BH-IUT-003") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  checking("BH-IUT-014");
  client_signal(client, SIGTERM);
  expect_leave(conn);
}

CASE(client_contract, it_leaves_with_imports_in_hand, MUST, "BH-IUT-014") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hand_over(conn, import_id(1));
  client_may_end(client);
  command(client, "quit");
  expect_leave(conn);
}

CASE(client_contract, what_was_finished_is_answered_before_it_leaves, MUST, "BH-IUT-014 BH-IUT-010") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  checking("BH-IUT-010");
  uint32_t id = hand_over(conn, import_id(1));
  client_may_end(client);
  command(client, "ack %s\nquit", import_id(1));
  expect_taken(conn, id);
  checking("BH-IUT-014");
  expect_leave(conn);
}

CASE(client_contract, it_leaves_a_hub_that_closes_in_place_of_an_answer, MUST, "BH-IUT-014") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  client_may_end(client);
  command(client, "quit");
  expect_request(conn, "UNREGISTER");
  hub_dies(conn);
  client_expect_clean_end(client);
}

CASE(client_contract, it_leaves_a_hub_that_does_not_answer, MUST, "BH-IUT-014") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  client_may_end(client);
  command(client, "quit");
  expect_request(conn, "UNREGISTER");
  client_expect_clean_end(client);
}

CASE(client_contract, it_ends_where_there_is_no_hub, MUST, "BH-IUT-014") {
  struct client *client = client_start_with((struct client_options){.no_hub = true});

  client_may_end(client);
  command(client, "quit");
  client_expect_clean_end(client);
}

CASE(client_contract, it_ends_where_it_is_not_registered_yet, MUST, "BH-IUT-014") {
  struct client *client = client_start();

  expect_register(arrival(client));
  client_may_end(client);
  client_signal(client, SIGTERM);
  client_expect_clean_end(client);
}

/* ---- events and commands */

CASE(client_contract, events_come_in_the_order_of_the_messages, MUST, "BH-IUT-007") {
  static const char *const order[] = {"registered", "active", "import", "inactive", "active"};
  struct client *client = client_start();
  struct conn *conn = arrival(client);

  confirm(conn, expect_register(conn), NULL);
  send_import(conn, import_id(1), 1, "[{}]");
  tell_active(conn, "another-1");
  tell_active(conn, conn->instance);
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
    const struct client_event *event = next_event_in(client, deadline_ms());
    EXPECT(event && strcmp(event->kind, order[i]) == 0, format("the event %s", order[i]), "%s",
           event ? event->kind : "none");
  }
}

CASE(client_contract, events_are_written_at_once, MUST, "BH-IUT-007") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);

  confirm(conn, expect_register(conn), NULL);
  expect_event(client, "registered");
  for (unsigned i = 1; i <= 10; i++) {
    uint32_t id = hand_over(conn, import_id(i));
    command(client, "refuse %s", import_id(i));
    expect_rejected(conn, id, NULL);
  }
}

CASE(client_contract, every_event_is_a_json_object_on_a_line, MUST, "BH-IUT-005") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  send_import(conn, import_id(1), 1, "[{\"a\":\"\\\"\\\\\\u0000\\n\\u2028\",\"b\":\"\xe2\x80\xa8\x7f\"}]");
  const struct client_event *event = expect_import(client, import_id(1));
  expect_text(&event->json, "assets", "[{\"a\":\"\\\"\\\\\\u0000\\n\\u2028\",\"b\":\"\xe2\x80\xa8\x7f\"}]");
  command(client, "claim");
  send_message(conn, "ERROR", "{'for':%u,'code':'refused','message':'quoted: \\\"\\n\\u0007 é'}",
               expect_request(conn, "CLAIM_ACTIVE")->id);
  expect_event(client, "error");
  hub_is_replaced(conn);
}

CASE(client_contract, an_ack_for_what_is_not_in_hand_is_told, MUST, "BH-IUT-012") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  command(client, "ack %s", import_id(1));
  expect_event(client, "error");
  let_finish(conn, import_id(1));
  command(client, "ack %s", import_id(1));
  expect_event(client, "error");
  fence(conn);
}

CASE(client_contract, a_refusal_of_what_is_not_in_hand_is_told, MUST, "BH-IUT-012") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  command(client, "refuse %s", import_id(1));
  expect_event(client, "error");
  fence(conn);
}

CASE(client_contract, what_is_no_command_is_told, MUST, "BH-IUT-012") {
  static const char *const wrong[] = {"dance", "ack", "CLAIM", "refuse", "quit now"};
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    command(client, "%s", wrong[i]);
    expect_event(client, "error");
  }
  fence(conn);
}

CASE(client_contract, several_commands_can_come_at_once, MUST, "BH-IUT-006") {
  struct client *client = client_start_with((struct client_options){.need = "window"});
  struct conn *conn = welcome_window(client, 4);
  uint32_t ids[4];

  for (unsigned i = 0; i < 4; i++) {
    ids[i] = hand_over(conn, import_id(i));
  }
  command(client, "ack %s\nrefuse %s\nrefuse %s\nack %s", import_id(0), import_id(1), import_id(2), import_id(3));
  expect_taken(conn, ids[0]);
  expect_rejected(conn, ids[1], NULL);
  expect_rejected(conn, ids[2], NULL);
  expect_taken(conn, ids[3]);
}
