/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 6: what a hub's death by SIGKILL leaves, and what the next hub makes of it. */
#include "harness.h"
#include "imports.h"
#include "lives.h"
#include "steps.h"

#include <stdio.h>
#include <string.h>

/* ---- while Bridge sends */

/* A new client gets imports `first` to `last` and no other. */
static void expect_delivered(struct hub *hub, unsigned first, unsigned last) {
  struct conn *conn = join_active(hub, "the next", 1);

  for (unsigned i = first; i <= last; i++) {
    take_assets(conn, numbered(i));
  }
  expect_nothing_more(conn);
}

CASE(crash, a_value_that_is_not_whole_is_no_import, MUST, "BH-SPOOL-001 BH-SPOOL-002 BH-SPOOL-007") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct bridge *bridge = bridge_open(hub);
  size_t files;

  bridge_send_text(bridge, format("[{\"pad\":\"%s\"}", repeat("x", 200000)));
  export_numbered(hub, 1, 1);
  hub_kill(hub);
  checking("BH-SPOOL-002");
  bridge_expect_reset(bridge);
  checking("BH-SPOOL-007");
  hub_run(hub);
  directory(format("%s/tmp", hub->spool), &files);
  EXPECT(files == 0, "the next hub removes what is not whole", "%u files lie in tmp/", (unsigned)files);
  checking("BH-SPOOL-001");
  expect_delivered(hub, 1, 1);
}

CASE(crash, a_whole_value_is_kept_though_its_connection_was_open, MUST, "BH-SPOOL-007 BH-INGEST-002") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, numbered(1));
  checking("BH-INGEST-002");
  expect_spool_count(hub, "queue", 1);
  checking("BH-SPOOL-007");
  crash_and_restart(hub);
  expect_delivered(hub, 1, 1);
}

CASE(crash, whole_values_before_a_cut_one_are_kept_in_order, MUST, "BH-SPOOL-007 BH-INGEST-003") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, format("%s%s %s[{\"id\":4}", numbered(1), numbered(2), numbered(3)));
  checking("BH-INGEST-003");
  expect_spool_count(hub, "queue", 3);
  checking("BH-SPOOL-007");
  crash_and_restart(hub);
  expect_delivered(hub, 1, 3);
}

CASE(crash, one_senders_cut_value_takes_nothing_from_another, MUST, "BH-SPOOL-007 BH-SPOOL-002") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct bridge *first = bridge_open(hub);
  struct bridge *second = bridge_open(hub);

  bridge_send_text(first, "[{\"id\":\"cut\"},");
  bridge_send_text(second, numbered(1));
  expect_spool_count(hub, "queue", 1);
  bridge_send_text(second, "[{\"id\":\"cut\"");
  export_numbered(hub, 2, 2);
  hub_kill(hub);
  checking("BH-SPOOL-002");
  bridge_expect_reset(first);
  bridge_expect_reset(second);
  checking("BH-SPOOL-007");
  hub_run(hub);
  expect_delivered(hub, 1, 2);
}

CASE(crash, what_was_told_safe_outlives_a_kill_at_once, MUST, "BH-INGEST-017 BH-SPOOL-007") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});

  checking("BH-INGEST-017");
  for (unsigned i = 1; i <= 10; i++) {
    bridge_export(hub, numbered(i));
    crash_and_restart(hub);
  }
  expect_delivered(hub, 1, 10);
}

CASE(crash, megabytes_that_were_told_safe_outlive_a_kill_at_once, MUST, "BH-INGEST-017 BH-SPOOL-001") {
  char *large = format("[{\"pad\":\"%s\"}]", repeat("octets! ", 360000));
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});

  checking("BH-INGEST-017");
  bridge_export(hub, large);
  crash_and_restart(hub);
  struct conn *conn = join_active(hub, "the next", 1);
  take_assets(conn, large);
  expect_nothing_more(conn);
}

/* As large as an object may be, with the brackets that make it an array of one. */
CASE(crash, the_largest_import_is_taken_over, MUST, "BH-SPOOL-007 BH-INGEST-011") {
  static const char head[] = "{\"pad\":\"", tail[] = "\"}";
  const char *object = format("%s%s%s", head, repeat("x", 33554432 - strlen(head) - strlen(tail)), tail);
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});

  checking("BH-INGEST-011");
  bridge_export(hub, object);
  crash_and_restart(hub);
  checking("BH-SPOOL-007");
  take_assets(join_active(hub, "the next", 1), format("[%s]", object));
}

