/* SPDX-License-Identifier: MIT */
/* A hub under test, with a directory, a port and a log of its own. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"

#define START_MS 10000
#define HOPELESS_START_MS 500
/* A case waits for as many of them, at most. */
#define TIMEOUTS_A_CASE 12
/* Above it nothing is waited for: the case that is about the declared timings says so. */
#define DECLARED_MAX_MS 30000
#define PORT_ATTEMPTS 3

struct hub_process {
  struct hub *hub;
  struct process process;
  struct placeholder values[9];
  struct conn *probe, *attempt;
  const char *excuse; /* of the last attempt */
  const char *survives;
};

static unsigned hub_count;

/* ------------------------------------------------------------------------------------------------ what is its own */

static char *path_in(const struct hub *hub, const char *given, const char *own) {
  const char *name = given ? given : own;
  return strchr(name, '/') ? format("%s", name) : format("%s/%s", hub->dir, name);
}

/* What all cases of a section are about. */
static const struct {
  const char *section, *need;
} needs[] = {
    {"spool", "spool"},       {"spool_trouble", "spool"}, {"crash", "spool,takeover,resume,resets"},
    {"election", "takeover"}, {"takeover", "takeover"},   {"state", "state"},
};

static bool names_feature(const char *need, const char *feature) {
  return strstr(format(",%s,", need), format(",%s,", feature)) != NULL;
}

/* With what this hub is to have beside that; each feature is named once. */
static const char *need_of(const char *more) {
  const char *need = "";
  for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
    if (strcmp(needs[i].section, criterion_current_test->category) == 0) {
      need = needs[i].need;
    }
  }
  for (const char *word = more ? more : ""; *word;) {
    size_t size = strcspn(word, ",");
    char *feature = format("%.*s", (int)size, word);
    need = names_feature(need, feature) ? need : format("%s%s%s", need, *need ? "," : "", feature);
    word += size + (word[size] == ',');
  }
  return need;
}

/* A hub that is not told these cannot do what the feature is about. */
static void need_placeholder(const char *need, const char *feature, const char *placeholder) {
  if (names_feature(need, feature) && !strstr(environment(ENV_HUB), placeholder)) {
    unimplemented("the command line has no %s", placeholder);
  }
}

struct hub *hub_prepare(struct hub_options options) {
  struct hub *hub = allocate(sizeof *hub);
  struct hub_process *process = allocate(sizeof *process);
  hub->process = process;
  hub->dir = private_directory();
  const char *suffix = options.group && *options.group ? format(".%s", options.group) : "";
  hub->endpoint = path_in(hub, options.endpoint, format("QuixelBridge_IPC.sock%s", suffix));
  hub->state = path_in(hub, options.state, format("QuixelBridge_Hub.json%s", suffix));
  hub->spool = path_in(hub, options.spool, format("QuixelBridge_Spool%s", suffix));
  hub->port = options.port ? options.port : free_port();
  hub->also_port = free_port();
  hub->heartbeat_ms = scaled_heartbeat_ms(options.heartbeat_ms, 100);
  hub->timeout_ms = scaled_timeout_ms(options.timeout_ms, 1000);
  case_timeout_ms(hub->timeout_ms);

  process->hub = hub;
  process->survives = options.survives ? options.survives : "BH-IUT-001";
  process->values[0] = (struct placeholder){"endpoint", hub->endpoint};
  process->values[1] = (struct placeholder){"state", hub->state};
  process->values[2] = (struct placeholder){"spool", hub->spool};
  process->values[3] = (struct placeholder){"group", options.group ? options.group : ""};
  process->values[4] = (struct placeholder){"heartbeat_ms", format("%u", hub->heartbeat_ms)};
  process->values[5] = (struct placeholder){"timeout_ms", format("%u", hub->timeout_ms)};
  process->values[6] = (struct placeholder){"need", need_of(options.need)};
  need_placeholder(process->values[6].value, "also-port", "{also_port}");
  need_placeholder(process->values[6].value, "groups", "{group}");
  process->process = (struct process){.state = {&hub->running, &hub->exit_status, &hub->exit_signal},
                                      .what = "hub",
                                      .lane = ++hub_count == 1 ? "hub" : format("hub %u", hub_count),
                                      .dir = hub->dir};
  process_add(&process->process);
  return hub;
}

char *hub_path(const struct hub *hub, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  char *path = format("%s/%s", hub->dir, format_list(pattern, args));
  va_end(args);
  return path;
}

const char *hub_log(const struct hub *hub) {
  const bh_buffer *log = &hub->process->process.log;
  return format("%.*s", (int)log->size, log->size ? (const char *)log->octets : "");
}

size_t hub_log_size(const struct hub *hub) {
  return hub->process->process.log.size;
}

/* --------------------------------------------------------------------------------------------------------- start */

void hub_launch(struct hub *hub) {
  struct hub_process *process = hub->process;
  process->probe = NULL;
  process->excuse = "";
  process->values[7] = (struct placeholder){"port", format("%u", hub->port)};
  process->values[8] = (struct placeholder){"also_port", format("%u", hub->also_port)};
  process_start(&process->process, fill_in(environment(ENV_HUB), process->values, 9));
}

static bool is_ready_or_ended(void *arg) {
  struct hub_process *process = arg;
  if (!process->hub->running || process->probe) {
    return true;
  }
  if (!process->attempt) {
    process->attempt = conn_begin(process->hub);
  }
  switch (conn_stage(process->attempt)) {
  case CONN_CONNECTED:
    process->probe = process->attempt;
    process->attempt = NULL;
    return true;
  case CONN_FAILED:
    process->excuse = conn_excuse(process->attempt);
    process->attempt = NULL;
    return false;
  default:
    return false;
  }
}

