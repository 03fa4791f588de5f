/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 7: a client that loses its hub, and finds one again. */
#include "client_steps.h"
#include "lives.h"

#include <signal.h>
#include <string.h>

/* ---- resuming */

static void expect_resumed(struct client *client, const char *instance) {
  const struct message *registration = expect_register(arrival(client));
  expect_text(&registration->json, "instance", instance);
}

CASE(client_resume, it_is_who_it_was, SHOULD, "BH-REG-013") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hub_dies(conn);
  expect_resumed(client, conn->instance);
}

CASE(client_resume, also_after_several_hubs, SHOULD, "BH-REG-013") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  const char *instance = conn->instance;

  for (unsigned i = 0; i < 5; i++) {
    conn = hub_is_replaced(conn);
  }
  hub_dies(conn);
  expect_resumed(client, instance);
}

CASE(client_resume, also_with_the_longest_id, SHOULD, "BH-REG-013") {
  static const char longest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-abcdefghijklmnopqrstuvwxyz-0123456789";
  struct client *client = client_start();
  struct conn *conn = arrival(client);

  confirm(conn, expect_register(conn), format("%.64s", longest));
  expect_event(client, "registered");
  hub_dies(conn);
  expect_resumed(client, format("%.64s", longest));
}

CASE(client_resume, also_before_it_was_told_anything_else, SHOULD, "BH-REG-013") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  const char *instance = conn->instance;

  for (unsigned i = 0; i < 3; i++) {
    hub_dies(conn);
    conn = arrival(client); /* which ends before its REGISTER is answered */
  }
  hub_dies(conn);
  expect_resumed(client, instance);
}

CASE(client_resume, the_id_of_the_last_ack_counts, MUST, "BH-IUT-008") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hub_dies(conn);
  conn = arrival(client);
  const struct message *registration = expect_register(conn);
  send_message(conn, "ACK",
               "{'for':%u,'instance':'renamed-1','hub_pid':1,'epoch':2,'heartbeat_ms':60000,'timeout_ms':600000,"
               "'active':'renamed-1'}",
               registration->id);
  do {
  } while (strcmp(json_text(&expect_event(client, "registered")->json, "instance"), "renamed-1") != 0);
  hub_dies(conn);
  registration = expect_register(arrival(client));
  EXPECT(!json_has(&registration->json, "instance") ||
             strcmp(json_text(&registration->json, "instance"), "renamed-1") == 0,
         "no other instance id than that of the last ACK", "%s", registration->json.text);
}

/* ---- what is told */

CASE(client_resume, a_lost_hub_is_told, MUST, "BH-IUT-011") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);

  confirm(conn, expect_register(conn), NULL);
  expect_taken(conn, send_heartbeat(conn));
  hub_dies(conn);
  expect_event(client, "hub-lost");
  welcome(client);
}

CASE(client_resume, each_loss_is_told_once, MUST, "BH-IUT-011 BH-IUT-008") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (unsigned i = 1; i <= 5; i++) {
    hub_dies(conn);
    checking("BH-IUT-011");
    expect_event(client, "hub-lost");
    conn = arrival(client);
    confirm(conn, expect_register(conn), NULL);
    checking("BH-IUT-008");
    expect_event(client, "registered");
  }
  checking("BH-IUT-011");
  fence(conn);
  EXPECT(events_of(client, "hub-lost") == 5, "5 events hub-lost for 5 losses", "%zu", events_of(client, "hub-lost"));
}

CASE(client_resume, a_connection_without_registration_is_no_hub_lost, MUST, "BH-IUT-011") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);

  for (unsigned i = 0; i < 3; i++) {
    conn_close(conn);
    conn = arrival_in(client, 4 * deadline_ms());
    EXPECT(conn != NULL, "the client goes on trying", "it does not");
  }
  confirm(conn, expect_register(conn), NULL);
  expect_event(client, "registered");
  EXPECT(events_of(client, "hub-lost") == 0, "no event hub-lost, because none was won", "one");
}

CASE(client_resume, without_a_hub_nobody_is_active, MUST, "BH-IUT-009 BH-CLIENT-005") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  checking("BH-IUT-009");
  expect_event(client, "active");
  hub_vanish(client);
  conn_close(conn);
  expect_event(client, "inactive");
  hub_play(client);
  welcome(client);
  expect_event(client, "active");
}

/* ---- finding one */

