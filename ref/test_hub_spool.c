/* SPDX-License-Identifier: MIT */
#include "test_hub_support.h"

#include <criterion/criterion.h>
#include <string.h>

/* What the hub asks of the spool, and what it makes of its answers: spec/protocol.md, section 6. */

TestSuite(hub_spool, .init = hub_starts, .fini = hub_ends);

/* ---- what is told to the hub */

/* BH-SPOOL-003, BH-SPOOL-006 */
Test(hub_spool, a_new_import_has_the_hubs_number_and_the_next_sequence) {
  bh_import import;

  bh_hub_next_import(the_hub(), &import);
  cr_assert_eq(import.sequence, 1);
  cr_assert_str_eq(import.import, "1122334455667788-1");
  cr_assert_eq(import.attempt, 0);
  cr_assert_eq(import.deaths, 0);
  cr_assert_str_eq(import.holder, "");
  bh_hub_next_import(the_hub(), &import);
  cr_assert_eq(import.sequence, 2);
  cr_assert_str_eq(import.import, "1122334455667788-2");
}

/* BH-SPOOL-003: as 16 digits. */
Test(hub_spool, the_hubs_number_keeps_its_leading_zeros) {
  bh_hub_config config = usual_hub();
  bh_import import;

  config.random = 0xA;
  hub_starts_as(&config);
  bh_hub_next_import(the_hub(), &import);
  cr_assert_str_eq(import.import, "000000000000000a-1");
}

/* BH-SPOOL-006 */
Test(hub_spool, a_new_import_comes_after_all_that_the_spool_has) {
  bh_import left = left_in_spool("queue", 41, IMPORT(9), 0, 0, "", "[]");
  bh_import import;

  cr_assert_eq(found_in_queue(&left), BH_OK);
  left = left_in_spool("queue", 40, IMPORT(8), 0, 0, "", "[]");
  cr_assert_eq(found_in_queue(&left), BH_OK);
  bh_hub_next_import(the_hub(), &import);
  cr_assert_eq(import.sequence, 42);
  bh_hub_parked(the_hub(), 3, 99, the_time());
  bh_hub_next_import(the_hub(), &import);
  cr_assert_eq(import.sequence, 100);
  bh_hub_parked(the_hub(), 3, 7, the_time());
  bh_hub_next_import(the_hub(), &import);
  cr_assert_eq(import.sequence, 101);
}

/* BH-SPOOL-007, BH-ROUTE-002: in whatever order they are found. */
Test(hub_spool, what_a_former_hub_left_is_sent_by_sequence) {
  static const uint64_t sequences[] = {30, 10, 20, 50, 40};
  actor *a;

  for (size_t i = 0; i < 5; i++) {
    bh_import left = left_in_spool("queue", sequences[i], quoted("00000000000000aa-%u", (unsigned)sequences[i]), 0, 0,
                                   "", quoted("[%u]", (unsigned)sequences[i]));
    cr_assert_eq(found_in_queue(&left), BH_OK);
  }
  a = registers("a");
  cr_assert_eq(a->in_hand, 1);
  spool_has("queue", "00000000000000000010.00000000000000aa-10.1.0." FIRST ".json");
  says(a, "UNREGISTER", "{}");
  registers_with("a", "'window':5");
  for (uint32_t sequence = 10; sequence <= 50; sequence += 10) {
    spool_has("queue", "000000000000000000%u.00000000000000aa-%u.%u.0." SECOND ".json", (unsigned)sequence,
              (unsigned)sequence, sequence == 10 ? 2 : 1);
  }
}

Test(hub_spool, a_sequence_is_there_once_and_not_the_last_there_is) {
  bh_import import = {.sequence = 3, .import = IMPORT(1)};

  cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_OK);
  cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_E_INVALID);
  import.sequence = UINT64_MAX;
  cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_E_INVALID);
  bh_hub_parked(the_hub(), 1, UINT64_MAX, the_time());
  bh_hub_next_import(the_hub(), &import);
  cr_assert_eq(import.sequence, 4);
}

Test(hub_spool, no_sequence_comes_after_the_last_there_is) {
  bh_import import = {.sequence = UINT64_MAX - 1, .import = IMPORT(1)};

  cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_OK);
  for (int i = 0; i < 3; i++) {
    bh_hub_next_import(the_hub(), &import);
    cr_assert_eq(import.sequence, UINT64_MAX);
  }
}

