/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 6.2: delivery. */
#include "harness.h"
#include "imports.h"
#include "steps.h"

#include <stdio.h>
#include <string.h>

static char *asset(unsigned number) {
  return format("[{\"id\":%u}]", number);
}

static void export_many(struct hub *hub, unsigned first, unsigned last) {
  for (unsigned i = first; i <= last; i++) {
    bridge_export(hub, asset(i));
  }
}

/* ---- BH-ROUTE-001, 002: to whom, in which order */

CASE(delivery, the_active_instance_gets_it_and_no_other, MUST, "BH-ROUTE-001") {
  struct hub *hub = hub_start();
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");
  struct conn *third = join(hub, "third");
  struct conn *observer = conn_open(hub);

  register_observer(observer, "observer");
  make_active(second);
  bridge_export(hub, asset(1));
  take_assets(second, asset(1));
  make_active(third);
  export_many(hub, 2, 3);
  const struct message *import = expect_assets(third, asset(2));
  /* One waits now, and all the others have room for it. */
  struct conn *late = join(hub, "late");
  expect_nothing_more(late);
  expect_nothing_more(first);
  expect_nothing_more(second);
  expect_nothing_more(observer);
  ack_import(third, import);
  take_assets(third, asset(3));
  expect_nothing_more(first);
  expect_nothing_more(second);
  expect_nothing_more(observer);
}

CASE(delivery, imports_come_in_their_order, MUST, "BH-ROUTE-002") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  export_many(hub, 1, 30);
  for (unsigned i = 1; i <= 30; i++) {
    take_assets(conn, asset(i));
  }
  expect_nothing_more(conn);
}

/* One day of a busy artist. A hub that keeps something of each runs out of it: it has 1024 file descriptors. */
CASE(delivery, twelve_hundred_wait_and_come, MUST, "BH-ROUTE-004 BH-ROUTE-002") {
  enum { RUNS = 24, RUN = 50, ASSET_MAX = 16 };
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 1000, .timeout_ms = 60000});
  struct conn *conn = conn_open(hub);
  char run[RUN * ASSET_MAX];

  case_allow_ms(30000);
  for (unsigned i = 0; i < RUNS; i++) {
    size_t size = 0;
    for (unsigned k = 1; k <= RUN; k++) {
      size += (size_t)snprintf(run + size, ASSET_MAX, "[{\"id\":%u}]", i * RUN + k);
    }
    bridge_export_octets(hub, run, size);
  }
  register_with(conn, "A", ", 'window':64");
  make_active(conn);
  checking("BH-ROUTE-004");
  take_assets(conn, asset(1));
  for (unsigned i = 2; i <= RUNS * RUN; i++) {
    checking("BH-ROUTE-002");
    take_assets(conn, asset(i));
  }
  bridge_export(hub, asset(0));
  take_assets(conn, asset(0));
  expect_nothing_more(conn);
}

CASE(delivery, large_and_small_imports_keep_their_order, MUST, "BH-ROUTE-002") {
  struct hub *hub = hub_start();
  struct conn *conn = conn_open(hub);
  char *large = format("[{\"pad\":\"%s\"}]", repeat("x", 3000000));

  register_with(conn, "A", ", 'window':4");
  make_active(conn);
  bridge_export(hub, large);
  bridge_export(hub, asset(2));
  bridge_export(hub, large);
  bridge_export(hub, asset(4));
  expect_assets(conn, large);
  expect_assets(conn, asset(2));
  expect_assets(conn, large);
  expect_assets(conn, asset(4));
}

/* ---- BH-ROUTE-003: the window */

CASE(delivery, an_absent_window_is_one_import_at_a_time, MUST, "BH-ROUTE-003 BH-REG-003") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  export_many(hub, 1, 3);
  for (unsigned i = 1; i <= 3; i++) {
    const struct message *import = expect_assets(conn, asset(i));
    expect_nothing_more(conn);
    ack_import(conn, import);
  }
}

CASE(delivery, a_window_of_three_takes_three, MUST, "BH-ROUTE-003") {
  struct hub *hub = hub_start();
  struct conn *conn = conn_open(hub);

  register_with(conn, "A", ", 'window':3");
  make_active(conn);
  export_many(hub, 1, 5);
  const struct message *first = expect_assets(conn, asset(1));
  const struct message *second = expect_assets(conn, asset(2));
  const struct message *third = expect_assets(conn, asset(3));
  expect_nothing_more(conn);
  ack_import(conn, second);
  const struct message *fourth = expect_assets(conn, asset(4));
  expect_nothing_more(conn);
  ack_import(conn, fourth);
  ack_import(conn, third);
  ack_import(conn, first);
  take_assets(conn, asset(5));
  expect_nothing_more(conn);
}

