/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 3.4: how a client registers. */
#include "client_steps.h"

#include <string.h>

CASE(client_registration, the_first_message_is_register, MUST, "BH-REG-014") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);
  const struct message *registration = next_message(conn);

  EXPECT(strcmp(registration->type, "REGISTER") == 0, "REGISTER as the first message", "%s", registration->type);
  expect_integer(&registration->json, "protocol", 1);
  EXPECT(!json_has(&registration->json, "instance"), "no `instance` where none was ever given", "%s",
         registration->json.text);
}

CASE(client_registration, its_body_is_as_the_table_has_it, MUST, "BH-BODY-008 BH-BODY-005") {
  struct client *client = client_start();
  const struct message *registration = expect_register(arrival(client));

  checking("BH-BODY-005");
  EXPECT(json_is_integer(&registration->json, "pid"), "an integer `pid`", "%s", registration->json.text);
  checking("BH-BODY-008");
  EXPECT(json_is_text(&registration->json, "name"), "a `name`", "%s", registration->json.text);
  uint32_t window = window_of(registration);
  EXPECT(window >= 1 && window <= 64, "a window of 1 to 64", "%u", window);
}

CASE(client_registration, the_name_is_the_one_it_was_given, MUST, "BH-IUT-015") {
  static const char *const names[] = {"Blender", "é😀 \"quoted\" 'too' \\ {x}", "-"};

  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct client *client = client_start_with((struct client_options){.name = names[i]});
    struct conn *conn = arrival(client);
    const struct message *registration = expect_register(conn);
    expect_text(&registration->json, "name", names[i]);
    confirm(conn, registration, NULL);
    expect_event(client, "registered");
  }
}

CASE(client_registration, every_hub_is_told_the_name, MUST, "BH-IUT-015") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (unsigned i = 0; i < 3; i++) {
    hub_dies(conn);
    conn = arrival(client);
    const struct message *registration = expect_register(conn);
    expect_text(&registration->json, "name", client->name);
    confirm(conn, registration, NULL);
    expect_event(client, "registered");
  }
}

CASE(client_registration, it_is_told_with_the_instance, MUST, "BH-IUT-008") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);

  confirm(conn, expect_register(conn), "of-the-hub-1");
  const struct client_event *event = expect_event(client, "registered");
  expect_text(&event->json, "instance", "of-the-hub-1");
}

CASE(client_registration, it_is_not_told_before_the_ack, MUST, "BH-IUT-008") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);
  const struct message *registration = expect_register(conn);

  expect_rejected(conn, send_message(conn, "PING", "{}"), "unknown-type");
  confirm(conn, registration, "of-the-ack-1");
  const struct client_event *event = expect_event(client, "registered");
  expect_text(&event->json, "instance", "of-the-ack-1");
}

/* ---- refused */

static void expect_refusal_told(const char *code) {
  struct client *client = client_start();
  struct conn *conn = arrival(client);
  const struct message *registration = expect_register(conn);

  client_may_end(client);
  send_message(conn, "ERROR", "{'for':%u,'code':'%s','message':'of the suite'}", registration->id, code);
  expect_event(client, "error");
  EXPECT(events_of(client, "registered") == 0, "no event registered by an ERROR", "one");
}

CASE(client_registration, an_unsupported_protocol_is_told, MUST, "BH-REG-015 BH-IUT-012") {
  checking("BH-REG-015");
  expect_refusal_told("unsupported-protocol");
}

CASE(client_registration, a_refusal_is_told, MUST, "BH-REG-015 BH-IUT-012") {
  checking("BH-REG-015");
  expect_refusal_told("refused");
}

CASE(client_registration, an_overloaded_hub_is_told, MUST, "BH-REG-015 BH-IUT-012") {
  checking("BH-REG-015");
  expect_refusal_told("overloaded");
}

CASE(client_registration, already_registered_is_told, MUST, "BH-REG-015 BH-IUT-012") {
  checking("BH-REG-015");
  expect_refusal_told("already-registered");
}

/* The next message with which the client registers, on whatever connection; NULL: none in `ms`, or it has ended. */
static const struct message *next_registration(struct client *client, struct conn **conn, uint64_t ms) {
  const struct message *message;
  for (uint64_t end = now_ms() + ms; now_ms() < end && client->running;) {
    if ((*conn)->ended) {
      struct conn *next = arrival_in(client, end - now_ms());
      if (next == NULL) {
        return NULL;
      }
      *conn = next;
    }
    message = next_message_in(*conn, 20);
    if (message && strcmp(message->type, "REGISTER") == 0) {
      return message;
    }
  }
  return NULL;
}

CASE(client_registration, a_refused_client_gives_the_hub_time, MUST, "BH-REG-015") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);
  const struct message *registration = expect_register(conn);

  client_may_end(client);
  for (unsigned i = 0; i < 2 && registration; i++) {
    uint64_t refused_at = now_ms();
    send_message(conn, "ERROR", "{'for':%u,'code':'overloaded','message':'later'}", registration->id);
    registration = next_registration(client, &conn, 2 * deadline_ms());
    EXPECT(!registration || registration->at - refused_at >= 250, "no REGISTER within 250 ms of the ERROR for one",
           "one after %u ms", (unsigned)(registration->at - refused_at));
  }
}

/* ---- superseded */

static void expect_no_return(struct client *client, struct conn *conn, const char *instance) {
  const struct message *registration = next_registration(client, &conn, deadline_ms());
  EXPECT(!registration || !json_is_text(&registration->json, "instance") ||
             strcmp(json_text(&registration->json, "instance"), instance) != 0,
         "no REGISTER with the instance id that another has now", "one");
}

CASE(client_registration, a_superseded_client_does_not_take_its_id_back, MUST, "BH-REG-012") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  client_may_end(client);
  send_message(conn, "ERROR", "{'for':null,'code':'superseded','message':'another has it'}");
  conn_close(conn);
  expect_no_return(client, conn, conn->instance);
}

CASE(client_registration, it_does_not_when_the_connection_stays_open, MUST, "BH-REG-012") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  client_may_end(client);
  send_message(conn, "ERROR", "{'for':null,'code':'superseded','message':'another has it'}");
  expect_no_return(client, conn, conn->instance);
}