/* ---- while imports wait */

CASE(crash, what_waits_keeps_its_order_and_its_name, MUST, "BH-SPOOL-007 BH-ROUTE-002 BH-ROUTE-008") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  size_t count;

  export_numbered(hub, 1, 3);
  struct spool_entry *before = spool_list(hub, "queue", &count);
  checking("BH-SPOOL-007");
  EXPECT(count == 3, "three imports lie in queue/", "%u lie there", (unsigned)count);
  crash_and_restart(hub);
  struct conn *conn = join_active(hub, "the next", 1);
  for (unsigned i = 1; i <= 3; i++) {
    checking("BH-ROUTE-002");
    const struct message *import = take_assets(conn, numbered(i));
    checking("BH-SPOOL-007");
    EXPECT(strcmp(import_of(import), before[i - 1].import) == 0, "an import keeps its `import` over the hub's death",
           "it was %s and is %s", before[i - 1].import, import_of(import));
    checking("BH-ROUTE-008");
    expect_attempt(import, 1);
  }
}

CASE(crash, the_next_hub_sends_what_is_new_behind_what_waits, MUST, "BH-SPOOL-006 BH-ROUTE-002") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  size_t count;

  export_numbered(hub, 1, 2);
  crash_and_restart(hub);
  export_numbered(hub, 3, 3);
  crash_and_restart(hub);
  export_numbered(hub, 4, 4);
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  checking("BH-SPOOL-006");
  EXPECT(count == 4, "four imports lie in queue/", "%u lie there", (unsigned)count);
  for (size_t i = 1; i < count; i++) {
    EXPECT(strcmp(entries[i - 1].sequence, entries[i].sequence) < 0, "no two imports have the same sequence",
           "%s and %s", entries[i - 1].name, entries[i].name);
  }
  checking("BH-ROUTE-002");
  expect_delivered(hub, 1, 4);
}

CASE(crash, parked_imports_count_for_the_sequence, MUST, "BH-SPOOL-006") {
  struct hub *hub = hub_prepare((struct hub_options){LONG_LIVES});
  size_t count;

  plant_spool(hub);
  plant_import(hub, "parked", "00000000000000000900.0123456789abcdef-3.3.3._.json", numbered(900));
  plant_import(hub, "queue", "00000000000000000007.0123456789abcdef-1.0.0._.json", numbered(7));
  hub_run(hub);
  export_numbered(hub, 901, 901);
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 2 && strcmp(entries[1].sequence, "00000000000000000900") > 0,
         "a new import's sequence is greater than that of every import in the spool", "queue/ holds %u, the last %s",
         (unsigned)count, count < 2 ? "-" : entries[1].name);
}

CASE(crash, each_hub_draws_bits_of_its_own, MUST, "BH-SPOOL-003") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  size_t count;

  export_numbered(hub, 1, 1);
  crash_and_restart(hub);
  export_numbered(hub, 2, 2);
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 2 && strncmp(entries[0].import, entries[1].import, 16) != 0,
         "the 16 hex digits of `import` are drawn when a hub starts", "they are %s and %s",
         count < 1 ? "-" : entries[0].import, count < 2 ? "-" : entries[1].import);
}

/* ---- while an import is in hand */

CASE(crash, an_import_in_hand_comes_again_to_its_holder, MUST, "BH-ROUTE-012 BH-ROUTE-008") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  crash_and_restart(hub);
  checking("BH-ROUTE-012");
  struct conn *back = come_back(hub, holder);
  const struct message *again = expect_assets(back, numbered(1));
  expect_same_import(import, again);
  checking("BH-ROUTE-008");
  expect_attempt(again, 2);
}

CASE(crash, attempts_go_on_over_several_hubs, MUST, "BH-ROUTE-008 BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  for (unsigned attempt = 2; attempt <= 5; attempt++) {
    crash_and_restart(hub);
    checking("BH-ROUTE-012");
    const struct message *again = expect_assets(come_back(hub, holder), numbered(1));
    expect_same_import(import, again);
    checking("BH-ROUTE-008");
    expect_attempt(again, attempt);
  }
}

