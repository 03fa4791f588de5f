/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 4: who is active. */
#include "harness.h"
#include "imports.h"
#include "steps.h"

#include <signal.h>
#include <string.h>

/* Several cases are about these: an active instance, another one, and an observer. */
struct three {
  struct hub *hub;
  struct conn *active;
  struct conn *other;
  struct conn *observer;
};

static struct three gather(struct hub_options options) {
  struct three three = {.hub = hub_start_with(options)};

  three.active = join(three.hub, "active");
  three.other = join(three.hub, "other");
  three.observer = conn_open(three.hub);
  register_observer(three.observer, "observer");
  make_active(three.active);
  fence(three.active);
  fence(three.other);
  fence(three.observer);
  return three;
}

/* As a newcomer is told. */
static bool is_active_now(struct hub *hub, const char *instance) {
  struct conn *newcomer = conn_open(hub);
  const struct message *ack = register_observer(newcomer, "newcomer");

  if (instance == NULL) {
    return json_is_null(&ack->json, "active");
  }
  return json_is_text(&ack->json, "active") && strcmp(json_text(&ack->json, "active"), instance) == 0;
}

/*
 * For hubs whose periodic HEARTBEATs are rare. Where the change itself has not come, `requirement` is broken, and not
 * the one that clients are told.
 */
static void expect_told(struct conn *conn, const char *instance, const char *requirement) {
  const struct message *message;

  do {
    message = next_message_in(conn, deadline_ms());
    if (message != NULL && says_active(message, instance)) {
      return;
    }
  } while (message != NULL);
  if (!is_active_now(conn->hub, instance)) {
    fail_as(requirement, format("%s is active", instance == NULL ? "nobody" : instance), "it is otherwise");
  }
  fail("every registered client is told at once who is active", "%s was not told that %s is", conn->name,
       instance == NULL ? "nobody" : instance);
}

/* On the way to something else. */
static void release(struct conn *conn) {
  pass_request(conn, "BH-REL-001", "RELEASE_ACTIVE", "{}");
}

static void leave(struct conn *conn) {
  pass_request(conn, "BH-REG-009", "UNREGISTER", "{}");
}

/* Registers with an id of its own. */
static struct conn *resume_as(struct hub *hub, const char *instance) {
  struct conn *conn = conn_open(hub);

  register_with(conn, "resumes", ",'instance':'%s'", instance);
  if (strcmp(conn->instance, instance) != 0) {
    fail_as("BH-REG-005", "the id that was asked for", "%s in place of %s", conn->instance, instance);
  }
  return conn;
}

/* ---- BH-CLAIM-001, BH-CLAIM-002: for oneself */

CASE(active, latest_claim_wins, MUST, "BH-CLAIM-001") {
  struct three three = gather((struct hub_options){0});

  request(three.other, "CLAIM_ACTIVE", "{}");
  expect_active(three.observer, three.other->instance);
  request(three.active, "CLAIM_ACTIVE", "{}");
  expect_active(three.observer, three.active->instance);
  request(three.active, "CLAIM_ACTIVE", "{}");
  expect_still_active(three.observer, three.active->instance);
}

CASE(active, claim_where_nobody_is_active, MUST, "BH-CLAIM-001") {
  struct three three = gather((struct hub_options){0});

  release(three.active);
  expect_active(three.observer, NULL);
  request(three.other, "CLAIM_ACTIVE", "{}");
  expect_active(three.observer, three.other->instance);
}

CASE(active, imports_follow_the_latest_claim, MUST, "BH-CLAIM-001") {
  struct three three = gather((struct hub_options){0});

  request(three.other, "CLAIM_ACTIVE", "{}");
  bridge_export(three.hub, "[{\"id\":\"for the other\"}]");
  expect_message(three.other, "IMPORT_DATA");
  fence(three.active);
}

