/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, sections 4, 7 and 8: who is hub, and who is active, when a hub has died. */
#include "harness.h"
#include "imports.h"
#include "lives.h"
#include "steps.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The role is looked at by `witness` once all that it sent is handled. */
static void expect_nobody_active(struct conn *witness) {
  expect_still_active(witness, NULL);
}

static struct conn *observe(struct hub *hub) {
  struct conn *conn = conn_open(hub);

  register_observer(conn, "observer");
  return conn;
}

/* ---- the epoch */

CASE(takeover, each_hub_raises_the_epoch_by_one, MUST, "BH-ELECT-004 BH-STATE-001") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");

  for (unsigned epoch = 2; epoch <= 5; epoch++) {
    crash_and_restart(hub);
    const struct message *ack = register_with(conn_open(hub), "A", ", 'instance':'%s'", conn->instance);
    checking("BH-ELECT-004");
    expect_integer(&ack->json, "epoch", epoch);
    checking("BH-STATE-001");
    struct json state = state_read(hub);
    expect_integer(&state, "epoch", epoch);
    expect_integer(&state, "hub_pid", json_integer(&ack->json, "hub_pid"));
  }
}

CASE(takeover, without_a_state_file_the_epoch_is_one, MUST, "BH-ELECT-004 BH-STATE-005") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");

  crash_and_restart(hub);
  hub_kill(hub);
  unlink(hub->state);
  hub_run(hub);
  struct conn *back = conn_open(hub);
  const struct message *ack = register_with(back, "A", ", 'instance':'%s'", conn->instance);
  checking("BH-ELECT-004");
  expect_integer(&ack->json, "epoch", 1);
  checking("BH-STATE-005");
  expect_nobody_active(back); /* nobody says that it was */
}

CASE(takeover, a_wrecked_state_file_costs_no_import, MUST, "BH-STATE-005 BH-ROUTE-012") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *holder = join(hub, "holder");

  export_numbered(hub, 1, 2);
  const struct message *import = hold(holder, 1);
  hub_kill(hub);
  file_write(hub->state, "{\"version\":1,\"epoch\":3,\"active_inst", 35);
  checking("BH-STATE-005");
  hub_run(hub);
  checking("BH-ROUTE-012");
  struct conn *back = come_back(hub, holder);
  ack_import(back, expect_again(back, import, 2));
  make_active(back);
  take_assets(back, numbered(2));
}

CASE(takeover, what_a_crash_left_beside_the_state_file_is_survived, MUST, "BH-STATE-003 BH-ELECT-004") {
  static const char *const left[] = {".hub.tmp", ".tmp", ".new", "~", ".1234"};
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});

  hub_kill(hub);
  for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
    file_write(format("%s%s", hub->state, left[i]), "{\"version\":1,", 13);
  }
  hub_run(hub);
  struct json state = state_read(hub);
  checking("BH-ELECT-004");
  expect_integer(&state, "epoch", 2);
  checking("BH-STATE-003");
  struct conn *conn = join(hub, "A");
  EXPECT(state_has_text(hub, "active_instance.instance", conn->instance), "the next hub writes its state file",
         "it does not name the active instance");
}

/* ---- the former active instance */

CASE(takeover, the_former_active_is_active_again, MUST, "BH-ACT-005 BH-REG-001") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *active = join_active(hub, "active", 1);

  crash_and_restart(hub);
  struct conn *other_back = come_back(hub, other);
  struct conn *back = conn_open(hub);
  const struct message *ack = register_with(back, "active", ", 'instance':'%s'", active->instance);
  checking("BH-REG-001");
  expect_text(&ack->json, "active", active->instance);
  checking("BH-ACT-005");
  expect_active(other_back, active->instance);
  bridge_export(hub, numbered(1));
  take_assets(back, numbered(1));
}

CASE(takeover, a_claim_that_was_answered_outlives_the_hub, MUST, "BH-CLAIM-003 BH-ACT-005") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover,resume", RARE_HEARTBEATS});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");

  request(first, "CLAIM_ACTIVE", NULL);
  request(second, "CLAIM_ACTIVE", NULL);
  hub_kill(hub);
  checking("BH-CLAIM-003");
  struct json state = state_read(hub);
  expect_text(&state, "active_instance.instance", second->instance);
  hub_run(hub);
  checking("BH-ACT-005");
  struct conn *first_back = come_back(hub, first);
  come_back(hub, second);
  expect_active(first_back, second->instance);
}

