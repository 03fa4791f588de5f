/* SPDX-License-Identifier: MIT */
#include "test_hub_support.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* Which import goes where: spec/protocol.md, section 6.2. */

TestSuite(hub_delivery, .init = hub_starts, .fini = hub_ends);

/* And has heard what that brings: what it is sent counts in in_hand. */
static actor *comes_back(const actor *lost) {
  char members[128];

  snprintf(members, sizeof members, "'instance':'%s'", lost->instance);
  return registers_with("back", members);
}

/* ---- where, and in which order */

/* BH-ROUTE-001, BH-ROUTE-002, BH-ROUTE-003, BH-ROUTE-006, BH-ROUTE-008, BH-SPOOL-004, BH-SPOOL-005 */
Test(hub_delivery, imports_go_to_the_active_instance_one_by_one) {
  actor *a = registers("a");
  actor *b = registers("b");
  actor *eye = registers_with("eye", "'role':'observer'");

  bridge_sends("[{\"id\":1}]");
  bridge_sends("[{\"id\":2}]");
  uint32_t first = hears_import(a, IMPORT(1), 1, "[{\"id\":1}]");
  hears_nothing(a);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".0.0._.json");
  acks(a, first);
  cr_assert_eq(files_in("queue"), 1);
  acks(a, hears_import(a, IMPORT(2), 1, "[{\"id\":2}]"));
  cr_assert_eq(files_in("queue"), 0);
  hears_nothing(a);
  hears_nothing(b);
  hears_nothing(eye);
}

/* BH-ROUTE-002, BH-ROUTE-003 */
Test(hub_delivery, a_window_is_filled_in_order_and_kept_full) {
  actor *a = registers_with("a", "'window':3");
  uint32_t ids[3];

  bridge_sends("[1]");
  bridge_sends("[2]");
  bridge_sends("[3]");
  bridge_sends("[4]");
  bridge_sends("[5]");
  ids[0] = hears_import(a, IMPORT(1), 1, "[1]");
  ids[1] = hears_import(a, IMPORT(2), 1, "[2]");
  ids[2] = hears_import(a, IMPORT(3), 1, "[3]");
  hears_nothing(a);
  acks(a, ids[1]);
  ids[1] = hears_import(a, IMPORT(4), 1, "[4]");
  hears_nothing(a);
  acks(a, ids[2]);
  acks(a, ids[0]);
  acks(a, ids[1]);
  acks(a, hears_import(a, IMPORT(5), 1, "[5]"));
  cr_assert_eq(files_in("queue"), 0);
}

/* BH-ROUTE-004, BH-TIME-003 */
Test(hub_delivery, while_nobody_is_active_imports_wait) {
  actor *a = registers_with("a", "'window':2");

  says(a, "RELEASE_ACTIVE", "{}");
  hears(a, "ACK", "{'for':THAT,'active':null}");
  bridge_sends("[1]");
  bridge_sends("[2]");
  hears_nothing(a);
  time_passes(HEARTBEAT_MS);
  knows_waiting(a, 2);
  actor *b = registers_with("b", "'window':2");
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_import(b, IMPORT(1), 1, "[1]");
  hears_import(b, IMPORT(2), 1, "[2]");
  time_passes(HEARTBEAT_MS);
  knows_waiting(a, 0);
}

/* BH-ROUTE-004: an instance that becomes active by registering gets them too. */
Test(hub_delivery, what_waits_goes_to_the_first_that_registers) {
  bridge_sends("[1]");
  actor *a = connects();

  says(a, "REGISTER", "{'protocol':1,'pid':31,'name':'a'}");
  hears_next(a, "ACK",
             "{'for':1,'instance':'" FIRST "','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000,"
             "'active':'" FIRST "'}");
  hears_next(a, "HEARTBEAT",
             "{'active':'" FIRST "','waiting':0,'parked':0,'instances':[{'instance':'" FIRST
             "','pid':31,'name':'a'}]}");
  hears_import(a, IMPORT(1), 1, "[1]");
}