static void expect_ack_names(struct conn *conn, const char *body, const char *instance) {
  const struct message *ack = pass_request(conn, "BH-CLAIM-004", "CLAIM_ACTIVE", body);

  expect_text(&ack->json, "active", instance);
}

CASE(active, ack_of_a_claim_names_the_active_instance, MUST, "BH-CLAIM-002") {
  struct three three = gather((struct hub_options){0});
  const char *other = three.other->instance;
  const char *active = three.active->instance;

  expect_ack_names(three.other, "{}", other);
  expect_ack_names(three.other, "{}", other);
  expect_ack_names(three.other, format("{\"instance\":\"%s\"}", active), active);
  expect_ack_names(three.observer, format("{\"instance\":\"%s\"}", other), other);
}

/* ---- BH-CLAIM-003: the state file first */

/* Often, because a file that is written a moment too late is found too late only now and then. */
CASE(active, state_file_names_the_claimant_before_the_ack, MUST, "BH-CLAIM-003") {
  struct three three = gather((struct hub_options){.need = "state", RARE_HEARTBEATS});

  for (int i = 0; i < 150; i++) {
    struct conn *conn = i % 2 == 0 ? three.other : three.active;
    make_active(conn);
    struct json state = state_read(three.hub);
    EXPECT(state.valid, "the state file names the new active instance before the ACK", "it cannot be read");
    expect_text(&state, "active_instance.instance", conn->instance);
  }
}

/* ---- BH-CLAIM-004, BH-CLAIM-005, BH-CLAIM-006: for others */

CASE(active, anybody_hands_over_by_instance, MUST, "BH-CLAIM-004") {
  struct three three = gather((struct hub_options){0});
  struct conn *third = join(three.hub, "third");

  note("by the active one");
  request(three.active, "CLAIM_ACTIVE", "{'instance':'%s'}", three.other->instance);
  expect_active(third, three.other->instance);
  note("by one that never was");
  request(third, "CLAIM_ACTIVE", "{'instance':'%s'}", three.active->instance);
  expect_active(third, three.active->instance);
  note("by an observer");
  request(three.observer, "CLAIM_ACTIVE", "{'instance':'%s'}", third->instance);
  expect_active(third, third->instance);
  note("by an instance for itself");
  request(three.other, "CLAIM_ACTIVE", "{'instance':'%s'}", three.other->instance);
  expect_active(third, three.other->instance);
  note("where nobody is");
  release(three.other);
  request(three.observer, "CLAIM_ACTIVE", "{'instance':'%s'}", third->instance);
  expect_active(three.observer, third->instance);
}

static void expect_no_such_instance(const struct three *three, struct conn *conn, const char *instance) {
  expect_error(conn, "no-such-instance", send_message(conn, "CLAIM_ACTIVE", "{'instance':'%s'}", instance));
  expect_still_active(three->observer, three->active->instance);
}

CASE(active, claim_for_an_unknown_instance_changes_nothing, MUST, "BH-CLAIM-005") {
  struct three three = gather((struct hub_options){0});
  const char *longer = format("%.63sx", three.other->instance);

  expect_no_such_instance(&three, three.other, "nobody");
  expect_no_such_instance(&three, three.observer, "nobody");
  expect_no_such_instance(&three, three.active, "nobody");
  expect_no_such_instance(&three, three.other, longer);
}

CASE(active, claim_for_an_observer_changes_nothing, MUST, "BH-CLAIM-005") {
  struct three three = gather((struct hub_options){0});

  expect_no_such_instance(&three, three.other, three.observer->instance);
  expect_no_such_instance(&three, three.active, three.observer->instance);
  expect_no_such_instance(&three, three.observer, three.observer->instance);
}

CASE(active, claim_for_an_instance_that_left_changes_nothing, MUST, "BH-CLAIM-005") {
  struct three three = gather((struct hub_options){0});
  struct conn *left = join(three.hub, "leaves");

  leave(left);
  expect_no_such_instance(&three, three.other, left->instance);
}