static uint64_t start_ms(void) {
  bool hopeless = has_learned(NOT_READY) && !has_learned(READY);
  return (uint64_t)((hopeless ? HOPELESS_START_MS : START_MS) * time_scale());
}

static _Noreturn void hub_is_unimplemented(void) {
  unimplemented("the hub ended with exit status %d before it was ready", UNIMPLEMENTED_STATUS);
}

/* False: it has ended instead. */
static bool wait_ready(struct hub *hub) {
  struct hub_process *process = hub->process;
  uint64_t ms = start_ms();
  bool over = wait_until(is_ready_or_ended, process, ms);
  if (process->attempt) {
    conn_abandon(process->attempt);
  }
  process->attempt = NULL;
  if (!over) {
    learn(NOT_READY);
    fail_as(process->survives, "the endpoint takes a connection", "none %g s after the hub was started%s",
            (double)ms / 1000, process->excuse);
  }
  if (!hub->running && hub->exit_status == UNIMPLEMENTED_STATUS) {
    hub_is_unimplemented();
  }
  if (hub->running) {
    learn(READY);
  }
  return hub->running;
}

bool hub_ready_or_ended(struct hub *hub) {
  if (!wait_ready(hub)) {
    return false;
  }
  hub->process->process.may_end = false;
  record_event(hub->process->process.lane, "is ready");
  return true;
}

void hub_ready(struct hub *hub) {
  if (!hub_ready_or_ended(hub)) {
    crashed("the hub %s before its endpoint took a connection", process_ending(&hub->process->process));
  }
}

void hub_run(struct hub *hub) {
  hub_launch(hub);
  /* Between our look at the port and the hub's, another program may have taken it. */
  for (int attempt = 1; attempt < PORT_ATTEMPTS && !wait_ready(hub) && !port_is_free(hub->port); attempt++) {
    hub->port = free_port();
    hub_launch(hub);
  }
  hub_ready(hub);
}

struct hub *hub_start_with(struct hub_options options) {
  struct hub *hub = hub_prepare(options);
  hub_run(hub);
  return hub;
}

struct hub *hub_start(void) {
  return hub_start_with((struct hub_options){0});
}

/* 0: there is none that one could wait for. */
static uint32_t declared(const struct message *ack, const char *member) {
  uint64_t ms = json_is_integer(&ack->json, member) ? json_integer(&ack->json, member) : 0;
  return ms <= DECLARED_MAX_MS ? (uint32_t)ms : 0;
}

void hub_follow(struct hub *hub, const struct message *ack) {
  uint32_t heartbeat_ms = declared(ack, "heartbeat_ms"), timeout_ms = declared(ack, "timeout_ms");
  if (!heartbeat_ms || !timeout_ms || (heartbeat_ms == hub->heartbeat_ms && timeout_ms == hub->timeout_ms)) {
    return;
  }
  record_event(hub->process->process.lane, "declares heartbeat_ms %u and timeout_ms %u: the case waits accordingly",
               heartbeat_ms, timeout_ms);
  uint64_t longer = timeout_ms > hub->timeout_ms ? timeout_ms - hub->timeout_ms : 0;
  hub->heartbeat_ms = heartbeat_ms;
  hub->timeout_ms = timeout_ms;
  extend_deadline(2 * longer);
  case_allow_ms(TIMEOUTS_A_CASE * longer);
}

struct conn *hub_take_probe(struct hub *hub) {
  struct conn *probe = hub->process->probe;
  hub->process->probe = NULL;
  return probe && !probe->ended ? probe : NULL;
}

/* ------------------------------------------------------------------------------------------------- its endpoint */

static bool is_socket(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

void needs_endpoint_file(struct hub *hub) {
  struct hub_process *process = hub->process;
  if (!*environment(ENV_CONNECT) || !wait_until(is_ready_or_ended, process, start_ms())) {
    return;
  }
  if (hub->running && !is_socket(hub->endpoint)) {
    unimplemented("the endpoint is no file: this case is about a system with unix sockets");
  }
}

static bool is_settled(void *arg) {
  return conn_stage(arg) != CONN_CONNECTING;
}

bool endpoint_is_there(struct hub *hub) {
  if (access(hub->endpoint, F_OK) == 0) {
    return true;
  }
  if (!*environment(ENV_CONNECT)) {
    return false;
  }
  struct conn *conn = conn_begin(hub);
  wait_until(is_settled, conn, deadline_ms());
  bool connected = conn_stage(conn) == CONN_CONNECTED;
  conn_abandon(conn);
  return connected;
}

/* ----------------------------------------------------------------------------------------------------------- end */

void hub_signal(struct hub *hub, int signal) {
  process_signal(&hub->process->process, signal);
}

bool hub_is_stopped(const struct hub *hub) {
  return hub->process->process.stopped;
}

bool hub_wait_end(struct hub *hub, uint64_t ms) {
  return process_wait_end(&hub->process->process, ms);
}

void hub_expect_end(struct hub *hub) {
  process_expect_end(&hub->process->process);
  if (hub->exit_status == UNIMPLEMENTED_STATUS) {
    hub_is_unimplemented();
  }
}

void hub_end(struct hub *hub) {
  process_end(&hub->process->process);
}

void hub_kill(struct hub *hub) {
  process_kill(&hub->process->process);
}

void hub_close_stdin(struct hub *hub) {
  process_close_input(&hub->process->process);
}
