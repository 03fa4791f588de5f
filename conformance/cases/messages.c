/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 3.3: answers and errors. */
#include "harness.h"
#include "imports.h"
#include "steps.h"
#include "vector_player.h"

#include <string.h>

struct request {
  const char *type;
  const char *body;
};

/* With ACKs and ERRORs; none of a type or body that a hub could take for a break of the framing. */
static const struct request mixed[] = {
    {"HEARTBEAT", "{}"},
    {"CLAIM_ACTIVE", "{}"},
    {"RELEASE_ACTIVE", "{}"},
    {"RELEASE_ACTIVE", "{}"},
    {"CLAIM_ACTIVE", "{\"instance\":\"nobody\"}"},
    {"HEARTBEAT", "{}"},
    {"REGISTER", "{\"protocol\":1,\"pid\":1,\"name\":\"again\"}"},
    {"CLAIM_ACTIVE", "{}"},
    {"HEARTBEAT", "{}"},
};
enum { MIXED = sizeof mixed / sizeof mixed[0] };

static void send_mixed(struct conn *conn, uint32_t ids[MIXED]) {
  for (size_t i = 0; i < MIXED; i++) {
    ids[i] = send_message(conn, mixed[i].type, "%s", mixed[i].body);
  }
}

/* Which of them this message answers; MIXED: none. */
static size_t answered(const struct message *message, const uint32_t ids[MIXED]) {
  size_t i = 0;

  while (i < MIXED && !is_answer_to(message, ids[i])) {
    i++;
  }
  return i;
}

/* ---- BH-MSG-001: one answer each */

struct count {
  uint32_t ids[MIXED];
  uint32_t answers[MIXED];
  size_t missing;
};

static void count_answer(struct count *count, const struct message *message) {
  size_t at = answered(message, count->ids);

  if (at < MIXED) {
    count->answers[at]++;
    count->missing -= count->answers[at] == 1;
    EXPECT(count->answers[at] == 1, "every message is answered once", "%s %u was answered again", mixed[at].type,
           (unsigned)count->ids[at]);
  }
}

/* Until each is answered, and then past a HEARTBEAT and a request, twice: for what is answered again, and late. */
static void expect_one_answer_each(struct conn *conn) {
  struct count count = {.missing = MIXED};
  const struct message *message;

  send_mixed(conn, count.ids);
  while (count.missing > 0) {
    count_answer(&count, next_message(conn));
  }
  for (int again = 0; again < 2; again++) {
    do {
      message = next_message(conn);
      count_answer(&count, message);
    } while (strcmp(message->type, "HEARTBEAT") != 0);
    uint32_t id = send_message(conn, "HEARTBEAT", "{}");
    do {
      message = next_message(conn);
      count_answer(&count, message);
    } while (!is_answer_to(message, id));
  }
}

CASE(messages, every_message_has_one_answer, MUST, "BH-MSG-001") {
  expect_one_answer_each(join(hub_start(), "one each"));
}

CASE(messages, every_message_of_a_newcomer_has_one_answer, MUST, "BH-MSG-001") {
  expect_one_answer_each(conn_open(hub_start()));
}

CASE(messages, every_message_has_one_answer_while_others_ask_too, MUST, "BH-MSG-001") {
  enum { CONNECTIONS = 4 };
  struct hub *hub = hub_start();
  struct conn *conns[CONNECTIONS];
  uint32_t ids[MIXED];

  for (size_t i = 0; i < CONNECTIONS; i++) {
    conns[i] = join(hub, "one of several");
  }
  for (size_t i = 0; i + 1 < CONNECTIONS; i++) {
    send_mixed(conns[i], ids);
  }
  expect_one_answer_each(conns[CONNECTIONS - 1]);
}

/* ---- BH-MSG-002: in order */