/* BH-MSG-003 */
Test(hub_delivery, ack_then_heartbeat_then_what_the_claim_brings) {
  actor *a = registers("a");
  actor *b = registers("b");

  says(a, "RELEASE_ACTIVE", "{}");
  bridge_sends("[1]");
  forgets(b);
  says(b, "CLAIM_ACTIVE", "{}");
  hears_next(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_next(b, "HEARTBEAT", "{'active':'" SECOND "','waiting':0,'parked':0}");
  hears_import(b, IMPORT(1), 1, "[1]");
}

/* BH-ROUTE-005 */
Test(hub_delivery, what_was_sent_stays_when_the_role_moves) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  bridge_sends("[2]");
  uint32_t first = hears_import(a, IMPORT(1), 1, "[1]");
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  uint32_t second = hears_import(b, IMPORT(2), 1, "[2]");
  bridge_sends("[3]");
  acks(a, first);
  hears_nothing(a);
  acks(b, second);
  acks(b, hears_import(b, IMPORT(3), 1, "[3]"));
  cr_assert_eq(files_in("queue"), 0);
}

/* BH-ROUTE-001: a role that was had for no longer than a message brings nothing. */
Test(hub_delivery, a_claim_and_its_end_in_one_go_bring_nothing) {
  actor *a = registers("a");
  actor *b = registers("b");

  says(a, "RELEASE_ACTIVE", "{}");
  hears(a, "ACK", "{'for':THAT,'active':null}");
  bridge_sends("[1]");
  uint32_t claim = says_begin(a, "CLAIM_ACTIVE", "{}");
  uint32_t give = says_begin(a, "CLAIM_ACTIVE", quoted("{'instance':'" SECOND "'}"));
  says_it_all(a);
  hears(a, "ACK", "{'for':%u,'active':'" FIRST "'}", (unsigned)claim);
  hears(a, "ACK", "{'for':%u,'active':'" SECOND "'}", (unsigned)give);
  hears_nothing(a);
  uint32_t import = hears_import(b, IMPORT(1), 1, "[1]");
  acks(b, import);

  bridge_sends("[2]");
  refuses(b, hears_import(b, IMPORT(2), 1, "[2]"), "no");
  says_begin(b, "RELEASE_ACTIVE", "{}");
  says_it_all(b);
  hears(b, "ACK", "{'for':THAT,'active':null}");
  bridge_sends("[3]");
  claim = says_begin(b, "CLAIM_ACTIVE", "{}");
  says_begin(b, "RELEASE_ACTIVE", "{}");
  says_it_all(b);
  hears(b, "ACK", "{'for':%u,'active':'" SECOND "'}", (unsigned)claim);
  hears(b, "ACK", "{'for':THAT,'active':null}");
  hears_nothing(b);
  spool_has("queue", "00000000000000000003." IMPORT(3) ".0.0._.json");
}

/* BH-ROUTE-017 */
Test(hub_delivery, none_is_queued_behind_another_that_is_unsent) {
  actor *a = registers_with("a", "'window':4");

  a->takes_nothing = true;
  bridge_sends("[1]");
  bridge_sends("[2]");
  bridge_sends("[3]");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".0.0._.json");
  takes(a, 20);
  spool_has("queue", "00000000000000000002." IMPORT(2) ".0.0._.json");
  takes_all(a);
  hears_import(a, IMPORT(1), 1, "[1]");
  hears_import(a, IMPORT(2), 1, "[2]");
  hears_import(a, IMPORT(3), 1, "[3]");
}

/* BH-ROUTE-017: what is behind the import in the same octets does not count as the import. */
Test(hub_delivery, the_next_is_queued_once_the_last_octet_is_sent) {
  actor *a = registers_with("a", "'window':4");

  a->takes_nothing = true;
  says(a, "HEARTBEAT", "{}"); /* its ACK is lent, and the import is queued behind it */
  bridge_sends("[1]");
  bridge_sends("[2]");
  takes_all(a);
  hears(a, "ACK", "{'for':THAT}");
  hears_import(a, IMPORT(1), 1, "[1]");
  hears_import(a, IMPORT(2), 1, "[2]");
}