CASE(crash, a_window_of_imports_comes_again_in_order, MUST, "BH-ROUTE-012 BH-ROUTE-002 BH-ROUTE-003") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join_active(hub, "holder", 3);
  const struct message *imports[3];

  export_numbered(hub, 1, 4);
  for (unsigned i = 0; i < 3; i++) {
    imports[i] = hold(holder, i + 1);
  }
  crash_and_restart(hub);
  checking("BH-ROUTE-012");
  struct conn *back = come_back_with(hub, holder, 3);
  for (unsigned i = 0; i < 3; i++) {
    imports[i] = expect_again(back, imports[i], 2);
  }
  make_active(back);
  checking("BH-ROUTE-003");
  expect_nothing_more(back);
  ack_import(back, imports[1]);
  checking("BH-ROUTE-002");
  take_assets(back, numbered(4));
}

CASE(crash, attempt_and_holder_outlive_the_hub, MUST, "BH-SPOOL-004 BH-SPOOL-007") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  hold(holder, 1);
  hub_kill(hub);
  checking("BH-SPOOL-004");
  expect_entry(hub, "1", "0", holder->instance);
  hub_run(hub);
  checking("BH-SPOOL-007");
  expect_entry(hub, "1", "0", holder->instance);
}

CASE(crash, a_finished_import_does_not_come_again, MUST, "BH-ROUTE-006 BH-SPOOL-005") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  export_numbered(hub, 1, 2);
  ack_import(holder, hold(holder, 1));
  hold(holder, 2); /* the first ACK is in */
  hub_kill(hub);
  checking("BH-SPOOL-005");
  expect_spool_count(hub, "queue", 1);
  hub_run(hub);
  checking("BH-ROUTE-006");
  struct conn *back = come_back(hub, holder);
  take_assets(back, numbered(2));
  expect_nothing_more(back);
}

CASE(crash, an_ack_that_the_hub_never_read_costs_a_repeat, MUST, "BH-SPOOL-005 BH-ROUTE-008") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  hub_stop(hub);
  ack_import(holder, import);
  crash_and_restart(hub);
  checking("BH-SPOOL-005");
  /* On a new connection: the case has answered nothing there. */
  struct conn *back = come_back(hub, holder);
  const struct message *again = expect_assets(back, numbered(1));
  expect_same_import(import, again);
  checking("BH-ROUTE-008");
  expect_attempt(again, 2);
  ack_import(back, again);
  expect_nothing_more(back);
}

CASE(crash, of_several_in_hand_the_finished_do_not_come_again, MUST, "BH-ROUTE-006 BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join_active(hub, "holder", 3);
  const struct message *imports[3];

  export_numbered(hub, 1, 3);
  for (unsigned i = 0; i < 3; i++) {
    imports[i] = hold(holder, i + 1);
  }
  ack_import(holder, imports[1]);
  fence(holder);
  crash_and_restart(hub);
  struct conn *back = come_back_with(hub, holder, 3);
  checking("BH-ROUTE-012");
  expect_again(back, imports[0], 2);
  checking("BH-ROUTE-006");
  expect_again(back, imports[2], 2);
  expect_nothing_more(back);
}

CASE(crash, what_the_next_hub_was_told_is_finished_stays_so, MUST, "BH-SPOOL-005 BH-ROUTE-006") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  crash_and_restart(hub);
  checking("BH-SPOOL-005");
  struct conn *back = come_back(hub, holder);
  ack_import(back, expect_again(back, import, 2));
  expect_spool_count(hub, "queue", 0);
  checking("BH-ROUTE-006");
  crash_and_restart(hub);
  expect_nothing_more(come_back(hub, holder));
}

