/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 9: hubs and clients that hang, and are not dead. */
#include "harness.h"
#include "imports.h"
#include "lives.h"
#include "steps.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static char *large_asset(void) {
  return format("[{\"pad\":\"%s\"}]", repeat("octets! ", 360000));
}

/* ---- clients */

CASE(hung, one_that_reads_nothing_for_long_loses_nothing, MUST, "BH-ROUTE-009 BH-TIME-005") {
  char *large = large_asset();
  struct hub *hub = hub_start_with((struct hub_options){SHORT_LIVES});
  struct conn *conn = join_active(hub, "reads nothing", 2);

  fence(conn);
  conn_stop_reading(conn);
  bridge_export(hub, large);
  export_numbered(hub, 2, 2);
  for (uint64_t until = now_ms() + 2 * (uint64_t)hub->timeout_ms; now_ms() < until;) {
    send_message(conn, "HEARTBEAT", "{}");
    pass_time(hub->heartbeat_ms);
  }
  conn_read_again(conn);
  const struct message *message = next_message(conn);
  while (strcmp(message->type, "IMPORT_DATA") != 0) {
    message = next_message(conn);
  }
  checking("BH-ROUTE-009");
  expect_attempt(message, 1);
  ack_import(conn, message);
  checking("BH-TIME-005");
  expect_goes_on(conn);
}

CASE(hung, one_that_was_dropped_comes_back_as_itself, MUST, "BH-TIME-004 BH-ROUTE-012 BH-ACT-005") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover", .heartbeat_ms = 100, .timeout_ms = 500});
  struct conn *silent = join(hub, "silent");
  struct conn *other = join(hub, "other");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(silent, 1);
  conn_mute(silent);
  checking("BH-TIME-004");
  expect_closed(silent);
  struct conn *back = come_back(hub, silent);
  checking("BH-ROUTE-012");
  expect_again(back, import, 2);
  checking("BH-ACT-005");
  expect_active(other, silent->instance);
}

CASE(hung, one_that_half_closes_is_taken_for_lost, MUST, "BH-TIME-004 BH-ACT-004") {
  struct hub *hub = hub_start_with((struct hub_options){SHORT_LIVES});
  struct conn *half = join(hub, "half-open");
  struct conn *other = join(hub, "other");

  checking("BH-ACT-004");
  expect_active(other, half->instance);
  conn_half_close(half);
  expect_active(other, NULL);
  checking("BH-TIME-004");
  expect_closed(half);
}

CASE(hung, a_message_without_an_end_holds_up_nobody, MUST, "BH-FRAME-002") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *endless = join(hub, "endless");
  struct conn *other = join(hub, "other");
  const char *header = format("BH1 CLAIM_ACTIVE %u 60000\n{\"pad\":\"", (unsigned)next_id(endless));

  send_octets(endless, header, strlen(header));
  for (unsigned i = 1; i <= 3; i++) {
    send_octets(endless, "x", 1);
    request(other, "CLAIM_ACTIVE", NULL);
    bridge_export(hub, numbered(i));
    take_assets(other, numbered(i));
  }
  expect_nothing_more(other);
}

CASE(hung, one_that_does_not_read_holds_up_nobody, MUST, "BH-ROUTE-001") {
  char *large = large_asset();
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *deaf = join(hub, "deaf");
  struct conn *other = join(hub, "other");

  fence(deaf);
  conn_stop_reading(deaf);
  bridge_offer(hub, large, strlen(large));
  pass_entry(hub, "BH-SPOOL-004", "1", "0", deaf->instance);
  request(other, "CLAIM_ACTIVE", NULL);
  for (unsigned i = 1; i <= 3; i++) {
    bridge_export(hub, numbered(i));
    take_assets(other, numbered(i));
  }
  expect_nothing_more(other);
}

/* ---- a hub that is stopped, shortly */

CASE(hung, an_export_into_a_stopped_hub_arrives_once, MUST, "BH-INGEST-002 BH-INGEST-017") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");

  fence(conn);
  hub_stop(hub);
  struct bridge *bridge = bridge_open(hub);
  bridge_send_text(bridge, numbered(1));
  bridge_half_close(bridge);
  pass_time(hub->heartbeat_ms);
  checking("BH-INGEST-017");
  EXPECT(!bridge->ended, "a stopped hub tells nobody that all is safe", "the connection has ended");
  hub_signal(hub, SIGCONT);
  bridge_expect_end(bridge);
  checking("BH-INGEST-002");
  take_assets(conn, numbered(1));
  expect_nothing_more(conn);
}

CASE(hung, a_value_goes_on_over_a_stop, MUST, "BH-INGEST-003") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, "[{\"id\"");
  fence(conn);
  hub_stop(hub);
  bridge_send_text(bridge, ":1}]");
  bridge_send_text(bridge, numbered(2));
  bridge_half_close(bridge);
  hub_signal(hub, SIGCONT);
  take_assets(conn, numbered(1));
  take_assets(conn, numbered(2));
  bridge_expect_end(bridge);
}

CASE(hung, claims_into_a_stopped_hub_are_answered_once_and_in_order, MUST, "BH-MSG-001 BH-MSG-002 BH-ACT-001") {
  enum { CLIENTS = 3, CLAIMS = 3 };
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conns[CLIENTS];
  uint32_t ids[CLIENTS][CLAIMS];

  for (size_t i = 0; i < CLIENTS; i++) {
    conns[i] = join(hub, "one of three");
    fence(conns[i]);
  }
  hub_stop(hub);
  for (size_t claim = 0; claim < CLAIMS; claim++) {
    for (size_t i = 0; i < CLIENTS; i++) {
      ids[i][claim] = send_message(conns[i], "CLAIM_ACTIVE", NULL);
    }
  }
  hub_signal(hub, SIGCONT);
  checking("BH-MSG-002");
  for (size_t i = 0; i < CLIENTS; i++) {
    for (size_t claim = 0; claim < CLAIMS; claim++) {
      expect_ack(conns[i], ids[i][claim]);
    }
  }
  checking("BH-MSG-001");
  for (size_t i = 0; i < CLIENTS; i++) {
    fence(conns[i]);
  }
  checking("BH-ACT-001");
  struct conn *newcomer = conn_open(hub);
  const struct message *ack = register_observer(newcomer, "newcomer");
  for (size_t i = 0; i < CLIENTS; i++) {
    expect_still_active(conns[i], json_text(&ack->json, "active"));
  }
}