CASE(messages, answers_come_in_the_order_of_the_messages, MUST, "BH-MSG-002") {
  enum { ROUNDS = 10 };
  struct conn *conn = join(hub_start(), "in order");
  uint32_t ids[ROUNDS][MIXED];
  size_t next = 0;

  for (size_t i = 0; i < ROUNDS; i++) {
    send_mixed(conn, ids[i]);
  }
  while (next < (size_t)ROUNDS * MIXED) {
    const struct message *message = next_message(conn);
    for (size_t later = next; later < (size_t)ROUNDS * MIXED; later++) {
      if (is_answer_to(message, ids[later / MIXED][later % MIXED])) {
        EXPECT(later == next, "messages are answered in the order in which they came",
               "message %u was answered before message %u", (unsigned)ids[later / MIXED][later % MIXED],
               (unsigned)ids[next / MIXED][next % MIXED]);
        next++;
        break;
      }
    }
  }
}

/* ---- BH-MSG-003: the ACK before what its request caused */

/* `id` asked for this one to be active. No HEARTBEAT may say so before the ACK is there. */
static void expect_ack_before_active(struct conn *conn, uint32_t id, const char *instance) {
  const struct message *message;

  for (;;) {
    message = next_message(conn);
    if (is_answer_to(message, id)) {
      return;
    }
    EXPECT(!says_active(message, instance) && strcmp(message->type, "IMPORT_DATA") != 0,
           "an ACK goes out before any message that its request caused", "%s %u came before it", message->type,
           (unsigned)message->id);
  }
}

CASE(messages, ack_of_register_comes_first, MUST, "BH-MSG-003") {
  struct conn *conn = conn_open(hub_start());
  uint32_t id = send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'first'}");

  EXPECT(is_answer_to(next_message(conn), id), "an ACK goes out before any message that its request caused",
         "another message came first");
}

CASE(messages, ack_of_a_claim_comes_before_its_heartbeat, MUST, "BH-MSG-003") {
  struct hub *hub = hub_start();
  struct conn *a = join(hub, "a");
  struct conn *b = join(hub, "b");

  make_active(a);
  fence(b);
  expect_ack_before_active(b, send_message(b, "CLAIM_ACTIVE", "{}"), b->instance);
  expect_ack_before_active(b, send_message(b, "CLAIM_ACTIVE", "{'instance':'%s'}", a->instance), a->instance);
}

CASE(messages, ack_of_a_release_comes_before_its_heartbeat, MUST, "BH-MSG-003") {
  struct conn *conn = join(hub_start(), "releases");

  make_active(conn);
  fence(conn);
  expect_ack_before_active(conn, send_message(conn, "RELEASE_ACTIVE", "{}"), NULL);
}

CASE(messages, ack_of_a_claim_comes_before_the_imports_that_wait, MUST, "BH-MSG-003") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "claims");

  make_active(conn);
  request(conn, "RELEASE_ACTIVE", "{}");
  bridge_export(hub, "[{\"id\":\"waits\"}]");
  expect_active(conn, NULL);
  expect_ack_before_active(conn, send_message(conn, "CLAIM_ACTIVE", "{}"), conn->instance);
  expect_message(conn, "IMPORT_DATA");
}

/* ---- BH-MSG-005, BH-MSG-006: answers from the client */

/* What comes until the connection answers a further request. None of it may answer a message that is an answer. */
static void expect_answers_not_answered(struct conn *conn) {
  uint32_t ids[] = {
      send_message(conn, "ACK", "{'for':4000000000}"),
      send_message(conn, "ERROR", "{'for':4000000000,'code':'refused','message':''}"),
      send_message(conn, "ERROR", "{'for':null,'code':'malformed','message':''}"),
      send_message(conn, "ACK", "{'for':1}"),
  };
  uint32_t last = send_message(conn, "HEARTBEAT", "{}");
  const struct message *message;

  for (;;) {
    message = next_message_in(conn, deadline_ms());
    if (message == NULL) {
      fail_as("BH-MSG-006", "an answer that fits nothing is ignored", "%s does not go on", conn->name);
    }
    if (is_answer_to(message, last)) {
      return;
    }
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
      EXPECT(!is_answer_to(message, ids[i]), "ACK and ERROR are not answered", "%s came for one", message->type);
    }
    EXPECT(!is_answer(message) || !json_is_null(&message->json, "for"), "ACK and ERROR are not answered",
           "ERROR %s came for null", code_of(message));
  }
}