/* ---- answers */

/* BH-ROUTE-006, BH-MSG-006 */
Test(hub_delivery, an_ack_counts_once_and_only_from_the_holder) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  uint32_t first = hears_import(a, IMPORT(1), 1, "[1]");
  says(b, "ACK", "{'for':%u}", (unsigned)first);
  says(b, "ERROR", "{'for':%u,'code':'refused','message':''}", (unsigned)first);
  says(a, "ACK", "{'for':%u}", (unsigned)first + 1);
  says(a, "ACK", "{'for':4294967295}");
  says(a, "ERROR", "{'for':null,'code':'refused','message':''}");
  cr_assert_eq(files_in("queue"), 1);
  acks(a, first);
  cr_assert_eq(files_in("queue"), 0);
  bridge_sends("[2]");
  uint32_t second = hears_import(a, IMPORT(2), 1, "[2]");
  says(a, "ACK", "{'for':%u}", (unsigned)first);
  says(a, "ERROR", "{'for':%u,'code':'refused','message':''}", (unsigned)first);
  cr_assert_eq(files_in("queue"), 1);
  acks(a, second);
  cr_assert_eq(files_in("parked"), 0);
  hears_nothing(a);
  hears_nothing(b);
}

/* BH-ROUTE-015, BH-ROUTE-016, BH-SPOOL-011, BH-LIMIT-005 */
Test(hub_delivery, what_is_refused_is_parked) {
  actor *a = registers("a");

  bridge_sends("[1]");
  bridge_sends("[2]");
  refuses(a, hears_import(a, IMPORT(1), 1, "[1]"), "no \\u001b[31m mesh");
  spool_has("parked", "00000000000000000001." IMPORT(1) ".1.0._.json");
  cr_assert_str_eq(why_parked(IMPORT(1)), FIRST " refused it: refused: no \\u001b[31m mesh");
  acks(a, hears_import(a, IMPORT(2), 1, "[2]"));
  time_passes(2 * HEARTBEAT_MS);
  knows_parked(a, 1);
  hears_nothing(a);
}

/* BH-ROUTE-007, BH-ROUTE-016, BH-SPOOL-010 */
Test(hub_delivery, what_is_retried_by_hand_goes_before_what_came_later) {
  actor *a = registers("a");
  uint32_t second;

  bridge_sends("[1]");
  bridge_sends("[2]");
  bridge_sends("[3]");
  refuses(a, hears_import(a, IMPORT(1), 1, "[1]"), "no");
  second = hears_import(a, IMPORT(2), 1, "[2]");
  retried_by_hand(IMPORT(1));
  time_passes(HEARTBEAT_MS);
  knows_parked(a, 0);
  acks(a, second);
  acks(a, hears_import(a, IMPORT(1), 2, "[1]"));
  acks(a, hears_import(a, IMPORT(3), 1, "[3]"));
}

/* BH-ROUTE-009 */
Test(hub_delivery, a_slow_holder_keeps_its_import) {
  actor *a = registers("a");

  bridge_sends("[1]");
  uint32_t first = hears_import(a, IMPORT(1), 1, "[1]");
  time_passes(100 * TIMEOUT_MS);
  hears_nothing(a);
  acks(a, first);
  cr_assert_eq(files_in("queue"), 0);
}

/* ---- holders that go */

/* BH-ROUTE-007, BH-ROUTE-010 */
Test(hub_delivery, unregister_gives_back_at_once_and_is_no_death) {
  actor *a = registers_with("a", "'window':2");
  actor *b = registers_with("b", "'window':3");

  bridge_sends("[1]");
  bridge_sends("[2]");
  bridge_sends("[3]");
  hears_import(a, IMPORT(1), 1, "[1]");
  hears_import(a, IMPORT(2), 1, "[2]");
  says(a, "UNREGISTER", "{}");
  hears(a, "ACK", "{'for':THAT}");
  hears_the_end(a);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0._.json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".1.0._.json");
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_import(b, IMPORT(1), 2, "[1]");
  hears_import(b, IMPORT(2), 2, "[2]");
  hears_import(b, IMPORT(3), 1, "[3]");
}

