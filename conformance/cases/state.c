/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 8: the state file. */
#include "harness.h"
#include "imports.h"
#include "steps.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

struct counts {
  struct hub *hub;
  uint64_t waiting;
  uint64_t parked;
};

static bool has_counts(void *arg) {
  const struct counts *wanted = arg;
  struct json state = state_read(wanted->hub);

  return state.valid && json_is_integer(&state, "waiting") && json_is_integer(&state, "parked") &&
         json_integer(&state, "waiting") == wanted->waiting && json_integer(&state, "parked") == wanted->parked;
}

static void expect_state_counts(struct hub *hub, uint64_t waiting, uint64_t parked) {
  struct counts wanted = {hub, waiting, parked};

  EXPECT(wait_until(has_counts, &wanted, deadline_ms()), "the state file counts what waits and what is parked",
         "it is %s", printable(state_read(hub).text, state_read(hub).size, 400));
}

static bool state_lists_nobody(void *hub) {
  struct json state = state_read(hub);

  return state.valid && json_count(&state, "registered_instances") == 0;
}

/* ---- BH-STATE-001, 004: what it says */

CASE(state, says_who_is_who, MUST, "BH-STATE-001 BH-STATE-004") {
  struct hub *hub = hub_start();
  struct conn *first = join(hub, "first \xe2\x82\xac");
  struct conn *second = join(hub, "second");
  struct conn *observer = conn_open(hub);

  register_observer(observer, "observer");
  make_active(second);
  EXPECT(state_has_text(hub, "active_instance.instance", second->instance), "`active_instance` is the active instance",
         "it is not");
  struct json state = state_read(hub);
  expect_integer(&state, "version", 1);
  expect_integer(&state, "port", hub->port);
  expect_text(&state, "active_instance.name", "second");
  EXPECT(json_is_integer(&state, "hub_pid") && json_is_integer(&state, "epoch") &&
             json_is_integer(&state, "last_update") && json_is_integer(&state, "active_instance.pid"),
         "`hub_pid`, `epoch`, `last_update` and the active instance's `pid` are integers", "one is not");
  uint64_t now = (uint64_t)time(NULL), day = 86400;
  EXPECT(json_integer(&state, "last_update") > now - day && json_integer(&state, "last_update") < now + day,
         "`last_update` is now, in Unix seconds", "it is another time");
  expect_integer(&state, "waiting", 0);
  expect_integer(&state, "parked", 0);
  EXPECT(json_count(&state, "registered_instances") == 2, "each instance is listed once, and no observer",
         "%u are listed", (unsigned)json_count(&state, "registered_instances"));
  int at = json_find_instance(&state, "registered_instances", first->instance);
  EXPECT(at >= 0, "each registered instance is listed", "%s is not", first->instance);
  expect_text(&state, format("registered_instances[%d].name", at), "first \xe2\x82\xac");
  EXPECT(json_is_integer(&state, format("registered_instances[%d].last_seen", at)),
         "each listed instance has `last_seen`", "%s has not", first->instance);
}

CASE(state, says_that_nobody_is_active, MUST, "BH-STATE-001") {
  struct hub *hub = hub_start();
  struct json state = state_read(hub);

  EXPECT(state.valid && json_is_null(&state, "active_instance") && json_count(&state, "registered_instances") == 0,
         "a hub that is ready has written a state file without instances", "it is %s",
         state.valid ? printable(state.text, state.size, 300) : "missing or not JSON");
}

CASE(state, counts_what_waits_and_what_is_parked, MUST, "BH-STATE-001 BH-STATE-003 BH-TIME-003") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  bridge_export(hub, "[{\"id\":1}]");
  refuse_import(conn, expect_assets(conn, "[{\"id\":1}]"));
  request(conn, "RELEASE_ACTIVE", NULL);
  bridge_export(hub, "[{\"id\":2}][{\"id\":3}]");
  expect_waiting(conn, 2);
  expect_parked(conn, 1);
  expect_state_counts(hub, 2, 1);
}

/* ---- BH-STATE-002: never a part of it */

static bool is_whole(const char *text, size_t size) {
  struct json json = json_read(text, size);

  return json.valid && json_is_integer(&json, "version") && json_is_integer(&json, "last_update");
}