Test(hub_spool, more_than_65536_imports_stay_where_they_are) {
  bh_import import = {.import = IMPORT(1)};
  bh_hub_view view;

  for (import.sequence = 1; import.sequence <= BH_IMPORTS_MAX; import.sequence++) {
    cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_OK);
  }
  cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_E_FULL);
  bh_hub_state(the_hub(), &view);
  cr_assert_eq(view.waiting, BH_IMPORTS_MAX);
  registers("a"); /* whose first is not in the spool, which makes room */
  cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_OK);
}

/* ---- parked and retried */

/* BH-TIME-003, BH-SPOOL-010 */
Test(hub_spool, parked_is_what_the_spool_says) {
  actor *a = registers("a");
  bh_hub_view view;

  left_in_spool("parked", 7, IMPORT(70), 3, 3, "", "[7]");
  left_in_spool("parked", 8, IMPORT(80), 3, 3, "", "[8]");
  time_passes(HEARTBEAT_MS);
  knows_parked(a, 2);
  bh_hub_state(the_hub(), &view);
  cr_assert_eq(view.parked, 2);
  removed_by_hand(IMPORT(80));
  time_passes(HEARTBEAT_MS);
  knows_parked(a, 1);
  retried_by_hand(IMPORT(70));
  time_passes(HEARTBEAT_MS);
  knows_parked(a, 0);
  hears_import(a, IMPORT(70), 4, "[7]");
  spool_has("queue", "00000000000000000007." IMPORT(70) ".4.0." FIRST ".json");
}

/* ---- failures */

/* The sending that cannot be recorded, or read, is tried again each heartbeat, and nothing overtakes it. */
Test(hub_spool, what_fails_is_tried_again_at_the_next_heartbeat) {
  static const bh_action_kind kinds[] = {BH_DO_RECORD, BH_DO_LOAD};

  for (size_t i = 0; i < 2; i++) {
    hub_ends();
    hub_starts();
    actor *a = registers_with("a", "'window':2");
    spool_will(kinds[i], BH_SPOOL_FAILED, 3);
    bridge_sends("[1]");
    bridge_sends("[2]");
    time_passes(2 * HEARTBEAT_MS);
    hears_nothing(a);
    time_passes(HEARTBEAT_MS);
    hears_import(a, IMPORT(1), 1, "[1]");
    hears_import(a, IMPORT(2), 1, "[2]");
  }
}

/* Somebody has cleaned up. */
Test(hub_spool, what_is_gone_is_forgotten_and_the_next_is_sent) {
  actor *a = registers("a");

  says(a, "RELEASE_ACTIVE", "{}");
  bridge_sends("[1]");
  bridge_sends("[2]");
  bridge_sends("[3]");
  removed_by_hand(IMPORT(1));
  removed_by_hand(IMPORT(2));
  forgets(a);
  says(a, "CLAIM_ACTIVE", "{}");
  hears(a, "ACK", "{'for':THAT,'active':'" FIRST "'}");
  hears_import(a, IMPORT(3), 1, "[3]");
  time_passes(HEARTBEAT_MS);
  knows_waiting(a, 0);
  cr_assert(log_says("import: " IMPORT(1) " is not in the spool any more"));
}

/* ... between its record and its reading. */
Test(hub_spool, what_cannot_be_read_ever_is_forgotten_too) {
  actor *a = registers("a");

  spool_will(BH_DO_LOAD, BH_SPOOL_GONE, 1);
  bridge_sends("[1]");
  bridge_sends("[2]");
  acks(a, hears_import(a, IMPORT(2), 1, "[2]"));
  bridge_sends("[3]");
  hears_import(a, IMPORT(3), 1, "[3]");
}

/* BH-ROUTE-007: while the spool cannot take back what is given back, nothing overtakes it. */
Test(hub_spool, what_cannot_be_given_back_is_not_overtaken) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  bridge_sends("[2]");
  spool_will(BH_DO_RECORD, BH_SPOOL_FAILED, 2);
  says(a, "UNREGISTER", "{}");
  says(b, "CLAIM_ACTIVE", "{}");
  hears(b, "ACK", "{'for':THAT,'active':'" SECOND "'}");
  hears_nothing(b);
  knows_waiting(b, 2);
  time_passes(HEARTBEAT_MS);
  hears_nothing(b);
  time_passes(HEARTBEAT_MS);
  acks(b, hears_import(b, IMPORT(1), 2, "[1]"));
  hears_import(b, IMPORT(2), 1, "[2]");
}

