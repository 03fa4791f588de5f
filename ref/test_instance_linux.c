/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Instances with real threads, sockets and processes, in a directory and on a port of the test's own. */

enum { PATIENCE_S = 10, TIMEOUT_MS = 400, HEARTBEAT_MS = 50, STOP_MS = 100, SLACK_MS = 10000, PATH_ROOM = 128 };

static char directory[PATH_ROOM];
static char endpoint[PATH_ROOM * 2];
static char state[PATH_ROOM * 2];
static char spool[PATH_ROOM * 2];
static uint16_t port;
static char why[BH_TEXT_MAX];

/* An instance, and a semaphore that its thread posts when there is something to poll. */
typedef struct {
  bh_instance *instance;
  sem_t news;
} actor;

static uint64_t now_ms(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint16_t free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int s = socket(AF_INET, SOCK_STREAM, 0);

  cr_assert(bind(s, (struct sockaddr *)&address, size) == 0 && getsockname(s, (struct sockaddr *)&address, &size) == 0);
  close(s);
  return ntohs(address.sin_port);
}

static void begin(void) {
  snprintf(directory, sizeof directory, "/tmp/bh-instance-XXXXXX");
  cr_assert_not_null(mkdtemp(directory));
  snprintf(endpoint, sizeof endpoint, "%s/endpoint", directory);
  snprintf(state, sizeof state, "%s/state", directory);
  snprintf(spool, sizeof spool, "%s/spool", directory);
  port = free_port();
}

static void end(void) {
  pid_t child = fork();

  if (child == 0) {
    execlp("rm", "rm", "-rf", directory, (char *)NULL);
    _exit(1);
  }
  waitpid(child, NULL, 0);
}

TestSuite(instance, .init = begin, .fini = end, .timeout = 60);

static void on_news(void *ctx) {
  sem_post(ctx);
}

static bh_instance_config settings(const char *name) {
  return (bh_instance_config){.endpoint = endpoint,
                              .state = state,
                              .spool = spool,
                              .port = port,
                              .heartbeat_ms = HEARTBEAT_MS,
                              .timeout_ms = TIMEOUT_MS,
                              .name = name,
                              .may_serve = true};
}

static void start(actor *a, bh_instance_config config) {
  sem_init(&a->news, 0, 0);
  config.notify = on_news;
  config.notify_ctx = &a->news;
  cr_assert_eq(bh_instance_start(&config, &a->instance, why, sizeof why), BH_OK, "%s", why);
}

/* It waits for nobody; how long that takes is for the machine to say. */
static void stop(actor *a) {
  uint64_t began = now_ms();

  bh_instance_stop(a->instance);
  cr_expect_leq(now_ms() - began, STOP_MS + SLACK_MS, "stopped after %lu ms", (unsigned long)(now_ms() - began));
  sem_destroy(&a->news);
}

/* Polls until an event of that kind comes; `mode` counts where it is a MODE. */
static bh_instance_event await(actor *a, bh_instance_event_kind kind, bh_mode mode) {
  struct timespec until;
  bh_instance_event event;

  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE_S;
  for (;;) {
    while (bh_instance_poll(a->instance, &event)) {
      if (event.kind == kind && (kind != BH_INSTANCE_MODE || event.mode == mode)) {
        return event;
      }
    }
    while (sem_timedwait(&a->news, &until) != 0) {
      cr_assert_eq(errno, EINTR, "event %d did not come", (int)kind);
    }
  }
}

static bh_instance_event awaits(actor *a, bh_instance_event_kind kind) {
  return await(a, kind, BH_MODE_CONNECTING);
}

static void awaits_mode(actor *a, bh_mode mode) {
  await(a, BH_INSTANCE_MODE, mode);
}

static int connect_to_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (connect(s, (struct sockaddr *)&address, sizeof address) != 0) {
    close(s);
    return -1;
  }
  return s;
}