CASE(messages, answers_are_not_answered, MUST, "BH-MSG-005") {
  struct hub *hub = hub_start();

  expect_answers_not_answered(conn_open(hub));
  expect_answers_not_answered(join(hub, "answers"));
}

CASE(messages, answers_for_nothing_are_ignored, MUST, "BH-MSG-006") {
  struct conn *conn = conn_open(hub_start());

  for (int registered = 0; registered < 2; registered++) {
    send_message(conn, "ACK", "{'for':4294967295}");
    send_message(conn, "ACK", "{'for':1}");
    send_message(conn, "ERROR", "{'for':77,'code':'refused','message':'x'}");
    send_message(conn, "ERROR", "{'for':null,'code':'malformed','message':'x'}");
    send_message(conn, "ERROR", "{'for':1,'code':'superseded','message':'x'}");
    uint32_t id = registered == 0 ? send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'ignored'}")
                                  : send_message(conn, "CLAIM_ACTIVE", "{}");
    EXPECT(strcmp(find_answer(conn, id)->type, "ACK") == 0, "an answer that fits nothing is ignored",
           "the request behind it was refused");
  }
}

CASE(messages, vectors_of_answers_for_nothing, MUST, "BH-MSG-006") {
  play_messages("messages.json", "BH-MSG-006");
}

static struct conn *join_one_at_a_time(struct hub *hub, const char *name) {
  struct conn *conn = conn_open(hub);

  register_with(conn, name, ",'window':1");
  return conn;
}

/* No further import comes, because one is in hand and the window is 1. */
static void expect_still_in_hand(struct conn *conn) {
  fence(conn);
  expect_heartbeat(conn);
  fence(conn);
}

CASE(messages, second_answer_to_an_import_is_ignored, MUST, "BH-MSG-006") {
  struct hub *hub = hub_start();
  struct conn *conn = join_one_at_a_time(hub, "twice");

  make_active(conn);
  bridge_export(hub, "[{\"id\":\"1\"}][{\"id\":\"2\"}][{\"id\":\"3\"}]");
  const struct message *first = expect_message(conn, "IMPORT_DATA");
  ack_import(conn, first);
  const struct message *second = expect_message(conn, "IMPORT_DATA");
  ack_import(conn, first);
  refuse_import(conn, first);
  expect_still_in_hand(conn);
  note("the right answer");
  ack_import(conn, second);
  expect_message(conn, "IMPORT_DATA");
}

CASE(messages, answer_on_another_connection_is_ignored, MUST, "BH-MSG-006") {
  struct hub *hub = hub_start();
  struct conn *conn = join_one_at_a_time(hub, "holder");
  struct conn *other = join_one_at_a_time(hub, "other");

  make_active(other);
  bridge_export(hub, "[{\"id\":\"0\"}]");
  const struct message *others = expect_message(other, "IMPORT_DATA");
  make_active(conn);
  for (int i = 0; i < 8; i++) {
    fence(conn); /* the hub's ids of the two connections part */
  }
  bridge_export(hub, "[{\"id\":\"1\"}][{\"id\":\"2\"}]");
  const struct message *import = expect_message(conn, "IMPORT_DATA");
  EXPECT(import->id != others->id, "the case's two imports have ids of their own", "both have %u", import->id);
  ack_import(other, import);
  refuse_import(other, import);
  fence(other);
  expect_still_in_hand(conn);
  note("the right answer");
  ack_import(conn, import);
  expect_message(conn, "IMPORT_DATA");
}

CASE(messages, answer_before_its_message_is_ignored, MUST, "BH-MSG-006") {
  struct hub *hub = hub_start();
  struct conn *conn = join_one_at_a_time(hub, "early");

  make_active(conn);
  fence(conn);
  uint32_t newest = expect_heartbeat(conn)->id;
  for (uint32_t ahead = 1; ahead <= 40; ahead++) {
    send_message(conn, "ACK", "{'for':%u}", (unsigned)(newest + ahead));
  }
  fence(conn);
  bridge_export(hub, "[{\"id\":\"1\"}][{\"id\":\"2\"}]");
  const struct message *import = expect_message(conn, "IMPORT_DATA");
  expect_still_in_hand(conn);
  note("the right answer");
  ack_import(conn, import);
  expect_message(conn, "IMPORT_DATA");
}

