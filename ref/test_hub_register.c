/* SPDX-License-Identifier: MIT */
#include "test_hub_support.h"

#include <criterion/criterion.h>
#include <string.h>

/* REGISTER and UNREGISTER: spec/protocol.md, section 3.4. */

TestSuite(hub_register, .init = hub_starts, .fini = hub_ends);

static const char anybody[] = "{'protocol':1,'pid':31,'name':'Blender'}";

static const char *who(const char *instance) {
  return quoted("{'protocol':1,'pid':31,'name':'Blender','instance':'%s'}", instance);
}

/* BH-REG-001, BH-REG-004, BH-REG-010, BH-ACT-003 */
Test(hub_register, ack_tells_all_and_a_heartbeat_with_the_instances_follows) {
  actor *a = connects();

  says(a, "REGISTER", "%s", anybody);
  hears_next(a, "ACK",
             "{'for':1,'instance':'" FIRST "','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000,"
             "'active':'" FIRST "'}");
  hears_next(a, "HEARTBEAT",
             "{'active':'" FIRST "','waiting':0,'parked':0,"
             "'instances':[{'instance':'" FIRST "','pid':31,'name':'Blender'}]}");
  hears_nothing(a);
}

/* BH-REG-002 */
Test(hub_register, another_protocol_registers_nothing_and_the_connection_goes_on) {
  actor *a = connects();

  says(a, "REGISTER", "{'protocol':2,'pid':31,'name':'Blender'}");
  hears_error(a, 1, "unsupported-protocol");
  says(a, "REGISTER", "{'protocol':0,'pid':31,'name':'Blender'}");
  hears_error(a, 2, "unsupported-protocol");
  says(a, "HEARTBEAT", "{}");
  hears_error(a, 3, "not-registered");
  says(a, "REGISTER", "%s", anybody);
  hears(a, "ACK",
        "{'for':4,'instance':'" FIRST "','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000,"
        "'active':'" FIRST "'}");
}

/* BH-REG-003 */
Test(hub_register, window_is_1_and_role_is_instance_where_not_given) {
  actor *a = registers("a");

  cr_assert_str_eq(known_instances(a), quoted("[{'instance':'" FIRST "','pid':31,'name':'a'}]"));
  bridge_sends("[1]");
  bridge_sends("[2]");
  acks(a, hears_import(a, IMPORT(1), 1, "[1]")); /* the stage lets nobody have more than its window */
  acks(a, hears_import(a, IMPORT(2), 1, "[2]"));
  hears_nothing(a);
}

/* BH-REG-004 */
Test(hub_register, a_made_id_is_nobodys) {
  bh_import held = left_in_spool("queue", 1, IMPORT(9), 1, 0, THIRD, "[]");

  cr_assert_eq(found_in_queue(&held), BH_OK);
  actor *a = registers_with("a", "'instance':'" FIRST "'");
  actor *b = registers_with("b", "'instance':'" SECOND "'");
  says(b, "CLAIM_ACTIVE", "{}");
  hangs_up(b); /* it may come back as the active one */
  actor *c = registers("c");
  cr_assert_str_eq(a->instance, FIRST);
  cr_assert_str_eq(c->instance, "11223344-4");
}

/* BH-REG-005 */
Test(hub_register, an_unknown_id_is_adopted) {
  actor *a = registers_with("a", "'instance':'From-another-hub-7'");

  cr_assert_str_eq(a->instance, "From-another-hub-7");
}

/* BH-REG-006, BH-ACT-001 */
Test(hub_register, the_newer_connection_supersedes_the_older) {
  actor *older = registers("a");
  actor *newer = connects();

  says(newer, "REGISTER", "%s", who(FIRST));
  hears(older, "ERROR", "{'for':null,'code':'superseded','message':'a newer connection has registered this instance'}");
  hears_the_end(older);
  hears_next(newer, "ACK",
             "{'for':1,'instance':'" FIRST "','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000,"
             "'active':'" FIRST "'}");
  cr_assert_str_eq(known_instances(newer), quoted("[{'instance':'" FIRST "','pid':31,'name':'Blender'}]"));
  knows_active(newer, FIRST);
}

/* BH-REG-006: what the older one had said before is the last that counts. */
Test(hub_register, a_superseded_connection_is_not_listened_to) {
  actor *older = registers("a");
  actor *b = registers("b");
  actor *newer = connects();

  older->takes_nothing = true; /* so that it is not closed yet */
  says(b, "CLAIM_ACTIVE", "{}");
  forgets(b);
  says(newer, "REGISTER", "%s", who(FIRST));
  says(older, "CLAIM_ACTIVE", "{}");
  knows_active(b, SECOND);
  hears_nothing(b);
}

/* BH-REG-006 */
Test(hub_register, the_newer_connection_counts_at_a_full_house) {
  actor *newest = NULL;

  for (int i = 0; i < BH_INSTANCES_MAX; i++) {
    newest = registers("one of many");
  }
  actor *again = connects();
  says(again, "REGISTER", "%s", who(newest->instance));
  hears_error(newest, 0, "superseded");
  hears_the_end(newest);
  cr_assert_str_eq(again->instance, newest->instance);
}

