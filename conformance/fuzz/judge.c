/* SPDX-License-Identifier: MIT */
/*
 * What a hub has to answer to octets at its endpoint. The reader of the reference says what they are, and the words of
 * sections 3.3, 3.4 and 4 what is said to each message; where they leave it open, either is taken.
 */

#include <string.h>

#include "body.h"
#include "world.h"

/* The answer to one message. */
struct answer {
  uint32_t id;
  const char *code;    /* NULL: ACK */
  const char *or_code; /* as good, or NULL; "": ACK is */
  const char *requirement;
  const char *why;
  bool closes;
};

struct judging {
  struct world *world;
  struct lane *lane;
  const bh_reader *reader;
  bh_body body;
};

static struct answer ack(const char *requirement, const char *why) {
  return (struct answer){.requirement = requirement, .why = why};
}

static struct answer error(const char *code, const char *requirement, const char *why) {
  return (struct answer){.code = code, .requirement = requirement, .why = why};
}

/* ------------------------------------------------------------------------------------------------ what has to come */

static struct answer for_register(const struct judging *judging) {
  const struct lane *lane = judging->lane;
  const bh_body *body = &judging->body;
  if (lane->registered) {
    return error("already-registered", "BH-REG-008", "it is registered");
  }
  if (body->protocol != 1) {
    return error("unsupported-protocol", "BH-REG-002", "the protocol is another");
  }
  bool observer = body->role == BH_ROLE_OBSERVER;
  const struct lane *older = *body->instance ? lane_of(judging->world, body->instance, lane) : NULL;
  if (older && older->observer != observer) {
    struct answer refused = error("refused", "BH-REG-007", "one of the other role has that instance");
    refused.or_code = ""; /* silent for so long that it can have been lost by now */
    return refused;
  }
  struct answer answer = ack("BH-REG-001", "it registers");
  answer.or_code = *body->instance ? "refused" : NULL; /* one of the other role whose end the hub has not found yet */
  return answer;
}

static struct answer for_claim(const struct judging *judging) {
  const struct lane *lane = judging->lane;
  const char *instance = judging->body.instance;
  if (!*instance) {
    return lane->observer ? error("refused", "BH-CLAIM-006", "it is an observer") : ack("BH-CLAIM-001", "it claims");
  }
  const struct lane *other = strcmp(instance, lane->instance) == 0 ? lane : lane_of(judging->world, instance, lane);
  if (!other || other->observer) {
    struct answer none = error("no-such-instance", "BH-CLAIM-005", "there is no such instance");
    none.or_code = other ? NULL : ""; /* one that has left, and the hub has not found it yet */
    return none;
  }
  struct answer answer = ack("BH-CLAIM-004", "it hands over");
  answer.or_code = other == lane ? NULL : "no-such-instance"; /* silent for so long that it can have been lost */
  return answer;
}

/* Another that is active can be lost at any time: it is silent. */
static bool active_is_sure(const struct world *world, const struct lane *lane) {
  const char *active = world->active;
  return world->active_is_known &&
         (!*active || strcmp(active, world->good.instance) == 0 || strcmp(active, lane->instance) == 0);
}

static struct answer for_release(const struct judging *judging) {
  const struct world *world = judging->world;
  bool may = judging->lane->observer ? *world->active != '\0' : strcmp(world->active, judging->lane->instance) == 0;
  struct answer answer =
      may ? ack("BH-REL-001", "it is active") : error("not-active", "BH-REL-003", "it is not active");
  if (!active_is_sure(world, judging->lane)) {
    answer.or_code = may ? "not-active" : "";
  }
  return answer;
}

static bool is_answer(bh_type type) {
  return type == BH_ACK || type == BH_ERROR;
}

static struct answer for_right_message(const struct judging *judging) {
  bh_type type = judging->reader->type;
  if (is_answer(type)) {
    return ack("BH-MSG-005", "it is not answered");
  }
  if (type == BH_REGISTER) {
    return for_register(judging);
  }
  if (!judging->lane->registered) {
    return error("not-registered", "BH-MSG-009", "it has not registered");
  }
  if (type == BH_CLAIM_ACTIVE) {
    return for_claim(judging);
  }
  if (type == BH_RELEASE_ACTIVE) {
    return for_release(judging);
  }
  struct answer answer = ack(type == BH_UNREGISTER ? "BH-REG-009" : "BH-TIME-006", "it is right");
  answer.closes = type == BH_UNREGISTER;
  return answer;
}