CASE(client_resume, it_tries_again_soon_and_not_at_once_all_the_time, MUST, "BH-ELECT-007") {
  enum { LOSSES = 30 };
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  uint64_t began = now_ms(), longest = 0;

  for (unsigned i = 0; i < LOSSES; i++) {
    uint64_t lost_at = now_ms();
    conn_close(conn);
    conn = welcome(client);
    longest = conn->opened_at - lost_at > longest ? conn->opened_at - lost_at : longest;
  }
  EXPECT(longest <= 250 + deadline_ms(), "another try within 250 ms", "one after %u ms", (unsigned)longest);
  EXPECT(now_ms() - began >= LOSSES * 10, "a random time of 0-250 ms before each try",
         "%u tries in %u ms: it does not wait", (unsigned)LOSSES, (unsigned)(now_ms() - began));
}

CASE(client_resume, it_waits_for_a_first_hub, MUST, "BH-ELECT-007") {
  struct client *client = client_start_with((struct client_options){.no_hub = true});

  pass_time(600); /* several tries */
  hub_play(client);
  welcome(client);
}

CASE(client_resume, it_waits_where_a_dead_hubs_socket_is_left, MUST, "BH-ELECT-007") {
  struct client *client = client_prepare((struct client_options){.no_hub = true});

  needs_socket_file(client);
  hub_leave_socket(client);
  client_run(client);
  pass_time(600);
  hub_play(client);
  welcome(client);
}

CASE(client_resume, it_waits_where_something_else_is_at_the_endpoint, MUST, "BH-ELECT-007") {
  struct client *client = client_prepare((struct client_options){.no_hub = true});

  needs_socket_file(client);
  file_write(client->endpoint, "no socket", 9);
  client_run(client);
  pass_time(600);
  hub_play(client);
  welcome(client);
}

CASE(client_resume, an_endpoint_that_vanishes_loses_no_connection, MUST, "BH-ELECT-007") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hub_vanish(client);
  fence(conn);
  expect_unanswered(conn, hand_over(conn, import_id(1)));
  conn_close(conn);
  pass_time(300);
  hub_play(client);
  welcome(client);
}

CASE(client_resume, a_reset_is_a_loss_too, MUST, "BH-ELECT-007") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  conn_stop_reading(conn);
  command(client, "claim"); /* stays unread, so that closing resets */
  command(client, "ack %s", import_id(9));
  expect_event(client, "error");
  conn_close(conn);
  conn = welcome(client);
  fence(conn);
}

/* BH-LIMIT-001, as a hub says it to one connection too many. */
CASE(client_resume, a_hub_that_is_full_is_tried_again, MUST, "BH-ELECT-007") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);

  for (unsigned i = 0; i < 3; i++) {
    send_message(conn, "ERROR", "{'for':null,'code':'overloaded','message':'too many connections'}");
    conn_close(conn);
    conn = arrival_in(client, 4 * deadline_ms());
    EXPECT(conn != NULL, "the client goes on trying", "it does not");
  }
  confirm(conn, expect_register(conn), NULL);
  expect_event(client, "registered");
  fence(conn);
}

CASE(client_resume, a_hub_that_dies_while_the_client_is_stopped_is_lost, MUST, "BH-ELECT-007 BH-IUT-011") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  checking("BH-IUT-011");
  client_signal(client, SIGSTOP);
  hub_dies(conn);
  client_signal(client, SIGCONT);
  expect_event(client, "hub-lost");
  fence(welcome(client));
}

CASE(client_resume, a_taken_port_is_told, MUST, "BH-ELECT-008") {
  struct client *client = client_prepare((struct client_options){.no_hub = true, QUICK_CLIENT});

  take_port(client);
  client_run(client);
  expect_event_in(client, "error", 4 * (uint64_t)client->timeout_ms + deadline_ms());
  hub_play(client);
  welcome(client);
}

CASE(client_resume, a_hub_that_does_not_answer_is_told, MUST, "BH-ELECT-009") {
  struct client *client = client_start_with((struct client_options){QUICK_CLIENT});

  expect_register(arrival(client));
  expect_event_in(client, "error", 4 * (uint64_t)client->timeout_ms + deadline_ms());
  struct conn *conn = arrival_in(client, 4 * deadline_ms());
  EXPECT(conn != NULL, "the client goes on trying", "it does not");
  confirm(conn, expect_register(conn), NULL);
  expect_event(client, "registered");
}