CASE(hung, one_that_connects_to_a_stopped_hub_is_registered, MUST, "BH-REG-001 BH-MSG-001") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *first = join(hub, "first"); /* takes the connection that found the hub ready */

  fence(first);
  hub_stop(hub);
  struct conn *conn = conn_open(hub);
  uint32_t id = send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'comes while it is stopped'}");
  hub_signal(hub, SIGCONT);
  const struct message *ack = expect_ack(conn, id);
  wait_for_listed(first, json_text(&ack->json, "instance"));
}

CASE(hung, an_ack_into_a_stopped_hub_counts, MUST, "BH-ROUTE-006 BH-SPOOL-005") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");

  export_numbered(hub, 1, 2);
  const struct message *import = hold(conn, 1);
  hub_stop(hub);
  ack_import(conn, import);
  hub_signal(hub, SIGCONT);
  checking("BH-ROUTE-006");
  take_assets(conn, numbered(2));
  checking("BH-SPOOL-005");
  expect_spool_count(hub, "queue", 0);
}

/* The hub finds its HEARTBEAT due and the connection broken before it reads what came over it. */
CASE(hung, an_ack_before_the_end_counts_for_a_stopped_hub, MUST, "BH-ROUTE-006 BH-SPOOL-005") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover", .heartbeat_ms = 50, .timeout_ms = 60000});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  hub_stop(hub);
  ack_import(holder, import);
  conn_close(holder);
  pass_time(2 * (uint64_t)hub->heartbeat_ms);
  hub_signal(hub, SIGCONT);
  checking("BH-SPOOL-005");
  expect_spool_count(hub, "queue", 0);
  checking("BH-ROUTE-006");
  expect_nothing_more(come_back(hub, holder));
}

CASE(hung, one_that_left_a_stopped_hub_comes_back_to_its_import, MUST, "BH-ROUTE-012 BH-ROUTE-008") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  hub_stop(hub);
  conn_close(holder);
  struct conn *back = conn_open(hub);
  uint32_t id =
      send_message(back, "REGISTER", "{'protocol':1,'pid':1,'name':'back','instance':'%s'}", holder->instance);
  hub_signal(hub, SIGCONT);
  checking("BH-ROUTE-012");
  expect_ack(back, id);
  const struct message *again = expect_assets(back, numbered(1));
  expect_same_import(import, again);
  checking("BH-ROUTE-008");
  expect_attempt(again, 2);
}

/* ---- a hub that is stopped for longer than the time-out */

static uint64_t longer_than_the_timeout(const struct hub *hub) {
  return hub->timeout_ms + 2 * (uint64_t)hub->heartbeat_ms;
}

CASE(hung, a_stopped_hub_doubles_no_import, MUST, "BH-TIME-007 BH-ROUTE-009") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool,takeover,resume,stops", QUICK_TIMEOUTS});
  struct conn *other = join(hub, "other");
  struct conn *holder = join_active(hub, "holder", 2);

  export_numbered(hub, 1, 2);
  const struct message *first = hold(holder, 1);
  hold(holder, 2);
  make_active(other);
  hub_stop(hub);
  pass_time(longer_than_the_timeout(hub));
  hub_signal(hub, SIGCONT);
  checking("BH-TIME-007");
  fence(holder);
  checking("BH-ROUTE-009");
  expect_nothing_more(other);
  expect_entry(hub, "1", "0", holder->instance);
  ack_import(holder, first);
  expect_spool_count(hub, "queue", 1);
}

CASE(hung, a_stopped_hub_that_is_killed_is_followed, MUST, "BH-ELECT-001 BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  hub_stop(hub);
  struct bridge *bridge = bridge_open(hub);
  bridge_send_text(bridge, numbered(2));
  bridge_half_close(bridge);
  hub_kill(hub);
  checking("BH-ELECT-001");
  hub_run(hub);
  checking("BH-ROUTE-012");
  bridge_expect_reset(bridge); /* what it never read it never told safe */
  struct conn *back = come_back(hub, holder);
  ack_import(back, expect_again(back, import, 2));
  expect_nothing_more(back);
}

/* ---- nobody takes over from a stopped hub */

static void expect_not_replaced(bool same_port) {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");
  struct hub *rival = rival_of(hub, same_port ? hub->port : 0);

  export_numbered(hub, 1, 1);
  const struct message *import = hold(conn, 1);
  hub_stop(hub);
  expect_rival_ends(rival);
  checking("BH-ELECT-002");
  expect_entry(hub, "1", "0", conn->instance);
  hub_signal(hub, SIGCONT);
  fence(conn);
  ack_import(conn, import);
  expect_unharmed(hub, conn);
}

CASE(hung, a_stopped_hub_keeps_the_port, MUST, "BH-ELECT-001 BH-ELECT-002") {
  checking("BH-ELECT-001");
  expect_not_replaced(true);
}

CASE(hung, a_stopped_hub_keeps_the_spool, MUST, "BH-ELECT-001 BH-ELECT-002") {
  checking("BH-ELECT-001");
  expect_not_replaced(false);
}
