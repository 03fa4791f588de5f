/* SPDX-License-Identifier: MIT */
#include "test_hub_support.h"

#include <criterion/criterion.h>

/* Who becomes active without a claim, and who ceases to be: spec/protocol.md, section 4. */

TestSuite(hub_active, .init = hub_starts, .fini = hub_ends);

static void hub_starts_after(const char *former_active) {
  bh_hub_config config = usual_hub();

  config.former_active = former_active;
  hub_starts_as(&config);
}

/* ---- RELEASE_ACTIVE */

/* BH-REL-001, BH-ACT-002 */
Test(hub_active, release_leaves_nobody_active) {
  actor *a = registers("a");
  actor *b = registers("b");

  says(a, "RELEASE_ACTIVE", "{}");
  hears_next(a, "ACK", "{'for':THAT,'active':null}");
  hears_next(a, "HEARTBEAT",
             "{'active':null,'waiting':0,'parked':0,'instances':[{'instance':'" FIRST
             "','pid':31,'name':'a'},{'instance':'" SECOND "','pid':31,'name':'b'}]}");
  knows_active(b, "");
}

/* BH-REL-002, BH-REL-003 */
Test(hub_active, an_observer_releases_whoever_is_active) {
  actor *a = registers("a");
  actor *eye = registers_with("eye", "'role':'observer'");

  says(eye, "RELEASE_ACTIVE", "{}");
  hears(eye, "ACK", "{'for':THAT,'active':null}");
  knows_active(a, "");
  says(eye, "RELEASE_ACTIVE", "{}");
  hears_error(eye, THAT, "not-active");
}

/* BH-REL-003 */
Test(hub_active, nobody_releases_what_another_has) {
  actor *a = registers("a");
  actor *b = registers("b");

  says(b, "RELEASE_ACTIVE", "{}");
  hears_error(b, THAT, "not-active");
  knows_active(a, FIRST);
}

/* BH-REL-004: not by being alone, not by coming back, not by time. */
Test(hub_active, after_a_release_only_a_claim_makes_active) {
  actor *a = registers("a");

  says(a, "RELEASE_ACTIVE", "{}");
  hangs_up(a);
  a = registers_with("a", "'instance':'" FIRST "'");
  knows_active(a, "");
  hangs_up(a);
  actor *b = registers("b");
  knows_active(b, "");
  time_passes(3 * TIMEOUT_MS);
  knows_active(b, "");
  says(b, "CLAIM_ACTIVE", "{}");
  knows_active(b, SECOND);
}

/* BH-REL-004 in a young hub: the wait of BH-ACT-006 ends in nothing. */
Test(hub_active, after_a_release_nobody_is_found_alone) {
  actor *a = registers_with("a", "'instance':'aa'");

  says(a, "CLAIM_ACTIVE", "{}");
  says(a, "RELEASE_ACTIVE", "{}");
  time_passes(2 * TIMEOUT_MS);
  knows_active(a, "");
}

/* ---- alone */

/* BH-ACT-003 */
Test(hub_active, only_the_first_is_active_by_itself) {
  actor *a = registers("a");
  actor *b = registers("b");

  knows_active(a, FIRST);
  knows_active(b, FIRST);
}

/* BH-ACT-003: an observer is nobody, and no instance's company. */
Test(hub_active, observers_do_not_count) {
  actor *eye = registers_with("eye", "'role':'observer'");
  time_passes(2 * TIMEOUT_MS);
  knows_active(eye, "");
  actor *a = registers("a");

  knows_active(a, SECOND);
  knows_active(eye, SECOND);
}

/* BH-ACT-003: an old hub gives the role to one that resumes, too. */
Test(hub_active, one_that_comes_back_alone_to_an_old_hub_is_active_at_once) {
  time_passes(TIMEOUT_MS);
  actor *a = registers_with("a", "'instance':'aa'");

  knows_active(a, "aa");
}