/* BH-ROUTE-011, BH-ROUTE-013, BH-ROUTE-007, BH-TIME-003 */
Test(hub_delivery, a_lost_holders_imports_are_reserved_and_then_given_back) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  hears_import(a, IMPORT(1), 1, "[1]");
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  bridge_sends("[2]");
  bridge_sends("[3]");
  uint32_t second = hears_import(b, IMPORT(2), 1, "[2]");
  hangs_up(a);
  time_passes(TIMEOUT_MS - 1);
  knows_waiting(b, 1);
  hears_nothing(b);
  time_passes(1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.1._.json");
  knows_waiting(b, 2);
  acks(b, second);
  acks(b, hears_import(b, IMPORT(1), 2, "[1]"));
  acks(b, hears_import(b, IMPORT(3), 1, "[3]"));
}

/* BH-ROUTE-012 */
Test(hub_delivery, a_holder_that_comes_back_is_sent_again_what_it_had) {
  actor *a = registers_with("a", "'window':2");
  actor *b = registers("b");

  bridge_sends("[1]");
  bridge_sends("[2]");
  bridge_sends("[3]");
  hears_import(a, IMPORT(1), 1, "[1]");
  hears_import(a, IMPORT(2), 1, "[2]");
  hangs_up(a);
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_import(b, IMPORT(3), 1, "[3]");
  time_passes(TIMEOUT_MS - 1);
  actor *again = connects();
  again->window = 2;
  says(again, "REGISTER", "{'protocol':1,'pid':31,'name':'a','instance':'" FIRST "','window':2}");
  hears_next(again, "ACK",
             "{'for':1,'instance':'" FIRST "','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000,"
             "'active':'" SECOND "'}");
  uint32_t first = hears_import(again, IMPORT(1), 2, "[1]");
  uint32_t second = hears_import(again, IMPORT(2), 2, "[2]");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.0." FIRST ".json");
  time_passes(2 * TIMEOUT_MS);
  acks(again, second);
  acks(again, first);
  cr_assert_eq(files_in("queue"), 1);
  hears_nothing(again);
}

/* BH-ROUTE-003, BH-ROUTE-012: with a smaller window, one after the other, and before what waits. */
Test(hub_delivery, a_holder_may_come_back_with_a_smaller_window) {
  actor *a = registers_with("a", "'window':3");

  bridge_sends("[1]");
  bridge_sends("[2]");
  bridge_sends("[3]");
  hears_import(a, IMPORT(1), 1, "[1]");
  hears_import(a, IMPORT(2), 1, "[2]");
  hears_import(a, IMPORT(3), 1, "[3]");
  hangs_up(a);
  bridge_sends("[4]");
  actor *again = connects();
  says(again, "REGISTER", "{'protocol':1,'pid':31,'name':'a','instance':'" FIRST "'}");
  hears_next(again, "ACK",
             "{'for':1,'instance':'" FIRST "','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000,"
             "'active':'" FIRST "'}");
  uint32_t first = hears_import(again, IMPORT(1), 2, "[1]");
  time_passes(2 * TIMEOUT_MS); /* those that it was not sent yet are its own all the same */
  acks(again, first);
  acks(again, hears_import(again, IMPORT(2), 2, "[2]"));
  acks(again, hears_import(again, IMPORT(3), 2, "[3]"));
  acks(again, hears_import(again, IMPORT(4), 1, "[4]"));
}

/* BH-ROUTE-011: reserved are those too that it had got back and was not sent again. */
Test(hub_delivery, a_holder_may_be_lost_twice) {
  actor *a = registers_with("a", "'window':2");

  bridge_sends("[1]");
  bridge_sends("[2]");
  hears_import(a, IMPORT(1), 1, "[1]");
  hears_import(a, IMPORT(2), 1, "[2]");
  hangs_up(a);
  actor *again = comes_back(a);
  hangs_up(again);
  time_passes(TIMEOUT_MS - 1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.0." FIRST ".json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".1.0." FIRST ".json");
  time_passes(1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.1._.json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".1.1._.json");
}

