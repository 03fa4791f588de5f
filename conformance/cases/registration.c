/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 3.4: registration. */
#include "harness.h"
#include "steps.h"

#include <string.h>

/* A hub that does not close a connection by then does not do so for its silence either. */
#define LONG_TIMEOUT .timeout_ms = 60000

static uint32_t send_register(struct conn *conn, const char *name, const char *instance) {
  return instance == NULL
             ? send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'%s'}", name)
             : send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'%s','instance':'%s'}", name, instance);
}

/* The entry of this instance in a HEARTBEAT's `instances`: the path of its member. */
static const char *entry(const struct message *heartbeat, const char *instance, const char *member) {
  return format("instances[%d].%s", json_find_instance(&heartbeat->json, "instances", instance), member);
}

/* How often an instance stands in `instances`. */
static size_t count_of(const struct message *heartbeat, const char *instance) {
  size_t count = 0;

  for (size_t i = 0; i < json_count(&heartbeat->json, "instances"); i++) {
    count += strcmp(json_text(&heartbeat->json, format("instances[%zu].instance", i)), instance) == 0;
  }
  return count;
}

/* ---- BH-REG-001: the ACK */

static void expect_register_ack(struct hub *hub, const struct message *ack) {
  EXPECT(json_is_text(&ack->json, "instance"), "the ACK of REGISTER has the instance id", "it has none");
  EXPECT(json_is_integer(&ack->json, "hub_pid"), "the ACK of REGISTER has `hub_pid`", "it has not");
  EXPECT(json_is_integer(&ack->json, "epoch"), "the ACK of REGISTER has `epoch`", "it has not");
  expect_integer(&ack->json, "heartbeat_ms", hub->heartbeat_ms);
  expect_integer(&ack->json, "timeout_ms", hub->timeout_ms);
  EXPECT(json_has(&ack->json, "active"), "the ACK of REGISTER has `active`", "it has not");
}

CASE(registration, ack_carries_what_a_client_needs, MUST, "BH-REG-001") {
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 170, .timeout_ms = 1900});
  struct conn *instance = conn_open(hub);
  struct conn *observer = conn_open(hub);

  expect_register_ack(hub, expect_ack(instance, send_register(instance, "instance", NULL)));
  const struct message *ack = request(observer, "REGISTER", "{'protocol':1,'pid':1,'name':'o','role':'observer'}");
  expect_register_ack(hub, ack);
  /* What the state file should be like, other cases say. */
  struct json state = state_read(hub);
  if (state.valid && json_is_integer(&state, "hub_pid")) {
    expect_integer(&ack->json, "hub_pid", json_integer(&state, "hub_pid"));
  }
}

CASE(registration, ack_says_who_is_active_after_it, MUST, "BH-REG-001") {
  struct hub *hub = hub_start();
  struct conn *a = conn_open(hub);
  struct conn *b = conn_open(hub);
  struct conn *c = conn_open(hub);

  const struct message *ack = expect_ack(a, send_register(a, "a", NULL));
  const char *first = json_text(&ack->json, "instance");
  make_active(a);
  expect_text(&expect_ack(b, send_register(b, "b", NULL))->json, "active", first);
  request(a, "RELEASE_ACTIVE", "{}");
  expect_text(&expect_ack(c, send_register(c, "c", NULL))->json, "active", NULL);
}

CASE(registration, ack_counts_the_registration_itself, MUST, "BH-REG-001 BH-ACT-003") {
  struct conn *conn = conn_open(hub_start());
  const struct message *ack = expect_ack(conn, send_register(conn, "alone", NULL));

  expect_text(&ack->json, "active", json_text(&ack->json, "instance"));
}

/* ---- BH-REG-002: other protocols */

CASE(registration, other_protocols_are_unsupported, MUST, "BH-REG-002") {
  static const char *const protocols[] = {"0", "2", "10", "11", "65537", "4294967295"};
  struct conn *conn = conn_open(hub_start());

  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    expect_error(conn, "unsupported-protocol",
                 send_message(conn, "REGISTER", "{'protocol':%s,'pid':1,'name':'x'}", protocols[i]));
  }
}

