/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 9: timing. */
#include "harness.h"
#include "imports.h"
#include "lives.h"
#include "steps.h"

#include <signal.h>
#include <string.h>

/* ---- BH-TIME-001 to 003: the hub's HEARTBEAT */

CASE(timing, a_heartbeat_comes_each_heartbeat_ms, MUST, "BH-TIME-001") {
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 50});
  struct conn *conn = join(hub, "A");
  uint64_t began;

  expect_heartbeat(conn);
  began = now_ms();
  for (unsigned i = 0; i < 30; i++) {
    expect_heartbeat(conn);
  }
  EXPECT(now_ms() - began < 45 * (uint64_t)hub->heartbeat_ms + deadline_ms(),
         "thirty HEARTBEATs come in about thirty times heartbeat_ms", "they took %u ms", (unsigned)(now_ms() - began));
}

CASE(timing, an_observer_gets_heartbeats_too, MUST, "BH-TIME-001") {
  struct hub *hub = hub_start();
  struct conn *conn = conn_open(hub);

  register_observer(conn, "observer");
  for (unsigned i = 0; i < 3; i++) {
    expect_heartbeat(conn);
  }
}

CASE(timing, a_heartbeat_says_how_things_are, MUST, "BH-TIME-002") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  for (unsigned i = 0; i < 3; i++) {
    const struct message *heartbeat = expect_heartbeat(conn);
    EXPECT(json_has(&heartbeat->json, "active") && json_is_integer(&heartbeat->json, "waiting") &&
               json_is_integer(&heartbeat->json, "parked"),
           "each HEARTBEAT carries `active`, `waiting` and `parked`", "one is %s",
           printable(heartbeat->json.text, heartbeat->json.size, 200));
  }
}

CASE(timing, instances_are_told_when_they_change, MUST, "BH-TIME-002") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct conn *other = join(hub, "other \\\"\xe2\x82\xac\\\"");

  const struct message *heartbeat = wait_for_listed(conn, other->instance);
  int at = json_find_instance(&heartbeat->json, "instances", other->instance);
  expect_text(&heartbeat->json, format("instances[%d].name", at), "other \"\xe2\x82\xac\"");
  EXPECT(json_is_integer(&heartbeat->json, format("instances[%d].pid", at)), "each of `instances` has a `pid`",
         "this one has not");
  request(other, "UNREGISTER", NULL);
  wait_for_unlisted(conn, other->instance);
}

CASE(timing, heartbeats_count_what_waits, MUST, "BH-TIME-003") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  bridge_export(hub, "[{\"id\":1}]");
  bridge_export(hub, "[{\"id\":2}]");
  bridge_export(hub, "[{\"id\":3}]");
  const struct message *import = expect_assets(conn, "[{\"id\":1}]");
  expect_waiting(conn, 2);
  ack_import(conn, import);
  take_assets(conn, "[{\"id\":2}]");
  take_assets(conn, "[{\"id\":3}]");
  expect_waiting(conn, 0);
}

/* ---- BH-TIME-004, 005: signs of life */

CASE(timing, a_silent_client_is_closed, MUST, "BH-TIME-004") {
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 60, .timeout_ms = 600});
  struct conn *watcher = join(hub, "watcher");
  struct conn *silent = join(hub, "silent");
  uint64_t began = now_ms();

  wait_for_listed(watcher, silent->instance);
  conn_mute(silent);
  expect_closed(silent);
  EXPECT(silent->ended_at + 20 >= began + hub->timeout_ms, "no client is closed before it was silent for timeout_ms",
         "it was closed after %u ms", (unsigned)(silent->ended_at - began));
  wait_for_unlisted(watcher, silent->instance);
}

CASE(timing, a_silent_active_client_is_active_no_more, MUST, "BH-TIME-004 BH-ACT-004") {
  struct hub *hub = hub_start_with((struct hub_options){QUICK_TIMEOUTS});
  struct conn *silent = join(hub, "silent");
  struct conn *watcher = join(hub, "watcher");

  conn_mute(silent);
  expect_active(watcher, silent->instance);
  expect_active(watcher, NULL);
}

static bool never(void *arg) {
  (void)arg;
  return false;
}

