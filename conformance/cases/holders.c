/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 6.2: clients that die with imports in hand, and clients that come back. */
#include "harness.h"
#include "imports.h"
#include "lives.h"
#include "steps.h"

#include <string.h>

static char *large_asset(void) {
  return format("[{\"pad\":\"%s\"}]", repeat("octets! ", 360000));
}

/* ---- ways to be lost */

CASE(holders, one_that_half_closes_comes_back_to_its_import, MUST, "BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  conn_half_close(holder);
  expect_again(come_back(hub, holder), import, 2);
}

CASE(holders, one_that_leaves_octets_unread_comes_back_to_its_import, MUST, "BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  fence(holder);
  conn_stop_reading(holder);
  bridge_export(hub, numbered(1));
  pass_entry(hub, "BH-SPOOL-004", "1", "0", holder->instance);
  conn_close(holder); /* for the hub this is a reset */
  expect_attempt(expect_assets(come_back(hub, holder), numbered(1)), 2);
}

CASE(holders, an_ack_that_the_end_cuts_short_is_none, MUST, "BH-FRAME-011 BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  const char *ack = message_text("ACK", next_id(holder), format("{\"for\":%u}", (unsigned)import->id));
  send_octets(holder, ack, strlen(ack) - 1);
  conn_close(holder);
  checking("BH-FRAME-011");
  expect_again(come_back(hub, holder), import, 2);
}

CASE(holders, an_ack_right_before_the_end_counts, MUST, "BH-SPOOL-005 BH-ROUTE-006") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  bridge_export(hub, numbered(1));
  ack_import(holder, hold(holder, 1));
  conn_close(holder);
  checking("BH-SPOOL-005");
  expect_spool_count(hub, "queue", 0);
  checking("BH-ROUTE-006");
  expect_nothing_more(come_back(hub, holder));
}

CASE(holders, one_that_dies_as_it_registers_holds_up_nobody, MUST, "BH-ACT-004 BH-ROUTE-004") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *observer = conn_open(hub);

  register_observer(observer, "observer");
  for (unsigned i = 0; i < 3; i++) {
    struct conn *conn = conn_open(hub);
    send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'dies at once'}");
    conn_close(conn);
  }
  struct conn *witness = join(hub, "witness");
  /* Those before it may be lost only now. */
  make_active(witness);
  request(witness, "RELEASE_ACTIVE", NULL);
  bridge_export(hub, numbered(1));
  checking("BH-ACT-004");
  expect_still_active(observer, NULL);
  checking("BH-ROUTE-004");
  make_active(witness);
  take_assets(witness, numbered(1));
}

CASE(holders, one_that_dies_as_it_claims_leaves_nobody_active, MUST, "BH-ACT-004 BH-ROUTE-004") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *conn = join(hub, "dies as it claims");

  wait_for_listed(other, conn->instance);
  request(other, "RELEASE_ACTIVE", NULL);
  send_message(conn, "CLAIM_ACTIVE", NULL);
  conn_close(conn);
  wait_for_unlisted(other, conn->instance);
  checking("BH-ACT-004");
  expect_still_active(other, NULL);
  checking("BH-ROUTE-004");
  bridge_export(hub, numbered(1));
  expect_nothing_more(other);
  make_active(other);
  take_assets(other, numbered(1));
}

CASE(holders, one_that_is_handed_the_role_and_dies_leaves_nobody_active, MUST, "BH-ACT-004 BH-ROUTE-004") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  wait_for_listed(first, second->instance);
  request(first, "RELEASE_ACTIVE", NULL);
  send_message(first, "CLAIM_ACTIVE", "{'instance':'%s'}", second->instance);
  conn_close(second);
  wait_for_unlisted(first, second->instance);
  checking("BH-ACT-004");
  expect_still_active(first, NULL);
  checking("BH-ROUTE-004");
  bridge_export(hub, numbered(1));
  expect_nothing_more(first);
  make_active(first);
  take_assets(first, numbered(1));
}

/* ---- while an import is on its way */

/* Each turn of the loop reads some of it, and by far not all. */
static bool has_turned(void *turns_left) {
  return (*(unsigned *)turns_left)-- == 0;
}

CASE(holders, an_import_that_was_partly_read_comes_again_whole, MUST, "BH-ROUTE-012 BH-ROUTE-008") {
  char *large = large_asset();
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  fence(holder);
  conn_stop_reading(holder);
  bridge_export(hub, large);
  pass_entry(hub, "BH-SPOOL-004", "1", "0", holder->instance);
  conn_read_again(holder);
  wait_until(has_turned, &(unsigned){3}, deadline_ms());
  conn_close(holder);
  checking("BH-ROUTE-012");
  const struct message *again = expect_assets(come_back(hub, holder), large);
  checking("BH-ROUTE-008");
  expect_attempt(again, 2);
}

