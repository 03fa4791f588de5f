/* SPDX-License-Identifier: MIT */
#include "test_hub_support.h"

#include <criterion/criterion.h>

/* Heartbeats, silence and late timers: spec/protocol.md, section 9. */

TestSuite(hub_timeout, .init = hub_starts, .fini = hub_ends);

Test(hub_timeout, timings_that_cannot_work_are_refused) {
  bh_hub_config config = usual_hub();

  config.heartbeat_ms = 9;
  cr_assert_null(bh_hub_new(&config, 0));
  config.heartbeat_ms = 2501;
  cr_assert_null(bh_hub_new(&config, 0));
  config.heartbeat_ms = 10;
  config.timeout_ms = 20;
  bh_hub *hub = bh_hub_new(&config, 0);
  cr_assert_not_null(hub);
  bh_hub_free(hub);
  bh_hub_free(NULL);
}

/* ---- heartbeats */

/* BH-TIME-001, BH-TIME-002, BH-STATE-003 */
Test(hub_timeout, each_registered_client_is_sent_a_heartbeat_each_time) {
  actor *a = registers("a");
  actor *eye = registers_with("eye", "'role':'observer'");
  actor *c = connects();

  time_passes(HEARTBEAT_MS / 2);
  forgets(a);
  forgets(eye);
  for (uint32_t i = 0; i < 4; i++) {
    size_t writes = state_writes();
    time_passes(HEARTBEAT_MS);
    hears_next(a, "HEARTBEAT", "{'active':'" FIRST "','waiting':0,'parked':0}");
    hears_next(eye, "HEARTBEAT", "{'active':'" FIRST "','waiting':0,'parked':0}");
    cr_assert_eq(state_writes(), writes + 1);
  }
  cr_assert_eq(c->beats, 0);
}

/* BH-TIME-002, BH-TIME-003 */
Test(hub_timeout, waiting_does_not_count_what_a_holder_has) {
  actor *a = registers("a");

  bridge_sends("[1]");
  bridge_sends("[2]");
  bridge_sends("[3]");
  time_passes(HEARTBEAT_MS);
  knows_waiting(a, 2);
  refuses(a, hears_import(a, IMPORT(1), 1, "[1]"), "no");
  time_passes(HEARTBEAT_MS);
  knows_waiting(a, 1);
  knows_parked(a, 1);
  actor *b = registers("b");
  hangs_up(a); /* what it has is reserved */
  time_passes(HEARTBEAT_MS);
  knows_waiting(b, 1);
}

/* BH-TIME-006 */
Test(hub_timeout, a_clients_heartbeat_is_acknowledged) {
  actor *a = registers("a");

  says(a, "HEARTBEAT", "{}");
  hears_next(a, "ACK", "{'for':THAT}");
  says_quoted(a, "HEARTBEAT", "");
  hears_next(a, "ACK", "{'for':THAT}");
}

/* One that does not read is told the newest state once, and not each that it missed. */
Test(hub_timeout, heartbeats_do_not_pile_up) {
  actor *a = registers("a");
  actor *b = registers("b");

  forgets(a);
  time_passes(HEARTBEAT_MS);
  a->takes_nothing = true;
  says(a, "HEARTBEAT", "{}"); /* the ACK is what its socket is full with */
  for (int i = 0; i < 4; i++) {
    says(b, "CLAIM_ACTIVE", "{}");
    says(b, "CLAIM_ACTIVE", "{'instance':'" FIRST "'}");
    time_passes(HEARTBEAT_MS);
    says(a, "ACK", "{'for':1}");
  }
  actor *c = registers("c");
  says(c, "CLAIM_ACTIVE", "{}");
  forgets(a);
  uint32_t beats = a->beats;
  takes_all(a);
  cr_assert_eq(a->beats, beats + 1);
  hears_next(a, "ACK", "{'for':THAT}");
  knows_active(a, THIRD);
  hears_next(a, "HEARTBEAT",
             "{'active':'" THIRD "','waiting':0,'parked':0,'instances':[{'instance':'" FIRST
             "','pid':31,'name':'a'},{'instance':'" SECOND "','pid':31,'name':'b'},{'instance':'" THIRD
             "','pid':31,'name':'c'}]}");
}

/* ---- silence */