CASE(timing, any_octet_is_a_sign_of_life, MUST, "BH-TIME-005") {
  struct hub *hub = hub_start_with((struct hub_options){QUICK_TIMEOUTS});
  struct conn *conn = join(hub, "A");

  conn_mute(conn);
  const char *text = message_text("HEARTBEAT", next_id(conn), "{}");
  send_octets(conn, text, strlen("BH1 HEART"));
  for (size_t i = strlen("BH1 HEART"); i < strlen(text) && !conn->ended; i++) {
    send_octets(conn, text + i, 1);
    wait_until(never, NULL, hub->timeout_ms / 5); /* the time between two octets is what the case is about */
  }
  EXPECT(!conn->ended, "a client that sends an octet now and then is alive", "its connection was closed");
  expect_message(conn, "ACK");
}

CASE(timing, a_client_may_send_heartbeats, MUST, "BH-TIME-006") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  for (unsigned i = 0; i < 5; i++) {
    request(conn, "HEARTBEAT", i % 2 == 0 ? NULL : "{}");
  }
}

CASE(timing, an_answer_to_a_heartbeat_is_enough, MUST, "BH-TIME-005") {
  struct hub *hub = hub_start_with((struct hub_options){QUICK_TIMEOUTS});
  struct conn *conn = join(hub, "A");

  for (uint64_t until = now_ms() + 2 * (uint64_t)hub->timeout_ms; now_ms() < until;) {
    expect_heartbeat(conn); /* and is answered */
  }
  fence(conn);
}

/* ---- BH-TIME-007: late oneself */

/* Stops the hub for so long, and returns the first HEARTBEAT after that: by then it has had to judge. */
static const struct message *hold_up(struct conn *conn, uint64_t ms) {
  const struct message *heartbeat;

  /* No answer of ours is to wait for the hub where it wakes: it would be a sign of life. */
  conn_mute(conn);
  fence(conn);
  hub_signal(conn->hub, SIGSTOP);
  wait_until(never, NULL, ms); /* the hub is stopped for as long */
  uint64_t woken = now_ms();
  hub_signal(conn->hub, SIGCONT);
  do {
    heartbeat = expect_heartbeat(conn);
  } while (heartbeat->at < woken);
  return heartbeat;
}

CASE(timing, a_hub_that_was_stopped_judges_nobody_for_it, MUST, "BH-TIME-007") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "stops", QUICK_TIMEOUTS});
  struct conn *conn = join(hub, "A");
  const struct message *heartbeat = hold_up(conn, 3 * (uint64_t)hub->timeout_ms);

  expect_text(&heartbeat->json, "active", conn->instance);
  expect_still_active(conn, conn->instance);
}

CASE(timing, a_hub_that_was_stopped_takes_a_late_register, MUST, "BH-TIME-007 BH-LIMIT-003") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "stops", QUICK_TIMEOUTS});
  struct conn *conn = join(hub, "A");
  struct conn *late = conn_open(hub);

  hold_up(conn, 3 * (uint64_t)hub->timeout_ms);
  request(late, "REGISTER", "{'protocol':1,'pid':1,'name':'late'}");
}

CASE(timing, a_hub_that_was_stopped_reads_on_from_bridge, MUST, "BH-TIME-007 BH-INGEST-013") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "stops", .heartbeat_ms = 50, .timeout_ms = 150});
  struct conn *conn = join(hub, "A");
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, "[{\"id\":");
  hold_up(conn, 8 * (uint64_t)hub->timeout_ms);
  bridge_send_text(bridge, "1}]");
  bridge_half_close(bridge);
  bridge_expect_end(bridge);
}

/* ---- BH-TIME-008, BH-TIME-009: processes that are gone */

CASE(timing, a_client_whose_process_is_gone_is_lost, SHOULD, "BH-TIME-008") {
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 100, .timeout_ms = 60000});
  struct conn *observer = conn_open(hub);
  struct conn *conn = conn_open_by_process(hub);

  register_observer(observer, "observer");
  register_instance(conn, "its process dies");
  wait_for_listed(observer, conn->instance);
  conn_kill_process(conn); /* somebody holds the connection open and answers, but not who had opened it */
  expect_unlisted(observer, conn->instance, "its process is gone");
}

CASE(timing, a_lost_holder_whose_process_is_gone_is_not_waited_for, SHOULD, "BH-TIME-009") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = conn_open_by_process(hub);

  register_instance(holder, "holder");
  make_active(holder);
  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  struct conn *other = join(hub, "other");
  conn_close(holder);
  wait_for_unlisted(other, holder->instance);
  pass_entry(hub, "BH-ROUTE-011", "1", "0", holder->instance); /* its process lives */
  conn_kill_process(holder);
  make_active(other);
  expect_again(other, import, 2);
}
