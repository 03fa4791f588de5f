/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 9: silent hubs, and clients that are held up. */
#include "client_steps.h"
#include "lives.h"

#include <signal.h>

/* HEARTBEATs, for `ms`. */
static void go_on(struct conn *conn, uint64_t ms) {
  for (uint64_t end = now_ms() + ms; now_ms() < end;) {
    send_heartbeat(conn);
    pass_time(conn->client->heartbeat_ms);
  }
}

CASE(client_timing, a_silent_hub_is_given_up, MUST, "BH-CLIENT-004") {
  struct client *client = client_start_with((struct client_options){QUICK_CLIENT});
  struct conn *conn = welcome(client);
  uint64_t silent_since = now_ms();

  expect_event_in(client, "hub-lost", client->timeout_ms + deadline_ms());
  EXPECT(now_ms() - silent_since >= client->timeout_ms * 3 / 4, "the hub is given up after timeout_ms",
         "after %u ms of %u", (unsigned)(now_ms() - silent_since), (unsigned)client->timeout_ms);
  expect_given_up(conn);
  fence(welcome(client));
}

CASE(client_timing, the_timeout_is_the_one_that_the_hub_tells, MUST, "BH-CLIENT-004") {
  struct client *client = client_start();

  client->timeout_ms = (uint32_t)(client->timeout_ms / 1200); /* half a second */
  client->heartbeat_ms = client->timeout_ms / 5;
  welcome(client);
  expect_event_in(client, "hub-lost", client->timeout_ms + deadline_ms());
}

CASE(client_timing, one_that_is_heard_is_not_given_up, MUST, "BH-CLIENT-004") {
  struct client *client = client_start_with((struct client_options){QUICK_CLIENT});
  struct conn *conn = welcome(client);

  go_on(conn, 3 * (uint64_t)client->timeout_ms);
  fence(conn);
  EXPECT(events_of(client, "hub-lost") == 0, "no event hub-lost while HEARTBEATs come", "one");
}

CASE(client_timing, any_octet_is_a_sign_of_life, MUST, "BH-TIME-005") {
  struct client *client = client_start_with((struct client_options){QUICK_CLIENT});
  struct conn *conn = welcome(client);
  uint32_t id = next_id(conn);
  const char *octets = message_of("HEARTBEAT", id, "{\"active\":null,\"waiting\":0,\"parked\":0}");

  for (const char *at = octets; *at; at++) {
    send_octets(conn, at, 1);
    if ((at - octets) % 4 == 0) {
      pass_time(client->heartbeat_ms);
    }
  }
  expect_taken(conn, id);
  EXPECT(events_of(client, "hub-lost") == 0, "no event hub-lost while octets come", "one");
}

CASE(client_timing, an_import_can_take_longer_than_the_timeout, MUST, "BH-CLIENT-004") {
  struct client *client = client_start_with((struct client_options){QUICK_CLIENT});
  struct conn *conn = welcome(client);

  uint32_t id = hand_over(conn, import_id(1));
  go_on(conn, 2 * (uint64_t)client->timeout_ms);
  command(client, "ack %s", import_id(1));
  expect_taken(conn, id);
}

CASE(client_timing, one_that_was_held_up_gives_the_hub_time, MUST, "BH-TIME-007") {
  struct client *client = client_start_with((struct client_options){.need = "stops", QUICK_CLIENT});
  struct conn *conn = welcome(client);

  fence(conn);
  client_signal(client, SIGSTOP);
  pass_time(3 * (uint64_t)client->timeout_ms);
  client_signal(client, SIGCONT);
  go_on(conn, client->timeout_ms);
  fence(conn);
  EXPECT(events_of(client, "hub-lost") == 0, "no hub is lost by being held up oneself", "an event hub-lost");
}

/* ---- BH-CLIENT-005 */

CASE(client_timing, a_hub_that_speaks_again_too_late_is_not_heard, MUST, "BH-CLIENT-005") {
  struct client *client = client_start_with((struct client_options){QUICK_CLIENT});
  struct conn *late = welcome(client);

  expect_event_in(client, "hub-lost", client->timeout_ms + deadline_ms());
  client->timeout_ms *= 100;
  struct conn *conn = welcome(client);
  if (!late->ended) {
    send_import(late, import_id(1), 1, "[{}]");
    tell_active(late, NULL);
  }
  expect_no_import(conn);
}