/* BH-ACT-004 */
Test(hub_active, when_the_active_one_goes_nobody_is) {
  actor *a = registers("a");
  actor *b = registers("b");

  says(a, "UNREGISTER", "{}");
  knows_active(b, "");
  time_passes(2 * TIMEOUT_MS);
  knows_active(b, "");
  says(b, "CLAIM_ACTIVE", "{}");
  actor *c = registers("c");
  hangs_up(b);
  knows_active(c, "");
  time_passes(2 * TIMEOUT_MS);
  knows_active(c, "");
}

/* BH-ACT-004: another going changes nothing. */
Test(hub_active, when_another_goes_the_active_one_stays) {
  actor *a = registers("a");
  actor *b = registers("b");
  actor *c = registers("c");

  hangs_up(b);
  says(c, "UNREGISTER", "{}");
  time_passes(HEARTBEAT_MS);
  knows_active(a, FIRST);
}

/* ---- lost, and back */

/* BH-ACT-005 */
Test(hub_active, a_lost_active_instance_is_active_again_when_it_comes_back) {
  actor *a = registers("a");
  actor *b = registers("b");

  hangs_up(a);
  knows_active(b, "");
  time_passes(TIMEOUT_MS);
  actor *again = connects();
  says(again, "REGISTER", "{'protocol':1,'pid':31,'name':'a','instance':'" FIRST "'}");
  hears(again, "ACK",
        "{'for':THAT,'instance':'" FIRST "','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000,"
        "'active':'" FIRST "'}");
  knows_active(b, FIRST);
}

/* BH-ACT-005 */
Test(hub_active, but_not_after_the_time_out) {
  actor *a = registers("a");
  actor *b = registers("b");

  hangs_up(a);
  time_passes(TIMEOUT_MS + 1);
  a = registers_with("a", "'instance':'" FIRST "'");
  knows_active(a, "");
  knows_active(b, "");
}

/* BH-ACT-005 */
Test(hub_active, nor_when_another_was_active_meanwhile) {
  actor *a = registers("a");
  actor *b = registers("b");

  hangs_up(a);
  says(b, "CLAIM_ACTIVE", "{}");
  says(b, "UNREGISTER", "{}");
  actor *c = registers("c"); /* alone */
  knows_active(c, THIRD);
  says(c, "RELEASE_ACTIVE", "{}");
  says(c, "CLAIM_ACTIVE", "{}");
  a = registers_with("a", "'instance':'" FIRST "'");
  knows_active(a, THIRD);
}

/* BH-ACT-005 */
Test(hub_active, nor_when_the_role_was_released_meanwhile) {
  actor *a = registers("a");
  actor *b = registers("b");
  actor *eye = registers_with("eye", "'role':'observer'");

  hangs_up(a);
  says(b, "CLAIM_ACTIVE", "{}");
  says(eye, "RELEASE_ACTIVE", "{}");
  a = registers_with("a", "'instance':'" FIRST "'");
  knows_active(a, "");
}

/* BH-ACT-005 is about who was lost: leaving by UNREGISTER is no loss. */
Test(hub_active, one_that_left_is_not_active_again) {
  actor *a = registers("a");
  actor *b = registers("b");

  says(a, "UNREGISTER", "{}");
  a = registers_with("a", "'instance':'" FIRST "'");
  knows_active(a, "");
  knows_active(b, "");
}

/* Lost by each way of being lost. */
Test(hub_active, a_break_of_the_framing_is_a_loss) {
  actor *a = registers("a");
  actor *b = registers("b");

  says_octets(a, "BH1 HEARTBEAT 99 0\n", 19);
  hears_error(a, 99, "malformed");
  hears_the_end(a);
  knows_active(b, "");
  registers_with("a", "'instance':'" FIRST "'");
  knows_active(b, FIRST);
}

/* ---- a new hub */

/* BH-ACT-005, BH-ACT-006 */
Test(hub_active, the_former_active_instance_is_active_again_with_a_new_hub) {
  hub_starts_after("former");
  actor *a = registers_with("a", "'instance':'aa'");
  actor *b = registers_with("b", "'instance':'bb'");
  knows_active(a, "");

  time_passes(TIMEOUT_MS);
  actor *former = registers_with("f", "'instance':'former'");
  knows_active(former, "former");
  knows_active(a, "former");
  knows_active(b, "former");
}

