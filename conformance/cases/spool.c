/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 6.1: the spool. */
#include "harness.h"
#include "imports.h"
#include "steps.h"

#include <stdio.h>
#include <string.h>

static char *asset(unsigned number) {
  return format("[{\"id\":%u}]", number);
}

/* ---- layout and names */

CASE(spool, an_import_that_waits_lies_in_queue, MUST, "BH-SPOOL-001 BH-SPOOL-003") {
  struct hub *hub = hub_start();
  size_t count;
  size_t size;

  bridge_export(hub, " [ {\"id\": 1} ]\n");
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 1, "the import lies in queue/ under a name as section 6.1 has it", "%u such files lie there",
         (unsigned)count);
  EXPECT(strcmp(entries[0].attempt, "0") == 0 && strcmp(entries[0].deaths, "0") == 0 &&
             strcmp(entries[0].holder, "_") == 0,
         "it was sent 0 times, nobody died of it and nobody holds it", "its name is %s", entries[0].name);
  const char *octets = file_read(entries[0].path, &size);
  EXPECT(octets != NULL && strcmp(octets, "[ {\"id\": 1} ]") == 0, "the file holds the array octet for octet",
         "it holds %s", octets == NULL ? "nothing" : printable(octets, size, 200));
}

CASE(spool, the_sequence_grows, MUST, "BH-SPOOL-006 BH-SPOOL-003") {
  struct hub *hub = hub_start();
  size_t count;

  for (unsigned i = 1; i <= 12; i++) {
    bridge_export(hub, asset(i));
  }
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 12, "twelve imports lie in queue/", "%u lie there", (unsigned)count);
  for (size_t i = 0; i < count; i++) {
    size_t size;
    const char *octets = file_read(entries[i].path, &size);
    EXPECT(octets != NULL && strcmp(octets, asset((unsigned)i + 1)) == 0,
           "sorted by sequence the files are in the order of Bridge's values", "place %u holds %s", (unsigned)i + 1,
           octets == NULL ? "nothing" : octets);
    EXPECT(strncmp(entries[i].import, entries[0].import, 16) == 0 &&
               (i == 0 || strcmp(entries[i].import, entries[i - 1].import) != 0),
           "`import` is 16 hex digits drawn once, and a count", "they are %s and %s", entries[0].import,
           entries[i].import);
  }
}

CASE(spool, the_sending_is_recorded_before_it, MUST, "BH-SPOOL-004") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  size_t count;

  bridge_export(hub, asset(1));
  const struct message *import = expect_assets(conn, asset(1));
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 1 && strcmp(entries[0].attempt, "1") == 0 && strcmp(entries[0].holder, conn->instance) == 0,
         "when the client has the import, its file names attempt 1 and the holder", "its name is %s",
         count == 0 ? "gone" : entries[0].name);
  EXPECT(strcmp(entries[0].import, import_of(import)) == 0, "the file and the message name the same import",
         "the file names %s, the message %s", entries[0].import, import_of(import));
}

CASE(spool, it_stays_until_the_ack_and_leaves_then, MUST, "BH-SPOOL-005") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  bridge_export(hub, asset(1));
  const struct message *import = expect_assets(conn, asset(1));
  fence(conn);
  EXPECT(spool_count(hub, "queue") == 1, "the import stays in queue/ until its ACK is in", "it has left it");
  ack_import(conn, import);
  expect_spool_count(hub, "queue", 0);
  expect_spool_count(hub, "parked", 0);
}

CASE(spool, what_is_not_whole_is_not_in_queue, MUST, "BH-SPOOL-001") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *bridge = bridge_open(hub);
  size_t files;

  bridge_send_text(bridge, "[{\"id\":\"half\"}");
  bridge_export(hub, asset(2));
  ack_import(conn, expect_assets(conn, asset(2)));
  expect_spool_count(hub, "queue", 0);
  directory(format("%s/queue", hub->spool), &files);
  EXPECT(files == 0, "queue/ holds whole imports only", "%u files lie there", (unsigned)files);
}

/* ---- BH-SPOOL-002: the death of the hub is told */

CASE(spool, the_hubs_death_resets_what_is_not_whole, MUST, "BH-SPOOL-002 BH-INGEST-017") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct bridge *bridge = bridge_open(hub);

  /* A system that finds octets unread ends a connection by a reset anyway. */
  bridge_send_text(bridge, "[{\"id\":1}");
  bridge_export(hub, asset(2));
  hub_kill(hub);
  bridge_expect_reset(bridge);
}

/* ---- BH-SPOOL-007, 008: another hub's spool */

CASE(spool, a_new_hub_takes_the_queue_over, MUST, "BH-SPOOL-007 BH-SPOOL-006") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});

  bridge_export(hub, asset(1));
  bridge_export(hub, asset(2));
  hub_kill(hub);
  hub_run(hub);
  bridge_export(hub, asset(3));
  struct conn *conn = join(hub, "A");
  make_active(conn);
  take_assets(conn, asset(1));
  take_assets(conn, asset(2));
  take_assets(conn, asset(3));
  expect_nothing_more(conn);
}

CASE(spool, a_spool_of_another_make_is_taken_over, MUST, "BH-SPOOL-007 BH-ROUTE-002 BH-ROUTE-008") {
  struct hub *hub = hub_prepare((struct hub_options){.need = "spool"});

  plant_spool(hub);
  plant_import(hub, "queue", "00000000000000000041.0123456789abcdef-7.2.1._.json", asset(41));
  plant_import(hub, "queue", "00000000000000000007.0123456789abcdef-1.0.0._.json", asset(7));
  hub_run(hub);
  struct conn *conn = join(hub, "A");
  make_active(conn);
  expect_attempt(take_assets(conn, asset(7)), 1);
  const struct message *second = take_assets(conn, asset(41));
  expect_attempt(second, 3);
  EXPECT(strcmp(import_of(second), "0123456789abcdef-7") == 0, "an import keeps its `import`", "it is %s",
         import_of(second));
  bridge_export(hub, asset(42));
  take_assets(conn, asset(42));
}

