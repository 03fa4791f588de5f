/* SPDX-License-Identifier: MIT */
/* The process of a hub under test, with a directory, a port and a log of its own. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define UNIMPLEMENTED_STATUS 89
#define START_MS 10000
#define HOPELESS_START_MS 500
/* A case waits for as many of them, at most. */
#define TIMEOUTS_A_CASE 12
#define DECLARED_MAX_MS 86400000
#define END_MS 5000
#define PORT_ATTEMPTS 3

struct hub_process {
  struct hub *hub;
  struct hub_process *next;
  char *command, *lane, *pid_file;
  struct placeholder values[8];
  uv_process_t *process; /* NULL: it has never run */
  uv_pipe_t *input, *output[2];
  int open_outputs;
  bh_buffer log;
  size_t recorded; /* octets of the log that stand in the record */
  bool may_end;
  bool stopped; /* by SIGSTOP */
  struct conn *probe, *attempt;
};

static struct hub_process *hubs;
static unsigned hub_count;

/* ------------------------------------------------------------------------------------------------ what is its own */

static char *path_in(const struct hub *hub, const char *given, const char *own) {
  const char *name = given ? given : own;
  return strchr(name, '/') ? format("%s", name) : format("%s/%s", hub->dir, name);
}

static uint32_t scaled(uint32_t ms, uint32_t otherwise) {
  return (uint32_t)((ms ? ms : otherwise) * time_scale());
}

static char *private_directory(void) {
  char *dir = format("%s/" CASES "/XXXXXX", environment(ENV_RUN));
  if (!mkdtemp(dir)) {
    suite_broke("cannot make %s: %s", dir, strerror(errno));
  }
  return dir;
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
  hub->heartbeat_ms = scaled(options.heartbeat_ms, 100);
  hub->timeout_ms = scaled(options.timeout_ms, 1000);
  case_timeout_ms(hub->timeout_ms);

  process->hub = hub;
  process->lane = ++hub_count == 1 ? "hub" : format("hub %u", hub_count);
  process->values[0] = (struct placeholder){"endpoint", hub->endpoint};
  process->values[1] = (struct placeholder){"state", hub->state};
  process->values[2] = (struct placeholder){"spool", hub->spool};
  process->values[3] = (struct placeholder){"group", options.group ? options.group : ""};
  process->values[4] = (struct placeholder){"heartbeat_ms", format("%u", hub->heartbeat_ms)};
  process->values[5] = (struct placeholder){"timeout_ms", format("%u", hub->timeout_ms)};
  process->values[6] = (struct placeholder){"need", options.need ? options.need : ""};
  bh_buffer_init(&process->log, case_allocator());
  process->next = hubs;
  hubs = process;
  return hub;
}

char *hub_path(const struct hub *hub, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  char *path = format("%s/%s", hub->dir, format_list(pattern, args));
  va_end(args);
  return path;
}

/* ------------------------------------------------------------------------------------------------------- its log */

static void record_lines(struct hub_process *process, bool all) {
  const char *text = (const char *)process->log.octets;
  while (process->recorded < process->log.size) {
    const char *begin = text + process->recorded;
    size_t left = process->log.size - process->recorded;
    const char *end = memchr(begin, '\n', left);
    if (!end && !all) {
      return;
    }
    size_t size = end ? (size_t)(end - begin) : left;
    record_log(format("%.*s", (int)size, begin));
    process->recorded += size + (end ? 1 : 0);
  }
}

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)suggested;
  static char space[65536];
  (void)handle;
  *buffer = uv_buf_init(space, sizeof space);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
  struct hub_process *process = stream->data;
  if (size > 0) {
    bh_buffer_append(&process->log, buffer->base, (size_t)size);
    record_lines(process, false);
  } else if (size < 0) {
    process->open_outputs--;
    uv_close((uv_handle_t *)stream, NULL);
  }
}

const char *hub_log(const struct hub *hub) {
  const bh_buffer *log = &hub->process->log;
  return format("%.*s", (int)log->size, log->size ? (const char *)log->octets : "");
}

size_t hub_log_size(const struct hub *hub) {
  return hub->process->log.size;
}

/* ------------------------------------------------------------------------------------------------ start and end */

static const char *how_it_ended(const struct hub *hub) {
  if (hub->exit_signal) {
    return format("was ended by signal %d (%s)", hub->exit_signal, strsignal(hub->exit_signal));
  }
  return format("ended with exit status %d", hub->exit_status);
}

static void close_input(struct hub_process *process) {
  if (process->input) {
    uv_close((uv_handle_t *)process->input, NULL);
  }
  process->input = NULL;
}