CASE(delivery, the_largest_window_takes_sixty_four, MUST, "BH-ROUTE-003") {
  enum { WINDOW = 64 };
  struct hub *hub = hub_start_with((struct hub_options){.timeout_ms = 20000});
  struct conn *conn = conn_open(hub);
  const struct message *imports[WINDOW];

  register_with(conn, "A", ", 'window':%d", WINDOW);
  make_active(conn);
  export_many(hub, 1, WINDOW + 1);
  for (unsigned i = 0; i < WINDOW; i++) {
    imports[i] = expect_assets(conn, asset(i + 1));
  }
  expect_nothing_more(conn);
  ack_import(conn, imports[WINDOW / 2]);
  take_assets(conn, asset(WINDOW + 1));
}

CASE(delivery, a_refusal_makes_room_in_the_window, MUST, "BH-ROUTE-003") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  export_many(hub, 1, 2);
  refuse_import(conn, expect_assets(conn, asset(1)));
  take_assets(conn, asset(2));
}

CASE(delivery, answers_to_other_messages_make_no_room, MUST, "BH-ROUTE-003 BH-MSG-006") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  export_many(hub, 1, 2);
  const struct message *import = expect_assets(conn, asset(1));
  send_message(conn, "ACK", "{'for':%u}", (unsigned)import->id + 1000);
  send_message(conn, "ERROR", "{'for':null,'code':'refused','message':'nothing in particular'}");
  send_message(conn, "ACK", "{'for':1}");
  expect_nothing_more(conn);
  ack_import(conn, import);
  take_assets(conn, asset(2));
}

/* ---- BH-ROUTE-004: nobody is active */

CASE(delivery, imports_wait_while_nobody_is_active, MUST, "BH-ROUTE-004 BH-ROUTE-002") {
  struct hub *hub = hub_start();
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  request(first, "RELEASE_ACTIVE", NULL);
  export_many(hub, 1, 4);
  expect_nothing_more(first);
  expect_nothing_more(second);
  make_active(second);
  for (unsigned i = 1; i <= 4; i++) {
    take_assets(second, asset(i));
  }
  expect_nothing_more(first);
}

CASE(delivery, imports_wait_for_the_first_instance, MUST, "BH-ROUTE-004") {
  struct hub *hub = hub_start();

  export_many(hub, 1, 2);
  struct conn *conn = join(hub, "A");
  take_assets(conn, asset(1));
  take_assets(conn, asset(2));
}

CASE(delivery, the_ack_of_a_claim_comes_before_the_import, MUST, "BH-MSG-003") {
  struct hub *hub = hub_start();
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  request(first, "RELEASE_ACTIVE", NULL);
  bridge_export(hub, asset(1));
  expect_ack(second, send_message(second, "CLAIM_ACTIVE", NULL));
  take_assets(second, asset(1));
}

/* ---- BH-ROUTE-005 to 008: holders and attempts */

CASE(delivery, a_sent_import_stays_with_its_holder, MUST, "BH-ROUTE-005") {
  struct hub *hub = hub_start();
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  export_many(hub, 1, 3);
  const struct message *import = expect_assets(first, asset(1));
  make_active(second);
  take_assets(second, asset(2));
  take_assets(second, asset(3));
  expect_heartbeat(second); /* so much for a hub that sends it a little later */
  expect_nothing_more(second);
  ack_import(first, import);
  expect_nothing_more(first);
  expect_nothing_more(second);
}

CASE(delivery, a_finished_import_is_never_sent_again, MUST, "BH-ROUTE-006 BH-SPOOL-005") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *conn = join(hub, "A");

  export_many(hub, 1, 2);
  take_assets(conn, asset(1));
  take_assets(conn, asset(2));
  fence(conn);
  conn_close(conn);
  struct conn *again = conn_open(hub);
  resume(again, "A", conn->instance);
  make_active(again);
  expect_nothing_more(again);
  expect_spool_count(hub, "queue", 0);
}

CASE(delivery, the_first_attempt_is_one, MUST, "BH-ROUTE-008") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  export_many(hub, 1, 2);
  expect_attempt(take_assets(conn, asset(1)), 1);
  expect_attempt(take_assets(conn, asset(2)), 1);
}

CASE(delivery, unregister_gives_back_at_once, MUST, "BH-ROUTE-010 BH-ROUTE-008") {
  /* A time-out so long that giving back because of it would not be seen. */
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 100, .timeout_ms = 60000});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  bridge_export(hub, asset(1));
  const struct message *import = expect_assets(first, asset(1));
  request(first, "UNREGISTER", NULL);
  make_active(second);
  const struct message *again = take_assets(second, asset(1));
  expect_same_import(import, again);
  expect_attempt(again, 2);
}

