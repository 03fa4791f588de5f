/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 6.1: a spool that cannot be written, and what is planted in it. */
#include "harness.h"
#include "imports.h"
#include "lives.h"
#include "steps.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A directory of the spool that cannot be written, whoever the hub runs as: a file stands in its place. The hub may
 * make the directory anew at any moment, so that both steps are tried until they succeed.
 */
typedef struct {
  const char *path;
  const char *aside;
  const char *file;
} blocked;

static bool put_file_there(void *arg) {
  const blocked *b = arg;

  rmdir(b->path);
  return link(b->file, b->path) == 0;
}

static blocked block(struct hub *hub, const char *directory) {
  blocked b = {.path = format("%s/%s", hub->spool, directory),
               .aside = hub_path(hub, "aside-%s", directory),
               .file = hub_path(hub, "file-%s", directory)};

  file_write(b.file, "", 0);
  EXPECT(rename(b.path, b.aside) == 0, "the spool has the directories of section 6.1", "it has no %s/", directory);
  EXPECT(wait_until(put_file_there, &b, deadline_ms()), "a file can take the place of a directory", "it cannot");
  note("a file stands in place of %s/", directory);
  return b;
}

static bool put_back(void *arg) {
  const blocked *b = arg;

  unlink(b->path);
  return rename(b->aside, b->path) == 0;
}

static void unblock(blocked b) {
  EXPECT(wait_until(put_back, &b, deadline_ms()), "the directory can be put back", "it cannot");
  note("the directory is back");
}

static const char *expect_problem(struct conn *conn) {
  const struct message *beat = expect_heartbeat_with(conn, "problem");
  const char *text = json_text(&beat->json, "problem");

  EXPECT(text[0] != '\0' && strlen(text) <= 1024, "a problem has 1-1024 octets", "it has %u", (unsigned)strlen(text));
  return text;
}

static void expect_no_problem(struct conn *conn) {
  uint64_t end = now_ms() + deadline_ms();

  while (json_has(&expect_heartbeat(conn)->json, "problem")) {
    EXPECT(now_ms() < end, "HEARTBEATs tell of no problem while all is well", "they go on telling of one");
  }
}

static void expect_export_refused(struct hub *hub, const char *text) {
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, text);
  bridge_half_close(bridge);
  bridge_expect_reset(bridge);
}

/* ---- told, and over */

static void expect_trouble_told_and_over(const char *directory) {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *conn = join(hub, "A");
  struct conn *observer = conn_open(hub);
  register_observer(observer, "O");

  expect_no_problem(conn);
  blocked b = block(hub, directory);
  checking("BH-SPOOL-009");
  expect_export_refused(hub, "[{\"id\":1}]");
  checking("BH-SPOOL-012");
  expect_problem(conn);
  expect_problem(observer);
  EXPECT(json_has(&expect_heartbeat(conn)->json, "problem"), "each HEARTBEAT tells of it", "the next one does not");
  checking("BH-SPOOL-014");
  unblock(b);
  expect_no_problem(conn);
  expect_no_problem(observer);
  bridge_export(hub, "[{\"id\":2}]");
  take_assets(conn, "[{\"id\":2}]");
}

CASE(spool_trouble, a_queue_that_cannot_be_written_is_told_and_nothing_is_called_safe, MUST,
     "BH-SPOOL-009 BH-SPOOL-012 BH-SPOOL-014") {
  expect_trouble_told_and_over("queue");
}

CASE(spool_trouble, a_tmp_that_cannot_be_written_is_told_and_nothing_is_called_safe, MUST,
     "BH-SPOOL-009 BH-SPOOL-012 BH-SPOOL-014") {
  expect_trouble_told_and_over("tmp");
}

CASE(spool_trouble, a_failed_export_is_told_at_once, MUST, "BH-SPOOL-013") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool", RARE_HEARTBEATS});
  struct conn *conn = join(hub, "A");

  block(hub, "tmp");
  expect_export_refused(hub, "[{\"id\":1}]");
  expect_problem(conn);
}

CASE(spool_trouble, who_registers_in_trouble_is_told, MUST, "BH-SPOOL-012") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});

  block(hub, "tmp");
  expect_export_refused(hub, "[{\"id\":1}]");
  struct conn *late = join(hub, "late");
  EXPECT(json_has(&expect_heartbeat(late)->json, "problem"), "the first HEARTBEAT tells of it", "it does not");
}