CASE(active, observer_is_never_active, MUST, "BH-CLAIM-006") {
  struct three three = gather((struct hub_options){0});

  expect_error(three.observer, "refused", send_message(three.observer, "CLAIM_ACTIVE", "{}"));
  expect_still_active(three.other, three.active->instance);
  release(three.active);
  expect_error(three.observer, "refused", send_message(three.observer, "CLAIM_ACTIVE", "{}"));
  expect_active(three.other, NULL);
  expect_still_active(three.other, NULL);
}

/* ---- BH-REL-001, BH-REL-002, BH-REL-003: releasing */

static void expect_released(const struct three *three, struct conn *conn) {
  expect_text(&request(conn, "RELEASE_ACTIVE", "{}")->json, "active", NULL);
  expect_active(three->other, NULL);
  expect_still_active(three->other, NULL);
}

CASE(active, active_instance_releases, MUST, "BH-REL-001") {
  struct three three = gather((struct hub_options){0});

  expect_released(&three, three.active);
  bridge_export(three.hub, "[{\"id\":\"waits\"}]");
  fence(three.active);
  fence(three.other);
}

CASE(active, observer_releases, MUST, "BH-REL-002") {
  struct three three = gather((struct hub_options){0});

  expect_released(&three, three.observer);
  make_active(three.other);
  expect_active(three.observer, three.other->instance);
  expect_text(&request(three.observer, "RELEASE_ACTIVE", "{}")->json, "active", NULL);
  expect_active(three.other, NULL);
}

CASE(active, release_by_another_changes_nothing, MUST, "BH-REL-003") {
  struct three three = gather((struct hub_options){0});

  expect_error(three.other, "not-active", send_message(three.other, "RELEASE_ACTIVE", "{}"));
  expect_still_active(three.observer, three.active->instance);
}

CASE(active, release_where_nobody_is_active, MUST, "BH-REL-003") {
  struct three three = gather((struct hub_options){0});

  release(three.active);
  expect_error(three.active, "not-active", send_message(three.active, "RELEASE_ACTIVE", "{}"));
  expect_error(three.other, "not-active", send_message(three.other, "RELEASE_ACTIVE", "{}"));
  expect_error(three.observer, "not-active", send_message(three.observer, "RELEASE_ACTIVE", "{}"));
  expect_still_active(three.observer, NULL);
}

/* ---- BH-REL-004: a release is final */

CASE(active, nobody_follows_a_release, MUST, "BH-REL-004") {
  struct three three = gather((struct hub_options){0});

  release(three.active);
  join(three.hub, "newcomer");
  expect_active(three.observer, NULL);
  leave(three.other);
  conn_close(three.active);
  wait_for_unlisted(three.observer, three.active->instance);
  expect_still_active(three.observer, NULL);
}

CASE(active, nobody_follows_a_release_into_an_empty_registry, MUST, "BH-REL-004") {
  struct three three = gather((struct hub_options){0});

  release(three.active);
  leave(three.active);
  leave(three.other);
  wait_for_unlisted(three.observer, three.other->instance);
  struct conn *newcomer = join(three.hub, "newcomer");
  wait_for_listed(three.observer, newcomer->instance);
  expect_still_active(three.observer, NULL);
  note("a claim is a way");
  make_active(newcomer);
  expect_active(three.observer, newcomer->instance);
}

CASE(active, one_that_released_does_not_resume_the_role, MUST, "BH-REL-004") {
  struct three three = gather((struct hub_options){0});

  release(three.active);
  conn_close(three.active);
  wait_for_unlisted(three.observer, three.active->instance);
  resume_as(three.hub, three.active->instance);
  wait_for_listed(three.observer, three.active->instance);
  expect_still_active(three.observer, NULL);
}