/* ... and where it is gone, the next one need not wait. */
Test(hub_spool, what_is_gone_while_it_is_given_back_stops_nobody) {
  actor *a = registers("a");
  actor *b = registers("b");

  bridge_sends("[1]");
  bridge_sends("[2]");
  spool_will(BH_DO_RECORD, BH_SPOOL_FAILED, 1);
  says(a, "UNREGISTER", "{}");
  says(b, "CLAIM_ACTIVE", "{}");
  forgets(b);
  removed_by_hand(IMPORT(1));
  time_passes(HEARTBEAT_MS);
  hears_import(b, IMPORT(2), 1, "[2]");
  time_passes(HEARTBEAT_MS);
  knows_waiting(b, 0);
}

Test(hub_spool, what_cannot_be_parked_is_parked_later) {
  actor *a = registers("a");

  bridge_sends("[1]");
  bridge_sends("[2]");
  spool_will(BH_DO_PARK, BH_SPOOL_FAILED, 2);
  refuses(a, hears_import(a, IMPORT(1), 1, "[1]"), "no");
  hears_import(a, IMPORT(2), 1, "[2]");
  time_passes(HEARTBEAT_MS);
  knows_parked(a, 0);
  cr_assert_eq(files_in("parked"), 0);
  time_passes(HEARTBEAT_MS);
  cr_assert_eq(files_in("parked"), 1);
  cr_assert_str_eq(why_parked(IMPORT(1)), FIRST " refused it: refused: no");
  time_passes(HEARTBEAT_MS);
  knows_parked(a, 1);
}

Test(hub_spool, what_is_gone_before_it_is_parked_is_forgotten) {
  actor *a = registers("a");

  bridge_sends("[1]");
  spool_will(BH_DO_PARK, BH_SPOOL_GONE, 1);
  refuses(a, hears_import(a, IMPORT(1), 1, "[1]"), "no");
  time_passes(2 * HEARTBEAT_MS);
  knows_parked(a, 0);
  bridge_sends("[2]");
  hears_import(a, IMPORT(2), 1, "[2]");
}

/* BH-ROUTE-006: this hub knows better than the spool that could not remove it. BH-SPOOL-005: the next one would not. */
Test(hub_spool, what_is_finished_and_cannot_be_removed_is_removed_later) {
  actor *a = registers("a");

  spool_will(BH_DO_REMOVE, BH_SPOOL_FAILED, 2);
  bridge_sends("[1]");
  acks(a, hears_import(a, IMPORT(1), 1, "[1]"));
  cr_assert_eq(files_in("queue"), 1);
  time_passes(HEARTBEAT_MS);
  cr_assert_eq(files_in("queue"), 1);
  time_passes(2 * HEARTBEAT_MS);
  cr_assert_eq(files_in("queue"), 0);
  hears_nothing(a);
  knows_waiting(a, 0);
}

/* Whoever removed it by hand has done what was to be done. */
Test(hub_spool, what_is_finished_and_gone_holds_up_nothing) {
  actor *a = registers("a");

  spool_will(BH_DO_REMOVE, BH_SPOOL_GONE, 1);
  bridge_sends("[1]");
  bridge_sends("[2]");
  acks(a, hears_import(a, IMPORT(1), 1, "[1]"));
  hears_import(a, IMPORT(2), 1, "[2]");
  time_passes(3 * HEARTBEAT_MS);
  knows_waiting(a, 0);
}

/* Answers that the hub did not ask for change nothing. */
Test(hub_spool, an_answer_to_nothing_is_ignored) {
  actor *a = registers("a");

  bridge_sends("[1]");
  hears_import(a, IMPORT(1), 1, "[1]");
  bh_hub_spool_done(the_hub(), 1, BH_SPOOL_GONE, the_time());
  bh_hub_spool_done(the_hub(), 2, BH_SPOOL_OK, the_time());
  cr_assert_eq(bh_hub_loaded(the_hub(), 1, (const uint8_t *)"[]", 2, the_time()), BH_E_STATE);
  cr_assert_eq(bh_hub_loaded(the_hub(), 2, (const uint8_t *)"[]", 2, the_time()), BH_E_STATE);
  hub_works();
  hears_nothing(a);
  hangs_up(a);
  spool_will(BH_DO_RECORD, BH_SPOOL_FAILED, 1);
  registers_with("a", "'instance':'" FIRST "'");
  bh_hub_spool_done(the_hub(), 1, BH_SPOOL_GONE, the_time()); /* it was answered before */
  time_passes(HEARTBEAT_MS);
  spool_has("queue", "00000000000000000001." IMPORT(1) ".2.0." FIRST ".json");
}

