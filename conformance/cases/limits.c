/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 10: who gets in. */
#include "harness.h"
#include "imports.h"
#include "steps.h"

#include <stdio.h>
#include <string.h>

enum { UNREGISTERED = 64, INSTANCES = 256, OBSERVERS = 64 };

/* One whose place the case is about. */
static void expect_registered(struct conn *conn, const char *more) {
  request(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'one that has a place'%s}", more);
}

/* ---- BH-LIMIT-001: connections that have not registered */

CASE(limits, sixty_four_connections_need_not_register, MUST, "BH-LIMIT-001") {
  struct hub *hub = hub_start_with((struct hub_options){RARE_HEARTBEATS});
  struct conn *conns[UNREGISTERED];

  for (size_t i = 0; i < UNREGISTERED; i++) {
    conns[i] = conn_open(hub);
  }
  expect_goes_on(conns[UNREGISTERED - 1]);
  for (size_t i = 0; i + 1 < UNREGISTERED; i++) {
    register_instance(conns[i], "late");
  }
  expect_registered(conns[UNREGISTERED - 1], "");
}

CASE(limits, the_sixty_fifth_is_told_overloaded, MUST, "BH-LIMIT-001") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "limits", RARE_HEARTBEATS});
  struct conn *conns[UNREGISTERED];

  for (size_t i = 0; i < UNREGISTERED; i++) {
    conns[i] = conn_open(hub);
  }
  struct conn *more = conn_open(hub);
  expect_error(more, "overloaded", 0);
  expect_closed(more);
  register_instance(conns[0], "the first");
  expect_registered(conns[UNREGISTERED - 1], "");
  note("there is room again");
  expect_registered(conn_open(hub), "");
}

/* ---- BH-LIMIT-002: registrations */

static void fill(struct hub *hub, const char *more, struct conn **conns, size_t count) {
  for (size_t i = 0; i + 1 < count; i++) {
    conns[i] = conn_open(hub);
    register_with(conns[i], "one of many", "%s", more);
  }
  conns[count - 1] = conn_open(hub);
  expect_registered(conns[count - 1], more);
}

static void expect_full(struct hub *hub, const char *role, struct conn **conns, size_t count) {
  struct conn *more = conn_open(hub);

  uint32_t id = send_message(more, "REGISTER", "{'protocol':1,'pid':1,'name':'one too many','role':'%s'}", role);
  expect_error(more, "overloaded", id);
  request(conns[count / 2], "UNREGISTER", NULL);
  id = send_message(more, "REGISTER", "{'protocol':1,'pid':1,'name':'one in place of another','role':'%s'}", role);
  expect_ack(more, id);
}

CASE(limits, instances_up_to_256, MUST, "BH-LIMIT-002") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "limits", RARE_HEARTBEATS});
  struct conn *conns[INSTANCES];

  fill(hub, "", conns, INSTANCES);
  expect_full(hub, "instance", conns, INSTANCES);
}

static bool state_lists_all(void *hub) {
  struct json state = state_read(hub);

  return state.valid && json_count(&state, "registered_instances") == INSTANCES;
}

CASE(limits, all_256_instances_are_listed, MUST, "BH-REG-011 BH-STATE-004") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "state", RARE_HEARTBEATS});
  struct conn *conns[INSTANCES];

  fill(hub, "", conns, INSTANCES);
  const struct message *told = expect_heartbeat_with(conns[INSTANCES - 1], "instances");
  checking("BH-REG-011");
  EXPECT(json_count(&told->json, "instances") == INSTANCES, "`instances` lists all 256 instances", "%u are listed",
         (unsigned)json_count(&told->json, "instances"));
  EXPECT(json_find_instance(&told->json, "instances", conns[INSTANCES - 2]->instance) >= 0,
         "`instances` lists the last that came before", "it is not there");
  checking("BH-STATE-004");
  EXPECT(wait_until(state_lists_all, hub, deadline_ms()), "the state file lists all 256 instances", "it does not");
}

CASE(limits, observers_up_to_64, MUST, "BH-LIMIT-002") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "limits", RARE_HEARTBEATS});
  struct conn *conns[OBSERVERS];

  fill(hub, ",\"role\":\"observer\"", conns, OBSERVERS);
  join(hub, "an instance has a place still");
  expect_full(hub, "observer", conns, OBSERVERS);
}

