/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 11: an implementation under test. */
#include "harness.h"
#include "imports.h"
#include "steps.h"

#include <signal.h>

CASE(contract, sigterm_ends_it_cleanly, MUST, "BH-IUT-003") {
  struct hub *hub = hub_start();

  join(hub, "A");
  hub_signal(hub, SIGTERM);
  hub_expect_end(hub);
  EXPECT(hub->exit_signal == 0 && hub->exit_status == 0, "SIGTERM ends the hub with status 0",
         "it ended with status %d and signal %d", hub->exit_status, hub->exit_signal);
}

CASE(contract, the_end_of_standard_input_ends_nothing, MUST, "BH-IUT-004") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  hub_close_stdin(hub);
  for (unsigned i = 0; i < 3; i++) {
    expect_heartbeat(conn);
  }
  EXPECT(hub->running, "a hub that was started without --stdin goes on", "it has ended");
}

CASE(contract, many_connections_come_and_go, MUST, "BH-IUT-001") {
  struct hub *hub = hub_start();

  for (unsigned i = 0; i < 200; i++) {
    struct conn *conn = conn_open(hub);
    request(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'passer-by'}");
    if (i % 2 == 0) {
      request(conn, "UNREGISTER", NULL);
    }
    conn_close(conn);
  }
  bridge_export(hub, "[{\"id\":1}]");
  struct conn *last = join(hub, "last");
  make_active(last);
  take_assets(last, "[{\"id\":1}]");
}

CASE(contract, a_thousand_exports_arrive_once_and_in_order, MUST, "BH-ROUTE-002 BH-ROUTE-006") {
  enum { EXPORTS = 1000, BATCH = 100 };
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  for (unsigned i = 0; i < EXPORTS; i += BATCH) {
    for (unsigned k = i; k < i + BATCH; k++) {
      bridge_export(hub, format("[{\"id\":%u,\"pad\":\"%s\"}]", k, repeat("x", k % 10 == 0 ? 60000 : k % 7)));
    }
    for (unsigned k = i; k < i + BATCH; k++) {
      take_assets(conn, format("[{\"id\":%u,\"pad\":\"%s\"}]", k, repeat("x", k % 10 == 0 ? 60000 : k % 7)));
    }
  }
  expect_nothing_more(conn);
}