/* ---- BH-MSG-007: bad answers */

CASE(messages, bad_answers_are_malformed, MUST,
     "BH-MSG-007 BH-BODY-001 BH-BODY-002 BH-BODY-004 BH-BODY-005 BH-BODY-006 BH-BODY-008") {
  play_codes_of_breaks("messages.json", "BH-MSG-007");
}

/* Around the id of an import that waits for its answer. */
static const struct {
  const char *before, *after;
} bad_answers[] = {
    {"{\"for\":", ".0}"}, {"{\"for\":", "e0}"}, {"{\"for\":\"", "\"}"}, {"{\"for\":", ""},
    {"{\"For\":", "}"},   {"[{\"for\":", "}]"}, {"{\"for\":", "} {}"},  {"{\"for\":1,\"f\\u006fr\":", "}"},
    {"{\"for\":-", "}"},  {"{\"for\":0", "}"},  {"{\"for\":[", "]}"},   {"{\"x\":{\"for\":", "}}"},
};

CASE(messages, bad_answer_to_an_import_is_malformed, MUST,
     "BH-MSG-007 BH-BODY-001 BH-BODY-003 BH-BODY-004 BH-BODY-005 BH-BODY-008") {
  struct hub *hub = hub_start();

  for (size_t i = 0; i < sizeof bad_answers / sizeof bad_answers[0]; i++) {
    struct conn *conn = join(hub, "bad answer");
    make_active(conn);
    bridge_export(hub, "[{\"id\":\"1\"}]");
    const struct message *import = expect_message(conn, "IMPORT_DATA");
    const char *body = format("%s%u%s", bad_answers[i].before, (unsigned)import->id, bad_answers[i].after);
    send_body(conn, "ACK", body, strlen(body));
    expect_text(&expect_break(conn)->json, "code", "malformed");
  }
}

/* ---- BH-MSG-008: what a hub does not take */

CASE(messages, import_data_is_unexpected, MUST, "BH-MSG-008 BH-MSG-001") {
  struct hub *hub = hub_start();
  struct conn *conn = conn_open(hub);
  const char *body = "{\"import\":\"0123456789abcdef-1\",\"attempt\":1,\"assets\":[{\"id\":\"x\"}]}";

  expect_error(conn, "unexpected", send_message(conn, "IMPORT_DATA", "%s", body));
  register_instance(conn, "sends imports");
  make_active(conn);
  expect_error(conn, "unexpected", send_message(conn, "IMPORT_DATA", "%s", body));
  note("nothing has become an import");
  expect_heartbeat(conn);
  fence(conn);
}

CASE(messages, vectors_of_what_a_hub_does_not_take, MUST, "BH-MSG-008 BH-MSG-010") {
  play_messages("messages.json", "BH-MSG-008");
}

/* ---- BH-MSG-009: before the registration */

CASE(messages, requests_before_registration, MUST, "BH-MSG-009") {
  struct conn *conn = conn_open(hub_start());

  expect_error(conn, "not-registered", send_message(conn, "CLAIM_ACTIVE", "{}"));
  expect_error(conn, "not-registered", send_message(conn, "CLAIM_ACTIVE", "{'instance':'nobody'}"));
  expect_error(conn, "not-registered", send_message(conn, "RELEASE_ACTIVE", "{}"));
  expect_error(conn, "not-registered", send_message(conn, "HEARTBEAT", "{}"));
  expect_error(conn, "not-registered", send_message(conn, "UNREGISTER", "{}"));
  note("the connection goes on");
  request(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'late'}");
}

CASE(messages, claim_before_registration_changes_nothing, MUST, "BH-MSG-009") {
  struct hub *hub = hub_start();
  struct conn *active = join(hub, "active");
  struct conn *other = join(hub, "other");
  struct conn *conn = conn_open(hub);

  make_active(active);
  expect_error(conn, "not-registered", send_message(conn, "CLAIM_ACTIVE", "{'instance':'%s'}", other->instance));
  expect_error(conn, "not-registered", send_message(conn, "RELEASE_ACTIVE", "{}"));
  expect_still_active(active, active->instance);
}