CASE(limits, one_that_takes_its_own_place_is_not_one_more, MUST, "BH-LIMIT-002 BH-REG-006") {
  struct hub *hub = hub_start_with((struct hub_options){RARE_HEARTBEATS});
  struct conn *conns[INSTANCES];

  fill(hub, "", conns, INSTANCES);
  expect_registered(conn_open(hub), format(",\"instance\":\"%s\"", conns[7]->instance));
}

/* ---- BH-LIMIT-003 */

CASE(limits, who_does_not_register_is_closed, MUST, "BH-LIMIT-003") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "limits", .heartbeat_ms = 60, .timeout_ms = 600});
  struct conn *conn = conn_open(hub);

  expect_closed(conn);
  EXPECT(conn->ended_at + 20 >= conn->opened_at + hub->timeout_ms, "there are timeout_ms to register",
         "the connection was closed after %u ms", (unsigned)(conn->ended_at - conn->opened_at));
}

CASE(limits, octets_do_not_stand_for_registering, MUST, "BH-LIMIT-003") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "limits", QUICK_TIMEOUTS});
  struct conn *conn = conn_open(hub);
  uint64_t until = now_ms() + 3 * (uint64_t)hub->timeout_ms + deadline_ms();

  while (!conn->ended && now_ms() < until) {
    send_message(conn, "HEARTBEAT", NULL);
    next_message_in(conn, hub->heartbeat_ms);
  }
  EXPECT(conn->ended, "a connection that has not registered after timeout_ms is closed", "it is open after %u ms",
         (unsigned)(now_ms() - conn->opened_at));
}

/* ---- BH-LIMIT-004: what is queued */

static bool is_in_state(struct hub *hub, const char *instance) {
  struct json state = state_read(hub);

  return !state.valid || json_find_instance(&state, "registered_instances", instance) >= 0;
}

/* Each of these messages is answered with an ERROR of some 100 octets. */
static void send_many(struct conn *conn, uint32_t *id, size_t count) {
  enum { MESSAGE_MAX = 40 };
  char *octets = allocate(count * MESSAGE_MAX);
  size_t size = 0;

  for (size_t i = 0; i < count; i++) {
    size += (size_t)snprintf(octets + size, MESSAGE_MAX, "BH1 NO_SUCH_TYPE %u 0\n", (unsigned)(*id)++);
  }
  send_octets(conn, octets, size);
}

CASE(limits, a_client_that_does_not_read_is_cut_off, MUST, "BH-LIMIT-004") {
  enum { BATCH = 2000, BATCHES = 1200, ENOUGH_MS = 60000 };
  struct hub *hub = hub_start_with((struct hub_options){.need = "limits", .heartbeat_ms = 100, .timeout_ms = 60000});
  struct conn *watcher = join(hub, "watcher");
  struct conn *deaf = join(hub, "deaf");

  /* More than a million answers: a hub in a slow language may need a minute. */
  case_allow_ms(ENOUGH_MS);
  wait_for_listed(watcher, deaf->instance);
  conn_mute(deaf);
  conn_stop_reading(deaf);
  uint32_t id = next_id(deaf);
  uint64_t began = now_ms();
  for (unsigned batch = 0; batch < BATCHES && is_in_state(hub, deaf->instance); batch++) {
    if (now_ms() - began > ENOUGH_MS) {
      skip("this hub answered %u messages in a minute: too few to queue 134217728 octets", batch * BATCH);
    }
    send_many(deaf, &id, BATCH);
    fence(watcher);
  }
  /* The watcher may have been told while it was answered. */
  struct conn *late = join(hub, "late");
  EXPECT(json_find_instance(&expect_heartbeat_with(late, "instances")->json, "instances", deaf->instance) < 0,
         "a client for which more than 134217728 octets are queued is taken for lost", "it is still registered");
}

/* ---- BH-LIMIT-005 */

CASE(limits, names_are_printed_escaped, MUST, "BH-LIMIT-005") {
  struct hub *hub = hub_start();
  struct conn *conn = conn_open(hub);

  register_with(conn, "\\u001b[31mred\\u0007\\n\\u007f\\u009b", "%s", "");
  request(conn, "UNREGISTER", NULL);
  expect_closed(conn);
  const char *log = hub_log(hub);
  EXPECT(strchr(log, 0x1b) == NULL && strchr(log, 0x07) == NULL && strchr(log, 0x7f) == NULL &&
             strstr(log, "\xc2\x9b") == NULL && strstr(log, "red\n") == NULL,
         "control characters of a name are escaped where it is printed", "the hub's log holds them as they are");
}
