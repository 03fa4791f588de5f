/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 7: a hub that is told to end, whatever is under way, and the one that follows it. */
#include "harness.h"
#include "imports.h"
#include "lives.h"
#include "steps.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- Bridge */

CASE(ending, a_value_that_is_not_whole_is_told_by_a_reset, MUST, "BH-ELECT-010 BH-INGEST-017 BH-SPOOL-001") {
  struct hub *hub =
      hub_start_with((struct hub_options){.need = "spool,takeover,resets", .heartbeat_ms = 100, .timeout_ms = 60000});
  struct bridge *bridge = bridge_open(hub);
  size_t files;

  bridge_send_text(bridge, format("%s[{\"id\":", numbered(1)));
  expect_spool_count(hub, "queue", 1);
  hub_end(hub);
  checking("BH-INGEST-017");
  bridge_expect_reset(bridge);
  checking("BH-SPOOL-001");
  directory(format("%s/queue", hub->spool), &files);
  EXPECT(files == 1, "queue/ holds whole imports only", "%u files lie there", (unsigned)files);
  checking("BH-ELECT-010");
  hub_run(hub);
  struct conn *conn = join(hub, "A");
  make_active(conn);
  take_assets(conn, numbered(1));
  expect_nothing_more(conn);
}

CASE(ending, what_was_told_safe_is_there_for_the_next_hub, MUST, "BH-ELECT-010 BH-SPOOL-007") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});

  checking("BH-SPOOL-007");
  for (unsigned i = 1; i <= 5; i++) {
    bridge_export(hub, numbered(i));
    hub_end(hub);
    hub_run(hub);
  }
  checking("BH-ELECT-010");
  struct conn *conn = join(hub, "A");
  make_active(conn);
  for (unsigned i = 1; i <= 5; i++) {
    take_assets(conn, numbered(i));
  }
  expect_nothing_more(conn);
}

/* ---- clients */

CASE(ending, an_import_in_hand_stays_its_holders, MUST, "BH-ROUTE-011 BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  hub_end(hub);
  checking("BH-ROUTE-011");
  expect_entry(hub, "1", "0", holder->instance);
  hub_run(hub);
  expect_nothing_more(join_active(hub, "other", 1));
  checking("BH-ROUTE-012");
  expect_again(come_back(hub, holder), import, 2);
}

CASE(ending, the_next_hub_goes_on_from_its_state, MUST, "BH-ELECT-004 BH-ELECT-011 BH-ACT-005") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *active = join_active(hub, "active", 1);

  hub_end(hub);
  checking("BH-ELECT-011");
  struct json state = state_read(hub);
  EXPECT(state.valid && json_is_null(&state, "hub_pid"), "the state file stays, with `hub_pid` null", "it is %s",
         state.valid ? printable(state.text, state.size, 200) : "missing or not right");
  hub_run(hub);
  struct conn *other_back = conn_open(hub);
  const struct message *ack = register_with(other_back, "other", ", 'instance':'%s'", other->instance);
  checking("BH-ELECT-004");
  expect_integer(&ack->json, "epoch", 2);
  checking("BH-ACT-005");
  come_back(hub, active);
  expect_active(other_back, active->instance);
}

CASE(ending, after_an_end_with_nobody_the_epoch_is_one, MUST, "BH-ELECT-011 BH-ELECT-004") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");
  struct conn *observer = conn_open(hub);

  register_observer(observer, "observer");
  request(conn, "UNREGISTER", NULL);
  expect_closed(conn);
  hub_end(hub);
  checking("BH-ELECT-011");
  EXPECT(access(hub->state, F_OK) != 0, "the state file is removed where no instance is registered",
         "it is still there");
  hub_run(hub);
  checking("BH-ELECT-004");
  expect_integer(&register_instance(conn_open(hub), "A")->json, "epoch", 1);
}

CASE(ending, clients_are_closed_when_all_else_is_done, MUST, "BH-ELECT-010 BH-ELECT-011") {
  enum { COUNT = 10 };
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover", RARE_HEARTBEATS});
  struct conn *conns[COUNT];

  for (size_t i = 0; i < COUNT; i++) {
    conns[i] = join(hub, "one of ten");
  }
  hub_signal(hub, SIGTERM);
  expect_closed(conns[0]);
  checking("BH-ELECT-010");
  EXPECT(!endpoint_is_there(hub), "the endpoint is removed before the clients are closed", "it is there");
  checking("BH-ELECT-011");
  struct json state = state_read(hub);
  EXPECT(state.valid && json_is_null(&state, "hub_pid"), "the state file is written before the clients are closed",
         "it is %s", state.valid ? printable(state.text, state.size, 200) : "missing or not right");
  checking("BH-ELECT-010");
  for (size_t i = 1; i < COUNT; i++) {
    expect_closed(conns[i]);
  }
  hub_expect_end(hub);
}

CASE(ending, a_client_that_does_not_read_holds_it_up_not, MUST, "BH-IUT-003 BH-ROUTE-012") {
  char *large = format("[{\"pad\":\"%s\"}]", repeat("octets! ", 360000));
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *deaf = join(hub, "deaf");

  fence(deaf);
  conn_stop_reading(deaf);
  bridge_export(hub, large);
  pass_entry(hub, "BH-SPOOL-004", "1", "0", deaf->instance);
  checking("BH-IUT-003");
  hub_end(hub);
  checking("BH-ROUTE-012");
  hub_run(hub);
  expect_assets(come_back(hub, deaf), large);
}

CASE(ending, a_stopped_hub_ends_when_it_goes_on, MUST, "BH-IUT-003 BH-ELECT-010") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");

  hub_stop(hub);
  hub_signal(hub, SIGTERM);
  hub_signal(hub, SIGCONT);
  checking("BH-IUT-003");
  hub_expect_end(hub);
  checking("BH-ELECT-010");
  expect_closed(conn);
  EXPECT(!endpoint_is_there(hub), "the endpoint is removed", "it is still there");
}

/* ---- the next hub at the heels of this one */

CASE(ending, what_the_next_hub_opens_is_not_removed, MUST, "BH-ELECT-010 BH-IUT-001") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover"});

  checking("BH-ELECT-010");
  for (unsigned i = 0; i < 4; i++) {
    struct hub *next = rival_of(hub, hub->port);
    struct conn *conn = join(hub, "A");
    hub_signal(hub, SIGTERM);
    hub_launch(next);
    hub_expect_end(hub);
    if (!hub_ready_or_ended(next)) {
      hub_run(next); /* it came too early for the port */
    }
    expect_closed(conn);
    EXPECT(endpoint_is_there(next), "the hub that ends leaves the next one's endpoint alone", "it is gone");
    join(next, "B");
    hub = next;
  }
}