static struct answer for_message(struct judging *judging) {
  const bh_reader *reader = judging->reader;
  bh_body_fault fault;
  if (reader->type == BH_TYPE_UNKNOWN) {
    return error("unknown-type", "BH-FRAME-010", "it is none of the eight types");
  }
  if (reader->type == BH_IMPORT_DATA) {
    return error("unexpected", "BH-MSG-008", "a hub takes no IMPORT_DATA");
  }
  if (bh_body_read(BH_FROM_CLIENT, reader->type, reader->body, reader->body_size, &judging->body, &fault)) {
    return for_right_message(judging);
  }
  struct answer answer = error("bad-body", "BH-BODY-009", format("%s (%s)", fault.what, fault.requirement));
  if (is_answer(reader->type)) {
    answer.code = "malformed";
    answer.requirement = "BH-MSG-007";
    answer.closes = true;
  }
  return answer;
}

/* -------------------------------------------------------------------------------------------------- what has come */

static bool is(const struct message *message, const char *type) {
  return strcmp(message->type, type) == 0;
}

static bool has_code(const struct message *message, const char *code) {
  if (!code) {
    return false;
  }
  if (!*code) {
    return is(message, "ACK");
  }
  return is(message, "ERROR") && json_is_text(&message->json, "code") &&
         strcmp(json_text(&message->json, "code"), code) == 0;
}

static bool is_for(const struct message *message, uint32_t id) {
  if (id == 0) {
    return json_is_null(&message->json, "for");
  }
  return json_is_integer(&message->json, "for") && json_integer(&message->json, "for") == id;
}

const struct message *lane_next(struct lane *lane) {
  uint64_t end = now_ms() + deadline_ms();
  const struct message *message;
  do {
    message = next_message_in(lane->conn, end > now_ms() ? end - now_ms() : 0);
  } while (message && is(message, "HEARTBEAT"));
  return message;
}

/* A hub gives up who is silent for so long; this host can have kept us from being anything else. */
static bool was_silent(const struct world *world, const struct lane *lane) {
  uint64_t since = lane->registered ? lane->sent_at : lane->conn->opened_at;
  return lane->conn->ended && lane->conn->ended_at >= since + world->hub->timeout_ms - world->hub->heartbeat_ms;
}

static const char *told(const struct lane *lane, const struct message *message) {
  if (message) {
    return format("%s %u %s", message->type, message->id, printable(message->json.text, message->json.size, 200));
  }
  return lane->conn->ended ? format("the end of %s", lane->conn->name)
                           : format("nothing on %s in %llu ms", lane->conn->name, (unsigned long long)deadline_ms());
}

static const char *answer_name(const char *code) {
  return code && *code ? format("ERROR \"%s\"", code) : "ACK";
}

static const char *expectation(const struct lane *lane, const struct answer *answer) {
  return format("%s%s for %s on %s: %s", answer_name(answer->code),
                answer->or_code ? format(" or %s", answer_name(answer->or_code)) : "",
                answer->id ? format("message %u", answer->id) : "null", lane->conn->name, answer->why);
}

/* NULL: the lane was silent for too long, and nothing is to be said of it. */
static const struct message *expect(struct world *world, struct lane *lane, const struct answer *answer) {
  const struct message *message = lane_next(lane);
  if (!message && was_silent(world, lane)) {
    return NULL;
  }
  if (message && is(message, "IMPORT_DATA")) {
    fail_as("BH-ROUTE-001", "no import for who was never active while one was exported", "%s", told(lane, message));
  }
  bool fits = message && (has_code(message, answer->code ? answer->code : "") || has_code(message, answer->or_code));
  if (!fits) {
    fail_as(answer->requirement, expectation(lane, answer), "%s", told(lane, message));
  }
  if (!is_for(message, answer->id)) {
    fail_as(answer->closes && answer->code ? "BH-FRAME-009" : "BH-MSG-001", expectation(lane, answer), "%s",
            told(lane, message));
  }
  return message;
}

static void expect_closed_behind(struct lane *lane, const char *id) {
  const char *expected = format("the hub closes %s then", lane->conn->name);
  const struct message *message = lane_next(lane);
  if (message || !lane->conn->ended) {
    fail_as(id, expected, "%s", told(lane, message));
  }
}