/* BH-ROUTE-010: also those that were reserved for it and not sent again yet. */
Test(hub_delivery, unregister_gives_back_what_was_still_reserved) {
  actor *a = registers_with("a", "'window':2");
  actor *b = registers_with("b", "'window':2");

  bridge_sends("[1]");
  bridge_sends("[2]");
  hangs_up(a);
  says(b, "CLAIM_ACTIVE", "{}");
  actor *again = comes_back(a);
  forgets(b);
  says(again, "UNREGISTER", "{}");
  hears_import(b, IMPORT(1), 3, "[1]");
  hears_import(b, IMPORT(2), 2, "[2]");
}

/* BH-ROUTE-011, BH-ROUTE-013 */
Test(hub_delivery, a_holder_whose_process_is_gone_is_dead_at_once) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  hears_import(a, IMPORT(1), 1, "[1]");
  says(b, "CLAIM_ACTIVE", "{}");
  forgets(b);
  dies(a);
  hears_import(b, IMPORT(1), 2, "[1]");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.1." SECOND ".json");
}

/* BH-ROUTE-014, BH-ROUTE-016 */
Test(hub_delivery, the_third_death_parks) {
  actor *a = registers("a");

  bridge_sends("[1]");
  dies(a);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.1._.json");
  a = registers("b");
  hangs_up(a);
  time_passes(TIMEOUT_MS);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.2._.json");
  a = registers("c");
  dies(a);
  spool_has("parked", "00000000000000000001." IMPORT(1) ".3.3._.json");
  cr_assert_str_eq(why_parked(IMPORT(1)), "3 holders were lost with it, the last of them " THIRD);
  a = registers("d");
  time_passes(HEARTBEAT_MS);
  knows_parked(a, 1);
  hears_nothing(a);

  retried_by_hand(IMPORT(1));
  time_passes(HEARTBEAT_MS);
  hears_import(a, IMPORT(1), 4, "[1]");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".4.0.11223344-4.json");
}

/* BH-ROUTE-013: a death of each, and only of those that it held. */
Test(hub_delivery, a_death_counts_for_each_import_in_hand) {
  actor *a = registers_with("a", "'window':2");

  bridge_sends("[1]");
  bridge_sends("[2]");
  bridge_sends("[3]");
  hangs_up(a);
  time_passes(TIMEOUT_MS);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.1._.json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".1.1._.json");
  spool_has("queue", "00000000000000000003." IMPORT(3) ".0.0._.json");
}

/* BH-ROUTE-005, BH-ROUTE-011: another's loss is not one's own. */
Test(hub_delivery, what_others_hold_is_not_touched) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  uint32_t first = hears_import(a, IMPORT(1), 1, "[1]");
  says(b, "CLAIM_ACTIVE", "{}");
  bridge_sends("[2]");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".1.0." SECOND ".json");
  dies(b);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".1.1._.json");
  acks(a, first);
  cr_assert_eq(files_in("queue"), 1);
}

/* BH-ROUTE-013: one loss is one death, whoever is lost later. */
Test(hub_delivery, who_died_once_does_not_die_again_with_others) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  hangs_up(a);
  time_passes(TIMEOUT_MS);
  says(b, "CLAIM_ACTIVE", "{}");
  forgets(b);
  bridge_sends("[2]");
  actor *c = registers("c");
  says(c, "CLAIM_ACTIVE", "{}");
  forgets(c);
  cr_assert_eq(c->in_hand, 1);
  hangs_up(c);
  time_passes(TIMEOUT_MS);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.1." SECOND ".json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".1.1._.json");
  bridge_sends("[3]");
  says(b, "RELEASE_ACTIVE", "{}");
  time_passes(2 * TIMEOUT_MS);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.1." SECOND ".json");
  says(b, "UNREGISTER", "{}");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.1._.json");
  c = registers("c");
  says(c, "CLAIM_ACTIVE", "{}");
  cr_assert_eq(c->in_hand, 1);
  hangs_up(c);
  time_passes(TIMEOUT_MS);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".3.2._.json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".1.1._.json");
}