/* Waits until the hub is no young one any more. */
static void grow_older(const struct hub *hub, struct conn *observer) {
  uint64_t end = now_ms() + hub->timeout_ms + hub->heartbeat_ms;

  while (now_ms() < end) {
    expect_heartbeat(observer);
  }
}

CASE(active, nobody_follows_a_release_by_coming_back_alone, MUST, "BH-REL-004") {
  struct three three = gather((struct hub_options){QUICK_TIMEOUTS});

  release(three.active);
  leave(three.active);
  leave(three.other);
  wait_for_unlisted(three.observer, three.other->instance);
  grow_older(three.hub, three.observer);
  resume_as(three.hub, three.other->instance);
  wait_for_listed(three.observer, three.other->instance);
  expect_still_active(three.observer, NULL);
}

/* ---- BH-ACT-001: at most one */

CASE(active, claims_at_once_leave_one_active, MUST, "BH-ACT-001") {
  struct three three = gather((struct hub_options){0});

  for (int i = 0; i < 50; i++) {
    send_message(three.active, "CLAIM_ACTIVE", "{}");
    send_message(three.other, "CLAIM_ACTIVE", "{}");
    send_message(three.observer, "CLAIM_ACTIVE", "{'instance':'%s'}",
                 i % 2 == 0 ? three.active->instance : three.other->instance);
  }
  find_answer(three.active, send_message(three.active, "HEARTBEAT", "{}"));
  find_answer(three.other, send_message(three.other, "HEARTBEAT", "{}"));
  find_answer(three.observer, send_message(three.observer, "HEARTBEAT", "{}"));
  fence(three.observer);
  const char *active = json_text(&expect_heartbeat(three.observer)->json, "active");
  note("active: %s", active);
  expect_still_active(three.active, active);
  expect_still_active(three.other, active);
  bridge_export(three.hub, "[{\"id\":\"for one\"}]");
  bool first = strcmp(active, three.active->instance) == 0;
  expect_message(first ? three.active : three.other, "IMPORT_DATA");
  fence(first ? three.other : three.active);
}

/* ---- BH-ACT-002: everybody is told at once */

static void expect_all_told(const struct three *three, const char *instance, const char *requirement) {
  expect_told(three->active, instance, requirement);
  expect_told(three->other, instance, requirement);
  expect_told(three->observer, instance, requirement);
}

static void expect_others_told(const struct three *three, const char *instance, const char *requirement) {
  expect_told(three->other, instance, requirement);
  expect_told(three->observer, instance, requirement);
}

CASE(active, claim_is_told_at_once, MUST, "BH-ACT-002") {
  struct three three = gather((struct hub_options){RARE_HEARTBEATS});

  send_message(three.other, "CLAIM_ACTIVE", "{}");
  expect_all_told(&three, three.other->instance, "BH-CLAIM-001");
}

CASE(active, handing_over_is_told_at_once, MUST, "BH-ACT-002") {
  struct three three = gather((struct hub_options){RARE_HEARTBEATS});

  send_message(three.observer, "CLAIM_ACTIVE", "{'instance':'%s'}", three.other->instance);
  expect_all_told(&three, three.other->instance, "BH-CLAIM-004");
}

CASE(active, release_is_told_at_once, MUST, "BH-ACT-002") {
  struct three three = gather((struct hub_options){RARE_HEARTBEATS});

  send_message(three.active, "RELEASE_ACTIVE", "{}");
  expect_all_told(&three, NULL, "BH-REL-001");
}

CASE(active, leaving_of_the_active_is_told_at_once, MUST, "BH-ACT-002") {
  struct three three = gather((struct hub_options){RARE_HEARTBEATS});

  leave(three.active);
  expect_others_told(&three, NULL, "BH-ACT-004");
}

CASE(active, loss_of_the_active_is_told_at_once, MUST, "BH-ACT-002") {
  struct three three = gather((struct hub_options){RARE_HEARTBEATS});

  conn_close(three.active);
  expect_others_told(&three, NULL, "BH-ACT-004");
}