/* ---- imports in trouble */

CASE(spool_trouble, what_is_in_hand_goes_on, MUST, "BH-SPOOL-015 BH-SPOOL-014") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *conn = join(hub, "A");

  bridge_export(hub, "[{\"id\":1}]");
  bridge_export(hub, "[{\"id\":2}]");
  bridge_export(hub, "[{\"id\":3}]");
  const struct message *first = expect_assets(conn, "[{\"id\":1}]");
  blocked b = block(hub, "queue");
  expect_problem(conn);
  ack_import(conn, first);
  expect_nothing_more(conn);
  unblock(b);
  const struct message *second = expect_assets(conn, "[{\"id\":2}]");
  size_t count;
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 2 && strcmp(entries[0].attempt, "1") == 0 && strcmp(entries[0].holder, conn->instance) == 0,
         "what is sent was recorded before", "queue/ has no record of it");
  ack_import(conn, second);
  take_assets(conn, "[{\"id\":3}]");
}

CASE(spool_trouble, an_import_that_cannot_be_parked_is_parked_later, MUST, "BH-ROUTE-015 BH-SPOOL-014") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *conn = join(hub, "A");

  bridge_export(hub, "[{\"id\":1}]");
  const struct message *import = expect_assets(conn, "[{\"id\":1}]");
  blocked b = block(hub, "parked");
  refuse_import(conn, import);
  expect_problem(conn);
  expect_nothing_more(conn);
  unblock(b);
  expect_spool_count(hub, "parked", 1);
  expect_spool_count(hub, "queue", 0);
  expect_parked(conn, 1);
}

/* What an import is to be called once it is nobody's: a directory of that name is in the way, which is not empty. */
static const char *stand_in_the_way(struct hub *hub, const struct spool_entry *entry) {
  const char *name = format("%s.%s.%s.%s._.json", entry->sequence, entry->import, entry->attempt, entry->deaths);
  const char *path = format("%s/queue/%s", hub->spool, name);
  const char *file = format("%s/file", path);

  EXPECT(mkdir(path, 0700) == 0, "a directory can be made in queue/", "it cannot");
  file_write(file, "", 0);
  note("a directory stands in the way of queue/%s", name);
  return path;
}

static void go_out_of_the_way(const char *path) {
  unlink(format("%s/file", path));
  rmdir(path);
  note("the directory is gone");
}

CASE(spool_trouble, what_is_reserved_is_held_up_by_another_only_in_the_role, MUST, "BH-ROUTE-012 BH-SPOOL-014") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *first = join(hub, "first"), *second = join(hub, "second"), *third = join(hub, "third");
  size_t count;

  bridge_export(hub, numbered(1));
  const struct message *given_back = hold(first, 1);
  make_active(second);
  bridge_export(hub, numbered(2));
  const struct message *reserved = hold(second, 2);
  const char *path = stand_in_the_way(hub, spool_list(hub, "queue", &count));
  request(first, "UNREGISTER", NULL);
  conn_close(second);
  wait_for_unlisted(third, second->instance);
  struct conn *back = come_back(hub, second);
  pass_active(back, second->instance, "BH-ACT-005");
  make_active(third);
  checking("BH-ROUTE-012");
  expect_again(back, reserved, 2);
  checking("BH-SPOOL-014");
  go_out_of_the_way(path);
  expect_again(third, given_back, 2);
}

CASE(spool_trouble, a_file_that_vanishes_from_the_queue_holds_up_nothing, MUST, "BH-ROUTE-003") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *conn = join(hub, "A");
  size_t count;

  const struct message *first = (bridge_export(hub, "[{\"id\":1}]"), expect_assets(conn, "[{\"id\":1}]"));
  bridge_export(hub, "[{\"id\":2}]");
  bridge_export(hub, "[{\"id\":3}]");
  struct spool_entry *entries = spool_list(hub, "queue", &count);
  EXPECT(count == 3, "three imports lie in queue/", "%u do", (unsigned)count);
  unlink(entries[1].path);
  ack_import(conn, first);
  take_assets(conn, "[{\"id\":3}]");
}