/* --------------------------------------------------------------------------------------------- what comes of it */

static void be_active(struct world *world, const char *instance) {
  world->active_is_known = true;
  snprintf(world->active, sizeof world->active, "%s", instance);
}

/* The newer connection has it: the older is told, and closed. */
static void supersede(struct world *world, struct lane *older) {
  struct answer answer = error("superseded", "BH-REG-006", "another has its instance now");
  if (expect(world, older, &answer)) {
    expect_closed_behind(older, "BH-REG-006");
  }
  lane_lost(world, older);
}

static void registered(struct judging *judging, const struct message *message) {
  struct world *world = judging->world;
  struct lane *lane = judging->lane;
  const char *wanted = judging->body.instance;
  checking("BH-REG-005");
  if (*wanted) {
    expect_text(&message->json, "instance", wanted);
  }
  const char *instance = json_is_text(&message->json, "instance") ? json_text(&message->json, "instance") : "";
  struct lane *older = lane_of(world, instance, lane);
  if (older && !was_silent(world, older)) {
    supersede(world, older);
  } else if (older) {
    lane_lost(world, older);
  }
  lane->registered = true;
  lane->observer = judging->body.role == BH_ROLE_OBSERVER;
  snprintf(lane->instance, sizeof lane->instance, "%s", instance);
  /* One that was active and lost can be active again (BH-ACT-005), unless another is. */
  if (*wanted && !(world->active_is_known && *world->active)) {
    world->active_is_known = false;
  }
}

static void claimed(struct judging *judging, const struct message *message) {
  const char *instance = *judging->body.instance ? judging->body.instance : judging->lane->instance;
  checking("BH-CLAIM-002");
  expect_text(&message->json, "active", instance);
  be_active(judging->world, instance);
}

static void left(struct judging *judging) {
  struct world *world = judging->world;
  bool active = world->active_is_known && strcmp(world->active, judging->lane->instance) == 0;
  judging->lane->registered = false;
  if (active) {
    be_active(world, "");
  }
}

static void follow(struct judging *judging, const struct message *message) {
  if (!is(message, "ACK")) {
    return;
  }
  switch (judging->reader->type) {
  case BH_REGISTER:
    registered(judging, message);
    break;
  case BH_CLAIM_ACTIVE:
    claimed(judging, message);
    break;
  case BH_RELEASE_ACTIVE:
    be_active(judging->world, "");
    break;
  case BH_UNREGISTER:
    left(judging);
    break;
  default:
    break;
  }
}

/* ------------------------------------------------------------------------------------------------ one after another */

/* False: nothing more is to be judged on this lane. */
static bool judge_message(struct judging *judging) {
  struct lane *lane = judging->lane;
  struct answer answer = for_message(judging);
  if (is_answer(judging->reader->type) && !answer.code) {
    return true;
  }
  answer.id = judging->reader->id;
  const struct message *message = expect(judging->world, lane, &answer);
  if (!message) {
    lane_lost(judging->world, lane);
    return false;
  }
  follow(judging, message);
  if (answer.closes) {
    expect_closed_behind(lane, answer.code ? "BH-FRAME-004" : "BH-REG-009");
    lane_lost(judging->world, lane);
  }
  return !answer.closes;
}

static void judge_break(struct world *world, struct lane *lane, const bh_reader *reader) {
  struct answer answer = error(bh_code_name(reader->code), "BH-FRAME-004", reader->what);
  answer.id = reader->for_id;
  answer.closes = true;
  if (expect(world, lane, &answer)) {
    expect_closed_behind(lane, "BH-FRAME-004");
  }
  lane_lost(world, lane);
}

void lane_judge(struct world *world, struct lane *lane, const void *octets, size_t size) {
  struct judging judging = {.world = world, .lane = lane, .reader = &lane->reader};
  bh_read_status status;
  size_t at = 0, consumed;
  if (lane->over) {
    return;
  }
  do {
    status = bh_reader_next(&lane->reader, (const uint8_t *)octets + at, size - at, &consumed);
    at += consumed;
    if (status == BH_READ_BROKEN) {
      judge_break(world, lane, &lane->reader);
    }
  } while (status == BH_READ_MESSAGE && judge_message(&judging));
}