/* BH-TIME-004 */
Test(hub_timeout, silence_for_the_time_out_is_a_loss) {
  actor *a = registers("a");
  actor *b = registers("b");

  a->silent = true;
  time_passes(TIMEOUT_MS - 1);
  cr_assert_neq(a->id, 0);
  knows_active(b, FIRST);
  time_passes(1);
  hears_the_end(a);
  knows_active(b, "");
  cr_assert(log_says("lost: " FIRST " a: nothing came from it for the time-out"));
}

/* BH-TIME-005 */
Test(hub_timeout, any_octet_is_a_sign_of_life) {
  actor *a = registers("a");
  const char *octets = quoted("BH1 HEARTBEAT %u 9\n{'x':1", (unsigned)a->last_id + 1);

  a->silent = true;
  for (; *octets != '\0'; octets++) {
    time_passes(TIMEOUT_MS - 1);
    says_octets(a, octets, 1);
  }
  cr_assert_neq(a->id, 0);
  time_passes(TIMEOUT_MS);
  cr_assert_eq(a->id, 0);
}

/* BH-LIMIT-003: whatever it says. */
Test(hub_timeout, who_does_not_register_in_time_is_closed) {
  actor *a = connects();

  for (int i = 0; i < 4; i++) {
    time_passes(TIMEOUT_MS / 5);
    says(a, "HEARTBEAT", "{}");
    hears_error(a, THAT, "not-registered");
  }
  time_passes(TIMEOUT_MS / 5 - 1);
  cr_assert_neq(a->id, 0);
  time_passes(1);
  hears_the_end(a);
}

/* One that registers late in that time has a whole time-out from then. */
Test(hub_timeout, registering_in_time_is_enough) {
  actor *a = connects();

  time_passes(TIMEOUT_MS - 1);
  says(a, "REGISTER", "{'protocol':1,'pid':31,'name':'a'}");
  a->silent = true;
  time_passes(TIMEOUT_MS - 1);
  cr_assert_neq(a->id, 0);
  time_passes(1);
  cr_assert_eq(a->id, 0);
}

/* Who is told to go and does not take it is closed all the same. */
Test(hub_timeout, who_does_not_take_its_last_message_is_closed) {
  actor *a = registers("a");

  time_passes(3 * TIMEOUT_MS);
  a->takes_nothing = true;
  says(a, "UNREGISTER", "{}");
  time_passes(TIMEOUT_MS - 1);
  cr_assert_neq(a->id, 0);
  time_passes(1);
  cr_assert_eq(a->id, 0);
}

/* ... or ends the connection by itself. */
Test(hub_timeout, who_leaves_and_hangs_up_has_left) {
  actor *a = registers("a");
  actor *b = registers("b");

  a->takes_nothing = true;
  bridge_sends("[1]");
  says(a, "UNREGISTER", "{}");
  hangs_up(a);
  knows_active(b, "");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0._.json");
}

/* ---- late timers */

/* BH-TIME-007 */
Test(hub_timeout, after_a_stop_every_client_gets_a_fresh_time_out) {
  actor *a = registers("a");
  actor *b = connects();

  a->silent = true;
  process_is_stopped_for(10 * TIMEOUT_MS);
  time_passes(TIMEOUT_MS - 1);
  cr_assert_neq(a->id, 0);
  cr_assert_neq(b->id, 0);
  time_passes(1);
  cr_assert_eq(a->id, 0);
  cr_assert_eq(b->id, 0);
}