/* A loss that the hub itself brings about is a loss all the same. */
Test(hub_delivery, silence_and_broken_frames_are_losses) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  hears_import(a, IMPORT(1), 1, "[1]");
  a->silent = true;
  time_passes(TIMEOUT_MS);
  hears_the_end(a);
  time_passes(TIMEOUT_MS - 1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  time_passes(HEARTBEAT_MS);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.1._.json");

  forgets(b);
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_import(b, IMPORT(1), 2, "[1]");
  says_octets(b, "\n", 1);
  hears_error(b, 0, "malformed");
  hears_the_end(b);
  time_passes(TIMEOUT_MS - 1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.1." SECOND ".json");
  time_passes(1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.2._.json");
}

/* BH-REG-006, BH-ROUTE-012: superseded is not dead, and the newer connection is sent again what the older had. */
Test(hub_delivery, a_newer_connection_is_sent_again_what_the_older_had) {
  actor *a = registers_with("a", "'window':2");
  actor *b = registers("b");

  bridge_sends("[1]");
  bridge_sends("[2]");
  says(b, "CLAIM_ACTIVE", "{}");
  hears_import(a, IMPORT(1), 1, "[1]");
  uint32_t second = hears_import(a, IMPORT(2), 1, "[2]");
  actor *newer = connects();
  says(newer, "REGISTER", "{'protocol':1,'pid':31,'name':'a','instance':'" FIRST "'}");
  hears_error(a, 0, "superseded");
  says(a, "ACK", "{'for':%u}", (unsigned)second);
  forgets(newer);
  cr_assert_eq(newer->in_hand, 1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.0." FIRST ".json");
  dies(newer);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".3.1." SECOND ".json");
  spool_has("queue", "00000000000000000002." IMPORT(2) ".1.1._.json");
}

/* An observer that takes a lost holder's id is not that holder. */
Test(hub_delivery, an_observer_does_not_come_back_for_an_instance) {
  actor *a = registers("a");

  bridge_sends("[1]");
  hangs_up(a);
  actor *eye = registers_with("eye", "'role':'observer','instance':'" FIRST "'");
  hears_nothing(eye);
  says(eye, "UNREGISTER", "{}");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  eye = registers_with("eye", "'role':'observer','instance':'" FIRST "'");
  dies(eye);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  registers_with("eye", "'role':'observer','instance':'" FIRST "'");
  time_passes(TIMEOUT_MS);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.1._.json");
}

/* ---- in the middle of fetching and sending */

/* Lost while the spool could not record the sending: it was not sent, which is no death. */
Test(hub_delivery, lost_before_the_sending_was_recorded) {
  actor *a = registers("a");
  actor *b = registers("b");

  spool_will(BH_DO_RECORD, BH_SPOOL_FAILED, 1);
  bridge_sends("[1]");
  hears_nothing(a);
  dies(a);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".0.0._.json");
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_import(b, IMPORT(1), 1, "[1]");
}

/* BH-ROUTE-008: recorded, and not sent: the attempt does not count. */
Test(hub_delivery, lost_before_the_octets_were_read) {
  actor *a = registers("a");
  actor *b = registers("b");

  spool_will(BH_DO_LOAD, BH_SPOOL_FAILED, 1);
  bridge_sends("[1]");
  hears_nothing(a);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  dies(a);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".0.0._.json");
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_import(b, IMPORT(1), 1, "[1]");
}

/* BH-ROUTE-011: what was reserved stays so, wherever in the second sending the holder is lost. */
Test(hub_delivery, lost_again_while_a_reserved_import_is_fetched) {
  static const bh_action_kind kinds[] = {BH_DO_RECORD, BH_DO_LOAD};

  for (size_t i = 0; i < 2; i++) {
    hub_ends();
    hub_starts();
    actor *a = registers("a");
    actor *b = registers("b");
    bridge_sends("[1]");
    says(b, "CLAIM_ACTIVE", "{}");
    forgets(b);
    hangs_up(a);
    spool_will(kinds[i], BH_SPOOL_FAILED, 1);
    actor *again = comes_back(a);
    cr_assert_eq(again->in_hand, 0);
    hangs_up(again);
    time_passes(TIMEOUT_MS - 1);
    hears_nothing(b);
    again = comes_back(a);
    cr_assert_eq(again->in_hand, 1);
    spool_has("queue", "00000000000000000001." IMPORT(1) ".2.0." FIRST ".json");
    dies(again);
    hears_import(b, IMPORT(1), 3, "[1]");
  }
}

