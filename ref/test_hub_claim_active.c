/* SPDX-License-Identifier: MIT */
#include "test_hub_support.h"

#include <criterion/criterion.h>

/* CLAIM_ACTIVE: spec/protocol.md, section 4. */

TestSuite(hub_claim_active, .init = hub_starts, .fini = hub_ends);

/* BH-CLAIM-001, BH-CLAIM-002, BH-ACT-001, BH-ACT-002 */
Test(hub_claim_active, the_latest_claim_wins_and_everybody_learns_it_at_once) {
  actor *a = registers("a");
  actor *b = registers("b");
  actor *eye = registers_with("eye", "'role':'observer'");

  forgets(a);
  says(b, "CLAIM_ACTIVE", "{}");
  hears_next(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_next(b, "HEARTBEAT", "{'active':'" SECOND "','waiting':0,'parked':0}");
  hears_next(a, "HEARTBEAT",
             "{'active':'" SECOND "','waiting':0,'parked':0,'instances':[{'instance':'" FIRST
             "','pid':31,'name':'a'},{'instance':'" SECOND "','pid':31,'name':'b'}]}");
  hears_next(eye, "HEARTBEAT", "{'active':'" SECOND "','waiting':0,'parked':0}");

  says(a, "CLAIM_ACTIVE", "{}");
  hears_next(a, "ACK", "{'for':THAT,'active':'" FIRST "'}");
  knows_active(b, FIRST);
  knows_active(eye, FIRST);
}

/* BH-CLAIM-003 */
Test(hub_claim_active, the_state_file_names_it_before_the_ack) {
  registers("a");
  actor *b = registers("b");

  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  cr_assert_str_eq(state_when_heard(), SECOND);
}

/* BH-CLAIM-001: claiming what one has is no error, and changes nothing. */
Test(hub_claim_active, the_active_instance_may_claim_again) {
  actor *a = registers("a");
  uint32_t beats = a->beats;

  says_quoted(a, "CLAIM_ACTIVE", "");
  hears(a, "ACK", "{'for':THAT,'active':'" FIRST "'}");
  hears_nothing(a);
  cr_assert_eq(a->beats, beats);
}

/* BH-CLAIM-004 */
Test(hub_claim_active, anybody_can_hand_the_role_over) {
  actor *a = registers("a");
  actor *b = registers("b");
  actor *eye = registers_with("eye", "'role':'observer'");

  says(a, "CLAIM_ACTIVE", "{'instance':'" SECOND "'}");
  hears(a, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  knows_active(b, SECOND);
  says(eye, "CLAIM_ACTIVE", "{'instance':'" FIRST "'}");
  hears(eye, "ACK", "{'for':THAT,'active':'" FIRST "'}");
  knows_active(a, FIRST);
  hears_nothing(b);
}

/* BH-CLAIM-005 */
Test(hub_claim_active, nobody_can_be_handed_to_who_is_not_there) {
  actor *a = registers("a");
  registers_with("eye", "'role':'observer','instance':'eye'");
  uint32_t beats = a->beats;

  says(a, "CLAIM_ACTIVE", "{'instance':'nobody'}");
  hears_error(a, THAT, "no-such-instance");
  says(a, "CLAIM_ACTIVE", "{'instance':'eye'}");
  hears_error(a, THAT, "no-such-instance");
  actor *b = registers("b");
  hangs_up(b);
  says(a, "CLAIM_ACTIVE", "{'instance':'%s'}", b->instance);
  hears_error(a, THAT, "no-such-instance");
  cr_assert_eq(a->beats, beats);
  knows_active(a, FIRST);
}

/* BH-CLAIM-006 */
Test(hub_claim_active, an_observer_cannot_claim_for_itself) {
  actor *a = registers("a");
  actor *eye = registers_with("eye", "'role':'observer'");

  says(eye, "CLAIM_ACTIVE", "{}");
  hears_error(eye, THAT, "refused");
  knows_active(a, FIRST);
}

/* BH-BODY-009 */
Test(hub_claim_active, a_bad_body_claims_nothing) {
  actor *a = registers("a");
  actor *b = registers("b");

  says(b, "CLAIM_ACTIVE", "{'instance':'a b'}");
  hears_error(b, THAT, "bad-body");
  says(b, "CLAIM_ACTIVE", "{'instance':null}");
  hears_error(b, THAT, "bad-body");
  says(b, "CLAIM_ACTIVE", "[]");
  hears_error(b, THAT, "bad-body");
  knows_active(a, FIRST);
}

/* BH-MSG-002, BH-MSG-003: many in one go are answered one by one. */
Test(hub_claim_active, claims_in_a_row_are_answered_in_their_order) {
  for (size_t chunk = 0; chunk < 40; chunk++) {
    in_chunks_of(0);
    actor *a = registers("a");
    actor *b = registers("b");
    uint32_t claim = says_begin(b, "CLAIM_ACTIVE", "{}");
    uint32_t release = says_begin(b, "RELEASE_ACTIVE", "");
    uint32_t again = says_begin(b, "RELEASE_ACTIVE", "{}");
    uint32_t give = says_begin(b, "CLAIM_ACTIVE", quoted("{'instance':'%s'}", a->instance));
    says_begin(b, "HEARTBEAT", "{}");
    b->silent = true; /* what it answers to HEARTBEATs must not come in between */
    in_chunks_of(chunk);
    says_it_all(b);
    hears(b, "ACK", "{'for':%u,'active':'%s'}", (unsigned)claim, b->instance);
    hears(b, "ACK", "{'for':%u,'active':null}", (unsigned)release);
    hears_error(b, again, "not-active");
    hears(b, "ACK", "{'for':%u,'active':'%s'}", (unsigned)give, a->instance);
    hears(b, "ACK", "{'for':THAT}");
    knows_active(a, a->instance);
    hangs_up(a);
    hangs_up(b);
  }
}