CASE(delivery, what_is_given_back_keeps_its_place, MUST, "BH-ROUTE-007") {
  struct hub *hub = hub_start();
  struct conn *first = conn_open(hub);
  struct conn *second = join(hub, "second");

  register_with(first, "first", ", 'window':2");
  make_active(first);
  export_many(hub, 1, 4);
  expect_assets(first, asset(1));
  expect_assets(first, asset(2));
  request(first, "UNREGISTER", NULL);
  make_active(second);
  for (unsigned i = 1; i <= 4; i++) {
    take_assets(second, asset(i));
  }
}

CASE(delivery, unregister_is_no_death, MUST, "BH-ROUTE-010") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});

  bridge_export(hub, asset(1));
  for (unsigned i = 1; i <= 4; i++) {
    struct conn *conn = join(hub, "visitor");
    make_active(conn);
    expect_assets(conn, asset(1));
    request(conn, "UNREGISTER", NULL);
    expect_closed(conn);
  }
  struct conn *last = join(hub, "last");
  size_t count;
  make_active(last);
  const struct message *import = expect_assets(last, asset(1));
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 1 && strcmp(entries[0].deaths, "0") == 0, "its file counts no death", "its name is %s",
         count == 0 ? "gone" : entries[0].name);
  ack_import(last, import);
}

/* ---- BH-ROUTE-009: slow is not lost */

CASE(delivery, a_slow_holder_keeps_its_import, MUST, "BH-ROUTE-009") {
  struct hub *hub = hub_start_with((struct hub_options){QUICK_TIMEOUTS});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  bridge_export(hub, asset(1));
  const struct message *import = expect_assets(first, asset(1));
  make_active(second);
  for (uint64_t until = now_ms() + 2 * (uint64_t)hub->timeout_ms; now_ms() < until;) {
    expect_heartbeat(first); /* and is answered */
  }
  EXPECT(!first->ended, "a holder that is alive keeps its connection", "it was closed");
  expect_nothing_more(second);
  ack_import(first, import);
  bridge_export(hub, asset(2));
  take_assets(second, asset(2));
  expect_nothing_more(first);
}

/* ---- BH-ROUTE-011 to 014: holders that are lost */

CASE(delivery, a_lost_holders_import_is_reserved, MUST, "BH-ROUTE-011") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "resume", .heartbeat_ms = 40, .timeout_ms = 60000});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  export_many(hub, 1, 2);
  expect_assets(first, asset(1));
  conn_close(first);
  conn_needs_process(first);
  wait_for_unlisted(second, first->instance);
  make_active(second);
  take_assets(second, asset(2));
  for (int i = 0; i < 5; i++) {
    expect_nothing_more(second);
    expect_heartbeat(second); /* so much for a hub that gives it back a little later */
  }
  expect_nothing_more(second);
}

CASE(delivery, a_holder_that_resumes_gets_it_again, MUST, "BH-ROUTE-012 BH-ROUTE-008") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "resume"});
  struct conn *first = conn_open(hub);

  register_with(first, "first", ", 'window':2");
  make_active(first);
  export_many(hub, 1, 2);
  const struct message *one = expect_assets(first, asset(1));
  const struct message *two = expect_assets(first, asset(2));
  conn_close(first);
  struct conn *again = conn_open(hub);
  register_with(again, "first", ", 'window':2,'instance':'%s'", first->instance);
  const struct message *one_again = expect_assets(again, asset(1));
  const struct message *two_again = expect_assets(again, asset(2));
  expect_same_import(one, one_again);
  expect_same_import(two, two_again);
  expect_attempt(one_again, 2);
  expect_attempt(two_again, 2);
  ack_import(again, one_again);
  ack_import(again, two_again);
  expect_nothing_more(again);
}

CASE(delivery, a_holder_that_resumes_need_not_be_active, MUST, "BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "resume"});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  export_many(hub, 1, 2);
  expect_assets(first, asset(1));
  conn_close(first);
  wait_for_unlisted(second, first->instance);
  make_active(second);
  take_assets(second, asset(2));
  struct conn *again = conn_open(hub);
  resume(again, "first", first->instance);
  take_assets(again, asset(1));
  bridge_export(hub, asset(3));
  take_assets(second, asset(3));
  expect_nothing_more(again);
}

CASE(delivery, a_newer_connection_gets_what_the_older_held, MUST, "BH-ROUTE-012 BH-REG-006") {
  struct hub *hub = hub_start();
  struct conn *older = join(hub, "A");

  bridge_export(hub, asset(1));
  const struct message *import = expect_assets(older, asset(1));
  struct conn *newer = conn_open(hub);
  resume(newer, "A", older->instance);
  const struct message *again = expect_assets(newer, asset(1));
  expect_same_import(import, again);
  expect_attempt(again, 2);
  ack_import(newer, again);
  expect_nothing_more(newer);
}