CASE(takeover, nobody_is_active_before_the_former_is_back, MUST, "BH-ACT-006 BH-ROUTE-004 BH-ACT-005") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *active = join_active(hub, "active", 1);

  crash_and_restart(hub);
  struct conn *other_back = come_back(hub, other);
  checking("BH-ACT-006");
  expect_nobody_active(other_back);
  checking("BH-ROUTE-004");
  bridge_export(hub, numbered(1));
  expect_nothing_more(other_back);
  checking("BH-ACT-005");
  take_assets(come_back(hub, active), numbered(1));
}

CASE(takeover, an_observer_that_is_first_changes_nothing, MUST, "BH-ACT-005 BH-ACT-003") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *active = join(hub, "active");

  crash_and_restart(hub);
  struct conn *observer = observe(hub);
  checking("BH-ACT-003");
  expect_nobody_active(observer);
  checking("BH-ACT-005");
  come_back(hub, active);
  expect_active(observer, active->instance);
}

CASE(takeover, a_claim_ends_the_wait_for_the_former, MUST, "BH-ACT-005 BH-CLAIM-001") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *active = join_active(hub, "active", 1);

  crash_and_restart(hub);
  struct conn *other_back = come_back(hub, other);
  checking("BH-CLAIM-001");
  request(other_back, "CLAIM_ACTIVE", NULL);
  checking("BH-ACT-005");
  come_back(hub, active);
  wait_for_listed(other_back, active->instance);
  expect_still_active(other_back, other->instance);
}

CASE(takeover, a_release_ends_the_wait_for_the_former, MUST, "BH-ACT-005 BH-REL-004") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *active = join_active(hub, "active", 1);

  crash_and_restart(hub);
  struct conn *other_back = come_back(hub, other);
  make_active(other_back);
  request(other_back, "RELEASE_ACTIVE", NULL);
  come_back(hub, active);
  wait_for_listed(other_back, active->instance);
  checking("BH-REL-004");
  expect_nobody_active(other_back);
}

CASE(takeover, who_had_released_is_not_active_again, MUST, "BH-ACT-006 BH-ACT-005") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");

  request(conn, "RELEASE_ACTIVE", NULL);
  crash_and_restart(hub);
  checking("BH-ACT-006");
  expect_nobody_active(come_back(hub, conn));
}

CASE(takeover, a_former_active_that_had_left_is_not_active_again, MUST, "BH-ACT-006 BH-ACT-004") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *active = join(hub, "active");
  struct conn *other = join(hub, "other");

  request(active, "UNREGISTER", NULL);
  checking("BH-ACT-004");
  expect_nobody_active(other);
  crash_and_restart(hub);
  checking("BH-ACT-006");
  expect_nobody_active(come_back(hub, active));
}

CASE(takeover, a_newcomer_into_an_empty_registry_is_active, MUST, "BH-ACT-003 BH-ACT-005") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *active = join(hub, "active");

  crash_and_restart(hub);
  checking("BH-ACT-003");
  struct conn *newcomer = join(hub, "newcomer");
  expect_active(newcomer, newcomer->instance);
  checking("BH-ACT-005");
  come_back(hub, active);
  wait_for_listed(newcomer, active->instance);
  expect_still_active(newcomer, newcomer->instance);
}

CASE(takeover, a_newcomer_among_others_is_not_active, MUST, "BH-ACT-003 BH-ACT-005") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *other = join(hub, "other");
  struct conn *active = join_active(hub, "active", 1);

  crash_and_restart(hub);
  come_back(hub, other);
  checking("BH-ACT-003");
  struct conn *newcomer = join(hub, "newcomer");
  expect_nobody_active(newcomer);
  checking("BH-ACT-005");
  come_back(hub, active);
  expect_active(newcomer, active->instance);
}