CASE(active, loss_of_the_active_by_a_break_is_told_at_once, MUST, "BH-ACT-002") {
  struct three three = gather((struct hub_options){RARE_HEARTBEATS});

  send_text(three.active, "?\n");
  pass_break(three.active);
  pass_end(three.active);
  expect_others_told(&three, NULL, "BH-ACT-004");
}

CASE(active, first_instance_is_told_to_observers_at_once, MUST, "BH-ACT-002") {
  struct hub *hub = hub_start_with((struct hub_options){RARE_HEARTBEATS});
  struct conn *observer = conn_open(hub);

  register_observer(observer, "observer");
  fence(observer);
  struct conn *conn = join(hub, "first");
  expect_told(observer, conn->instance, "BH-ACT-003");
  expect_told(conn, conn->instance, "BH-ACT-003");
}

CASE(active, return_of_the_lost_active_is_told_at_once, MUST, "BH-ACT-002") {
  struct three three = gather((struct hub_options){.need = "resume", RARE_HEARTBEATS});

  conn_close(three.active);
  expect_others_told(&three, NULL, "BH-ACT-004");
  resume_as(three.hub, three.active->instance);
  expect_others_told(&three, three.active->instance, "BH-ACT-005");
}

/* ---- BH-ACT-003: alone */

CASE(active, first_instance_is_active, MUST, "BH-ACT-003") {
  struct hub *hub = hub_start();
  struct conn *observer = conn_open(hub);

  register_observer(observer, "observer");
  struct conn *first = join(hub, "first");
  expect_active(observer, first->instance);
  struct conn *second = join(hub, "second");
  wait_for_listed(observer, second->instance);
  expect_still_active(observer, first->instance);
}

CASE(active, observer_alone_is_not_active, MUST, "BH-ACT-003 BH-CLAIM-006") {
  struct conn *observer = conn_open(hub_start());

  register_observer(observer, "observer");
  expect_still_active(observer, NULL);
}

CASE(active, instance_that_comes_after_all_have_left_is_active, MUST, "BH-ACT-003") {
  struct three three = gather((struct hub_options){0});

  leave(three.other);
  leave(three.active);
  expect_active(three.observer, NULL);
  struct conn *newcomer = join(three.hub, "newcomer");
  expect_active(three.observer, newcomer->instance);
}

CASE(active, instance_that_comes_while_the_active_is_lost_is_active_if_alone, MUST, "BH-ACT-003 BH-ACT-005") {
  struct hub *hub = hub_start();
  struct conn *observer = conn_open(hub);
  struct conn *lost = join(hub, "lost");

  register_observer(observer, "observer");
  make_active(lost);
  conn_close(lost);
  wait_for_unlisted(observer, lost->instance);
  struct conn *newcomer = join(hub, "newcomer");
  expect_active(observer, newcomer->instance);
  note("the lost one is back: another has become active");
  resume_as(hub, lost->instance);
  wait_for_listed(observer, lost->instance);
  expect_still_active(observer, newcomer->instance);
}

CASE(active, instance_that_joins_one_that_is_not_active_is_not_either, MUST, "BH-ACT-003 BH-ACT-004") {
  struct three three = gather((struct hub_options){0});

  leave(three.active);
  expect_active(three.observer, NULL);
  struct conn *newcomer = join(three.hub, "newcomer");
  wait_for_listed(three.observer, newcomer->instance);
  expect_still_active(three.observer, NULL);
}

/* ---- BH-ACT-004: nobody follows by itself */

static void expect_nobody_follows(const struct three *three) {
  expect_active(three->other, NULL);
  wait_for_unlisted(three->observer, three->active->instance);
  expect_still_active(three->observer, NULL);
  bridge_export(three->hub, "[{\"id\":\"waits\"}]");
  fence(three->other);
}