CASE(spool, what_is_left_in_tmp_is_removed, MUST, "BH-SPOOL-007") {
  struct hub *hub = hub_prepare((struct hub_options){.need = "spool"});
  size_t files;

  plant_spool(hub);
  plant_import(hub, "tmp", "00000000000000000009.part", "[{\"id\":");
  hub_run(hub);
  directory(format("%s/tmp", hub->spool), &files);
  EXPECT(files == 0, "what a former hub left in tmp/ is removed", "%u files are left", (unsigned)files);
}

CASE(spool, what_does_not_fit_is_left_alone, MUST, "BH-SPOOL-008") {
  static const char *const names[] = {"README.txt",
                                      "1.0123456789abcdef-1.0.0._.json",
                                      "00000000000000000001.0123456789abcdef-1.0.0.json",
                                      "00000000000000000001.0123456789ABCDEF-1.0.0._.json",
                                      "00000000000000000001.0123456789abcdef-1.01.0._.json",
                                      "00000000000000000001.0123456789abcdef-1.0.0.a b.json",
                                      "00000000000000000001.0123456789abcdef-1.0.0._.json~"};
  struct hub *hub = hub_prepare((struct hub_options){.need = "spool"});
  size_t size;

  plant_spool(hub);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    plant_import(hub, "queue", names[i], asset(1));
  }
  plant_import(hub, "queue", "00000000000000000005.0123456789abcdef-5.0.0._.json", "[{\"cut\":");
  hub_run(hub);
  struct conn *conn = join(hub, "A");
  make_active(conn);
  bridge_export(hub, asset(9));
  take_assets(conn, asset(9));
  expect_nothing_more(conn);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    EXPECT(file_read(format("%s/queue/%s", hub->spool, names[i]), &size) != NULL,
           "a file whose name does not fit is left alone", "%s is gone", names[i]);
  }
  EXPECT(strstr(hub_log(hub), "README.txt") != NULL, "the hub's log names the files that do not fit",
         "README.txt is not in it");
}

/* ---- BH-SPOOL-010: retry */

CASE(spool, what_is_moved_to_retry_is_sent_again, MUST, "BH-SPOOL-010 BH-ROUTE-016") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *conn = join(hub, "A");
  size_t count;

  bridge_export(hub, asset(1));
  const struct message *import = expect_assets(conn, asset(1));
  refuse_import(conn, import);
  expect_spool_count(hub, "parked", 1);
  struct spool_entry *entries = spool_list(hub, "parked", &count);
  EXPECT(rename(entries[0].path, format("%s/retry/%s", hub->spool, entries[0].name)) == 0,
         "a parked import can be moved to retry/", "that fails");
  const struct message *again = expect_assets(conn, asset(1));
  expect_same_import(import, again);
  entries = spool_list(hub, "queue", &count);
  EXPECT(count == 1 && strcmp(entries[0].deaths, "0") == 0, "it lies in queue/ with 0 deaths", "%u lie there",
         (unsigned)count);
  ack_import(conn, again);
  expect_parked(conn, 0);
  expect_spool_count(hub, "retry", 0);
}

CASE(spool, a_retried_import_starts_with_no_deaths, MUST, "BH-SPOOL-010") {
  struct hub *hub = hub_prepare((struct hub_options){.need = "spool"});
  size_t count;

  plant_spool(hub);
  plant_import(hub, "retry", "00000000000000000041.0123456789abcdef-7.3.3.gone-1.json", asset(41));
  hub_run(hub);
  expect_spool_count(hub, "queue", 1);
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 1 && strcmp(entries[0].deaths, "0") == 0 && strcmp(entries[0].holder, "_") == 0,
         "it lies in queue/ with 0 deaths and nobody as its holder", "its name is %s",
         count == 0 ? "gone" : entries[0].name);
  expect_spool_count(hub, "retry", 0);
}

CASE(spool, retried_imports_keep_their_order, MUST, "BH-SPOOL-010 BH-ROUTE-002") {
  enum { COUNT = 4 };
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *conn = join(hub, "A");
  size_t count;

  for (unsigned i = 1; i <= COUNT; i++) {
    bridge_export(hub, asset(i));
    refuse_import(conn, expect_assets(conn, asset(i)));
  }
  expect_spool_count(hub, "parked", COUNT);
  struct spool_entry *entries = spool_list(hub, "parked", &count);
  /* In their order, so that a hub that looks meanwhile finds the first ones. */
  for (size_t i = 0; i < count; i++) {
    rename(entries[i].path, format("%s/retry/%s", hub->spool, entries[i].name));
  }
  for (unsigned i = 1; i <= COUNT; i++) {
    take_assets(conn, asset(i));
  }
  expect_spool_count(hub, "retry", 0);
}

CASE(spool, a_retried_import_has_its_former_place, MUST, "BH-SPOOL-010 BH-ROUTE-002") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *conn = join(hub, "A");
  size_t count;

  bridge_export(hub, asset(1));
  refuse_import(conn, expect_assets(conn, asset(1)));
  expect_spool_count(hub, "parked", 1);
  request(conn, "RELEASE_ACTIVE", NULL);
  bridge_export(hub, asset(2));
  struct spool_entry *entries = spool_list(hub, "parked", &count);
  rename(entries[0].path, format("%s/retry/%s", hub->spool, entries[0].name));
  expect_spool_count(hub, "queue", 2);
  make_active(conn);
  take_assets(conn, asset(1));
  take_assets(conn, asset(2));
}
