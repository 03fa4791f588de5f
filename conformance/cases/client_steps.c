/* SPDX-License-Identifier: MIT */
#include "client_steps.h"

#include <string.h>

static bool is_answer_for(const struct message *message, uint32_t id) {
  bool is_answer = strcmp(message->type, "ACK") == 0 || strcmp(message->type, "ERROR") == 0;
  return is_answer && json_is_integer(&message->json, "for") && json_integer(&message->json, "for") == id;
}

const struct message *answer_for(struct conn *conn, uint32_t id) {
  const char *expected = format("an answer for message %u of %s", id, conn->name);
  const struct message *message;
  do {
    message = next_message_in(conn, deadline_ms());
    EXPECT(message != NULL, expected, conn->ended ? "the end of the connection" : "nothing");
  } while (!is_answer_for(message, id));
  return message;
}

void expect_taken(struct conn *conn, uint32_t id) {
  const struct message *message = answer_for(conn, id);
  EXPECT(strcmp(message->type, "ACK") == 0, format("ACK for message %u of %s", id, conn->name), "%s %s", message->type,
         message->json.text);
}

void expect_rejected(struct conn *conn, uint32_t id, const char *code) {
  const struct message *message = answer_for(conn, id);
  bool error = strcmp(message->type, "ERROR") == 0 && json_is_text(&message->json, "code");
  EXPECT(error && (!code || strcmp(json_text(&message->json, "code"), code) == 0),
         format("ERROR %s for message %u of %s", code ? code : "", id, conn->name), "%s %s", message->type,
         message->json.text);
}

void expect_unanswered(struct conn *conn, uint32_t id) {
  uint32_t fenced = send_heartbeat(conn);
  const struct message *message;
  do {
    message = next_message(conn);
    EXPECT(!is_answer_for(message, id), format("no answer for message %u of %s yet", id, conn->name), "%s %s",
           message->type, message->json.text);
  } while (!is_answer_for(message, fenced));
}

void expect_break_found(struct conn *conn, const char *code, uint32_t id) {
  const struct message *message;
  do {
    message = next_message(conn);
  } while (strcmp(message->type, "ERROR") != 0);
  bool fits = id ? json_is_integer(&message->json, "for") && json_integer(&message->json, "for") == id
                 : json_is_null(&message->json, "for");
  EXPECT(fits && json_is_text(&message->json, "code") && strcmp(json_text(&message->json, "code"), code) == 0,
         format("ERROR %s for %s on %s", code, id ? format("message %u", id) : "null", conn->name), "ERROR %s",
         message->json.text);
  expect_closed(conn);
}

static bool has_ended(void *arg) {
  return ((struct conn *)arg)->ended;
}

void expect_given_up(struct conn *conn) {
  EXPECT(wait_until(has_ended, conn, deadline_ms()), format("the client closes %s", conn->name), "it stays open");
}

void hub_dies(struct conn *conn) {
  struct client *client = conn->client;
  hub_leave_socket(client);
  conn_close(conn);
  hub_play(client);
}

struct conn *hub_is_replaced(struct conn *conn) {
  hub_dies(conn);
  return welcome(conn->client);
}

char *message_of(const char *type, uint32_t id, const char *body) {
  return format("BH1 %s %u %zu\n%s", type, id, strlen(body), body);
}