static void on_exit_of(uv_process_t *handle, int64_t status, int signal) {
  struct hub_process *process = handle->data;
  struct hub *hub = process->hub;
  hub->running = false;
  bool told_by_status = signal == 0 && status > 128 && shell_stays(process->command);
  hub->exit_status = told_by_status ? 0 : (int)status;
  hub->exit_signal = told_by_status ? (int)status - 128 : signal;
  remove(process->pid_file);
  record_event(process->lane, "%s", how_it_ended(hub));
  if (!process->may_end) {
    case_crashed("the hub %s, by itself", how_it_ended(hub));
  }
  close_input(process);
  uv_close((uv_handle_t *)handle, NULL);
}

static uv_pipe_t *open_pipe(struct hub_process *process) {
  uv_pipe_t *pipe = allocate(sizeof *pipe);
  uv_pipe_init(loop(), pipe, 0);
  pipe->data = process;
  return pipe;
}

/* A hub that falls back on a default must not meet the user's own. */
static char **environment_of(const struct hub *hub) {
  extern char **environ;
  size_t count = 0;
  while (environ[count]) {
    count++;
  }
  char **variables = allocate((count + 2) * sizeof *variables);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (strncmp(environ[i], "XDG_RUNTIME_DIR=", 16) != 0 && strncmp(environ[i], "BH_SUITE_", 9) != 0) {
      variables[kept++] = environ[i];
    }
  }
  variables[kept] = format("XDG_RUNTIME_DIR=%s", hub->dir);
  return variables;
}

static void spawn(struct hub *hub) {
  struct hub_process *process = hub->process;
  process->values[7] = (struct placeholder){"port", format("%u", hub->port)};
  process->command = fill_in(environment(ENV_HUB), process->values, 8);
  process->input = open_pipe(process);
  for (int i = 0; i < 2; i++) {
    process->output[i] = open_pipe(process);
  }
  uv_stdio_container_t stdio[] = {
      {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)process->input},
      {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)process->output[0]},
      {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)process->output[1]},
  };
  char *argv[] = {"sh", "-c", shell_script(process->command), NULL};
  uv_process_options_t options = {.file = "/bin/sh",
                                  .args = argv,
                                  .env = environment_of(hub),
                                  .exit_cb = on_exit_of,
                                  .flags = UV_PROCESS_DETACHED, /* a process group of its own */
                                  .stdio = stdio,
                                  .stdio_count = 3};
  process->process = allocate(sizeof *process->process);
  process->process->data = process;
  int error = uv_spawn(loop(), process->process, &options);
  if (error) {
    suite_broke("cannot start /bin/sh: %s", uv_strerror(error));
  }
  hub->running = true;
  process->pid_file = format("%s/" PIDS "/%d", environment(ENV_RUN), (int)process->process->pid);
  file_write(process->pid_file, "", 0);
  record_event(process->lane, "starts: %s", process->command);
  process->open_outputs = 2;
  for (int i = 0; i < 2; i++) {
    uv_read_start((uv_stream_t *)process->output[i], give_space, on_output);
  }
}

void hub_launch(struct hub *hub) {
  hub->exit_status = hub->exit_signal = 0;
  hub->process->may_end = true;
  hub->process->stopped = false;
  hub->process->probe = NULL;
  spawn(hub);
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
    fail_as("BH-IUT-001", "the endpoint takes a connection", "none %g s after the hub was started", (double)ms / 1000);
  }
  if (!hub->running && hub->exit_status == UNIMPLEMENTED_STATUS) {
    unimplemented("the hub ended with exit status %d before it was ready", UNIMPLEMENTED_STATUS);
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
  hub->process->may_end = false;
  record_event(hub->process->lane, "is ready");
  return true;
}

