/* SPDX-License-Identifier: MIT */
#include "cmd_session.h"

#include "escape.h"
#include "json_write.h"

#include <stdio.h>
#include <string.h>

enum { STANDARD_OUTPUT = 1, MESSAGE_ESCAPED_MAX = 2048 };

/* Who is hub, who is active, who is registered, how many imports wait. */

typedef struct {
  const char *group;
  const char *endpoint;
  uint32_t timeout_ms;
  bool json;
  bool watch;
} status_options;

typedef struct {
  cmd_session session;
  const status_options *options;
  bh_buffer out;
} status_command;

enum { NAME_ESCAPED_MAX = 6 * BH_NAME_MAX + 1, PROBLEM_ESCAPED_MAX = 6 * BH_PROBLEM_MAX + 1, WIDTH_LEAST = 8 };

/* ---- for programs */

static void write_name(bh_buffer *out, const char *name) {
  bh_write_text(out, name);
}

static void write_json(status_command *c, const bh_client_view *view) {
  bh_buffer *out = &c->out;

  bh_buffer_clear(out);
  write_name(out, "{\"hub_pid\":");
  bh_write_integer(out, view->hub_pid);
  write_name(out, ",\"epoch\":");
  bh_write_integer(out, view->epoch);
  write_name(out, ",\"heartbeat_ms\":");
  bh_write_integer(out, view->heartbeat_ms);
  write_name(out, ",\"timeout_ms\":");
  bh_write_integer(out, view->timeout_ms);
  write_name(out, ",\"active\":");
  bh_write_string_or_null(out, view->active);
  write_name(out, ",\"waiting\":");
  bh_write_integer(out, view->waiting);
  write_name(out, ",\"parked\":");
  bh_write_integer(out, view->parked);
  write_name(out, ",\"problem\":");
  bh_write_string_or_null(out, view->problem);
  write_name(out, ",\"instances\":[");
  for (size_t i = 0; i < view->instance_count; i++) {
    const bh_instance_info *info = &view->instances[i];
    write_name(out, i == 0 ? "{\"instance\":" : ",{\"instance\":");
    bh_write_string(out, info->instance, strlen(info->instance));
    write_name(out, ",\"pid\":");
    bh_write_integer(out, info->pid);
    write_name(out, ",\"name\":");
    bh_write_string(out, info->name, strlen(info->name));
    write_name(out, "}");
  }
  write_name(out, "]}\n");
  fwrite(out->octets, 1, out->size, stdout);
}

/* ---- for people */

static int widest_instance(const bh_client_view *view) {
  int widest = WIDTH_LEAST;

  for (size_t i = 0; i < view->instance_count; i++) {
    int width = (int)strlen(view->instances[i].instance);
    widest = width > widest ? width : widest;
  }
  return widest;
}

static void write_table(const bh_client_view *view) {
  char name[NAME_ESCAPED_MAX];
  char problem[PROBLEM_ESCAPED_MAX];
  int width = widest_instance(view);

  printf("hub      process %lu, epoch %llu\n", (unsigned long)view->hub_pid, (unsigned long long)view->epoch);
  printf("active   %s\n", view->active[0] == '\0' ? "nobody: imports wait until someone claims" : view->active);
  printf("imports  %lu waiting, %lu parked\n", (unsigned long)view->waiting, (unsigned long)view->parked);
  if (view->problem[0] != '\0') {
    printf("PROBLEM  %s\n", bh_escape(view->problem, problem, sizeof problem));
  }
  printf("\n");
  if (view->instance_count == 0) {
    printf("No instance is registered.\n");
    return;
  }
  printf("  %-*s  %10s  %s\n", width, "INSTANCE", "PROCESS", "NAME");
  for (size_t i = 0; i < view->instance_count; i++) {
    const bh_instance_info *info = &view->instances[i];
    printf("%c %-*s  %10lu  %s\n", strcmp(info->instance, view->active) == 0 ? '*' : ' ', width, info->instance,
           (unsigned long)info->pid, bh_escape(info->name, name, sizeof name));
  }
}

