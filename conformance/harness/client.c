/* SPDX-License-Identifier: MIT */
/* A client under test: its process, its commands and its events. */

#include "client.h"

#include <signal.h>
#include <string.h>

#include "played_hub.h"

#define CLIENT_NAME "a client under test"
/* What a case may take longer for each client but the first: an interpreter takes its time to start. */
#define FURTHER_CLIENT_MS 1000

static unsigned client_count;

/* ------------------------------------------------------------------------------------------------------- events */

static bool has_text(const struct json *json, const char *member) {
  return json_is_text(json, member);
}

/* What section 11 says that each of them has. */
static const char *missing_member(const char *kind, const struct json *json) {
  if (strcmp(kind, "registered") == 0) {
    return has_text(json, "instance") ? NULL : "`instance`";
  }
  if (strcmp(kind, "import") == 0) {
    return !has_text(json, "import")           ? "`import`"
           : !json_is_integer(json, "attempt") ? "`attempt`"
           : !has_text(json, "assets")         ? "`assets` as a string"
                                               : NULL;
  }
  if (strcmp(kind, "error") == 0) {
    return has_text(json, "message") ? NULL : "`message`";
  }
  return NULL;
}

static bool is_known(const char *kind) {
  static const char *const kinds[] = {"registered", "active", "inactive", "import", "hub-lost", "error"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strcmp(kinds[i], kind) == 0) {
      return true;
    }
  }
  return false;
}

static void take_line(void *owner, const char *line, size_t size) {
  struct client_process *process = owner;
  char *text = allocate(size + 1);
  if (size) {
    memcpy(text, line, size);
  }
  struct json json = json_read(text, size);
  record_traffic(RECORD_RECEIVE, process->process.lane, "event", text, size, false);
  if (!json.valid || !has_text(&json, "event")) {
    breach("BH-IUT-005", "a line of standard output is no JSON object with `event`: %s", printable(text, size, 200));
    return;
  }
  struct client_event *event = allocate(sizeof *event);
  *event = (struct client_event){.kind = json_text(&json, "event"), .json = json, .at = now_ms()};
  const char *missing = missing_member(event->kind, &json);
  if (missing || !is_known(event->kind)) {
    breach("BH-IUT-005", "%s: %s", missing ? format("an event without %s", missing) : "an event of no known kind",
           printable(text, size, 200));
    return;
  }
  process->events =
      grow(process->events, process->event_count, &process->event_capacity, sizeof(struct client_event *));
  process->events[process->event_count++] = event;
}

static void take_output(struct process *base, const char *octets, size_t size) {
  struct client_process *process = base->owner;
  take_lines(&process->line, octets, size, take_line, process);
}

static bool has_event(const struct client_process *process) {
  return process->taken < process->event_count;
}

static bool has_event_or_ended(void *arg) {
  struct client_process *process = arg;
  bool ended = !process->client->running && process->process.open_outputs == 0;
  return has_event(process) || ended;
}

const struct client_event *next_event_in(struct client *client, uint64_t ms) {
  struct client_process *process = client->process;
  wait_until(has_event_or_ended, process, ms);
  return has_event(process) ? process->events[process->taken++] : NULL;
}

static _Noreturn void fail_by_import(const struct client_event *event, const char *expected) {
  const char *import = json_is_text(&event->json, "import") ? json_text(&event->json, "import") : "";
  fail(expected, "the import %s, handed up", import);
}

/* NULL: none in `ms`. */
static const struct client_event *find_event(struct client *client, const char *kind, uint64_t ms) {
  const char *expected = format("the event %s", kind);
  uint64_t end = now_ms() + ms;
  for (;;) {
    uint64_t now = now_ms();
    const struct client_event *event = next_event_in(client, end > now ? end - now : 0);
    if (!event) {
      check_came(client);
    }
    if (!event || strcmp(event->kind, kind) == 0) {
      return event;
    }
    if (strcmp(event->kind, "import") == 0) {
      fail_by_import(event, expected);
    }
  }
}

const char *no_event(const struct client *client, uint64_t ms) {
  const bh_buffer *line = &client->process->line;
  return format("none in %llu ms%s%s", (unsigned long long)ms,
                line->size ? "; on standard output a line has not ended yet: " : "",
                printable(line->octets, line->size, 60));
}

const struct client_event *expect_event_in(struct client *client, const char *kind, uint64_t ms) {
  const struct client_event *event = find_event(client, kind, ms);
  if (!event) {
    fail(format("the event %s", kind), "%s", no_event(client, ms));
  }
  return event;
}

const struct client_event *expect_event(struct client *client, const char *kind) {
  return expect_event_in(client, kind, deadline_ms());
}