CASE(registration, other_protocol_registers_nobody, MUST, "BH-REG-002") {
  struct hub *hub = hub_start();
  struct conn *observer = conn_open(hub);
  struct conn *conn = conn_open(hub);

  register_observer(observer, "observer");
  expect_error(conn, "unsupported-protocol",
               send_message(conn, "REGISTER", "{'protocol':2,'pid':1,'name':'x','instance':'future'}"));
  note("with the right one");
  const char *instance = json_text(&expect_ack(conn, send_register(conn, "x", NULL))->json, "instance");
  EXPECT(count_of(wait_for_listed(observer, instance), "future") == 0, "another protocol registers nothing",
         "the instance is registered");
}

CASE(registration, other_protocol_supersedes_nobody, MUST, "BH-REG-002") {
  struct hub *hub = hub_start();
  struct conn *holder = join(hub, "holder");
  struct conn *conn = conn_open(hub);

  expect_error(conn, "unsupported-protocol",
               send_message(conn, "REGISTER", "{'protocol':2,'pid':1,'name':'x','instance':'%s'}", holder->instance));
  fence(holder);
}

/* ---- BH-REG-003: defaults */

static size_t imports_until_fence(struct conn *conn) {
  uint32_t id = send_message(conn, "HEARTBEAT", "{}");
  const struct message *message;
  size_t imports = 0;

  do {
    message = next_message(conn);
    imports += strcmp(message->type, "IMPORT_DATA") == 0;
  } while (!is_answer_to(message, id));
  return imports;
}

static size_t imports_at_once(struct hub *hub, const char *more) {
  struct conn *conn = conn_open(hub);

  register_with(conn, "window", "%s", more);
  make_active(conn);
  bridge_export(hub, "[{\"id\":\"1\"}][{\"id\":\"2\"}][{\"id\":\"3\"}]");
  expect_message(conn, "IMPORT_DATA");
  size_t imports = 1 + imports_until_fence(conn);
  while (strcmp(next_message(conn)->type, "HEARTBEAT") != 0) {
    imports++;
  }
  return imports + imports_until_fence(conn);
}

CASE(registration, absent_window_is_1, MUST, "BH-REG-003") {
  size_t absent = imports_at_once(hub_start(), "");
  size_t two = imports_at_once(hub_start(), ",\"window\":2");

  EXPECT(absent == 1, "an absent `window` means 1", "%zu imports came unanswered", absent);
  EXPECT(two == 2, "a `window` of 2 takes two imports", "%zu came", two);
}

CASE(registration, absent_role_is_instance, MUST, "BH-REG-003") {
  struct hub *hub = hub_start();
  struct conn *observer = conn_open(hub);
  struct conn *absent = conn_open(hub);
  struct conn *named = conn_open(hub);

  register_observer(observer, "observer");
  register_instance(absent, "absent");
  register_with(named, "named", ",'role':'instance'");
  const struct message *heartbeat = wait_for_listed(observer, named->instance);
  EXPECT(count_of(heartbeat, absent->instance) == 1, "an absent `role` means `instance`",
         "it is not registered as one");
  request(absent, "CLAIM_ACTIVE", "{}");
}

/* ---- BH-REG-004, BH-REG-005: ids */

CASE(registration, every_client_is_given_an_id_of_its_own, MUST, "BH-REG-004") {
  enum { COUNT = 24 };
  struct hub *hub = hub_start();
  struct conn *first = join(hub, "leaves halfway");
  const char *ids[COUNT];

  for (size_t i = 0; i < COUNT; i++) {
    if (i == COUNT / 2) {
      request(first, "UNREGISTER", "{}");
    }
    struct conn *conn = conn_open(hub);
    const struct message *ack = i % 3 == 2
                                    ? request(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'x','role':'observer'}")
                                    : expect_ack(conn, send_register(conn, "x", NULL));
    ids[i] = json_text(&ack->json, "instance");
    for (size_t k = 0; k < i; k++) {
      EXPECT(strcmp(ids[i], ids[k]) != 0, "a new client is given an id that no other has", "%s was given twice",
             ids[i]);
    }
  }
}