/* As Bridge does, and then waits until the hub has it (section 6). */
static void export(const char *assets) {
  char rest[16];
  int s = connect_to_port();

  cr_assert_geq(s, 0);
  cr_assert_eq(write(s, assets, strlen(assets)), (ssize_t)strlen(assets));
  shutdown(s, SHUT_WR);
  cr_assert_eq(read(s, rest, sizeof rest), 0);
  close(s);
}

static size_t count_entries(const char *path) {
  DIR *entries = opendir(path);
  size_t count = 0;

  while (readdir(entries) != NULL) {
    count++;
  }
  closedir(entries);
  return count;
}

/* A thread that was joined stands there a moment longer. */
static void awaits_entries(const char *path, size_t most) {
  uint64_t end = now_ms() + PATIENCE_S * 1000;

  while (count_entries(path) > most) {
    cr_assert_lt(now_ms(), end, "%zu are in %s, and were %zu", count_entries(path), path, most);
    poll(NULL, 0, 1);
  }
}

static bh_instance_view *view_of(actor *a) {
  static bh_instance_view view;

  bh_instance_status(a->instance, &view);
  return &view;
}

static int listen_on_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int yes = 1;
  int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(s, (struct sockaddr *)&address, sizeof address) != 0 || listen(s, 1) != 0) {
    close(s);
    return -1;
  }
  return s;
}

/* ---- alone */

Test(instance, alone_it_is_hub_and_client_and_gets_what_bridge_exports) {
  actor a;
  bh_instance_event event;

  start(&a, settings("alone"));
  event = awaits(&a, BH_INSTANCE_REGISTERED);
  cr_assert_eq(event.hub_pid, (uint32_t)getpid());
  cr_assert_eq(event.epoch, 1);
  awaits(&a, BH_INSTANCE_ACTIVE);
  cr_assert_eq(view_of(&a)->mode, BH_MODE_HUB);
  export("[{\"id\":\"a\"}]");
  event = awaits(&a, BH_INSTANCE_IMPORT);
  cr_assert_str_eq(event.assets, "[{\"id\":\"a\"}]");
  cr_assert_eq(bh_instance_ack(a.instance, event.import), BH_OK);
  export("[{\"id\":\"b\"}]");
  event = awaits(&a, BH_INSTANCE_IMPORT);
  cr_assert_str_eq(event.assets, "[{\"id\":\"b\"}]");
  cr_assert_eq(bh_instance_refuse(a.instance, event.import, NULL), BH_OK);
  while (view_of(&a)->parked == 0) {
    awaits(&a, BH_INSTANCE_STATUS);
  }
  stop(&a);
  cr_assert_lt(connect_to_port(), 0, "the port is still listened on");
  cr_assert_neq(access(state, F_OK), 0, "the state file is still there");
}

Test(instance, commands_that_come_early_wait_and_what_fails_is_told) {
  bh_instance_config config = settings("early");
  actor a;
  bh_instance_event event;

  config.role = BH_ROLE_OBSERVER;
  start(&a, config);
  cr_assert_eq(bh_instance_claim(a.instance, "nobody"), BH_OK);
  event = awaits(&a, BH_INSTANCE_FAILED);
  cr_assert_eq(event.command, BH_COMMAND_CLAIM);
  cr_assert_str_eq(event.code, "no-such-instance");
  cr_assert_eq(bh_instance_ack(a.instance, "none"), BH_OK);
  event = awaits(&a, BH_INSTANCE_FAILED);
  cr_assert_eq(event.command, BH_COMMAND_ACK);
  cr_assert_str_eq(event.import, "none");
  cr_assert_eq(bh_instance_ack(a.instance, NULL), BH_E_INVALID);
  cr_assert_eq(bh_instance_claim(a.instance, ""), BH_E_INVALID);
  stop(&a);
}

/* ---- takeover */