CASE(state, a_reader_never_sees_a_part, MUST, "BH-STATE-002") {
  struct hub *hub = hub_start_with((struct hub_options){.heartbeat_ms = 20, .timeout_ms = 10000});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, repeat("n", 250));

  for (unsigned i = 0; i < 100; i++) {
    uint32_t id = send_message(i % 2 == 0 ? second : first, "CLAIM_ACTIVE", NULL);
    for (unsigned look = 0; look < 5; look++) {
      size_t size;
      char *text = file_read(hub->state, &size);
      EXPECT(text != NULL && is_whole(text, size), "whoever reads the state file finds it whole", "it was %s",
             text == NULL ? "missing" : printable(text, size, 200));
    }
    expect_ack(i % 2 == 0 ? second : first, id);
  }
}

/* ---- BH-STATE-003: when it is written */

struct rewritten {
  const char *path;
  uv_stat_t before;
};

static bool look(const char *path, uv_stat_t *status) {
  uv_fs_t request;
  bool is_there = uv_fs_stat(NULL, &request, path, NULL) == 0;

  *status = request.statbuf;
  uv_fs_req_cleanup(&request);
  return is_there;
}

static bool is_rewritten(void *arg) {
  struct rewritten *wait = arg;
  uv_stat_t now;

  return look(wait->path, &now) &&
         (now.st_ino != wait->before.st_ino || now.st_mtim.tv_sec != wait->before.st_mtim.tv_sec ||
          now.st_mtim.tv_nsec != wait->before.st_mtim.tv_nsec);
}

CASE(state, is_written_each_heartbeat, MUST, "BH-STATE-003") {
  struct hub *hub = hub_start();
  struct rewritten wait = {.path = hub->state};

  for (unsigned i = 0; i < 3; i++) {
    look(hub->state, &wait.before);
    EXPECT(wait_until(is_rewritten, &wait, 10 * (uint64_t)hub->heartbeat_ms + deadline_ms()),
           "the state file is written each heartbeat_ms", "it has not changed");
  }
}

CASE(state, is_written_on_each_change, MUST, "BH-STATE-003") {
  struct hub *hub = hub_start_with((struct hub_options){RARE_HEARTBEATS});
  struct conn *conn = join(hub, "A");

  EXPECT(state_has_text(hub, "registered_instances[0].instance", conn->instance), "a registration is written at once",
         "it is not");
  EXPECT(state_has_text(hub, "active_instance.instance", conn->instance), "who is active is written at once",
         "it is not");
  request(conn, "RELEASE_ACTIVE", NULL);
  EXPECT(state_has_text(hub, "active_instance", NULL), "that nobody is active is written at once", "it is not");
  request(conn, "UNREGISTER", NULL);
  EXPECT(wait_until(state_lists_nobody, hub, deadline_ms()), "that an instance has left is written at once",
         "it is still listed");
}

/* ---- BH-STATE-005, 006: what a hub finds there */

/* A hub starts over what `text` leaves there, and replaces it. */
static void expect_survived(const char *text, size_t size) {
  struct hub *hub = hub_prepare((struct hub_options){.survives = "BH-STATE-005"});

  file_write(hub->state, text, size);
  hub_run(hub);
  struct json state = state_read(hub);
  EXPECT(state.valid && json_has(&state, "version"), "a hub survives a wrong state file and replaces it",
         "over %s it left %s", printable(text, size, 100),
         state.valid ? printable(state.text, state.size, 100) : "nothing right");
  expect_integer(&state, "version", 1);
  EXPECT(hub_log_size(hub) > 0, "the hub's log says that the state file was wrong", "it is empty");
  hub_end(hub);
}

#define SURVIVES(name, text)                                                                                           \
  CASE(state, name, MUST, "BH-STATE-005") {                                                                            \
    expect_survived(text, sizeof(text) - 1);                                                                           \
  }

SURVIVES(an_empty_file_is_survived, "")
SURVIVES(a_file_cut_short_is_survived, "{\"version\":1,\"hub_pid\":1234,\"epo")
SURVIVES(a_file_that_is_not_json_is_survived, "\x00\xff\xfe not JSON")
SURVIVES(a_file_of_another_version_is_survived,
         "{\"version\":2,\"hub_pid\":1,\"epoch\":7,\"port\":1,\"active_instance\":null}")
SURVIVES(absurd_values_are_survived,
         "{\"version\":1,\"hub_pid\":-5,\"epoch\":1e999,\"port\":99999999,\"active_instance\":{\"instance\":[]},"
         "\"registered_instances\":\"none\",\"waiting\":null,\"parked\":{},\"last_update\":\"now\"}")