CASE(registration, unknown_id_is_adopted, MUST, "BH-REG-005") {
  const char *const ids[] = {"a", "A", "0", "-", "My-Own-Instance-0123456789", repeat("z", 64), "null"};
  struct hub *hub = hub_start();

  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    struct conn *conn = conn_open(hub);
    expect_text(&expect_ack(conn, send_register(conn, "own id", ids[i]))->json, "instance", ids[i]);
  }
}

CASE(registration, ids_that_differ_in_one_character_are_different, MUST, "BH-REG-005 BH-REG-006 BH-CLAIM-005") {
  const char *const ids[] = {
      "id", "Id", "i", "id-", "-id", format("%s1", repeat("z", 63)), format("%s2", repeat("z", 63))};
  enum { COUNT = sizeof ids / sizeof ids[0] };
  struct hub *hub = hub_start();
  struct conn *conns[COUNT];

  for (size_t i = 0; i < COUNT; i++) {
    conns[i] = conn_open(hub);
    checking("BH-REG-005");
    expect_text(&expect_ack(conns[i], send_register(conns[i], "own id", ids[i]))->json, "instance", ids[i]);
  }
  for (size_t i = 0; i < COUNT; i++) {
    checking("BH-REG-006");
    fence(conns[i]);
    checking("BH-CLAIM-005");
    const struct message *ack = request(conns[0], "CLAIM_ACTIVE", "{'instance':'%s'}", ids[i]);
    expect_text(&ack->json, "active", ids[i]);
  }
  expect_error(conns[0], "no-such-instance", send_message(conns[0], "CLAIM_ACTIVE", "{'instance':'ID'}"));
  expect_error(conns[0], "no-such-instance",
               send_message(conns[0], "CLAIM_ACTIVE", "{'instance':'%s'}", repeat("z", 63)));
}

CASE(registration, id_with_escapes_is_adopted_unescaped, MUST, "BH-REG-005") {
  struct conn *conn = conn_open(hub_start());

  expect_text(&expect_ack(conn, send_register(conn, "own id", "\\u0061-\\u005A\\u002d9"))->json, "instance", "a-Z-9");
}

CASE(registration, id_that_was_unregistered_is_adopted, MUST, "BH-REG-005") {
  struct hub *hub = hub_start();
  struct conn *first = join(hub, "first");

  pass_request(first, "BH-REG-009", "UNREGISTER", "{}");
  struct conn *conn = conn_open(hub);
  expect_text(&expect_ack(conn, send_register(conn, "again", first->instance))->json, "instance", first->instance);
}

/* ---- BH-REG-006: a newer connection with the same id */

static void expect_superseded(struct conn *conn) {
  expect_error(conn, "superseded", 0);
  expect_closed(conn);
}

CASE(registration, newer_connection_supersedes_the_older, MUST, "BH-REG-006") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_TIMEOUT});
  struct conn *older = join(hub, "older");
  struct conn *newer = conn_open(hub);
  struct conn *newest = conn_open(hub);

  expect_text(&expect_ack(newer, send_register(newer, "newer", older->instance))->json, "instance", older->instance);
  expect_superseded(older);
  fence(newer);
  expect_text(&expect_ack(newest, send_register(newest, "newest", older->instance))->json, "instance", older->instance);
  expect_superseded(newer);
  fence(newest);
}

CASE(registration, newer_connection_is_listed_as_it_registered, MUST, "BH-TIME-002 BH-REG-011") {
  struct hub *hub = hub_start_with((struct hub_options){RARE_HEARTBEATS});
  struct conn *older = join(hub, "older");
  struct conn *newer = conn_open(hub);

  expect_ack(newer, send_register(newer, "newer", older->instance));
  const struct message *heartbeat = expect_heartbeat_with(newer, "instances");
  EXPECT(count_of(heartbeat, older->instance) == 1, "the instance is listed once", "it is listed %zu times",
         count_of(heartbeat, older->instance));
  expect_text(&heartbeat->json, entry(heartbeat, older->instance, "name"), "newer");
  expect_integer(&heartbeat->json, entry(heartbeat, older->instance, "pid"), 1);
}