/* ---- BH-MSG-010: what is judged first */

struct wrong {
  const char *type;
  const char *body;
  const char *code;
};

/* What a code judges, in the order of BH-MSG-010. */
static int step_of(const char *code) {
  static const struct {
    const char *code;
    int step;
  } steps[] = {{"malformed", 1}, {"too-large", 1},      {"unknown-type", 2},      {"unexpected", 2},
               {"bad-body", 3},  {"not-registered", 4}, {"already-registered", 4}};

  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    if (strcmp(steps[i].code, code) == 0) {
      return steps[i].step;
    }
  }
  return 5;
}

static void expect_first_of(struct conn *conn, const struct wrong *wrong, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const struct message *answer = expect_answer(conn, send_message(conn, wrong[i].type, "%s", wrong[i].body));
    if (strcmp(wrong[i].code, "already-registered") == 0 && strcmp(answer->type, "ACK") == 0) {
      fail_as("BH-REG-008", "a second REGISTER is answered with ERROR", "it was answered with ACK");
    }
    EXPECT(strcmp(answer->type, "ERROR") == 0 && step_of(code_of(answer)) == step_of(wrong[i].code),
           "a message wrong in several ways is answered for the first of them", "%s for %s %s in place of %s",
           strcmp(answer->type, "ERROR") == 0 ? code_of(answer) : "ACK", wrong[i].type, wrong[i].body, wrong[i].code);
  }
}

/* The bodies are such as no hub can take for right. */
CASE(messages, type_and_body_are_judged_before_the_registration, MUST, "BH-MSG-010") {
  static const struct wrong wrong[] = {
      {"IMPORT_DATA", "no JSON", "unexpected"},
      {"IMPORT_DATA", "{}", "unexpected"},
      {"CLAIM_ACTIVE", "{", "bad-body"},
      {"RELEASE_ACTIVE", "no JSON", "bad-body"},
      {"HEARTBEAT", "[", "bad-body"},
      {"UNREGISTER", "\"", "bad-body"},
      {"REGISTER", "{\"protocol\":2}", "bad-body"},
      {"REGISTER", "{\"protocol\":2,\"pid\":1,\"name\":\"x\"", "bad-body"},
  };

  expect_first_of(conn_open(hub_start()), wrong, sizeof wrong / sizeof wrong[0]);
}

CASE(messages, registration_is_judged_before_the_rest, MUST, "BH-MSG-010") {
  static const struct wrong wrong[] = {
      {"REGISTER", "{", "bad-body"},
      {"REGISTER", "{\"protocol\":1}", "bad-body"},
      {"REGISTER", "{\"protocol\":2,\"pid\":1,\"name\":\"x\"}", "already-registered"},
      {"CLAIM_ACTIVE", "{\"instance\":\"nobody\"", "bad-body"},
      {"IMPORT_DATA", "no JSON", "unexpected"},
  };
  static const struct wrong newcomers[] = {{"CLAIM_ACTIVE", "{\"instance\":\"nobody\"}", "not-registered"}};
  struct hub *hub = hub_start();

  expect_first_of(join(hub, "wrong"), wrong, sizeof wrong / sizeof wrong[0]);
  expect_first_of(conn_open(hub), newcomers, 1);
}

CASE(messages, unknown_type_is_judged_before_body_and_registration, MUST, "BH-MSG-010 BH-FRAME-010") {
  static const struct wrong wrong[] = {{"PING", "no JSON", "unknown-type"}, {"PING", "{}", "unknown-type"}};
  struct hub *hub = hub_start();

  expect_first_of(conn_open(hub), wrong, sizeof wrong / sizeof wrong[0]);
  expect_first_of(join(hub, "wrong"), wrong, sizeof wrong / sizeof wrong[0]);
}

CASE(messages, vectors_of_what_is_judged_first, MUST, "BH-MSG-010 BH-FRAME-006 BH-FRAME-008 BH-FRAME-010") {
  play_codes_of_breaks("frame.json", "BH-MSG-010");
}