/* That a LOAD went well is told with its octets. */
Test(hub_spool, a_load_ends_well_with_its_octets_alone) {
  actor *a = registers("a");
  bh_import import = left_in_spool("queue", 1, IMPORT(1), 0, 0, "", "[1]");
  bh_import loading = left_in_spool("queue", 1, IMPORT(1), 1, 0, FIRST, "[1]");
  bh_action action;

  cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_OK);
  cr_assert(bh_hub_poll(the_hub(), &action) && action.kind == BH_DO_RECORD);
  bh_hub_spool_done(the_hub(), 1, BH_SPOOL_OK, the_time());
  removed_by_hand(IMPORT(1));
  cr_assert(bh_hub_poll(the_hub(), &action) && action.kind == BH_DO_LOAD);
  cr_assert_eq(action.before.attempt, loading.attempt);
  bh_hub_spool_done(the_hub(), 1, BH_SPOOL_OK, the_time());
  cr_assert_eq(bh_hub_loaded(the_hub(), 1, (const uint8_t *)"[1]", 3, the_time()), BH_OK);
  hub_works();
  hears_import(a, IMPORT(1), 1, "[1]");
}

/* A hub may be freed with things left to do. */
Test(hub_spool, a_hub_that_ends_forgets_what_was_to_be_done) {
  bh_import import = {.sequence = 1, .import = IMPORT(1)};

  registers_with("a", "'window':2");
  cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_OK);
  import.sequence = 2;
  cr_assert_eq(bh_hub_import(the_hub(), &import, the_time()), BH_OK);
}

/* ---- trouble */

static void has_trouble(const char *problem) {
  bh_hub_problem(the_hub(), problem, the_time());
  hub_works();
}

/* BH-SPOOL-012, BH-SPOOL-013 */
Test(hub_spool, trouble_is_told_at_once_with_each_heartbeat_and_when_it_is_over) {
  actor *a = registers("a");
  size_t writes;

  forgets(a);
  writes = state_writes();
  has_trouble("the spool is full");
  hears_next(a, "HEARTBEAT", "{'active':'%s','waiting':0,'parked':0,'problem':'the spool is full'}", FIRST);
  cr_assert_eq(state_writes(), writes + 1);
  time_passes(HEARTBEAT_MS);
  hears_next(a, "HEARTBEAT", "{'active':'%s','waiting':0,'parked':0,'problem':'the spool is full'}", FIRST);
  has_trouble("the spool is gone");
  hears_next(a, "HEARTBEAT", "{'active':'%s','waiting':0,'parked':0,'problem':'the spool is gone'}", FIRST);
  has_trouble("the spool is gone");
  has_trouble(NULL);
  hears_next(a, "HEARTBEAT", "{'active':'%s','waiting':0,'parked':0}", FIRST);
  has_trouble(NULL);
  hears_nothing(a);
}

/* BH-SPOOL-012: it is a right body, whatever the text is. */
Test(hub_spool, trouble_is_told_in_1024_octets_of_utf8) {
  actor *a = registers("a");
  char text[4096];
  bh_hub_view view;

  memset(text, 'x', sizeof text);
  memcpy(text, "\xff\x01", 2);
  text[sizeof text - 1] = '\0';
  forgets(a);
  has_trouble(text);
  bh_hub_state(the_hub(), &view);
  cr_assert_eq(strlen(view.problem), BH_PROBLEM_MAX);
  cr_assert(strncmp(view.problem, "\\xff\\u0001xx", 12) == 0);
}

/* BH-SPOOL-015, BH-ROUTE-002 */
Test(hub_spool, what_cannot_be_recorded_waits_and_keeps_its_place) {
  actor *a = registers("a");

  spool_will(BH_DO_RECORD, BH_SPOOL_FAILED, 2);
  bridge_sends("[{\"n\":1}]");
  bridge_sends("[{\"n\":2}]");
  hears_nothing(a);
  time_passes(HEARTBEAT_MS);
  hears_nothing(a);
  time_passes(HEARTBEAT_MS);
  acks(a, hears_import(a, IMPORT(1), 1, "[{\"n\":1}]"));
  hears_import(a, IMPORT(2), 1, "[{\"n\":2}]");
}