CASE(active, nobody_follows_an_active_that_leaves, MUST, "BH-ACT-004") {
  struct three three = gather((struct hub_options){0});

  leave(three.active);
  expect_nobody_follows(&three);
}

CASE(active, nobody_follows_an_active_that_is_lost, MUST, "BH-ACT-004") {
  struct three three = gather((struct hub_options){0});

  conn_close(three.active);
  expect_nobody_follows(&three);
}

CASE(active, nobody_follows_an_active_that_breaks_the_framing, MUST, "BH-ACT-004") {
  struct three three = gather((struct hub_options){0});

  send_text(three.active, "?\n");
  pass_break(three.active);
  pass_end(three.active);
  expect_nobody_follows(&three);
}

/* The time in which it could have come back passes too. */
CASE(active, nobody_follows_an_active_that_stays_away, MUST, "BH-ACT-004") {
  struct three three = gather((struct hub_options){QUICK_TIMEOUTS});
  uint64_t end = now_ms() + three.hub->timeout_ms + 2 * three.hub->heartbeat_ms;

  conn_close(three.active);
  expect_active(three.observer, NULL);
  while (now_ms() < end) {
    expect_text(&expect_heartbeat(three.observer)->json, "active", NULL);
  }
}

/* ---- BH-ACT-005: the lost one comes back */

CASE(active, lost_active_that_comes_back_is_active, MUST, "BH-ACT-005") {
  struct three three = gather((struct hub_options){.need = "resume", .timeout_ms = 5000});

  conn_close(three.active);
  expect_active(three.observer, NULL);
  struct conn *back = resume_as(three.hub, three.active->instance);
  expect_active(three.observer, three.active->instance);
  bridge_export(three.hub, "[{\"id\":\"for the one that is back\"}]");
  expect_message(back, "IMPORT_DATA");
}

CASE(active, superseded_active_stays_active, MUST, "BH-ACT-005") {
  struct three three = gather((struct hub_options){0});
  struct conn *newer = resume_as(three.hub, three.active->instance);

  wait_for_listed(newer, newer->instance);
  expect_still_active(newer, newer->instance);
  bridge_export(three.hub, "[{\"id\":\"for the newer\"}]");
  expect_message(newer, "IMPORT_DATA");
}

CASE(active, lost_active_that_comes_back_late_is_not_active, MUST, "BH-ACT-005 BH-ACT-004") {
  struct three three = gather((struct hub_options){QUICK_TIMEOUTS});

  conn_close(three.active);
  expect_active(three.observer, NULL);
  uint64_t end = now_ms() + three.hub->timeout_ms + 2 * three.hub->heartbeat_ms;
  while (now_ms() < end) {
    expect_heartbeat(three.observer);
  }
  resume_as(three.hub, three.active->instance);
  wait_for_listed(three.observer, three.active->instance);
  expect_still_active(three.observer, NULL);
}

CASE(active, lost_active_does_not_take_the_role_back, MUST, "BH-ACT-005") {
  struct three three = gather((struct hub_options){.timeout_ms = 5000});

  conn_close(three.active);
  expect_active(three.observer, NULL);
  make_active(three.other);
  resume_as(three.hub, three.active->instance);
  wait_for_listed(three.observer, three.active->instance);
  expect_still_active(three.observer, three.other->instance);
}

CASE(active, lost_active_is_not_active_where_the_role_was_released, MUST, "BH-ACT-005 BH-REL-004") {
  struct three three = gather((struct hub_options){.timeout_ms = 5000});

  conn_close(three.active);
  expect_active(three.observer, NULL);
  make_active(three.other);
  release(three.other);
  resume_as(three.hub, three.active->instance);
  wait_for_listed(three.observer, three.active->instance);
  expect_still_active(three.observer, NULL);
}