/* Parked from there, its attempts are those that were sent. */
Test(hub_delivery, dead_for_the_third_time_while_a_reserved_import_is_fetched) {
  bh_import left = left_in_spool("queue", 1, IMPORT(1), 5, 2, "aa", "[1]");

  cr_assert_eq(found_in_queue(&left), BH_OK);
  spool_will(BH_DO_LOAD, BH_SPOOL_FAILED, 1);
  actor *a = registers_with("a", "'instance':'aa'");
  spool_has("queue", "00000000000000000001." IMPORT(1) ".6.2.aa.json");
  dies(a);
  spool_has("parked", "00000000000000000001." IMPORT(1) ".5.3._.json");
}

/* BH-ROUTE-001: what was not sent yet goes to whoever is active by then. */
Test(hub_delivery, the_role_moves_while_an_import_is_fetched) {
  static const bh_action_kind kinds[] = {BH_DO_RECORD, BH_DO_LOAD};

  for (size_t i = 0; i < 2; i++) {
    hub_ends();
    hub_starts();
    actor *a = registers("a");
    actor *b = registers("b");
    spool_will(kinds[i], BH_SPOOL_FAILED, 1);
    bridge_sends("[1]");
    bridge_sends("[2]");
    says(b, "CLAIM_ACTIVE", "{}");
    hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
    acks(b, hears_import(b, IMPORT(1), 1, "[1]"));
    hears_import(b, IMPORT(2), 1, "[2]");
    time_passes(2 * HEARTBEAT_MS);
    hears_nothing(a);
    hears_nothing(b);
    says(a, "CLAIM_ACTIVE", "{}");
    hears(a, "ACK", "{'for':THAT,'active':'" FIRST "'}");
    bridge_sends("[3]");
    hears_import(a, IMPORT(3), 1, "[3]");
  }
}

/* ... but what is reserved for the holder is fetched on. */
Test(hub_delivery, the_role_moves_while_a_reserved_import_is_fetched) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  hangs_up(a);
  spool_will(BH_DO_LOAD, BH_SPOOL_FAILED, 1);
  actor *again = comes_back(a);
  cr_assert_eq(again->in_hand, 0);
  says(b, "CLAIM_ACTIVE", "{}");
  forgets(b);
  time_passes(HEARTBEAT_MS);
  hears_import(again, IMPORT(1), 2, "[1]");
  hears_nothing(b);
}

/* BH-ROUTE-012: while it is active, what stands before its own holds that up, and no longer. */
Test(hub_delivery, the_role_moves_while_a_reserved_import_is_held_up) {
  bh_import before = left_in_spool("queue", 5, "00000000000000aa-3", 1, 0, "lost", "[3]");
  bh_import reserved = left_in_spool("queue", 9, "00000000000000aa-4", 1, 0, "aa", "[4]");

  cr_assert_eq(found_in_queue(&before), BH_OK);
  time_passes(TIMEOUT_MS - 1);
  cr_assert_eq(found_in_queue(&reserved), BH_OK);
  spool_will(BH_DO_RECORD, BH_SPOOL_FAILED, 3);
  time_passes(1);
  actor *a = registers_with("a", "'instance':'aa'");
  actor *b = registers("b");
  knows_active(a, "aa");
  hears_nothing(a);
  spool_will(BH_DO_RECORD, BH_SPOOL_FAILED, 0);
  says(b, "CLAIM_ACTIVE", "{}");
  hears_import(a, "00000000000000aa-4", 2, "[4]");
  forgets(b);
  time_passes(HEARTBEAT_MS);
  hears_import(b, "00000000000000aa-3", 2, "[3]");
}