CASE(crash, a_holder_that_stays_away_from_the_next_hub_is_a_death, MUST, "BH-ROUTE-013 BH-ROUTE-008") {
  struct hub *hub = hub_start_with((struct hub_options){SHORT_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  crash_and_restart(hub);
  struct conn *other = join_active(hub, "other", 1);
  checking("BH-ROUTE-013");
  const struct message *again = expect_assets(other, numbered(1));
  expect_same_import(import, again);
  expect_entry(hub, "2", "1", other->instance);
  checking("BH-ROUTE-008");
  expect_attempt(again, 2);
}

CASE(crash, a_holder_is_waited_for_by_a_hub_that_never_met_it, MUST, "BH-ROUTE-011") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  export_numbered(hub, 1, 2);
  const struct message *import = hold(holder, 1);
  crash_and_restart(hub);
  struct conn *other = join_active(hub, "other", 2);
  take_assets(other, numbered(2));
  expect_nothing_more(other);
  expect_again(come_back(hub, holder), import, 2);
}

CASE(crash, a_holder_of_another_makes_spool_is_waited_for, MUST, "BH-ROUTE-012 BH-ROUTE-011 BH-REG-005") {
  struct hub *hub = hub_prepare((struct hub_options){LONG_LIVES});
  struct conn *conn;

  plant_spool(hub);
  plant_import(hub, "queue", "00000000000000000007.0123456789abcdef-1.4.1.Some-Holder-7.json", numbered(7));
  plant_import(hub, "queue", "00000000000000000008.0123456789abcdef-2.0.0._.json", numbered(8));
  hub_run(hub);
  checking("BH-ROUTE-011");
  struct conn *other = join_active(hub, "other", 2);
  take_assets(other, numbered(8));
  expect_nothing_more(other);
  checking("BH-ROUTE-012");
  conn = conn_open(hub);
  register_with(conn, "holder", ", 'instance':'Some-Holder-7'");
  expect_attempt(take_assets(conn, numbered(7)), 5);
}

CASE(crash, the_third_death_is_counted_over_hubs, MUST, "BH-ROUTE-014 BH-ROUTE-016") {
  struct hub *hub = hub_prepare((struct hub_options){SHORT_LIVES});

  plant_spool(hub);
  plant_import(hub, "queue", "00000000000000000007.0123456789abcdef-1.2.2.the-third-holder.json", numbered(7));
  hub_run(hub);
  struct conn *conn = join_active(hub, "other", 1);
  checking("BH-ROUTE-014");
  expect_spool_count(hub, "parked", 1);
  checking("BH-ROUTE-016");
  expect_nothing_more(conn);
}

CASE(crash, the_second_death_is_no_third_for_the_next_hub, MUST, "BH-ROUTE-014") {
  struct hub *hub = hub_prepare((struct hub_options){SHORT_LIVES});

  plant_spool(hub);
  plant_import(hub, "queue", "00000000000000000007.0123456789abcdef-1.9.1.the-second-holder.json", numbered(7));
  hub_run(hub);
  struct conn *conn = join_active(hub, "other", 1);
  take_assets(conn, numbered(7));
}

CASE(crash, two_holders_come_back_to_what_is_theirs, MUST, "BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  bridge_export(hub, numbered(1));
  const struct message *of_first = hold(first, 1);
  make_active(second);
  bridge_export(hub, numbered(2));
  const struct message *of_second = hold(second, 2);
  crash_and_restart(hub);
  struct conn *second_back = come_back_with(hub, second, 5);
  struct conn *first_back = come_back_with(hub, first, 5);
  ack_import(first_back, expect_again(first_back, of_first, 2));
  ack_import(second_back, expect_again(second_back, of_second, 2));
  expect_nothing_more(first_back);
  expect_nothing_more(second_back);
}

CASE(crash, a_holder_that_comes_back_need_not_be_active, MUST, "BH-ROUTE-005 BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");
  struct conn *active = join(hub, "active");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  make_active(active);
  crash_and_restart(hub);
  struct conn *active_back = come_back(hub, active);
  make_active(active_back);
  checking("BH-ROUTE-012");
  struct conn *holder_back = come_back_with(hub, holder, 2);
  expect_again(holder_back, import, 2);
  bridge_export(hub, numbered(2));
  checking("BH-ROUTE-005");
  take_assets(active_back, numbered(2));
  expect_nothing_more(active_back);
  expect_nothing_more(holder_back);
}

CASE(crash, what_was_given_back_before_it_is_anybodys, MUST, "BH-ROUTE-010 BH-SPOOL-007") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  request(holder, "UNREGISTER", NULL);
  checking("BH-ROUTE-010");
  expect_entry(hub, "1", "0", "_");
  crash_and_restart(hub);
  checking("BH-SPOOL-007");
  expect_again(join_active(hub, "other", 1), import, 2);
}