CASE(spool_trouble, a_spool_that_was_removed_is_trouble_or_made_anew, MUST, "BH-SPOOL-009 BH-SPOOL-014") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});
  struct conn *conn = join(hub, "A");
  const char *aside = hub_path(hub, "removed");

  EXPECT(rename(hub->spool, aside) == 0, "the spool can be moved away", "it cannot");
  struct bridge *bridge = bridge_open(hub);
  bridge_send_text(bridge, "[{\"id\":1}]");
  bridge_half_close(bridge);
  bridge_expect_closed(bridge);
  if (bridge->reset) {
    fence(conn);
  } else {
    take_assets(conn, "[{\"id\":1}]");
  }
}

/* ---- what is planted */

enum { LINK, FIFO, DIRECTORY };

static void plant(struct hub *hub, const char *where, int what) {
  const char *path = format("%s/%s/%020d.0123456789abcdef-%d.0.0._.json", hub->spool, where, 7 + what, 7 + what);
  int failed;

  switch (what) {
  case LINK:
    failed = symlink(hub_path(hub, "victim"), path);
    break;
  case FIFO:
    failed = mkfifo(path, 0600);
    break;
  default:
    failed = mkdir(path, 0700);
    break;
  }
  if (failed != 0) {
    skip("nothing like that can be made here");
  }
}

static void expect_planted_is_harmless(const char *where, const char *requirement) {
  struct hub *hub = hub_prepare((struct hub_options){.need = "spool", .survives = requirement});
  size_t size;

  plant_spool(hub);
  file_write(hub_path(hub, "victim"), "[{\"stolen\":1}]", 14);
  for (int what = LINK; what <= DIRECTORY; what++) {
    plant(hub, where, what);
  }
  hub_run(hub);
  struct conn *conn = join(hub, "A");
  bridge_export(hub, "[{\"id\":1}]");
  take_assets(conn, "[{\"id\":1}]");
  expect_heartbeat(conn);
  expect_nothing_more(conn);
  EXPECT(file_read(hub_path(hub, "victim"), &size) != NULL && size == 14, "what a link leads to is left alone",
         "it was not");
}

CASE(spool_trouble, a_link_fifo_or_directory_in_queue_is_no_import, MUST, "BH-SPOOL-008") {
  expect_planted_is_harmless("queue", "BH-SPOOL-008");
}

CASE(spool_trouble, a_link_fifo_or_directory_in_retry_is_no_import, MUST, "BH-SPOOL-008") {
  expect_planted_is_harmless("retry", "BH-SPOOL-008");
}

CASE(spool_trouble, a_link_fifo_or_directory_in_parked_stops_nothing, MUST, "BH-SPOOL-008") {
  expect_planted_is_harmless("parked", "BH-SPOOL-008");
}

CASE(spool_trouble, a_link_fifo_or_directory_in_tmp_stops_nothing, MUST, "BH-SPOOL-007") {
  expect_planted_is_harmless("tmp", "BH-SPOOL-007");
}

/* ---- kill -9 */

/*
 * At whatever instruction it comes: in each life the hub is killed a little later after an export was begun, while a
 * client takes imports. What was called safe is there in the end, and what lies under its final name is whole.
 */
CASE(spool_trouble, kill_9_at_any_moment_leaves_only_whole_imports, MUST, "BH-SPOOL-001 BH-SPOOL-005 BH-SPOOL-007") {
  enum { LIVES = 12, ASSETS = 20000 };
  struct hub *hub = hub_prepare((struct hub_options){.need = "spool"});
  char *body = format("[{\"x\":\"%s\"}]", repeat("y", ASSETS));
  size_t whole = strlen(body);
  size_t count;
  size_t size;

  hub_run(hub);
  for (unsigned life = 0; life < LIVES; life++) {
    struct conn *conn = join(hub, "A");
    struct bridge *bridge = bridge_open(hub);

    make_active(conn);
    bridge_send_text(bridge, body);
    bridge_half_close(bridge);
    pass_time(life);
    hub_kill(hub);
    struct spool_entry *entries = spool_list(hub, "queue", &count);
    for (size_t i = 0; i < count; i++) {
      const char *text = file_read(entries[i].path, &size);

      EXPECT(text != NULL && size == whole && memcmp(text, body, whole) == 0, "what lies in queue/ is whole",
             "%s has %u octets, and not %u", entries[i].name, (unsigned)size, (unsigned)whole);
    }
    hub_run(hub);
    EXPECT(spool_count(hub, "queue") == count, "what was complete survives", "of %u imports %u are there",
           (unsigned)count, (unsigned)spool_count(hub, "queue"));
  }
}