CASE(holders, a_newer_connection_gets_whole_what_the_older_has_not_read, MUST, "BH-ROUTE-012 BH-REG-006") {
  char *large = large_asset();
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *older = join(hub, "A");

  fence(older);
  conn_stop_reading(older);
  bridge_export(hub, large);
  pass_entry(hub, "BH-SPOOL-004", "1", "0", older->instance);
  checking("BH-REG-006");
  struct conn *newer = come_back(hub, older);
  checking("BH-ROUTE-012");
  ack_import(newer, expect_assets(newer, large));
  expect_nothing_more(newer);
}

/* ---- coming back */

CASE(holders, one_that_comes_back_twice_has_it_on_the_newest, MUST, "BH-ROUTE-012 BH-REG-006") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *first = join(hub, "A");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(first, 1);
  checking("BH-ROUTE-012");
  struct conn *second = come_back(hub, first);
  expect_again(second, import, 2);
  struct conn *third = come_back(hub, first);
  const struct message *again = expect_again(third, import, 3);
  checking("BH-REG-006");
  expect_error(first, "superseded", 0);
  expect_closed(first);
  expect_error(second, "superseded", 0);
  expect_closed(second);
  checking("BH-ROUTE-012");
  ack_import(third, again);
  expect_nothing_more(third);
  expect_spool_count(hub, "queue", 0);
}

CASE(holders, a_smaller_window_gets_them_one_at_a_time, MUST, "BH-ROUTE-003 BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join_active(hub, "holder", 3);
  const struct message *imports[3];

  export_numbered(hub, 1, 3);
  for (unsigned i = 0; i < 3; i++) {
    imports[i] = hold(holder, i + 1);
  }
  conn_close(holder);
  struct conn *back = come_back_with(hub, holder, 1);
  for (unsigned i = 0; i < 3; i++) {
    checking("BH-ROUTE-012");
    const struct message *again = expect_again(back, imports[i], 2);
    checking("BH-ROUTE-003");
    expect_nothing_more(back);
    ack_import(back, again);
  }
}

CASE(holders, a_larger_window_gets_what_waits_behind_them, MUST, "BH-ROUTE-003 BH-ROUTE-002") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  export_numbered(hub, 1, 3);
  const struct message *import = hold(holder, 1);
  conn_close(holder);
  struct conn *back = come_back_with(hub, holder, 2);
  make_active(back);
  checking("BH-ROUTE-002");
  const struct message *again = expect_again(back, import, 2);
  checking("BH-ROUTE-003");
  expect_assets(back, numbered(2));
  expect_nothing_more(back);
  ack_import(back, again);
  expect_assets(back, numbered(3));
}

CASE(holders, imports_wait_for_a_lost_active_that_comes_back, MUST, "BH-ROUTE-004 BH-ACT-005") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *active = join(hub, "active");
  struct conn *other = join(hub, "other");

  conn_close(active);
  wait_for_unlisted(other, active->instance);
  export_numbered(hub, 1, 2);
  checking("BH-ROUTE-004");
  expect_nothing_more(other);
  checking("BH-ACT-005");
  struct conn *back = come_back(hub, active);
  take_assets(back, numbered(1));
  take_assets(back, numbered(2));
  expect_nothing_more(other);
}

CASE(holders, one_of_a_similar_id_is_another, MUST, "BH-ROUTE-011 BH-ROUTE-001") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *holder = conn_open(hub);

  register_with(holder, "holder", ", 'instance':'Blender-10'");
  make_active(holder);
  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  conn_close(holder);
  wait_for_unlisted(other, holder->instance);
  static const char *const similar[] = {"Blender-1", "Blender-100", "blender-10", "B", "-10"};
  for (size_t i = 0; i < sizeof similar / sizeof similar[0]; i++) {
    struct conn *conn = conn_open(hub);
    register_with(conn, "another", ", 'instance':'%s'", similar[i]);
    expect_nothing_more(conn);
    request(conn, "UNREGISTER", NULL);
  }
  expect_entry(hub, "1", "0", holder->instance);
  expect_again(come_back(hub, holder), import, 2);
}

/* What an observer does with the id of a lost holder is nothing to the imports that are reserved for that. */
static struct conn *observe_as(struct hub *hub, const struct conn *holder) {
  struct conn *observer = conn_open(hub);

  register_with(observer, "observer", ", 'role':'observer','instance':'%s'", holder->instance);
  return observer;
}