Test(instance, when_the_hub_stops_the_other_takes_over_and_is_active_again) {
  actor a;
  actor b;
  bh_instance_event before;
  bh_instance_event after;
  uint64_t began;

  start(&a, settings("first"));
  awaits_mode(&a, BH_MODE_HUB);
  start(&b, settings("second"));
  before = awaits(&b, BH_INSTANCE_REGISTERED);
  cr_assert_eq(view_of(&b)->mode, BH_MODE_CLIENT);
  cr_assert_eq(bh_instance_claim(b.instance, NULL), BH_OK);
  awaits(&b, BH_INSTANCE_ACTIVE);
  began = now_ms();
  stop(&a);
  awaits(&b, BH_INSTANCE_HUB_LOST);
  after = awaits(&b, BH_INSTANCE_REGISTERED);
  cr_expect_leq(now_ms() - began, 600, "took %lu ms", (unsigned long)(now_ms() - began));
  cr_assert_str_eq(after.instance, before.instance);
  cr_assert_eq(after.epoch, before.epoch + 1);
  while (!view_of(&b)->active) {
    awaits(&b, BH_INSTANCE_STATUS);
  }
  cr_assert_eq(view_of(&b)->mode, BH_MODE_HUB);
  export("[{}]");
  awaits(&b, BH_INSTANCE_IMPORT);
  stop(&b);
}

/* A process that is hub and nothing else. It says by a pipe when it is. */
static pid_t start_process(void) {
  int ready[2];
  char octet;
  pid_t child;

  cr_assert_eq(pipe(ready), 0);
  child = fork();
  if (child == 0) {
    actor a;

    start(&a, settings("other process"));
    awaits_mode(&a, BH_MODE_HUB);
    (void)!write(ready[1], "1", 1);
    pause();
    _exit(0);
  }
  close(ready[1]);
  cr_assert_eq(read(ready[0], &octet, 1), 1);
  close(ready[0]);
  return child;
}

Test(instance, when_the_hub_is_killed_what_waits_arrives_at_the_next) {
  pid_t hub = start_process();
  bh_instance_config config = settings("survivor");
  actor b;
  bh_instance_event event;

  start(&b, config);
  event = awaits(&b, BH_INSTANCE_REGISTERED);
  cr_assert_eq(event.hub_pid, (uint32_t)hub);
  export("[{\"id\":\"waits\"}]");
  kill(hub, SIGKILL);
  waitpid(hub, NULL, 0);
  event = awaits(&b, BH_INSTANCE_REGISTERED);
  cr_assert_eq(event.hub_pid, (uint32_t)getpid());
  cr_assert_eq(event.epoch, 2);
  cr_assert_eq(bh_instance_claim(b.instance, NULL), BH_OK);
  event = awaits(&b, BH_INSTANCE_IMPORT);
  cr_assert_str_eq(event.assets, "[{\"id\":\"waits\"}]");
  stop(&b);
}

/* ---- what stands in the way */

Test(instance, a_stopped_hub_is_told_and_stopping_waits_for_nobody) {
  pid_t hub = start_process();
  actor b;

  start(&b, settings("waits"));
  awaits(&b, BH_INSTANCE_REGISTERED);
  kill(hub, SIGSTOP);
  awaits_mode(&b, BH_MODE_NOT_RESPONDING);
  cr_assert_neq(view_of(&b)->problem[0], '\0');
  stop(&b);
  start(&b, settings("begins late"));
  stop(&b);
  kill(hub, SIGKILL);
  waitpid(hub, NULL, 0);
}

Test(instance, a_registered_one_stops_though_its_hub_is_stopped) {
  pid_t hub = start_process();
  actor b;

  start(&b, settings("leaves"));
  awaits(&b, BH_INSTANCE_REGISTERED);
  kill(hub, SIGSTOP);
  stop(&b);
  kill(hub, SIGKILL);
  waitpid(hub, NULL, 0);
}