/* BH-REG-007 */
Test(hub_register, an_id_in_use_in_the_other_role_is_refused) {
  registers("a");
  registers_with("eye", "'role':'observer','instance':'eye'");
  actor *c = connects();

  says(c, "REGISTER", "{'protocol':1,'pid':31,'name':'c','role':'observer','instance':'" FIRST "'}");
  hears_error(c, 1, "refused");
  says(c, "REGISTER", "%s", who("eye"));
  hears_error(c, 2, "refused");
  says(c, "HEARTBEAT", "{}");
  hears_error(c, 3, "not-registered");
}

/* BH-REG-008, and before what else is wrong with it: BH-MSG-010 */
Test(hub_register, registering_twice_changes_nothing) {
  actor *a = registers("a");

  says(a, "REGISTER", "{'protocol':2,'pid':77,'name':'other','instance':'other'}");
  hears_error(a, THAT, "already-registered");
  time_passes(HEARTBEAT_MS);
  cr_assert_str_eq(known_instances(a), quoted("[{'instance':'" FIRST "','pid':31,'name':'a'}]"));
  says(a, "REGISTER", "{'protocol':1}");
  hears_error(a, THAT, "bad-body");
}

/* BH-REG-009, BH-ACT-004 */
Test(hub_register, unregister_is_acknowledged_and_then_the_hub_closes) {
  actor *a = registers("a");
  actor *b = registers("b");

  says(a, "UNREGISTER", "{}");
  hears_next(a, "ACK", "{'for':THAT}");
  hears_the_end(a);
  knows_active(b, "");
  time_passes(HEARTBEAT_MS);
  cr_assert_str_eq(known_instances(b), quoted("[{'instance':'" SECOND "','pid':31,'name':'b'}]"));
}

/* BH-REG-009: what comes behind UNREGISTER on the same connection is nobody's. */
Test(hub_register, nothing_counts_behind_unregister) {
  actor *a = registers("a");
  actor *b = registers("b");

  says_begin(a, "UNREGISTER", "");
  says_begin(a, "ACK", "{'for':77}");
  says_begin(a, "ERROR", "{'for':1}");
  says_it_all(a);
  hears(a, "ACK", "{'for':THAT}");
  hears_the_end(a);
  hears_nothing(b);
}

/* BH-REG-011, BH-TIME-002 */
Test(hub_register, instances_are_told_when_they_have_changed_and_without_observers) {
  actor *a = registers("a");

  time_passes(3 * HEARTBEAT_MS);
  cr_assert_eq(a->beats_with_list, 1);
  actor *eye = registers_with("eye", "'role':'observer'");
  time_passes(HEARTBEAT_MS);
  cr_assert_eq(a->beats_with_list, 1);
  registers("b");
  time_passes(HEARTBEAT_MS);
  cr_assert_eq(a->beats_with_list, 2);
  cr_assert_str_eq(known_instances(a), quoted("[{'instance':'" FIRST "','pid':31,'name':'a'},"
                                              "{'instance':'" THIRD "','pid':31,'name':'b'}]"));
  cr_assert_str_eq(known_instances(eye), known_instances(a));
}

Test(hub_register, names_are_given_back_as_they_came) {
  actor *a = registers("\xE5\xB2\xA9 \\u0041\\n\\\"\\\\ \\ud83d\\ude00");

  cr_assert_str_eq(known_instances(a), quoted("[{'instance':'" FIRST "','pid':31,"
                                              "'name':'\xE5\xB2\xA9 A\\u000a\\\"\\\\ \xF0\x9F\x98\x80'}]"));
}

/* BH-BODY-009 */
Test(hub_register, a_bad_body_registers_nothing) {
  actor *a = connects();

  says(a, "REGISTER", "{'protocol':1,'pid':31}");
  hears_error(a, 1, "bad-body");
  says(a, "REGISTER", "{'protocol':1,'pid':31,'name':''}");
  hears_error(a, 2, "bad-body");
  says(a, "REGISTER", "{'protocol':1,'pid':31,'name':'a','window':65}");
  hears_error(a, 3, "bad-body");
  says(a, "REGISTER", "%s", "");
  hears_error(a, 4, "bad-body");
  says(a, "HEARTBEAT", "{}");
  hears_error(a, 5, "not-registered");
}

/* The state file: BH-STATE-003, BH-STATE-004 */
Test(hub_register, the_state_lists_each_instance_once_and_no_observer) {
  bh_hub_view view;
  size_t before;

  registers("a");
  registers_with("eye", "'role':'observer'");
  before = state_writes();
  actor *b = registers_with("b", "'instance':'bb'");
  cr_assert_gt(state_writes(), before);
  bh_hub_state(the_hub(), &view);
  cr_assert_eq(view.instance_count, 2);
  cr_assert_str_eq(view.instances[0].instance, FIRST);
  cr_assert_str_eq(view.instances[1].instance, "bb");
  cr_assert_str_eq(view.instances[1].name, "b");
  cr_assert_eq(view.instances[1].pid, 31);
  cr_assert_eq(view.active, &view.instances[0]);
  cr_assert_eq(view.hub_pid, HUB_PID);
  cr_assert_eq(view.epoch, 7);

  before = state_writes();
  hangs_up(b);
  cr_assert_gt(state_writes(), before);
  bh_hub_state(the_hub(), &view);
  cr_assert_eq(view.instance_count, 1);
}