const struct client_event *expect_import(struct client *client, const char *import) {
  const struct client_event *event = find_event(client, "import", deadline_ms());
  const char *expected = format("the import %s, handed up", import);
  if (!event) {
    fail(expected, "%s", no_event(client, deadline_ms()));
  }
  if (strcmp(json_text(&event->json, "import"), import) != 0) {
    fail_by_import(event, expected);
  }
  return event;
}

static void expect_told(struct client *client, const char *kind) {
  if (!find_event(client, kind, deadline_ms())) {
    fail_as("BH-IUT-009", format("the event %s", kind), "%s", no_event(client, deadline_ms()));
  }
}

void expect_no_import(struct conn *conn) {
  tell_active(conn, NULL);
  expect_told(conn->client, "inactive");
  tell_active(conn, conn->instance);
  expect_told(conn->client, "active");
}

size_t events_of(const struct client *client, const char *kind) {
  size_t count = 0;
  for (size_t i = 0; i < client->process->event_count; i++) {
    count += strcmp(client->process->events[i]->kind, kind) == 0;
  }
  return count;
}

void command(struct client *client, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  const char *text = format_list(pattern, args);
  va_end(args);
  record_traffic(RECORD_SEND, client->process->process.lane, "command", text, strlen(text), false);
  process_write(&client->process->process, format("%s\n", text), strlen(text) + 1);
}

/* ------------------------------------------------------------------------------------------------------ process */

struct client *client_prepare(struct client_options options) {
  struct client *client = allocate(sizeof *client);
  struct client_process *process = allocate(sizeof *process);
  const char *suffix = options.group && *options.group ? format(".%s", options.group) : "";
  client->process = process;
  client->dir = private_directory();
  client->endpoint = format("%s/QuixelBridge_IPC.sock%s", client->dir, suffix);
  client->name = options.name ? options.name : CLIENT_NAME;
  client->port = free_port();
  client->heartbeat_ms = scaled_heartbeat_ms(options.heartbeat_ms, 60000);
  client->timeout_ms = scaled_timeout_ms(options.timeout_ms, 600000);
  case_timeout_ms(client->timeout_ms);
  process->client = client;
  process->group = options.group ? options.group : "";
  process->need = options.need ? options.need : "";
  bh_buffer_init(&process->line, case_allocator());
  process->process = (struct process){.state = {&client->running, &client->exit_status, &client->exit_signal},
                                      .what = "client",
                                      .lane = "client",
                                      .dir = client->dir,
                                      .output_taker = take_output,
                                      .owner = process};
  process_add(&process->process);
  if (!options.no_hub) {
    hub_play(client);
  }
  return client;
}

void client_run(struct client *client) {
  if (client_count++ > 0) {
    case_allow_ms((uint64_t)(FURTHER_CLIENT_MS * time_scale()));
  }
  const struct client_process *process = client->process;
  const struct placeholder values[] = {
      {"endpoint", client->endpoint},
      {"port", format("%u", client->port)},
      {"state", format("%s/QuixelBridge_Hub.json", client->dir)},
      {"spool", format("%s/QuixelBridge_Spool", client->dir)},
      {"group", process->group},
      {"name", client->name},
      {"heartbeat_ms", format("%u", client->heartbeat_ms)},
      {"timeout_ms", format("%u", client->timeout_ms)},
      {"need", process->need},
  };
  process_start(&client->process->process, fill_in(environment(ENV_CLIENT), values, sizeof values / sizeof *values));
}

struct client *client_start_with(struct client_options options) {
  struct client *client = client_prepare(options);
  client_run(client);
  return client;
}

struct client *client_start(void) {
  return client_start_with((struct client_options){0});
}

void client_may_end(struct client *client) {
  client->process->process.may_end = true;
}

void client_signal(struct client *client, int signal) {
  process_signal(&client->process->process, signal);
}

void client_expect_end(struct client *client) {
  process_expect_end(&client->process->process);
  check_came(client);
}

void client_expect_clean_end(struct client *client) {
  client_expect_end(client);
  EXPECT(client->exit_signal == 0 && client->exit_status == 0, "the client ends with status 0", "it %s",
         process_ending(&client->process->process));
}

void client_dismiss(struct client *client) {
  hub_vanish(client);
  if (client->running) {
    process_kill(&client->process->process);
  }
}

void client_close_stdin(struct client *client) {
  process_close_input(&client->process->process);
}

const char *client_log(const struct client *client) {
  const bh_buffer *log = &client->process->process.log;
  return format("%.*s", (int)log->size, log->size ? (const char *)log->octets : "");
}
