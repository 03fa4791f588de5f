/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"
#include "test_hub_support.h"

#include <criterion/criterion.h>

/* Limits: spec/protocol.md, section 10, and BH-FRAME-012. */

TestSuite(hub_limits, .init = hub_starts, .fini = hub_ends);

static void asks_to_register(actor *who, const char *role) {
  says(who, "REGISTER", "{'protocol':1,'pid':31,'name':'a','role':'%s'}", role);
}

/* BH-LIMIT-001 */
Test(hub_limits, sixty_four_connections_may_wait_to_register) {
  actor *waiting[BH_UNREGISTERED_MAX];

  registers("a");
  for (int i = 0; i < BH_UNREGISTERED_MAX; i++) {
    waiting[i] = connects();
    hears_nothing(waiting[i]);
  }
  actor *more = connects();
  hears(more, "ERROR", "{'for':null,'code':'overloaded','message':'too many connections have not registered'}");
  hears_the_end(more);
  asks_to_register(waiting[0], "instance");
  cr_assert_not_null(waiting[0]->instance);
  more = connects();
  asks_to_register(more, "instance");
  cr_assert_not_null(more->instance);
  hangs_up(waiting[1]);
  more = connects();
  hears_nothing(more);
}

/* Those that are told so and do not listen are let go when their time is over. */
Test(hub_limits, a_flood_that_takes_nothing_is_refused_at_the_door) {
  bh_action action;
  bh_peer id;
  size_t told = 0;
  size_t closed = 0;

  while (bh_hub_open(the_hub(), the_time(), &id) == BH_OK) {
    told++;
    cr_assert_leq(told, 1000);
  }
  cr_assert_eq(id, 0);
  cr_assert_geq(told, BH_INSTANCES_MAX + BH_OBSERVERS_MAX + BH_UNREGISTERED_MAX + 1);
  for (uint64_t now = the_time(); now < the_time() + 2 * TIMEOUT_MS; now = bh_hub_expiry(the_hub())) {
    bh_hub_expire(the_hub(), now);
    while (bh_hub_poll(the_hub(), &action)) {
      closed += action.kind == BH_DO_CLOSE;
    }
  }
  cr_assert_eq(closed, told);
  cr_assert_eq(bh_hub_open(the_hub(), the_time(), &id), BH_OK);
}

/* BH-LIMIT-002 */
Test(hub_limits, as_many_instances_as_that_and_no_more) {
  actor *first = registers("first");

  for (int i = 1; i < BH_INSTANCES_MAX; i++) {
    registers("one of many");
  }
  actor *more = connects();
  asks_to_register(more, "instance");
  hears_error(more, THAT, "overloaded");
  asks_to_register(more, "instance");
  hears_error(more, THAT, "overloaded");
  asks_to_register(more, "observer");
  cr_assert_not_null(more->instance);

  more = connects();
  says(first, "UNREGISTER", "{}");
  asks_to_register(more, "instance");
  cr_assert_not_null(more->instance);
}

/* BH-LIMIT-002 */
Test(hub_limits, as_many_observers_as_that_and_no_more) {
  actor *first = registers_with("first", "'role':'observer'");

  for (int i = 1; i < BH_OBSERVERS_MAX; i++) {
    registers_with("one of many", "'role':'observer'");
  }
  actor *more = connects();
  asks_to_register(more, "observer");
  hears_error(more, THAT, "overloaded");
  asks_to_register(more, "instance");
  cr_assert_not_null(more->instance);
  more = connects();
  hangs_up(first);
  asks_to_register(more, "observer");
  cr_assert_not_null(more->instance);
}