CASE(registration, newer_observer_supersedes_the_older, MUST, "BH-REG-006") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_TIMEOUT});
  struct conn *older = conn_open(hub);
  struct conn *newer = conn_open(hub);

  register_observer(older, "older");
  const struct message *ack = request(
      newer, "REGISTER", "{'protocol':1,'pid':1,'name':'newer','role':'observer','instance':'%s'}", older->instance);
  expect_text(&ack->json, "instance", older->instance);
  expect_superseded(older);
  fence(newer);
}

/* The end of the older connection is not the end of the registration. */
CASE(registration, superseding_connection_is_the_instance, MUST, "BH-REG-006") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_TIMEOUT});
  struct conn *observer = conn_open(hub);
  struct conn *older = join(hub, "older");
  struct conn *newer = conn_open(hub);

  register_observer(observer, "observer");
  make_active(older);
  expect_ack(newer, send_register(newer, "newer", older->instance));
  expect_superseded(older);
  fence(newer);
  struct conn *late = conn_open(hub);
  register_observer(late, "late");
  EXPECT(count_of(wait_for_listed(late, older->instance), older->instance) == 1,
         "the newer connection has the instance", "it is registered more than once");
  request(newer, "CLAIM_ACTIVE", "{}");
  bridge_export(hub, "[{\"id\":\"for the newer\"}]");
  expect_message(newer, "IMPORT_DATA");
}

/* ---- BH-REG-007: the other role */

CASE(registration, id_of_the_other_role_is_refused, MUST, "BH-REG-007") {
  struct hub *hub = hub_start();
  struct conn *instance = join(hub, "instance");
  struct conn *observer = conn_open(hub);
  struct conn *conn = conn_open(hub);

  register_observer(observer, "observer");
  expect_error(conn, "refused", send_register(conn, "x", observer->instance));
  expect_error(conn, "refused",
               send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'x','role':'observer','instance':'%s'}",
                            instance->instance));
  note("both are as they were");
  fence(instance);
  fence(observer);
  expect_ack(conn, send_register(conn, "x", NULL));
}

/* ---- BH-REG-008: twice on a connection */

CASE(registration, second_register_is_refused, MUST, "BH-REG-008") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "once");

  expect_error(conn, "already-registered", send_register(conn, "twice", NULL));
  expect_error(conn, "already-registered", send_register(conn, "twice", conn->instance));
  expect_error(conn, "already-registered", send_register(conn, "twice", "another"));
  expect_error(conn, "already-registered",
               send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'x','role':'observer'}"));
  fence(conn);
}

CASE(registration, second_register_changes_nothing, MUST, "BH-REG-008") {
  struct hub *hub = hub_start();
  struct conn *holder = join(hub, "holder");
  struct conn *conn = conn_open(hub);

  register_with(conn, "once", ",'window':1");

  make_active(conn);
  pass_active(conn, conn->instance, "BH-CLAIM-001");
  expect_error(conn, "already-registered",
               send_message(conn, "REGISTER", "{'protocol':1,'pid':2,'name':'twice','window':9,'instance':'%s'}",
                            holder->instance));
  fence(holder);
  struct conn *late = join(hub, "late");
  const struct message *heartbeat = wait_for_listed(late, conn->instance);
  expect_text(&heartbeat->json, entry(heartbeat, conn->instance, "name"), "once");
  EXPECT(count_of(heartbeat, holder->instance) == 1, "a second REGISTER changes nothing",
         "the other instance is registered no more");
  bridge_export(hub, "[{\"id\":\"1\"}][{\"id\":\"2\"}]");
  expect_message(conn, "IMPORT_DATA");
  EXPECT(imports_until_fence(conn) == 0, "a second REGISTER changes nothing", "the window is another");
}

