/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include <string.h>

char *message_text(const char *type, uint32_t id, const char *body) {
  return format("BH1 %s %u %zu\n%s", type, id, strlen(body), body);
}

const char *code_of(const struct message *error) {
  return json_text(&error->json, "code");
}

bool is_error(const struct message *message, const char *code) {
  return strcmp(message->type, "ERROR") == 0 && strcmp(code_of(message), code) == 0;
}

bool is_answer(const struct message *message) {
  return strcmp(message->type, "ACK") == 0 || strcmp(message->type, "ERROR") == 0;
}

bool is_answer_to(const struct message *message, uint32_t id) {
  return is_answer(message) && json_is_integer(&message->json, "for") && json_integer(&message->json, "for") == id;
}

const struct message *find_answer(struct conn *conn, uint32_t id) {
  const struct message *message;

  do {
    message = next_message(conn);
  } while (!is_answer_to(message, id));
  return message;
}

void expect_goes_on(struct conn *conn) {
  find_answer(conn, send_message(conn, "HEARTBEAT", "{}"));
}

void expect_still_active(struct conn *conn, const char *instance) {
  fence(conn);
  expect_text(&expect_heartbeat(conn)->json, "active", instance);
}

static const struct message *wait_for(struct conn *conn, const char *instance, bool listed) {
  uint64_t end = now_ms() + deadline_ms();

  for (;;) {
    uint64_t now = now_ms();
    const struct message *message = now < end ? next_message_in(conn, end - now) : NULL;
    if (message == NULL) {
      fail_as("BH-TIME-002", "the HEARTBEATs tell which instances are registered when these have changed",
              "%s was not told that %s is registered%s", conn->name, instance, listed ? "" : " no more");
    }
    if (strcmp(message->type, "HEARTBEAT") == 0 && json_has(&message->json, "instances") &&
        (json_find_instance(&message->json, "instances", instance) >= 0) == listed) {
      return message;
    }
  }
}

const struct message *wait_for_listed(struct conn *conn, const char *instance) {
  return wait_for(conn, instance, true);
}

const struct message *wait_for_unlisted(struct conn *conn, const char *instance) {
  return wait_for(conn, instance, false);
}