/* BH-LIMIT-004 */
Test(hub_limits, who_does_not_read_is_cut_off) {
  actor *a = registers("a");
  actor *b = registers("b");

  a->takes_nothing = true;
  bridge_sends("[1]");
  says(a, "HEARTBEAT", "{}");
  hub_has_queued(a, BH_QUEUE_MAX - 70);
  says(a, "HEARTBEAT", "{}"); /* an ACK is some 20 octets */
  says(a, "HEARTBEAT", "{}");
  cr_assert_neq(a->id, 0);
  says(a, "HEARTBEAT", "{}");
  says(a, "HEARTBEAT", "{}");
  cr_assert_eq(a->id, 0);
  cr_assert(log_says("lost: " FIRST " a: it does not read what it is sent"));
  knows_active(b, "");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  time_passes(TIMEOUT_MS);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.1._.json");
}

/* BH-LIMIT-004: an import that would be too much was not sent, and is nobody's death. */
Test(hub_limits, an_import_can_be_what_is_too_much) {
  actor *a = registers("a");
  actor *b = registers("b");

  a->takes_nothing = true;
  says(a, "HEARTBEAT", "{}");
  hub_has_queued(a, BH_QUEUE_MAX - 20);
  bridge_sends("[1]");
  cr_assert_eq(a->id, 0);
  knows_active(b, "");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".0.0._.json");
}

/* BH-FRAME-012: the last id is used, and then the connection is closed instead of sending more. */
Test(hub_limits, the_last_id_is_used_and_then_the_hub_closes) {
  actor *a = registers("a");
  actor *b = registers("b");

  hub_has_sent(a, UINT32_MAX - 2);
  says(a, "HEARTBEAT", "{}");
  hears(a, "ACK", "{'for':THAT}");
  says(a, "HEARTBEAT", "{}");
  hears(a, "ACK", "{'for':THAT}");
  hears_nothing(a);
  a->silent = true;
  says(a, "HEARTBEAT", "{}");
  hears_the_end(a);
  knows_active(b, "");
  registers_with("a", "'instance':'" FIRST "'"); /* lost, and not gone for good */
  knows_active(b, FIRST);
}

/* BH-FRAME-012, with a HEARTBEAT and an import that are too many. */
Test(hub_limits, no_message_of_the_hubs_own_goes_beyond_the_last_id) {
  actor *a = registers("a");
  actor *b = registers("b");

  hub_has_sent(a, UINT32_MAX - 1);
  forgets(a);
  time_passes(HEARTBEAT_MS);
  cr_assert_neq(a->id, 0);
  time_passes(HEARTBEAT_MS);
  hears_the_end(a);

  says(b, "CLAIM_ACTIVE", "{}");
  forgets(b);
  hub_has_sent(b, UINT32_MAX);
  bridge_sends("[1]");
  hears_the_end(b);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".0.0._.json");
  a = registers("c");
  cr_assert_eq(a->in_hand, 1);
}

/* A slot's generations are used up: its connections' ids begin anew, and are never 0. */
Test(hub_limits, the_ids_of_connections_begin_anew) {
  actor *a = connects();
  bh_peer first = a->id;

  bh_peer_find(the_hub(), first)->generation = (UINT32_MAX >> BH_PEER_SLOT_BITS) - 1;
  hangs_up(a);
  a = connects();
  cr_assert_eq(a->id >> BH_PEER_SLOT_BITS, UINT32_MAX >> BH_PEER_SLOT_BITS);
  hangs_up(a);
  a = connects();
  cr_assert_eq(a->id, first);
  says(a, "HEARTBEAT", "{}");
  hears_error(a, THAT, "not-registered");
}

/* A hub without a logger says nothing. */
Test(hub_limits, nobody_need_listen_to_the_log) {
  bh_hub_config config = usual_hub();

  config.logger.write = NULL;
  hub_starts_as(&config);
  log_clear();
  registers("a");
  cr_assert_not(log_says("registered"));
}

/* BH-LIMIT-005 */
Test(hub_limits, names_are_escaped_in_the_log) {
  registers("\\u001b[31m\\n\\u009b\\\"");
  cr_assert(log_says("registered: " FIRST " \\u001b[31m\\u000a\\u009b\\\", pid 31"));
}