/* ---- BH-REG-009: UNREGISTER */

CASE(registration, unregister_is_answered_and_closed, MUST, "BH-REG-009") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_TIMEOUT});
  struct conn *instance = join(hub, "instance");
  struct conn *observer = conn_open(hub);

  request(instance, "UNREGISTER", "{}");
  expect_closed(instance);
  register_observer(observer, "observer");
  request(observer, "UNREGISTER", "{}");
  expect_closed(observer);
}

CASE(registration, unregister_ends_the_registration, MUST, "BH-REG-009") {
  struct hub *hub = hub_start();
  struct conn *stays = join(hub, "stays");
  struct conn *leaves = join(hub, "leaves");

  wait_for_listed(stays, leaves->instance);
  request(leaves, "UNREGISTER", "{}");
  wait_for_unlisted(stays, leaves->instance);
  expect_error(stays, "no-such-instance", send_message(stays, "CLAIM_ACTIVE", "{'instance':'%s'}", leaves->instance));
}

/* ---- BH-MSG-012: before it */

CASE(registration, who_has_not_registered_is_told_nothing, MUST, "BH-MSG-012") {
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 50, LONG_TIMEOUT});
  struct conn *stranger = conn_open(hub);
  struct conn *instance = join(hub, "instance");

  make_active(instance);
  request(instance, "RELEASE_ACTIVE", NULL);
  bridge_export(hub, "[{\"id\":\"waits\"}]");
  for (size_t i = 0; i < 3; i++) {
    expect_heartbeat_with(instance, "waiting");
  }
  send_message(stranger, "HEARTBEAT", NULL);
  const char *first = next_message(stranger)->type;
  EXPECT(strcmp(first, "ERROR") == 0, "who has not registered is sent nothing but answers", "%s", first);
}

/* ---- BH-REG-010, BH-REG-011: `instances` */

CASE(registration, instances_are_told_at_once, MUST, "BH-REG-010") {
  struct hub *hub = hub_start_with((struct hub_options){RARE_HEARTBEATS});
  struct conn *instance = join(hub, "instance");
  struct conn *observer = conn_open(hub);

  EXPECT(count_of(expect_heartbeat_with(instance, "instances"), instance->instance) == 1,
         "the first HEARTBEAT lists the instances", "the new one is not among them");
  register_observer(observer, "observer");
  EXPECT(count_of(expect_heartbeat_with(observer, "instances"), instance->instance) == 1,
         "the first HEARTBEAT lists the instances", "the one that was there is not among them");
}

CASE(registration, instances_lists_each_once_and_no_observer, MUST, "BH-REG-011") {
  enum { COUNT = 5 };
  struct hub *hub = hub_start();
  struct conn *observer = conn_open(hub);
  struct conn *late = conn_open(hub);
  const char *ids[COUNT];

  register_observer(observer, "observer");
  for (size_t i = 0; i < COUNT; i++) {
    const struct message *ack =
        request(conn_open(hub), "REGISTER", "{'protocol':1,'pid':%zu,'name':'instance %zu'}", i + 100, i);
    ids[i] = json_text(&ack->json, "instance");
  }
  register_observer(late, "late");
  const struct message *heartbeat = expect_heartbeat_with(late, "instances");
  for (size_t i = 0; i < COUNT; i++) {
    EXPECT(count_of(heartbeat, ids[i]) == 1, "`instances` lists each instance once",
           "instance %zu stands there %zu times", i, count_of(heartbeat, ids[i]));
    expect_integer(&heartbeat->json, entry(heartbeat, ids[i], "pid"), i + 100);
    expect_text(&heartbeat->json, entry(heartbeat, ids[i], "name"), format("instance %zu", i));
  }
  EXPECT(json_count(&heartbeat->json, "instances") == COUNT, "`instances` lists no observer", "it lists %zu for %d",
         json_count(&heartbeat->json, "instances"), COUNT);
}