/* That a death of the same time-out was counted tells that this one is over too. */
CASE(takeover, a_former_active_that_is_late_is_not_active, MUST, "BH-ACT-005") {
  struct hub *hub = hub_start_with((struct hub_options){SHORT_LIVES});
  struct conn *first = join(hub, "first");
  struct conn *second = join(hub, "second");
  struct conn *active = join_active(hub, "active", 1);

  bridge_export(hub, numbered(1));
  hold(active, 1);
  crash_and_restart(hub);
  struct conn *witness = come_back(hub, first);
  come_back(hub, second);
  pass_entry(hub, "BH-ROUTE-013", "1", "1", "_");
  uint64_t late = now_ms() + 2 * (uint64_t)hub->heartbeat_ms;
  while (expect_heartbeat(witness)->at < late) {
  }
  come_back(hub, active);
  wait_for_listed(witness, active->instance);
  expect_nobody_active(witness);
}

CASE(takeover, one_that_stays_alone_is_active_in_the_end, MUST, "BH-ACT-006") {
  struct hub *hub = hub_start_with((struct hub_options){SHORT_LIVES});
  struct conn *other = join(hub, "other");

  join_active(hub, "active", 1);
  hub_kill(hub);
  uint64_t began = now_ms();
  hub_run(hub);
  uint64_t ready = now_ms();
  struct conn *back = come_back(hub, other);
  const struct message *heartbeat = expect_heartbeat(back);
  /* A hub that finds itself late takes longer. */
  while (json_is_null(&heartbeat->json, "active") && heartbeat->at < ready + 5 * (uint64_t)hub->timeout_ms) {
    heartbeat = expect_heartbeat(back);
  }
  expect_text(&heartbeat->json, "active", back->instance);
  EXPECT(heartbeat->at >= began + hub->timeout_ms, "it is waited for the former active for timeout_ms",
         "another was active after %u ms", (unsigned)(heartbeat->at - began));
}

CASE(takeover, instances_go_on_under_their_ids, MUST, "BH-REG-005 BH-REG-011 BH-REG-004") {
  enum { COUNT = 5 };
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conns[COUNT];

  for (size_t i = 0; i < COUNT; i++) {
    conns[i] = join(hub, "one of five");
  }
  crash_and_restart(hub);
  for (size_t i = 0; i < COUNT; i++) {
    come_back(hub, conns[i]);
  }
  struct conn *newcomer = join(hub, "newcomer");
  const struct message *heartbeat = expect_heartbeat_with(newcomer, "instances");
  checking("BH-REG-011");
  EXPECT(json_count(&heartbeat->json, "instances") == COUNT + 1, "six instances are registered", "%u are listed",
         (unsigned)json_count(&heartbeat->json, "instances"));
  for (size_t i = 0; i < COUNT; i++) {
    checking("BH-REG-005");
    EXPECT(json_find_instance(&heartbeat->json, "instances", conns[i]->instance) >= 0,
           "an instance goes on under its id", "%s is not listed", conns[i]->instance);
    checking("BH-REG-004");
    EXPECT(strcmp(newcomer->instance, conns[i]->instance) != 0, "a newcomer gets an id that nobody has",
           "it got %s too", newcomer->instance);
  }
}

CASE(takeover, the_first_heartbeat_counts_what_was_taken_over, MUST, "BH-TIME-003") {
  struct hub *hub = hub_prepare((struct hub_options){LONG_LIVES});

  plant_spool(hub);
  plant_import(hub, "queue", "00000000000000000001.0123456789abcdef-1.0.0._.json", numbered(1));
  plant_import(hub, "queue", "00000000000000000002.0123456789abcdef-2.1.0.a-holder.json", numbered(2));
  plant_import(hub, "queue", "00000000000000000003.0123456789abcdef-3.1.1._.json", numbered(3));
  plant_import(hub, "parked", "00000000000000000004.0123456789abcdef-4.3.3._.json", numbered(4));
  hub_run(hub);
  const struct message *heartbeat = expect_heartbeat(observe(hub));
  expect_integer(&heartbeat->json, "waiting", 2);
  expect_integer(&heartbeat->json, "parked", 1);
}

/* ---- one hub, and no second */

static bool one_has_ended(void *arg) {
  struct hub *const *hubs = arg;

  return !hubs[0]->running || !hubs[1]->running;
}