Test(instance, a_port_that_something_else_has_is_told) {
  int holder = listen_on_port();
  actor a;

  cr_assert_geq(holder, 0);
  start(&a, settings("finds it taken"));
  awaits_mode(&a, BH_MODE_PORT_TAKEN);
  cr_expect_eq(view_of(&a)->port_holder_pid, (uint32_t)getpid());
  cr_expect_not_null(strstr(view_of(&a)->problem, "taken by another part of this process"), "%s", view_of(&a)->problem);
  close(holder);
  awaits_mode(&a, BH_MODE_HUB);
  cr_assert_str_eq(view_of(&a)->problem, "");
  cr_expect_eq(view_of(&a)->port_holder_pid, 0);
  stop(&a);
}

/* A program of its own, whose name is no ASCII. */
static pid_t start_stranger(const char *name) {
  char path[PATH_ROOM * 2];
  char number[16];
  pid_t child;

  snprintf(path, sizeof path, "%s/%s", directory, name);
  snprintf(number, sizeof number, "%u", port);
  cr_assert_eq(symlink("/usr/bin/python3", path), 0);
  child = fork();
  if (child == 0) {
    execl(path, path, "-c",
          "import socket, sys, time\n"
          "s = socket.socket()\n"
          "s.bind((sys.argv[2], int(sys.argv[1])))\n"
          "s.listen()\n"
          "time.sleep(60)",
          number, "0.0.0.0", (char *)NULL);
    _exit(1);
  }
  return child;
}

Test(instance, the_program_that_has_the_port_is_named) {
  pid_t stranger = start_stranger("Schnürchen");
  const struct timespec soon = {.tv_nsec = 1000000};
  char expected[PATH_ROOM];
  actor a;
  int s;

  do {
    nanosleep(&soon, NULL);
    s = connect_to_port();
  } while (s < 0);
  close(s);
  start(&a, settings("finds it taken"));
  awaits_mode(&a, BH_MODE_PORT_TAKEN);
  cr_expect_eq(view_of(&a)->port_holder_pid, (uint32_t)stranger);
  cr_expect_str_eq(view_of(&a)->port_holder, "Schnürchen");
  snprintf(expected, sizeof expected, "port %u is taken by Schnürchen (process %ld), which is not a hub of this group",
           port, (long)stranger);
  cr_expect_not_null(strstr(view_of(&a)->problem, expected), "%s", view_of(&a)->problem);
  kill(stranger, SIGKILL);
  waitpid(stranger, NULL, 0);
  awaits_mode(&a, BH_MODE_HUB);
  stop(&a);
}

/* The system's lock on the spool does not keep a process out of its own. */
Test(instance, two_in_one_process_are_never_both_hub) {
  bh_instance_config config = settings("second");
  uint16_t other;
  actor a;
  actor b;

  start(&a, settings("first"));
  awaits_mode(&a, BH_MODE_HUB);
  do {
    other = free_port();
  } while (other == port);
  config.port = other;
  start(&b, config);
  awaits_mode(&b, BH_MODE_CLIENT);
  stop(&a);
  awaits_mode(&b, BH_MODE_HUB);
  stop(&b);
}

Test(instance, a_newer_one_with_its_id_ends_it) {
  bh_instance_config config = settings("copy");
  actor a;
  actor b;
  actor c;
  bh_instance_event event;

  start(&a, settings("hub"));
  awaits_mode(&a, BH_MODE_HUB);
  start(&b, settings("original"));
  event = awaits(&b, BH_INSTANCE_REGISTERED);
  config.instance = event.instance;
  start(&c, config);
  awaits(&c, BH_INSTANCE_REGISTERED);
  awaits(&b, BH_INSTANCE_SUPERSEDED);
  cr_assert_eq(view_of(&b)->mode, BH_MODE_SUPERSEDED);
  /* Each command ends in an event, also where nothing can be asked any more. */
  cr_assert_eq(bh_instance_claim(b.instance, NULL), BH_OK);
  cr_assert_eq(awaits(&b, BH_INSTANCE_FAILED).command, BH_COMMAND_CLAIM);
  stop(&c);
  stop(&b);
  stop(&a);
}