CASE(holders, an_observer_of_its_id_gets_nothing, MUST, "BH-ROUTE-001") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");
  struct conn *other = join(hub, "other");

  bridge_export(hub, numbered(1));
  hold(holder, 1);
  conn_close(holder);
  wait_for_unlisted(other, holder->instance);
  expect_nothing_more(observe_as(hub, holder));
}

CASE(holders, an_observer_of_its_id_gives_nothing_back, MUST, "BH-ROUTE-011 BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");
  struct conn *other = join(hub, "other");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  conn_close(holder);
  wait_for_unlisted(other, holder->instance);
  make_active(other);
  checking("BH-ROUTE-011");
  struct conn *observer = observe_as(hub, holder);
  request(observer, "UNREGISTER", NULL);
  expect_closed(observer);
  expect_nothing_more(other);
  conn_close(observe_as(hub, holder));
  expect_nothing_more(other);
  expect_entry(hub, "1", "0", holder->instance);
  checking("BH-ROUTE-012");
  expect_again(come_back(hub, holder), import, 2);
}

CASE(holders, an_observer_of_its_id_does_not_stand_for_it, MUST, "BH-ROUTE-013") {
  struct hub *hub = hub_start_with((struct hub_options){SHORT_LIVES});
  struct conn *holder = join(hub, "holder");
  struct conn *other = join(hub, "other");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  conn_close(holder);
  wait_for_unlisted(other, holder->instance);
  make_active(other);
  observe_as(hub, holder);
  expect_again(other, import, 2);
  expect_entry(hub, "2", "1", other->instance);
}

CASE(holders, what_is_reserved_does_not_wait, MUST, "BH-TIME-003") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");
  struct conn *other = join(hub, "other");

  export_numbered(hub, 1, 2);
  hold(holder, 1);
  conn_close(holder);
  conn_needs_process(holder);
  const struct message *heartbeat = wait_for_unlisted(other, holder->instance);
  expect_integer(&heartbeat->json, "waiting", 1);
  expect_integer(&expect_heartbeat(other)->json, "waiting", 1);
}

/* ---- deaths */

CASE(holders, two_that_die_give_back_in_order, MUST, "BH-ROUTE-013 BH-ROUTE-007") {
  struct hub *hub = hub_start_with((struct hub_options){SHORT_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *first = join_active(hub, "first", 1);

  bridge_export(hub, numbered(1));
  hold(first, 1);
  struct conn *second = join_active(hub, "second", 1);
  bridge_export(hub, numbered(2));
  hold(second, 2);
  conn_close(second);
  conn_close(first);
  checking("BH-ROUTE-013");
  expect_entry(hub, "1", "1", "_");
  expect_waiting(other, 2);
  checking("BH-ROUTE-007");
  make_active(other);
  take_assets(other, numbered(1));
  take_assets(other, numbered(2));
}

CASE(holders, a_death_counts_for_what_was_in_hand_alone, MUST, "BH-ROUTE-013") {
  static const char *const deaths[] = {"1", "1", "0"};
  struct hub *hub = hub_start_with((struct hub_options){SHORT_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *holder = join_active(hub, "holder", 2);
  size_t count;

  export_numbered(hub, 1, 3);
  hold(holder, 1);
  hold(holder, 2);
  conn_close(holder);
  expect_entry(hub, "1", "1", "_");
  expect_waiting(other, 3);
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 3, "three imports lie in queue/", "%u lie there", (unsigned)count);
  for (size_t i = 0; i < count; i++) {
    EXPECT(strcmp(entries[i].deaths, deaths[i]) == 0, "each import that the holder had counts one death, and no other",
           "import %u of 3 is %s", (unsigned)i + 1, entries[i].name);
  }
}

CASE(holders, one_that_comes_back_late_has_no_claim_on_it, MUST, "BH-ROUTE-013 BH-ROUTE-001") {
  struct hub *hub = hub_start_with((struct hub_options){SHORT_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *holder = join_active(hub, "holder", 1);

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  make_active(other);
  conn_close(holder);
  checking("BH-ROUTE-013");
  const struct message *again = expect_again(other, import, 2);
  checking("BH-ROUTE-001");
  expect_nothing_more(come_back(hub, holder));
  ack_import(other, again);
  expect_nothing_more(other);
}

CASE(holders, one_that_unregisters_after_coming_back_gives_back, MUST, "BH-ROUTE-010") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");
  struct conn *other = join(hub, "other");

  bridge_export(hub, numbered(1));
  const struct message *import = hold(holder, 1);
  conn_close(holder);
  struct conn *back = come_back(hub, holder);
  expect_again(back, import, 2);
  request(back, "UNREGISTER", NULL);
  make_active(other);
  expect_again(other, import, 3);
  expect_entry(hub, "3", "0", other->instance);
}
