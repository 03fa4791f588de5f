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

bool says_active(const struct message *message, const char *instance) {
  if (strcmp(message->type, "HEARTBEAT") != 0 || !json_has(&message->json, "active")) {
    return false;
  }
  if (instance == NULL) {
    return json_is_null(&message->json, "active");
  }
  return json_is_text(&message->json, "active") && strcmp(json_text(&message->json, "active"), instance) == 0;
}

const struct message *find_answer(struct conn *conn, uint32_t id) {
  const struct message *message;

  do {
    message = next_message(conn);
  } while (!is_answer_to(message, id));
  return message;
}

void find_answers(struct conn *conn, const uint32_t *ids, size_t count, const struct message **answers) {
  size_t missing = count;

  for (size_t i = 0; i < count; i++) {
    answers[i] = NULL;
  }
  while (missing > 0) {
    const struct message *message = next_message(conn);
    for (size_t i = 0; i < count; i++) {
      if (answers[i] == NULL && is_answer_to(message, ids[i])) {
        answers[i] = message;
        missing--;
      }
    }
  }
}

const struct message *pass_request(struct conn *conn, const char *requirement, const char *type, const char *body) {
  uint32_t id = send_body(conn, type, body, strlen(body));
  const struct message *message;

  do {
    message = next_message_in(conn, deadline_ms());
  } while (message != NULL && !is_answer_to(message, id));
  if (message == NULL) {
    fail_as("BH-MSG-001", format("an answer for %s %u on %s", type, (unsigned)id, conn->name), "none");
  }
  if (strcmp(message->type, "ACK") != 0) {
    fail_as(requirement, format("ACK for %s %u on %s", type, (unsigned)id, conn->name), "%s", code_of(message));
  }
  return message;
}

void expect_goes_on(struct conn *conn) {
  find_answer(conn, send_message(conn, "HEARTBEAT", "{}"));
}

static const struct message *next_but_heartbeats(struct conn *conn) {
  const struct message *message;

  do {
    message = next_message_in(conn, deadline_ms());
  } while (message != NULL && strcmp(message->type, "HEARTBEAT") == 0);
  return message;
}

static bool is_break(const struct message *message) {
  return message != NULL && strcmp(message->type, "ERROR") == 0;
}

const struct message *expect_break(struct conn *conn) {
  const struct message *message = next_but_heartbeats(conn);

  if (message == NULL && conn->ended) {
    fail_as("BH-FRAME-004", "a break of the framing is answered with ERROR", "%s was closed without", conn->name);
  }
  EXPECT(is_break(message), "a break of the framing is found", "%s on %s", message == NULL ? "nothing" : message->type,
         conn->name);
  return message;
}

const struct message *pass_break(struct conn *conn) {
  const struct message *message = next_but_heartbeats(conn);

  if (!is_break(message)) {
    fail_as("BH-FRAME-004", "a break of the framing is answered with ERROR", "%s on %s",
            message == NULL ? "nothing" : message->type, conn->name);
  }
  return message;
}

void await_break(struct conn *conn) {
  next_but_heartbeats(conn);
}

static bool has_ended(void *conn) {
  return ((struct conn *)conn)->ended;
}

void pass_end(struct conn *conn) {
  if (!wait_until(has_ended, conn, deadline_ms())) {
    fail_as("BH-FRAME-004", "a connection is closed behind a break of the framing", "%s stays open", conn->name);
  }
}

void pass_active(struct conn *conn, const char *instance, const char *requirement) {
  uint64_t end = now_ms() + deadline_ms();

  for (uint64_t now = now_ms(); now < end; now = now_ms()) {
    const struct message *message = next_message_in(conn, end - now);
    if (message != NULL && says_active(message, instance)) {
      return;
    }
    if (message == NULL && conn->ended) {
      break;
    }
  }
  fail_as(requirement, format("%s is active", instance == NULL ? "nobody" : instance), "%s was not told so",
          conn->name);
}

void expect_still_active(struct conn *conn, const char *instance) {
  fence(conn);
  expect_text(&expect_heartbeat(conn)->json, "active", instance);
}

/* NULL: no HEARTBEAT has said so in time. */
static const struct message *heartbeat_with(struct conn *conn, const char *instance, bool listed) {
  uint64_t end = now_ms() + deadline_ms();
  const struct message *message;

  do {
    uint64_t now = now_ms();
    message = now < end ? next_message_in(conn, end - now) : NULL;
  } while (message != NULL && !(strcmp(message->type, "HEARTBEAT") == 0 && json_has(&message->json, "instances") &&
                                (json_find_instance(&message->json, "instances", instance) >= 0) == listed));
  return message;
}

static const struct message *wait_for(struct conn *conn, const char *instance, bool listed) {
  const struct message *message = heartbeat_with(conn, instance, listed);

  if (message == NULL) {
    fail_as("BH-TIME-002", "the HEARTBEATs tell which instances are registered when these have changed",
            "%s was not told that %s is registered%s", conn->name, instance, listed ? "" : " no more");
  }
  return message;
}

const struct message *wait_for_listed(struct conn *conn, const char *instance) {
  return wait_for(conn, instance, true);
}

const struct message *wait_for_unlisted(struct conn *conn, const char *instance) {
  return wait_for(conn, instance, false);
}

void expect_unlisted(struct conn *conn, const char *instance, const char *why) {
  if (heartbeat_with(conn, instance, false) == NULL) {
    fail(format("%s is taken for lost: %s", instance, why), "it is registered still");
  }
}