SURVIVES(the_original_add_ons_file_is_survived,
         "{\"hub_pid\":4711,\"last_update\":1700000000.25,\"active_instance\":4711,\"registered_instances\":"
         "{\"4711\":{\"name\":\"a.blend\"}},\"pending_import_4711\":[{\"id\":\"x\"}]}")
SURVIVES(one_octet_that_is_not_utf8_is_survived,
         "{\"version\":1,\"hub_pid\":1,\"epoch\":1,\"port\":1,\"active_instance\":"
         "{\"instance\":\"a\",\"pid\":1,\"name\":\"\xff\"}}")

CASE(state, a_symbolic_link_is_not_written_through, MUST, "BH-STATE-006 BH-STATE-005") {
  struct hub *hub = hub_prepare((struct hub_options){.survives = "BH-STATE-005"});
  const char *victim = hub_path(hub, "victim");
  struct stat status;
  size_t size;

  file_write(victim, "precious", 8);
  if (symlink(victim, hub->state) != 0) {
    skip("no symbolic link can be made");
  }
  hub_run(hub);
  join(hub, "A");
  char *text = file_read(victim, &size);
  EXPECT(text != NULL && size == 8 && memcmp(text, "precious", 8) == 0, "the link's target stays as it was",
         "it was written");
  EXPECT(lstat(hub->state, &status) == 0 && S_ISREG(status.st_mode), "the link is replaced by a file of its own",
         "it is not");
}
/* ---- what is planted at the state file's place */

static void expect_replaced(struct hub *hub, const char *what) {
  struct stat status;

  hub_run(hub);
  struct conn *conn = join(hub, "A");
  expect_active(conn, conn->instance);
  EXPECT(lstat(hub->state, &status) == 0 && S_ISREG(status.st_mode), "a file of the hub's takes its place",
         "%s lies there still", what);
  EXPECT(state_has_text(hub, "registered_instances[0].instance", conn->instance), "it is written", "it is not");
}

CASE(state, a_fifo_in_its_place_blocks_nothing, MUST, "BH-STATE-005") {
  struct hub *hub = hub_prepare((struct hub_options){.survives = "BH-STATE-005"});

  if (mkfifo(hub->state, 0600) != 0) {
    skip("no FIFO can be made");
  }
  expect_replaced(hub, "the FIFO");
}

CASE(state, a_huge_file_is_survived, MUST, "BH-STATE-005") {
  struct hub *hub = hub_prepare((struct hub_options){.survives = "BH-STATE-005"});

  file_write(hub->state, "{", 1);
  if (truncate(hub->state, (off_t)1 << 40) != 0) {
    skip("no file of a TiB can be made");
  }
  expect_replaced(hub, "the huge file");
}

CASE(state, deep_nesting_is_survived, MUST, "BH-STATE-005") {
  struct hub *hub = hub_prepare((struct hub_options){.survives = "BH-STATE-005"});
  const char *text = format("{\"version\":1,\"x\":%s", repeat("[", 100000));

  file_write(hub->state, text, strlen(text));
  expect_replaced(hub, "the file");
}

CASE(state, a_pid_that_is_another_process_s_is_nothing_to_a_hub, MUST, "BH-STATE-005 BH-ELECT-004") {
  struct hub *hub = hub_prepare((struct hub_options){.survives = "BH-STATE-005"});
  const char *text = format("{\"version\":1,\"hub_pid\":%lu,\"epoch\":41,\"port\":%u,\"active_instance\":null,"
                            "\"registered_instances\":[],\"waiting\":0,\"parked\":0,\"last_update\":1}",
                            (unsigned long)getpid(), (unsigned)hub->port);

  file_write(hub->state, text, strlen(text));
  hub_run(hub);
  const struct message *ack = register_instance(conn_open(hub), "A");
  expect_integer(&ack->json, "epoch", 42);
}

CASE(state, a_directory_in_its_place_stops_nothing, MUST, "BH-STATE-005") {
  struct hub *hub = hub_prepare((struct hub_options){.survives = "BH-STATE-005"});

  EXPECT(mkdir(hub->state, 0700) == 0, "a directory can be made", "it cannot");
  hub_run(hub);
  struct conn *conn = join(hub, "A");
  bridge_export(hub, "[{\"id\":1}]");
  take_assets(conn, "[{\"id\":1}]");
  EXPECT(hub_log_size(hub) > 0, "the hub's log says what is wrong", "it is empty");
}