/* Whether a hub finds what is wrong when nothing else is, the cases of BH-FRAME-003 and BH-FRAME-008 ask. */
static void expect_malformed_first(struct hub *hub, const char *alone, const char *const *texts, size_t count) {
  struct conn *conn = conn_open(hub);

  send_text(conn, "%s", alone);
  if (!is_error(pass_break(conn), "malformed")) {
    fail_as("BH-FRAME-004", "a break of the framing is answered with ERROR malformed", "another answer");
  }
  for (size_t i = 0; i < count; i++) {
    conn = conn_open(hub);
    send_text(conn, "%s", texts[i]);
    expect_text(&expect_message(conn, "ERROR")->json, "code", "malformed");
  }
}

CASE(messages, framing_is_judged_first, MUST, "BH-MSG-010") {
  static const char *const texts[] = {"BH1 IMPORT_DATA 1 0 \n", "BH1 CLAIM_ACTIVE 1 0 \n", "BH1 REGISTER 7 0 \n"};

  expect_malformed_first(hub_start(), "BH1 HEARTBEAT 1 0 \n", texts, sizeof texts / sizeof texts[0]);
}

CASE(messages, id_is_judged_before_the_type, MUST, "BH-MSG-010") {
  static const char *const texts[] = {"BH1 IMPORT_DATA 2 0\n", "BH1 CLAIM_ACTIVE 2 2\n[]", "BH1 REGISTER 2 2\n{}",
                                      "BH1 REGISTER 2 2\n[]"};

  expect_malformed_first(hub_start(), "BH1 HEARTBEAT 2 2\n{}", texts, sizeof texts / sizeof texts[0]);
}

/* ---- BH-MSG-011: codes */

static bool is_of_the_table(const char *code) {
  static const char *const codes[] = {"malformed",      "too-large",          "unknown-type", "bad-body",
                                      "not-registered", "already-registered", "not-active",   "no-such-instance",
                                      "superseded",     "unexpected",         "refused",      "unsupported-protocol",
                                      "overloaded"};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    if (strcmp(codes[i], code) == 0) {
      return true;
    }
  }
  return false;
}

static void expect_code_of_the_table(const struct message *message) {
  if (strcmp(message->type, "ERROR") == 0) {
    EXPECT(is_of_the_table(code_of(message)), "the code of an ERROR is one of the table", "it is %s", code_of(message));
  }
}

CASE(messages, codes_are_of_the_table, MUST, "BH-MSG-011") {
  struct hub *hub = hub_start();
  struct conn *conn = conn_open(hub);
  struct conn *observer = conn_open(hub);
  const struct message *answers[MIXED];
  uint32_t ids[MIXED];

  expect_code_of_the_table(find_answer(conn, send_message(conn, "CLAIM_ACTIVE", "{}")));
  expect_code_of_the_table(find_answer(conn, send_message(conn, "REGISTER", "{'protocol':7,'pid':1,'name':'x'}")));
  register_instance(conn, "codes");
  send_mixed(conn, ids);
  find_answers(conn, ids, MIXED, answers);
  for (size_t i = 0; i < MIXED; i++) {
    expect_code_of_the_table(answers[i]);
  }
  register_observer(observer, "observer");
  expect_code_of_the_table(find_answer(observer, send_message(observer, "CLAIM_ACTIVE", "{}")));
  send_text(observer, "?\n");
  expect_code_of_the_table(pass_break(observer));
  fence(conn);
  send_text(conn, "BH1 HEARTBEAT %u 70000\n", (unsigned)next_id(conn));
  expect_code_of_the_table(pass_break(conn));
}

CASE(messages, unknown_codes_are_taken, MUST, "BH-MSG-011") {
  static const char *const codes[] = {"x", "no-such-mesh", "MALFORMED", "código", " "};
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "unknown codes");

  make_active(conn);
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    bridge_export(hub, "[{\"id\":\"refused\"}]");
    const struct message *import = expect_message(conn, "IMPORT_DATA");
    send_message(conn, "ERROR", "{'for':%u,'code':'%s','message':'?'}", (unsigned)import->id, codes[i]);
  }
  fence(conn);
}

CASE(messages, vectors_of_codes, MUST, "BH-MSG-011") {
  play_messages("messages.json", "BH-MSG-011");
}