/* A part of it is out, or none: it was queued, and that is what counts. */
Test(hub_delivery, lost_in_the_middle_of_the_import) {
  actor *a = registers("a");
  actor *b = registers("b");

  a->takes_nothing = true;
  bridge_sends("[1]");
  takes(a, 25);
  hangs_up(a);
  time_passes(TIMEOUT_MS - 1);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".1.0." FIRST ".json");
  time_passes(1);
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_import(b, IMPORT(1), 2, "[1]");
}

/* ---- former hubs */

/* BH-ROUTE-011: the time begins when the new hub listens. */
Test(hub_delivery, a_former_hubs_holder_comes_back) {
  bh_import held = left_in_spool("queue", 5, "00000000000000aa-3", 4, 1, "aa", "[3]");
  bh_import waits = left_in_spool("queue", 9, "00000000000000aa-4", 2, 1, "", "[4]");

  cr_assert_eq(found_in_queue(&waits), BH_OK);
  cr_assert_eq(found_in_queue(&held), BH_OK);
  actor *b = registers_with("b", "'window':2");
  hears_nothing(b);
  cr_assert_eq(b->in_hand, 1); /* the one that waits */
  time_passes(TIMEOUT_MS - 1);
  actor *a = registers_with("a", "'instance':'aa'");
  cr_assert_eq(a->in_hand, 1);
  spool_has("queue", "00000000000000000005.00000000000000aa-3.5.1.aa.json");
}

/* BH-ROUTE-013 */
Test(hub_delivery, a_former_hubs_holder_does_not_come_back) {
  bh_import held = left_in_spool("queue", 5, "00000000000000aa-3", 4, 1, "aa", "[3]");
  bh_import third = left_in_spool("queue", 6, "00000000000000aa-4", 4, 2, "bb", "[4]");

  cr_assert_eq(found_in_queue(&held), BH_OK);
  cr_assert_eq(found_in_queue(&third), BH_OK);
  actor *c = registers("c");
  time_passes(TIMEOUT_MS - 1);
  hears_nothing(c);
  time_passes(1);
  acks(c, hears_import(c, "00000000000000aa-3", 5, "[3]"));
  spool_has("parked", "00000000000000000006.00000000000000aa-4.4.3._.json");
}

/* It has come back before its import was found. */
Test(hub_delivery, a_former_hubs_holder_is_there_already) {
  bh_import held = left_in_spool("queue", 5, "00000000000000aa-3", 4, 1, "aa", "[3]");
  actor *a = registers_with("a", "'instance':'aa'");

  cr_assert_eq(found_in_queue(&held), BH_OK);
  hears_import(a, "00000000000000aa-3", 5, "[3]");
}

/* ... as an observer, who is sent none: it is given back in time. */
Test(hub_delivery, a_former_hubs_holder_is_an_observer_now) {
  bh_import held = left_in_spool("queue", 5, "00000000000000aa-3", 4, 1, "aa", "[3]");
  actor *a = registers_with("a", "'instance':'aa','role':'observer'");
  actor *b = registers("b");

  cr_assert_eq(found_in_queue(&held), BH_OK);
  hears_nothing(a);
  time_passes(TIMEOUT_MS);
  hears_import(b, "00000000000000aa-3", 5, "[3]");
}

/* Numbers that no hub comes to by itself stay within what a body can carry. */
Test(hub_delivery, attempts_and_deaths_do_not_wrap) {
  bh_import many = left_in_spool("queue", 5, "00000000000000aa-3", UINT32_MAX, 0, "", "[3]");
  bh_import dead = left_in_spool("queue", 6, "00000000000000aa-4", 1, UINT32_MAX, "bb", "[4]");

  cr_assert_eq(found_in_queue(&many), BH_OK);
  cr_assert_eq(found_in_queue(&dead), BH_OK);
  actor *a = registers("a");
  cr_assert_eq(a->in_hand, 1);
  time_passes(TIMEOUT_MS);
  cr_assert_eq(files_in("parked"), 1);
}