CASE(takeover, of_two_started_at_once_one_serves, MUST, "BH-ELECT-001 BH-ELECT-002") {
  for (unsigned i = 0; i < 3; i++) {
    struct hub *first = hub_prepare((struct hub_options){.need = "takeover"});
    struct hub *hubs[] = {first, rival_of(first, first->port)};

    hub_launch(hubs[i % 2]);
    hub_launch(hubs[1 - i % 2]);
    checking("BH-ELECT-001");
    EXPECT(wait_until(one_has_ended, hubs, 10 * deadline_ms()), "one of two hubs ends", "both run on");
    struct hub *winner = hubs[0]->running ? hubs[0] : hubs[1];
    checking("BH-ELECT-002");
    EXPECT(hub_ready_or_ended(winner), "the other of two hubs serves", "it has ended too");
    struct conn *conn = join(winner, "A");
    expect_unharmed(winner, conn);
    hub_end(winner);
  }
}

struct traces {
  ino_t endpoint;
  uint64_t epoch;
  uint64_t hub_pid;
  const char *entry;
};

static struct traces look(struct hub *hub) {
  struct json state = state_read(hub);
  struct stat status = {0};
  size_t count;
  struct spool_entry *entries = spool_list(hub, "queue", &count);

  stat(hub->endpoint, &status);
  return (struct traces){.endpoint = status.st_ino,
                         .epoch = json_integer(&state, "epoch"),
                         .hub_pid = json_integer(&state, "hub_pid"),
                         .entry = count == 1 ? entries[0].name : "(none)"};
}

/* While an import is in hand and a value comes in: both stay as they are. */
static void expect_rival_changes_nothing(bool same_port) {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});
  struct conn *conn = join(hub, "A");
  struct bridge *bridge = bridge_open(hub);

  export_numbered(hub, 1, 1);
  const struct message *import = hold(conn, 1);
  bridge_send_text(bridge, "[{\"id\"");
  struct traces before = look(hub);
  expect_rival_ends(rival_of(hub, same_port ? hub->port : 0));
  struct traces after = look(hub);
  checking("BH-ELECT-002");
  EXPECT(after.endpoint == before.endpoint, "the endpoint stays", "it is another file");
  EXPECT(after.epoch == before.epoch && after.hub_pid == before.hub_pid, "the state file stays the hub's own",
         "`epoch` was %u and is %u, `hub_pid` was %u and is %u", (unsigned)before.epoch, (unsigned)after.epoch,
         (unsigned)before.hub_pid, (unsigned)after.hub_pid);
  EXPECT(strcmp(after.entry, before.entry) == 0, "the import in hand keeps its name", "it was %s and is %s",
         before.entry, after.entry);
  bridge_send_text(bridge, ":2}]");
  bridge_half_close(bridge);
  bridge_expect_end(bridge);
  ack_import(conn, import);
  take_assets(conn, numbered(2));
}

CASE(takeover, a_rival_for_the_port_changes_nothing, MUST, "BH-ELECT-001 BH-ELECT-002") {
  checking("BH-ELECT-001");
  expect_rival_changes_nothing(true);
}

CASE(takeover, a_rival_for_the_spool_changes_nothing, MUST, "BH-ELECT-001 BH-ELECT-002") {
  checking("BH-ELECT-001");
  expect_rival_changes_nothing(false);
}

CASE(takeover, a_hub_of_other_paths_on_a_held_port_touches_nothing, MUST, "BH-ELECT-001 BH-ELECT-002") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover"});
  struct conn *conn = join(hub, "A");
  struct hub *rival = hub_prepare((struct hub_options){.port = hub->port});

  plant_spool(rival);
  plant_import(rival, "tmp", "unfinished", "[{");
  plant_import(rival, "queue", "00000000000000000001.0123456789abcdef-1.0.0._.json", numbered(1));
  checking("BH-ELECT-001");
  expect_rival_ends(rival);
  checking("BH-ELECT-002");
  EXPECT(!endpoint_is_there(rival), "it has not touched the endpoint", "there is one");
  EXPECT(access(rival->state, F_OK) != 0, "it has not written the state file", "there is one");
  EXPECT(access(format("%s/tmp/unfinished", rival->spool), F_OK) == 0 && spool_count(rival, "queue") == 1,
         "it has not touched the spool's imports", "they are changed");
  expect_unharmed(hub, conn);
}

CASE(takeover, the_next_hub_may_be_on_another_port, MUST, "BH-ELECT-001 BH-SPOOL-007") {
  struct hub *hub = hub_start_with((struct hub_options){LONG_LIVES});

  bridge_export(hub, numbered(1));
  hub_kill(hub);
  struct hub *next = rival_of(hub, 0);
  checking("BH-ELECT-001");
  hub_run(next); /* the dead hub's lock is free */
  checking("BH-SPOOL-007");
  take_assets(join(next, "A"), numbered(1));
}