CASE(crash, an_import_half_sent_comes_again_whole, MUST, "BH-ROUTE-012 BH-SPOOL-005") {
  char *large = format("[{\"pad\":\"%s\"}]", repeat("octets! ", 360000));
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  fence(holder);
  conn_stop_reading(holder);
  bridge_export(hub, large);
  crash_and_restart(hub);
  checking("BH-ROUTE-012");
  struct conn *back = come_back(hub, holder);
  make_active(back); /* also where no octet had gone out */
  take_assets(back, large);
  checking("BH-SPOOL-005");
  expect_spool_count(hub, "queue", 0);
}

CASE(crash, what_came_again_stands_before_what_waits, MUST, "BH-ROUTE-002 BH-ROUTE-007") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join_active(hub, "holder", 2);

  export_numbered(hub, 1, 4);
  hold(holder, 1);
  hold(holder, 2);
  crash_and_restart(hub);
  checking("BH-ROUTE-002");
  struct conn *back = come_back_with(hub, holder, 64);
  make_active(back);
  for (unsigned i = 1; i <= 4; i++) {
    take_assets(back, numbered(i));
  }
  expect_nothing_more(back);
}

/* ---- parked */

CASE(crash, parked_stays_parked, MUST, "BH-ROUTE-016 BH-TIME-003") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");

  export_numbered(hub, 1, 2);
  refuse_import(conn, hold(conn, 1));
  hold(conn, 2);
  expect_spool_count(hub, "parked", 1);
  crash_and_restart(hub);
  checking("BH-TIME-003");
  struct conn *back = come_back(hub, conn);
  expect_integer(&expect_heartbeat(back)->json, "parked", 1);
  checking("BH-ROUTE-016");
  take_assets(back, numbered(2));
  expect_nothing_more(back);
  expect_spool_count(hub, "parked", 1);
}

CASE(crash, what_was_put_into_retry_meanwhile_is_tried, MUST, "BH-SPOOL-010 BH-ROUTE-008") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");
  size_t count;

  bridge_export(hub, numbered(1));
  const struct message *import = hold(conn, 1);
  refuse_import(conn, import);
  expect_spool_count(hub, "parked", 1);
  hub_kill(hub);
  struct spool_entry *entries = spool_list(hub, "parked", &count);
  checking("BH-SPOOL-010");
  EXPECT(count == 1 && rename(entries[0].path, format("%s/retry/%s", hub->spool, entries[0].name)) == 0,
         "a parked import can be moved to retry/", "that fails");
  hub_run(hub);
  struct conn *next = join_active(hub, "the next", 1);
  const struct message *again = expect_assets(next, numbered(1));
  expect_same_import(import, again);
  expect_entry(hub, "2", "0", next->instance);
  checking("BH-ROUTE-008");
  expect_attempt(again, 2);
}

/* ---- one after the other */

CASE(crash, a_kill_while_it_starts_loses_nothing, MUST, "BH-SPOOL-007 BH-ELECT-001") {
  static const unsigned delays_ms[] = {0, 1, 2, 3, 5, 8, 13, 21};
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  export_numbered(hub, 1, 3);
  const struct message *import = hold(holder, 1);
  hub_kill(hub);
  for (size_t i = 0; i < sizeof delays_ms / sizeof delays_ms[0]; i++) {
    hub_launch(hub);
    pass_time(delays_ms[i]);
    hub_kill(hub);
  }
  checking("BH-ELECT-001");
  hub_run(hub);
  checking("BH-SPOOL-007");
  struct conn *back = come_back_with(hub, holder, 3);
  ack_import(back, expect_again(back, import, 2));
  make_active(back);
  take_assets(back, numbered(2));
  take_assets(back, numbered(3));
  expect_nothing_more(back);
}

CASE(crash, ten_hubs_hand_on_what_none_finished, MUST, "BH-SPOOL-007 BH-ROUTE-006 BH-ROUTE-002") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");

  /* Each hub gets two exports, and is told of one finished. */
  for (unsigned life = 1; life <= 10; life++) {
    export_numbered(hub, 2 * life - 1, 2 * life);
    checking("BH-ROUTE-002");
    take_assets(conn, numbered(life));
    expect_spool_count(hub, "queue", life);
    crash_and_restart(hub);
    conn = come_back(hub, conn);
    make_active(conn);
  }
  checking("BH-SPOOL-007");
  for (unsigned i = 11; i <= 20; i++) {
    take_assets(conn, numbered(i));
  }
  checking("BH-ROUTE-006");
  expect_nothing_more(conn);
}