void hub_ready(struct hub *hub) {
  if (!hub_ready_or_ended(hub)) {
    crashed("the hub %s before its endpoint took a connection", how_it_ended(hub));
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
  record_event(hub->process->lane, "declares heartbeat_ms %u and timeout_ms %u: the case waits accordingly",
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

/* ------------------------------------------------------------------------------------------------------- signals */

static const char *signal_name(int signal) {
  return signal == SIGKILL   ? "SIGKILL"
         : signal == SIGTERM ? "SIGTERM"
         : signal == SIGSTOP ? "SIGSTOP"
         : signal == SIGCONT ? "SIGCONT"
                             : format("signal %d", signal);
}

/* The process that has the hub in it may be behind a wrapper that only the user's own command reaches. */
static void send_signal(struct hub_process *process, int signal) {
  int pid = (int)process->process->pid;
  const char *command = environment(ENV_KILL);
  if (!*command) {
    kill(-pid, signal);
    return;
  }
  const struct placeholder values[] = {{"signal", format("%d", signal)}, {"pid", format("%d", pid)}};
  if (system(fill_in(command, values, 2)) != 0) {
    suite_broke("the command of --kill failed");
  }
}

void hub_signal(struct hub *hub, int signal) {
  struct hub_process *process = hub->process;
  if (!hub->running) {
    suite_broke("the case signals a hub that has ended");
  }
  record_event(process->lane, "is sent %s", signal_name(signal));
  if (signal == SIGKILL || signal == SIGTERM || signal == SIGINT) {
    process->may_end = true;
  }
  process->stopped = signal == SIGSTOP || (process->stopped && signal != SIGCONT);
  send_signal(process, signal);
}

static bool has_ended(void *arg) {
  struct hub_process *process = arg;
  return !process->hub->running && process->open_outputs == 0;
}

static bool does_not_run(void *arg) {
  return !((struct hub *)arg)->running;
}

static uint64_t end_ms(void) {
  return (uint64_t)(END_MS * time_scale());
}

bool hub_wait_end(struct hub *hub, uint64_t ms) {
  hub->process->may_end = true;
  bool ended = wait_until(does_not_run, hub, ms);
  /* What it wrote last; a child of its own may hold the pipes open. */
  if (ended) {
    wait_quietly(has_ended, hub->process, deadline_ms());
  } else {
    hub->process->may_end = false;
  }
  return ended;
}

void hub_expect_end(struct hub *hub) {
  if (!hub_wait_end(hub, end_ms())) {
    fail("the hub ends", "it still runs after %g s", (double)end_ms() / 1000);
  }
  if (hub->exit_status == UNIMPLEMENTED_STATUS) {
    unimplemented("the hub ended with exit status %d before it was ready", UNIMPLEMENTED_STATUS);
  }
}

void hub_end(struct hub *hub) {
  hub_signal(hub, SIGTERM);
  if (!hub_wait_end(hub, end_ms())) {
    fail_as("BH-IUT-003", "SIGTERM ends the hub", "it still runs after %g s", (double)end_ms() / 1000);
  }
}

void hub_kill(struct hub *hub) {
  hub_signal(hub, SIGKILL);
  if (!hub_wait_end(hub, end_ms())) {
    suite_broke("SIGKILL does not end the hub: does the command start it in another process group? See --kill");
  }
}

void hub_close_stdin(struct hub *hub) {
  record_event(hub->process->lane, "standard input ends");
  close_input(hub->process);
}

/* ------------------------------------------------------------------------------------------------------ clean-up */

/* Some runtimes end with 128 + the signal's number when they have done all that the signal asks for. */
static bool ended_as_told(const struct hub *hub) {
  return hub->exit_signal ? hub->exit_signal == SIGTERM : hub->exit_status == 0 || hub->exit_status == 128 + SIGTERM;
}

static bool died(const struct hub *hub) {
  return hub->exit_signal && hub->exit_signal != SIGTERM;
}

static void end_quietly(struct hub_process *process, bool judge) {
  struct hub *hub = process->hub;
  if (!hub->running) {
    return;
  }
  process->may_end = true;
  if (process->stopped) {
    send_signal(process, SIGCONT);
  }
  send_signal(process, SIGTERM);
  if (wait_quietly(does_not_run, hub, judge ? end_ms() : deadline_ms())) {
    wait_quietly(has_ended, process, deadline_ms());
    if (judge && died(hub)) {
      case_crashed("the hub %s when it was told to end", how_it_ended(hub));
    } else if (judge && !ended_as_told(hub)) {
      breach("BH-IUT-003", "SIGTERM did not end the hub cleanly: it %s", how_it_ended(hub));
    }
    return;
  }
  if (judge) {
    breach("BH-IUT-003", "SIGTERM did not end the hub: it still runs after %g s", (double)end_ms() / 1000);
  }
  send_signal(process, SIGKILL);
  wait_quietly(does_not_run, hub, end_ms());
  wait_quietly(has_ended, process, deadline_ms());
}

void hubs_finish(bool judge) {
  for (struct hub_process *process = hubs; process; process = process->next) {
    if (process->process) {
      end_quietly(process, judge);
    }
    record_lines(process, true);
  }
}

void hubs_forget(void) {
  for (struct hub_process *process = hubs; process; process = process->next) {
    bh_buffer_free(&process->log);
    if (strcmp(environment(ENV_KEEP), "1") != 0) {
      remove_directory(process->hub->dir);
    }
  }
  hubs = NULL;
}