/* ---- what is left */

/* ---- another name */

static const bh_instance_info *info_of(actor *a, const char *instance) {
  const bh_instance_view *view = view_of(a);

  for (size_t i = 0; i < view->instance_count; i++) {
    if (strcmp(view->instances[i].instance, instance) == 0) {
      return &view->instances[i];
    }
  }
  return NULL;
}

static void await_name(actor *a, const char *instance, const char *name) {
  const bh_instance_info *info;

  while ((info = info_of(a, instance)) == NULL || strcmp(info->name, name) != 0) {
    awaits(a, BH_INSTANCE_STATUS);
  }
}

/* It keeps what it is and what it has in hand, is told of no loss, and the hub in its process goes on. */
static void renames(actor *a, actor *other) {
  char instance[BH_INSTANCE_ID_MAX + 1];
  bh_instance_event event;
  uint64_t epoch = view_of(a)->epoch;

  memcpy(instance, view_of(a)->instance, sizeof instance);
  cr_assert_eq(bh_instance_claim(a->instance, NULL), BH_OK);
  awaits(a, BH_INSTANCE_DONE);
  export("[{\"id\":\"before\"}]");
  event = awaits(a, BH_INSTANCE_IMPORT);
  cr_assert_eq(bh_instance_rename(a->instance, "castle"), BH_OK);
  await_name(other, instance, "castle");
  cr_assert_eq(bh_instance_ack(a->instance, event.import), BH_OK);
  while (!view_of(a)->active || strcmp(view_of(a)->instance, instance) != 0) {
    if (bh_instance_poll(a->instance, &event)) {
      cr_assert_neq(event.kind, BH_INSTANCE_HUB_LOST);
    }
  }
  cr_assert_eq(view_of(a)->epoch, epoch);
  export("[{\"id\":\"after\"}]");
  event = awaits(a, BH_INSTANCE_IMPORT);
  cr_assert_str_eq(event.assets, "[{\"id\":\"after\"}]");
  cr_assert_eq(bh_instance_ack(a->instance, event.import), BH_OK);
}

Test(instance, a_new_name_is_told_and_changes_nothing_else) {
  actor a;
  actor b;

  start(&a, settings("forest"));
  awaits_mode(&a, BH_MODE_HUB);
  start(&b, settings("desert"));
  awaits_mode(&b, BH_MODE_CLIENT);
  renames(&a, &b);
  renames(&b, &a);
  cr_assert_eq(bh_instance_rename(a.instance, ""), BH_E_INVALID);
  cr_assert_eq(bh_instance_rename(a.instance, "\xff"), BH_E_INVALID);
  stop(&b);
  stop(&a);
}

Test(instance, a_new_name_that_comes_with_a_claim_loses_neither) {
  char instance[BH_INSTANCE_ID_MAX + 1];
  actor a;
  actor b;

  start(&a, settings("forest"));
  cr_assert_eq(bh_instance_claim(a.instance, NULL), BH_OK);
  cr_assert_eq(bh_instance_rename(a.instance, "castle"), BH_OK);
  awaits(&a, BH_INSTANCE_DONE);
  memcpy(instance, view_of(&a)->instance, sizeof instance);
  start(&b, settings("desert"));
  awaits(&b, BH_INSTANCE_REGISTERED);
  await_name(&b, instance, "castle");
  stop(&b);
  stop(&a);
}

Test(instance, it_tells_where_its_things_lie) {
  bh_instance_paths paths;
  actor a;

  start(&a, settings("forest"));
  bh_instance_locate(a.instance, &paths);
  cr_assert_str_eq(paths.endpoint, endpoint);
  cr_assert_str_eq(paths.state, state);
  cr_assert_str_eq(paths.spool, spool);
  stop(&a);
}

