/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 7: electing a hub. Its crashes have cases of their own. */
#include "harness.h"
#include "imports.h"
#include "lives.h"
#include "steps.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

CASE(election, a_second_hub_on_the_port_touches_nothing, MUST, "BH-ELECT-001 BH-ELECT-002") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct hub *rival = rival_of(hub, hub->port);

  expect_rival_ends(rival);
  expect_unharmed(hub, conn);
}

CASE(election, a_second_hub_on_the_spool_touches_nothing, MUST, "BH-ELECT-001 BH-ELECT-002") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct hub *rival = rival_of(hub, 0);

  expect_rival_ends(rival);
  expect_unharmed(hub, conn);
}

CASE(election, a_left_over_socket_is_replaced, MUST, "BH-ELECT-006") {
  struct hub *hub = hub_start();

  hub_kill(hub);
  hub_run(hub);
  join(hub, "A");
}

/* It has port and spool of its own: only the endpoint is another's. */
CASE(election, an_endpoint_at_which_somebody_listens_is_left_to_him, MUST, "BH-ELECT-006 BH-ELECT-005") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct hub *rival = hub_prepare((struct hub_options){.endpoint = hub->endpoint});

  expect_rival_ends(rival);
  EXPECT(hub_log_size(rival) > 0, "it says why", "it has said nothing");
  EXPECT(!bridge_open_at(rival, "127.0.0.1", rival->port)->connected, "it has released the port",
         "somebody still listens there");
  expect_unharmed(hub, conn);
}

CASE(election, the_epoch_grows_by_one, MUST, "BH-ELECT-004") {
  struct hub *hub = hub_start();
  struct conn *conn = conn_open(hub);
  const struct message *ack = register_instance(conn, "A");
  uint64_t epoch = json_integer(&ack->json, "epoch");

  EXPECT(epoch == 1, "the first hub's epoch is 1", "it is %u", (unsigned)epoch);
  hub_kill(hub);
  hub_run(hub);
  ack = register_instance(conn_open(hub), "A");
  expect_integer(&ack->json, "epoch", 2);
  struct json state = state_read(hub);
  expect_integer(&state, "epoch", 2);
}

CASE(election, the_epoch_follows_another_makes_state_file, MUST, "BH-ELECT-004") {
  static const char text[] = "{\"version\":1,\"hub_pid\":1,\"epoch\":41,\"port\":24981,\"active_instance\":null,"
                             "\"registered_instances\":[],\"waiting\":0,\"parked\":0,\"last_update\":1700000000}";
  struct hub *hub = hub_prepare((struct hub_options){0});

  file_write(hub->state, text, strlen(text));
  hub_run(hub);
  const struct message *ack = register_instance(conn_open(hub), "A");
  expect_integer(&ack->json, "epoch", 42);
}

CASE(election, state_and_spool_are_there_when_it_is_ready, MUST, "BH-ELECT-003") {
  struct hub *hub = hub_start_with((struct hub_options){RARE_HEARTBEATS});
  struct json state = state_read(hub);
  size_t count;

  EXPECT(state.valid && json_is_integer(&state, "hub_pid"),
         "the hub has written its state before it opens the endpoint", "there is no right state file");
  directory(hub->spool, &count);
  EXPECT(count > 0, "the hub has its spool before it opens the endpoint", "the spool is empty or missing");
}

CASE(election, a_spool_that_cannot_be_opened_releases_the_port, MUST, "BH-ELECT-005") {
  struct hub *hub = hub_prepare((struct hub_options){0});

  file_write(hub->spool, "a file, and no directory", 24);
  hub_launch(hub);
  hub_expect_end(hub);
  EXPECT(hub->exit_status != 0, "a hub without a spool does not serve", "it ended with status 0");
  EXPECT(hub_log_size(hub) > 0, "it says why", "it has said nothing");
  EXPECT(!bridge_open_at(hub, "127.0.0.1", hub->port)->connected, "it has released the port",
         "somebody still listens there");
}

CASE(election, a_clean_end_leaves_nothing_open, MUST, "BH-ELECT-010 BH-ELECT-011") {
  struct hub *hub = hub_start();
  struct bridge *bridge = bridge_open(hub);
  size_t size;

  bridge_export(hub, "[{\"id\":\"waits\"}]");
  hub_end(hub);
  bridge_expect_closed(bridge);
  EXPECT(!bridge_open_at(hub, "127.0.0.1", hub->port)->connected, "the port is released", "somebody still listens");
  EXPECT(file_read(hub->state, &size) == NULL, "the state file is removed where no instance is registered",
         "it is still there");
  EXPECT(!endpoint_is_there(hub), "the endpoint is removed", "it is still there");
  EXPECT(spool_count(hub, "queue") == 1, "what waits stays in the spool", "%u imports lie there",
         (unsigned)spool_count(hub, "queue"));
}

CASE(election, a_clean_end_tells_by_the_close, MUST, "BH-ELECT-010 BH-ELECT-011") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  hub_signal(hub, SIGTERM);
  expect_closed(conn);
  hub_expect_end(hub);
  struct json state = state_read(hub);
  EXPECT(state.valid && json_is_null(&state, "hub_pid"),
         "the state file stays, with `hub_pid` null, while one is registered", "it is %s",
         state.valid ? printable(state.text, state.size, 200) : "missing or not right");
  expect_text(&state, "active_instance.instance", conn->instance);
}