CASE(active, active_that_left_is_not_lost, MUST, "BH-ACT-004 BH-ACT-005") {
  struct three three = gather((struct hub_options){0});

  leave(three.active);
  expect_active(three.observer, NULL);
  resume_as(three.hub, three.active->instance);
  wait_for_listed(three.observer, three.active->instance);
  expect_still_active(three.observer, NULL);
}

CASE(active, lost_instance_that_was_not_active_comes_back_as_it_was, MUST, "BH-ACT-005") {
  struct three three = gather((struct hub_options){.timeout_ms = 5000});

  conn_close(three.other);
  wait_for_unlisted(three.observer, three.other->instance);
  resume_as(three.hub, three.other->instance);
  wait_for_listed(three.observer, three.other->instance);
  expect_still_active(three.observer, three.active->instance);
}

CASE(active, another_that_comes_back_does_not_take_the_lost_ones_role, MUST, "BH-ACT-004 BH-ACT-005") {
  struct three three = gather((struct hub_options){.timeout_ms = 5000});

  join(three.hub, "third");
  conn_close(three.active);
  expect_active(three.observer, NULL);
  conn_close(three.other);
  wait_for_unlisted(three.observer, three.other->instance);
  resume_as(three.hub, three.other->instance);
  wait_for_listed(three.observer, three.other->instance);
  expect_still_active(three.observer, NULL);
}

/* ---- BH-ACT-006: a hub that is young */

/* A hub that finds itself late gives the others that time once more (BH-TIME-007): it may take longer. */
CASE(active, young_hub_waits_for_the_former_active, MUST, "BH-ACT-006") {
  uint64_t began = now_ms();
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover", .heartbeat_ms = 100, .timeout_ms = 600});
  struct conn *conn = resume_as(hub, "of-a-former-hub");
  const struct message *heartbeat;

  expect_text(&expect_heartbeat(conn)->json, "active", NULL);
  do {
    heartbeat = expect_heartbeat(conn);
  } while (json_is_null(&heartbeat->json, "active") && heartbeat->at < began + 5 * hub->timeout_ms);
  expect_text(&heartbeat->json, "active", conn->instance);
  EXPECT(heartbeat->at >= began + hub->timeout_ms,
         "a young hub makes an instance with an id of its own active only later", "after %u ms of %u",
         (unsigned)(heartbeat->at - began), (unsigned)hub->timeout_ms);
}

CASE(active, young_hub_gives_what_waits_to_who_is_active_in_the_end, MUST, "BH-ROUTE-004") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover", QUICK_TIMEOUTS});
  struct conn *conn = resume_as(hub, "of-a-former-hub");

  bridge_export(hub, "[{\"id\":1}][{\"id\":2}]");
  pass_active(conn, conn->instance, "BH-ACT-006");
  take_assets(conn, "[{\"id\":1}]");
  take_assets(conn, "[{\"id\":2}]");
}

CASE(active, young_hub_makes_nobody_active_where_two_have_come, MUST, "BH-ACT-006") {
  uint64_t began = now_ms();
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover", QUICK_TIMEOUTS});
  struct conn *conn = resume_as(hub, "of-a-former-hub");

  resume_as(hub, "another");
  while (now_ms() < began + 2 * hub->timeout_ms) {
    expect_text(&expect_heartbeat(conn)->json, "active", NULL);
  }
}

CASE(active, young_hub_makes_a_newcomer_active_at_once, MUST, "BH-ACT-003") {
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 100, .timeout_ms = 60000});
  struct conn *conn = join(hub, "newcomer");

  expect_active(conn, conn->instance);
}

CASE(active, older_hub_makes_an_unknown_instance_active_at_once, MUST, "BH-ACT-003") {
  struct hub *hub = hub_start_with((struct hub_options){QUICK_TIMEOUTS});
  struct conn *observer = conn_open(hub);

  register_observer(observer, "observer");
  grow_older(hub, observer);
  resume_as(hub, "of-a-former-hub");
  expect_active(observer, "of-a-former-hub");
}