CASE(delivery, a_holder_that_stays_away_is_a_death, MUST, "BH-ROUTE-013 BH-ROUTE-008") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool,resume", .heartbeat_ms = 60, .timeout_ms = 600});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  bridge_export(hub, asset(1));
  const struct message *import = expect_assets(first, asset(1));
  uint64_t lost_at = now_ms();
  conn_close(first);
  conn_needs_process(first);
  wait_for_unlisted(second, first->instance);
  make_active(second);
  const struct message *again = expect_assets(second, asset(1));
  EXPECT(again->at + 20 >= lost_at + hub->timeout_ms, "a lost holder has timeout_ms to come back",
         "it was given back after %u ms", (unsigned)(again->at - lost_at));
  expect_same_import(import, again);
  expect_attempt(again, 2);
  size_t count;
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 1 && strcmp(entries[0].deaths, "1") == 0, "the spool counts one death of the import",
         "queue/ holds %u imports, the first with %s deaths", (unsigned)count, count == 0 ? "no" : entries[0].deaths);
  ack_import(second, again);
}

/* Each holder in turn is lost with it; the one after is connected before, so that there is always somebody. */
static void let_die(struct hub *hub, struct conn *watcher, unsigned times) {
  for (unsigned i = 0; i < times; i++) {
    struct conn *conn = join(hub, "victim");
    make_active(conn);
    expect_message(conn, "IMPORT_DATA");
    conn_close(conn);
    wait_for_unlisted(watcher, conn->instance);
  }
}

CASE(delivery, the_third_death_parks, MUST, "BH-ROUTE-014 BH-ROUTE-016") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "resume", QUICK_TIMEOUTS});
  struct conn *watcher = join(hub, "watcher");

  request(watcher, "RELEASE_ACTIVE", NULL);
  bridge_export(hub, asset(1));
  let_die(hub, watcher, 3);
  expect_parked(watcher, 1);
  bridge_export(hub, asset(2));
  make_active(watcher);
  take_assets(watcher, asset(2));
  expect_nothing_more(watcher);
  expect_spool_count(hub, "parked", 1);
}

CASE(delivery, two_deaths_do_not_park, MUST, "BH-ROUTE-014") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "resume", QUICK_TIMEOUTS});
  struct conn *watcher = join(hub, "watcher");

  request(watcher, "RELEASE_ACTIVE", NULL);
  bridge_export(hub, asset(1));
  let_die(hub, watcher, 2);
  make_active(watcher);
  expect_attempt(take_assets(watcher, asset(1)), 3);
}

CASE(delivery, resuming_is_no_death, MUST, "BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "resume"});
  struct conn *conn = join(hub, "A");
  const char *instance = conn->instance;

  bridge_export(hub, asset(1));
  for (unsigned i = 1; i <= 5; i++) {
    expect_attempt(expect_assets(conn, asset(1)), i);
    conn_close(conn);
    conn = conn_open(hub);
    resume(conn, "A", instance);
  }
  take_assets(conn, asset(1));
}

/* ---- BH-ROUTE-015, 016: parked */

CASE(delivery, a_refused_import_is_parked, MUST, "BH-ROUTE-015 BH-ROUTE-016 BH-SPOOL-011") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  export_many(hub, 1, 2);
  refuse_import(first, expect_assets(first, asset(1)));
  take_assets(first, asset(2));
  expect_parked(second, 1);
  expect_spool_count(hub, "parked", 1);
  expect_spool_count(hub, "queue", 0);
  make_active(second);
  expect_nothing_more(second);
  expect_nothing_more(first);
}

CASE(delivery, any_error_for_an_import_parks_it, MUST, "BH-ROUTE-015") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  bridge_export(hub, asset(1));
  const struct message *import = expect_assets(conn, asset(1));
  send_message(conn, "ERROR", "{'for':%u,'code':'x-a-code-of-another-year','message':'\\u20ac'}", (unsigned)import->id);
  expect_parked(conn, 1);
  expect_nothing_more(conn);
}

/* ---- BH-ROUTE-017: one at a time on its way */

CASE(delivery, none_is_queued_behind_an_unsent_one, MUST, "BH-ROUTE-017") {
  char *large = format("[{\"pad\":\"%s\"}]", repeat("x", 16000000));
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool", .timeout_ms = 20000});
  struct conn *conn = conn_open(hub);

  register_with(conn, "A", ", 'window':2");
  make_active(conn);
  conn_stop_reading(conn);
  bridge_export(hub, large);
  bridge_export(hub, asset(2));
  struct conn *other = join(hub, "other");
  fence(other);
  size_t count;
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 2 && strcmp(entries[1].attempt, "0") == 0,
         "an import is not recorded as sent while another to that client is still unsent",
         "queue/ holds %u imports, the second with attempt %s", (unsigned)count, count < 2 ? "-" : entries[1].attempt);
  conn_read_again(conn);
  take_assets(conn, large);
  take_assets(conn, asset(2));
}