CASE(takeover, what_is_written_in_the_lock_file_holds_nobody_off, MUST, "BH-ELECT-001") {
  struct hub *hub = hub_prepare((struct hub_options){.need = "spool,takeover"});
  const char *text = format("%d\n", (int)getpid());

  plant_spool(hub);
  file_write(format("%s/lock", hub->spool), text, strlen(text));
  hub_run(hub);
  join(hub, "A");
}

/* An exclusive lock on the whole file, as another make of hub takes it. */
static int open_lock(struct hub *hub) {
  int file = open(format("%s/lock", hub->spool), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  if (file < 0) {
    skip("the lock file cannot be opened");
  }
  return file;
}

CASE(takeover, another_makes_lock_keeps_it_out, MUST, "BH-ELECT-001 BH-ELECT-002") {
  struct hub *hub = hub_prepare((struct hub_options){.need = "spool,takeover"});
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

  plant_spool(hub);
  int file = open_lock(hub);
  if (fcntl(file, F_SETLK, &lock) != 0) {
    skip("files cannot be locked here");
  }
  checking("BH-ELECT-001");
  expect_rival_ends(hub);
  checking("BH-ELECT-002");
  EXPECT(!endpoint_is_there(hub) && access(hub->state, F_OK) != 0,
         "without the lock it touches neither endpoint nor state file", "there is one");
  close(file);
  hub_run(hub);
  join(hub, "A");
}

static bool is_lock_free(void *arg) {
  int file = open_lock(arg);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  bool is_free = fcntl(file, F_SETLK, &lock) == 0;

  close(file);
  return is_free;
}

CASE(takeover, its_lock_keeps_another_make_out, MUST, "BH-ELECT-001") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool,takeover"});
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int file = open_lock(hub);
  bool told = fcntl(file, F_GETLK, &lock) == 0;

  close(file);
  EXPECT(told && lock.l_type != F_UNLCK, "the hub has locked the file `lock` in the spool by fcntl", "it is free");
  hub_kill(hub);
  EXPECT(wait_until(is_lock_free, hub, deadline_ms()), "a dead hub's lock is free", "it is held");
}

/* A listener that would share its port with others that set SO_REUSEPORT; -1: somebody has the port. */
static int listen_and_share(uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;

  fcntl(listener, F_SETFD, FD_CLOEXEC);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0) {
    close(listener);
    return -1;
  }
  return listener;
}

CASE(takeover, a_hub_shares_its_port_with_nobody, MUST, "BH-ELECT-001") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "takeover"});
  int listener = listen_and_share(hub->port);

  close(listener);
  EXPECT(listener < 0, "nobody else can listen on the hub's port, also with SO_REUSEPORT", "that works");
}

CASE(takeover, a_port_that_something_else_holds_is_left_alone, MUST, "BH-ELECT-001 BH-ELECT-002") {
  struct hub *hub = hub_prepare((struct hub_options){.need = "takeover"});
  int listener = listen_and_share(hub->port);

  if (listener < 0) {
    skip("port %u cannot be listened on", hub->port);
  }
  checking("BH-ELECT-001");
  expect_rival_ends(hub);
  checking("BH-ELECT-002");
  EXPECT(!endpoint_is_there(hub) && access(hub->state, F_OK) != 0,
         "without the port it touches neither endpoint nor state file", "there is one");
  close(listener);
  hub_run(hub);
}

CASE(takeover, an_endpoint_that_cannot_be_opened_releases_port_and_lock, MUST, "BH-ELECT-005") {
  struct hub *hub = hub_prepare((struct hub_options){.need = "takeover"});

  mkdir(hub->endpoint, 0700);
  file_write(format("%s/in the way", hub->endpoint), "", 0);
  hub_launch(hub);
  needs_endpoint_file(hub);
  expect_does_not_serve(hub);
  EXPECT(hub_log_size(hub) > 0, "it says why", "it has said nothing");
  EXPECT(!bridge_open_at(hub, "127.0.0.1", hub->port)->connected, "it has released the port",
         "somebody still listens there");
  unlink(format("%s/in the way", hub->endpoint));
  rmdir(hub->endpoint);
  hub_run(hub);
}