/* BH-ACT-005 */
Test(hub_active, the_former_active_instance_comes_too_late) {
  hub_starts_after("former");
  actor *a = registers_with("a", "'instance':'aa'");
  actor *b = registers_with("b", "'instance':'bb'");

  time_passes(TIMEOUT_MS + 1);
  actor *former = registers_with("f", "'instance':'former'");
  knows_active(former, "");
  knows_active(a, "");
  knows_active(b, "");
}

/* BH-ACT-005: any claim ends the wait. */
Test(hub_active, a_claim_ends_the_wait_for_the_former_one) {
  hub_starts_after("former");
  actor *a = registers_with("a", "'instance':'aa'");

  says(a, "CLAIM_ACTIVE", "{}");
  actor *former = registers_with("f", "'instance':'former'");
  knows_active(former, "aa");
}

/* BH-ACT-003: who is new to all hubs need not wait. */
Test(hub_active, a_new_instance_is_active_at_once_with_a_young_hub) {
  hub_starts_after("former");
  actor *a = registers("a");

  knows_active(a, FIRST);
  actor *former = registers_with("f", "'instance':'former'");
  knows_active(former, FIRST);
}

/* BH-ACT-006 */
Test(hub_active, one_that_comes_back_alone_to_a_young_hub_waits) {
  actor *a = registers_with("a", "'instance':'aa'");

  knows_active(a, "");
  time_passes(TIMEOUT_MS - 1);
  knows_active(a, "");
  bridge_sends("[1]");
  time_passes(1);
  knows_active(a, "aa");
  cr_assert_str_eq(state_when_heard(), "");
  hears_import(a, IMPORT(1), 1, "[1]");
}

/* BH-ACT-006 */
Test(hub_active, two_that_come_back_to_a_young_hub_get_nothing) {
  actor *a = registers_with("a", "'instance':'aa'");
  actor *b = registers_with("b", "'instance':'bb'");

  time_passes(2 * TIMEOUT_MS);
  knows_active(a, "");
  knows_active(b, "");
}

/* BH-ACT-006: who is alone at the end of that time, of those that came back. */
Test(hub_active, the_other_may_have_gone_by_then) {
  actor *a = registers_with("a", "'instance':'aa'");
  actor *b = registers_with("b", "'instance':'bb'");

  hangs_up(a);
  time_passes(TIMEOUT_MS);
  knows_active(b, "bb");
}

/* BH-ACT-003, BH-ACT-006: one that was not the first, and did not come back, is not found alone. */
Test(hub_active, a_new_one_that_was_not_alone_is_not_found_alone) {
  actor *a = registers_with("a", "'instance':'aa'");
  actor *b = registers("b");

  hangs_up(a);
  time_passes(2 * TIMEOUT_MS);
  knows_active(b, "");
}

/* BH-ACT-004 holds in a young hub too. */
Test(hub_active, when_the_active_one_goes_a_young_hub_finds_nobody_alone) {
  actor *a = registers_with("a", "'instance':'aa'");
  actor *b = registers_with("b", "'instance':'bb'");

  says(a, "CLAIM_ACTIVE", "{}");
  says(a, "UNREGISTER", "{}");
  time_passes(2 * TIMEOUT_MS);
  knows_active(b, "");
}

/* ---- who is told */

/* BH-ACT-002: the state is written, and nobody is told twice. */
Test(hub_active, a_change_is_told_once) {
  actor *a = registers("a");
  actor *b = registers("b");
  uint32_t beats_of_a = a->beats;
  uint32_t beats_of_b = b->beats;

  says(b, "CLAIM_ACTIVE", "{}");
  cr_assert_eq(a->beats, beats_of_a + 1);
  cr_assert_eq(b->beats, beats_of_b + 1);
}