/* On a terminal the newest stands alone; elsewhere one follows the other. */
static void show(status_command *c) {
  bool redraws = c->options->watch && !c->options->json && uv_guess_handle(STANDARD_OUTPUT) == UV_TTY;
  bh_client_view view;

  bh_client_status(bh_link_client(c->session.link), &view);
  if (redraws) {
    printf("\033[H\033[2J");
  }
  if (c->options->json) {
    write_json(c, &view);
  } else {
    write_table(&view);
  }
  if (c->options->watch && !c->options->json && !redraws) {
    printf("\n");
  }
  if (fflush(stdout) != 0) {
    cmd_session_end(&c->session, CMD_FAILED);
  }
}

/* ---- what happens */

static int tell_failed(const bh_event *event) {
  char message[MESSAGE_ESCAPED_MAX];

  bh_escape(event->message, message, sizeof message);
  return event->code[0] == '\0' ? cmd_failed(&cmd_status, "%s", message) /* the connection went first */
                                : cmd_failed(&cmd_status, "the hub says %s: %s", event->code, message);
}

static void on_event(cmd_session *session, const bh_event *event) {
  status_command *c = session->config.ctx;

  if (session->ending) {
    return;
  }
  if (event->kind == BH_EV_STATUS) {
    show(c);
    if (!c->options->watch) {
      cmd_session_end(session, CMD_OK);
    }
  } else if (event->kind == BH_EV_FAILED) {
    cmd_session_end(session, tell_failed(event));
  }
}

static void on_news(cmd_session *session, bh_election_news news, const char *text) {
  const status_command *c = session->config.ctx;
  const char *hint = news == BH_NEWS_NO_HUB ? "; 'bridgehub serve' starts one" : "";

  cmd_failed(&cmd_status, "%s%s", text, c->options->watch ? "" : hint);
  if (!c->options->watch) {
    cmd_session_end(session, CMD_FAILED);
  }
}

static void on_interrupted(cmd_session *session) {
  const status_command *c = session->config.ctx;

  cmd_session_end(session, c->options->watch ? CMD_OK : CMD_FAILED);
}

static const cmd_option status_option_table[] = {
    CMD_OPTION_GROUP(status_options),
    CMD_OPTION_ENDPOINT(status_options),
    CMD_OPTION_TIMEOUT(status_options),
    {.name = "json",
     .help = "one JSON object, for programs; with --watch one a line",
     .kind = CMD_FLAG,
     .at = offsetof(status_options, json)},
    {.name = "watch",
     .help = "go on, and show each change, until interrupted",
     .kind = CMD_FLAG,
     .at = offsetof(status_options, watch)},
    {0},
};

static int run(int argc, char **argv) {
  status_options options = {.group = "", .timeout_ms = BH_TIMEOUT_MS};
  status_command c = {.options = &options};
  cmd_session_config config = {.name = "bridgehub status",
                               .window = 1,
                               .role = BH_ROLE_OBSERVER,
                               .event = on_event,
                               .news = on_news,
                               .interrupted = on_interrupted,
                               .ctx = &c};
  int status;

  if (cmd_parse(&cmd_status, argc, argv, &options, &status) == 0) {
    return status;
  }
  config.group = options.group;
  config.endpoint = options.endpoint;
  config.timeout_ms = options.timeout_ms;
  bh_buffer_init(&c.out, bh_system_allocator());
  status = cmd_session_run(&c.session, &cmd_status, &config);
  bh_buffer_free(&c.out);
  return status;
}

const cmd_command cmd_status = {
    .name = "status",
    .summary = "show the hub, the active instance and all others, and what waits",
    .operands = "",
    .description =
        "Asks the hub, as an observer. The active instance is marked with '*'. Imports wait while nobody is\n"
        "active; a parked one was given up and waits for a decision by hand.\n",
    .example = "  $ bridgehub status\n"
               "  hub      process 4242, epoch 3\n"
               "  active   3f0c2a11-2\n"
               "  imports  0 waiting, 0 parked\n"
               "\n"
               "    INSTANCE       PROCESS  NAME\n"
               "    3f0c2a11-1        4242  castle.blend\n"
               "  * 3f0c2a11-2        4250  forest.blend\n",
    .options = status_option_table,
    .run = run,
};