/* By what a debugger shows, and the list of an application's threads. */
static size_t count_threads_named(const char *name) {
  DIR *threads = opendir("/proc/self/task");
  struct dirent *thread;
  size_t count = 0;

  while ((thread = readdir(threads)) != NULL) {
    char path[300];
    char found[32] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%s/comm", thread->d_name);
    file = fopen(path, "r");
    if (file != NULL) {
      count += fscanf(file, "%31[^\n]", found) == 1 && strcmp(found, name) == 0;
      fclose(file);
    }
  }
  closedir(threads);
  return count;
}

Test(instance, its_thread_bears_its_name) {
  actor a;

  cr_assert_eq(count_threads_named("bridgehub"), 0);
  start(&a, settings("forest"));
  cr_assert_eq(count_threads_named("bridgehub"), 1);
  stop(&a);
}

Test(instance, nothing_is_left_of_fifty) {
  size_t files = 0;
  size_t threads = 0;
  actor a;

  for (int i = 0; i < 50; i++) {
    start(&a, settings("again"));
    if (i % 2 == 0) {
      awaits_mode(&a, BH_MODE_HUB);
    }
    stop(&a);
    if (i == 0) { /* by now what the libraries keep for good is open */
      files = count_entries("/proc/self/fd");
      threads = count_entries("/proc/self/task");
    }
  }
  awaits_entries("/proc/self/fd", files);
  awaits_entries("/proc/self/task", threads);
}

/* BH-ELECT-012, for a child that never executes another program. */
Test(instance, a_forked_child_keeps_neither_port_nor_connection) {
  pid_t child;
  int listener;
  actor a;
  actor b;

  start(&a, settings("parent"));
  awaits_mode(&a, BH_MODE_HUB);
  start(&b, settings("client"));
  awaits(&b, BH_INSTANCE_REGISTERED);
  child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  while (view_of(&a)->instance_count < 2) {
    awaits(&a, BH_INSTANCE_STATUS);
  }
  stop(&b);
  while (view_of(&a)->instance_count > 1) { /* the hub sees it leave */
    awaits(&a, BH_INSTANCE_STATUS);
  }
  stop(&a);
  listener = listen_on_port();
  cr_expect_geq(listener, 0, "the child holds the port");
  close(listener);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

/* ---- wrong configs */

static void is_refused(bh_instance_config config, const char *says) {
  bh_instance *instance;

  why[0] = '\0';
  cr_expect_eq(bh_instance_start(&config, &instance, why, sizeof why), BH_E_INVALID, "%s", says);
  cr_expect_null(instance);
  cr_expect_not_null(strstr(why, says), "says: %s", why);
}

Test(instance, a_wrong_config_is_refused_and_why_is_said) {
  static char longest[BH_NAME_MAX + 2];
  bh_instance_config config = settings("");

  memset(longest, 'x', sizeof longest - 1);
  is_refused(config, "a name");
  config.name = NULL;
  is_refused(config, "a name");
  config.name = longest;
  is_refused(config, "a name");
  config.name = "\xff";
  is_refused(config, "UTF-8");
  config = settings("x");
  config.instance = "a b";
  is_refused(config, "'a b'");
  config = settings("x");
  config.window = BH_WINDOW_MAX + 1;
  is_refused(config, "a window");
  config = settings("x");
  config.group = "a/b";
  is_refused(config, "'a/b'");
  config = settings("x");
  config.group = "other";
  config.port = 0;
  is_refused(config, "group other needs a port");
  config = settings("x");
  config.heartbeat_ms = TIMEOUT_MS;
  is_refused(config, "heartbeat_ms");
  config = settings("x");
  config.endpoint = "";
  is_refused(config, "endpoint");
  config = settings("x");
  config.spool = "";
  is_refused(config, "spool");
  config = settings("x");
  config.also_port_count = BH_ALSO_PORTS_MAX + 1;
  is_refused(config, "further ports");
  config = settings("x");
  config.role = (bh_role)7;
  is_refused(config, "no role");
}