/* BH-TIME-007: the time in which one may come back is its own too. */
Test(hub_timeout, after_a_stop_a_lost_holder_has_its_time_again) {
  actor *a = registers("a");

  bridge_sends("[1]");
  hangs_up(a);
  process_is_stopped_for(10 * TIMEOUT_MS);
  time_passes(TIMEOUT_MS - 1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  actor *b = registers("b"); /* alone: the role is taken */
  knows_active(b, SECOND);
  time_passes(1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.1." SECOND ".json");
}

/* BH-TIME-007, BH-ACT-005 */
Test(hub_timeout, after_a_stop_a_lost_active_instance_may_come_back) {
  actor *a = registers("a");
  actor *b = registers("b");

  hangs_up(a);
  process_is_stopped_for(10 * TIMEOUT_MS);
  time_passes(TIMEOUT_MS);
  registers_with("a", "'instance':'" FIRST "'");
  knows_active(b, FIRST);
}

/* BH-TIME-007, BH-ACT-006 */
Test(hub_timeout, after_a_stop_a_young_hub_is_young_again) {
  actor *a = registers_with("a", "'instance':'aa'");

  process_is_stopped_for(10 * TIMEOUT_MS);
  knows_active(a, "");
  time_passes(TIMEOUT_MS - 1);
  knows_active(a, "");
  time_passes(1);
  knows_active(a, "aa");
}

/* BH-TIME-007: late by less than `heartbeat_ms` is nothing to speak of. */
Test(hub_timeout, a_timer_that_is_a_little_late_gives_no_fresh_time) {
  actor *a = registers("a");

  a->silent = true;
  process_is_stopped_for(2 * HEARTBEAT_MS - 1); /* the first timer was due after one */
  time_passes(TIMEOUT_MS - 2 * HEARTBEAT_MS);
  cr_assert_neq(a->id, 0);
  time_passes(1);
  cr_assert_eq(a->id, 0);
}

/* BH-TIME-007 */
Test(hub_timeout, a_timer_that_is_late_by_a_heartbeat_does) {
  actor *a = registers("a");

  a->silent = true;
  process_is_stopped_for(2 * HEARTBEAT_MS);
  time_passes(TIMEOUT_MS - 1);
  cr_assert_neq(a->id, 0);
  time_passes(1);
  cr_assert_eq(a->id, 0);
}

/* A HEARTBEAT that is late is sent once, and the next in its time. */
Test(hub_timeout, heartbeats_that_were_missed_are_not_made_up_for) {
  actor *a = registers("a");
  uint32_t beats = a->beats;

  process_is_stopped_for(10 * HEARTBEAT_MS);
  cr_assert_eq(a->beats, beats + 1);
  cr_assert_gt(bh_hub_expiry(the_hub()), the_time());
  cr_assert_leq(bh_hub_expiry(the_hub()), the_time() + HEARTBEAT_MS);
}

/* ---- BH-TIME-009: the process of a lost holder is found to be gone later than its connection */

static bh_peer loses_with_import(actor *a) {
  bh_peer id = a->id;

  bridge_sends("[{\"n\":1}]");
  hears_import(a, IMPORT(1), 1, "[{\"n\":1}]");
  hangs_up(a);
  return id;
}

static void is_found_gone(bh_peer id) {
  bh_hub_gone(the_hub(), id, the_time());
  hub_works();
}

Test(hub_timeout, what_a_lost_holder_had_is_free_when_its_process_is_found_gone) {
  bh_peer lost = loses_with_import(registers("a"));
  actor *b = registers("b");

  says(b, "CLAIM_ACTIVE", "{}");
  cr_assert(bh_hub_reserves(the_hub(), lost));
  cr_assert_not(bh_hub_reserves(the_hub(), b->id));
  is_found_gone(lost);
  cr_assert_not(bh_hub_reserves(the_hub(), lost));
  hears(b, "ACK", "{'for':THAT,'active':'%s'}", SECOND);
  hears_import(b, IMPORT(1), 2, "[{\"n\":1}]");
  cr_assert(spool_says(IMPORT(1), 2, SECOND));
  is_found_gone(lost); /* once is enough */
  hears_nothing(b);
}

/* BH-ROUTE-012: one that came back, and was lost again, was lost with another connection. */
Test(hub_timeout, a_holder_that_came_back_is_not_gone_with_its_old_connection) {
  bh_peer lost = loses_with_import(registers("a"));
  actor *a = registers_with("a", "'instance':'" FIRST "'");
  bh_peer again = a->id;

  cr_assert_not(bh_hub_reserves(the_hub(), lost));
  is_found_gone(lost);
  cr_assert_eq(a->in_hand, 1);
  hangs_up(a);
  is_found_gone(lost);
  cr_assert(bh_hub_reserves(the_hub(), again));
  cr_assert(spool_says(IMPORT(1), 2, FIRST));
}

/* BH-ACT-005 */
Test(hub_timeout, the_role_waits_for_a_holder_whose_process_is_found_gone) {
  bh_peer lost = loses_with_import(registers("a"));

  is_found_gone(lost);
  knows_active(registers_with("a", "'instance':'" FIRST "'"), FIRST);
}
