/* SPDX-License-Identifier: MIT */
#include "cmd_client.h"

#include "cmd_input.h"
#include "cmd_system.h"
#include "json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PENDING_MAX = 64, ASKED_MAX = 32 };

/* A request whose answer is awaited, to say what failed. */
typedef struct {
  uint32_t request; /* 0: free */
  char what[16];
} asked;

typedef struct {
  cmd_session session;
  const cmd_client_options *options;
  cmd_input input;
  bool has_input;
  bh_buffer out;
  uv_timer_t patience; /* with commands that wait for a hub, after `quit` */
  char *pending[PENDING_MAX];
  size_t pending_count;
  asked asked[ASKED_MAX];
  bool quitting;
} client_command;

/* ---- events out */

static bh_buffer *begin_event(client_command *c, const char *event) {
  bh_buffer_clear(&c->out);
  bh_write_text(&c->out, "{\"event\":");
  bh_write_string(&c->out, event, strlen(event));
  return &c->out;
}

static void write_member(bh_buffer *out, const char *name, const char *text) {
  bh_write_text(out, ",\"");
  bh_write_text(out, name);
  bh_write_text(out, "\":");
  bh_write_string_or_null(out, text);
}

static void write_number(bh_buffer *out, const char *name, uint64_t number) {
  bh_write_text(out, ",\"");
  bh_write_text(out, name);
  bh_write_text(out, "\":");
  bh_write_integer(out, number);
}

static void quit(client_command *c, int status);

/* Who reads it has to see each line at once; if nobody reads any more, nobody would answer imports either. */
static void end_event(client_command *c) {
  bh_write_text(&c->out, "}\n");
  if (c->out.failed || fwrite(c->out.octets, 1, c->out.size, stdout) != c->out.size || fflush(stdout) != 0) {
    quit(c, CMD_FAILED);
  }
}

static void tell_error(client_command *c, const char *message, const char *code) {
  bh_buffer *out = begin_event(c, "error");

  bh_write_text(out, ",\"message\":");
  bh_write_string(out, message, strlen(message));
  if (code[0] != '\0') {
    write_member(out, "code", code);
  }
  end_event(c);
}

static void tell_registered(client_command *c, const bh_event *event) {
  bh_buffer *out = begin_event(c, "registered");

  write_member(out, "instance", event->instance);
  write_number(out, "pid", (uint64_t)uv_os_getpid());
  write_number(out, "hub_pid", event->hub_pid);
  write_number(out, "epoch", event->epoch);
  write_member(out, "active", event->active);
  end_event(c);
}

static void tell_import(client_command *c, const bh_event *event) {
  char import[BH_IMPORT_ID_MAX + 1];
  bh_buffer *out = begin_event(c, "import");

  memcpy(import, event->import, sizeof import);
  write_member(out, "import", event->import);
  write_number(out, "attempt", event->attempt);
  bh_write_text(out, ",\"assets\":");
  bh_write_string(out, (const char *)event->assets, event->assets_size);
  end_event(c);
  bh_buffer_free(out); /* it can be large, and is rare */
  if (c->options->ack && !c->session.ending) {
    bh_client_ack(bh_link_client(c->session.link), import);
  }
}

static void tell_inactive(client_command *c, const bh_event *event) {
  write_member(begin_event(c, "inactive"), "active", event->active);
  end_event(c);
}

/* ---- requests */

static void remember(client_command *c, uint32_t request, const char *what) {
  for (size_t i = 0; i < ASKED_MAX; i++) {
    if (c->asked[i].request == 0) {
      c->asked[i].request = request;
      snprintf(c->asked[i].what, sizeof c->asked[i].what, "%s", what);
      return;
    }
  }
}

static const char *forget(client_command *c, uint32_t request) {
  for (size_t i = 0; request != 0 && i < ASKED_MAX; i++) {
    if (c->asked[i].request == request) {
      c->asked[i].request = 0;
      return c->asked[i].what;
    }
  }
  return "hub";
}

static void tell_failed(client_command *c, const bh_event *event) {
  char message[BH_WHY_MAX];

  snprintf(message, sizeof message, "%s: %s%s%s", forget(c, event->request), event->code,
           event->code[0] == '\0' ? "" : ": ", event->message);
  tell_error(c, message, event->code);
}

/* ---- the end */

static void close_own_handles(cmd_session *session) {
  client_command *c = session->config.ctx;

  if (c->has_input) {
    cmd_input_stop(&c->input);
  }
  uv_close((uv_handle_t *)&c->patience, NULL);
}

static void quit(client_command *c, int status) {
  cmd_session_end(&c->session, status);
}

static bool is_registered(client_command *c) {
  bh_client_view view;

  bh_client_status(bh_link_client(c->session.link), &view);
  return view.registered;
}

static void on_patience_ends(uv_timer_t *timer) {
  client_command *c = timer->data;

  tell_error(c, "quit: commands were waiting for a hub, and are dropped", "");
  quit(c, CMD_FAILED);
}

/* Commands that came before the hub did get their chance: `printf 'claim\nquit\n' | bridgehub client`. */
static void want_to_quit(client_command *c) {
  if (c->pending_count == 0 || is_registered(c)) {
    quit(c, CMD_OK);
  } else if (!c->quitting) {
    c->quitting = true;
    uv_timer_start(&c->patience, on_patience_ends, c->options->timeout_ms, 0);
  }
}

/* ---- commands in */

static int ask(client_command *c, const char *name, const char *operand) {
  bh_client *client = bh_link_client(c->session.link);
  uint32_t request = 0;
  int error =
      strcmp(name, "release") == 0 ? bh_client_release(client, &request) : bh_client_claim(client, operand, &request);

  if (error == BH_OK) {
    remember(c, request, name);
  }
  return error;
}

/* A claim or a release needs a hub, and waits for one. */
static void ask_or_wait(client_command *c, const char *name, const char *operand) {
  char line[CMD_LINE_MAX];
  int error = ask(c, name, operand);

  if (error == BH_E_STATE && c->pending_count < PENDING_MAX) {
    snprintf(line, sizeof line, "%s%s%s", name, operand == NULL ? "" : " ", operand == NULL ? "" : operand);
    c->pending[c->pending_count] = strdup(line);
    error = c->pending[c->pending_count] == NULL ? BH_E_NO_MEMORY : BH_OK;
    c->pending_count += error == BH_OK;
  }
  if (error != BH_OK) {
    snprintf(line, sizeof line, "%s: %s", name, bh_error_string((bh_error)error));
    tell_error(c, line, "");
  }
}

static void answer(client_command *c, const char *name, const char *import) {
  bh_client *client = bh_link_client(c->session.link);
  int error = strcmp(name, "ack") == 0 ? bh_client_ack(client, import)
                                       : bh_client_refuse(client, import, "refused by the user");
  char message[CMD_LINE_MAX + 64];

  if (error != BH_OK) {
    snprintf(message, sizeof message, "%s: no import '%s' is in hand", name, import);
    tell_error(c, message, "");
  }
}

static void perform(client_command *c, const char *name, const char *operand) {
  bool answers = strcmp(name, "ack") == 0 || strcmp(name, "refuse") == 0;
  char message[CMD_LINE_MAX + 128];

  if (strcmp(name, "claim") == 0 || (strcmp(name, "release") == 0 && operand == NULL)) {
    ask_or_wait(c, name, operand);
  } else if (answers && operand != NULL) {
    answer(c, name, operand);
  } else if (strcmp(name, "quit") == 0 && operand == NULL) {
    want_to_quit(c);
  } else {
    snprintf(message, sizeof message,
             "'%s%s%s' is no command; there are: claim, claim ID, release, ack IMPORT, refuse IMPORT, quit", name,
             operand == NULL ? "" : " ", operand == NULL ? "" : operand);
    tell_error(c, message, "");
  }
}

static void on_line(void *ctx, char *line) {
  client_command *c = ctx;
  char *rest = NULL;
  char *name;
  char *operand;

  if (line == NULL) {
    tell_error(c, "a command is too long", "");
    return;
  }
  if (!cmd_is_utf8(line)) { /* quoted in an event, it would make that no JSON */
    tell_error(c, "a command is not UTF-8", "");
    return;
  }
  name = strtok_r(line, " \t", &rest);
  operand = name == NULL ? NULL : strtok_r(NULL, " \t", &rest);
  if (name == NULL || c->quitting) {
    return;
  }
  if (operand != NULL && strtok_r(NULL, " \t", &rest) != NULL) {
    tell_error(c, "a command has at most one operand", "");
    return;
  }
  perform(c, name, operand);
  if (!c->session.ending) {
    bh_link_flush(c->session.link);
  }
}

static void on_end_of_input(void *ctx) {
  want_to_quit(ctx);
}

static void perform_pending(client_command *c) {
  char *pending[PENDING_MAX];
  size_t count = c->pending_count;

  memcpy(pending, c->pending, count * sizeof *pending);
  c->pending_count = 0;
  for (size_t i = 0; i < count; i++) {
    char *rest = NULL;
    char *name = strtok_r(pending[i], " ", &rest);

    ask_or_wait(c, name, strtok_r(NULL, " ", &rest));
    free(pending[i]);
  }
}

/* ---- what happens */

static void on_event(cmd_session *session, const bh_event *event) {
  client_command *c = session->config.ctx;

  switch (event->kind) {
  case BH_EV_REGISTERED:
    tell_registered(c, event);
    perform_pending(c);
    if (c->quitting) {
      quit(c, CMD_OK);
    }
    break;
  case BH_EV_ACTIVE:
    begin_event(c, "active");
    end_event(c);
    break;
  case BH_EV_INACTIVE:
    tell_inactive(c, event);
    break;
  case BH_EV_IMPORT:
    tell_import(c, event);
    break;
  case BH_EV_DONE:
    forget(c, event->request);
    break;
  case BH_EV_FAILED:
    tell_failed(c, event);
    break;
  case BH_EV_SUPERSEDED:
    tell_error(c, "superseded: a newer connection has this instance", "superseded");
    quit(c, CMD_FAILED);
    break;
  case BH_EV_STATUS:
  case BH_EV_CLOSE:
    break;
  }
}

static void on_news(cmd_session *session, bh_election_news news, const char *text) {
  client_command *c = session->config.ctx;

  switch (news) {
  case BH_NEWS_NO_HUB:
    bh_say(&session->config.logger, BH_LOG_INFO, "%s: waiting for one ('bridgehub serve' starts one)", text);
    break;
  case BH_NEWS_LOST:
    bh_say(&session->config.logger, BH_LOG_WARNING, "%s", text);
    begin_event(c, "hub-lost");
    end_event(c);
    break;
  case BH_NEWS_PORT_TAKEN:
  case BH_NEWS_NOT_RESPONDING:
  case BH_NEWS_UNUSABLE:
    bh_say(&session->config.logger, BH_LOG_ERROR, "%s", text);
    tell_error(c, text, "");
    break;
  }
}

static void on_interrupted(cmd_session *session) {
  cmd_session_end(session, CMD_OK);
}

/* The loop runs by now. */
static void begin(cmd_session *session) {
  client_command *c = session->config.ctx;

  uv_timer_init(&session->loop, &c->patience);
  c->patience.data = c;
  c->has_input = !cmd_input_is_null();
  if (c->has_input) {
    cmd_input_start(&c->input, &session->loop, on_line, on_end_of_input, c);
  }
}

static int check_serving(const cmd_command *command, const cmd_client_options *options) {
  if (options->may_serve && options->group[0] != '\0' && options->port == 0) {
    return cmd_usage(command, "--may-serve: group %s needs a port of its own: add --port N", options->group);
  }
  if (!options->may_serve && (options->state != NULL || options->spool != NULL || options->also_ports.count > 0 ||
                              options->heartbeat_ms != 0)) {
    return cmd_usage(command, "--state, --spool, --also-port and --heartbeat-ms are for a hub: add --may-serve");
  }
  return CMD_OK;
}

/* Fills in the hub that this client may become. */
static int find_serving(const cmd_command *command, const cmd_client_options *options, bh_paths *paths,
                        bh_server_config *serve) {
  int status = check_serving(command, options);

  serve->heartbeat_ms = options->heartbeat_ms == 0 ? BH_HEARTBEAT_MS : options->heartbeat_ms;
  if (status != CMD_OK || !options->may_serve) {
    return status;
  }
  status = cmd_check_timings(command, serve->heartbeat_ms, options->timeout_ms);
  if (status == CMD_OK) {
    status = cmd_paths(command, options->group, options->endpoint, options->state, options->spool, paths);
  }
  return status;
}

int cmd_client_run(const cmd_command *command, const cmd_client_options *options, const char *first) {
  client_command *c = calloc(1, sizeof *c);
  cmd_session_config config = {
      .group = options->group,
      .endpoint = options->endpoint,
      .port = options->port == 0 && options->group[0] == '\0' && options->endpoint == NULL ? BH_PORT : options->port,
      .timeout_ms = options->timeout_ms,
      .name = options->name,
      .window = options->window,
      .instance = options->instance,
      .role = (bh_role)options->role,
      .logger = cmd_logger(&options->log_level),
      .begin = begin,
      .event = on_event,
      .news = on_news,
      .interrupted = on_interrupted,
      .ending = close_own_handles,
      .ctx = c};
  bh_paths paths = {.endpoint = ""};
  bh_server_config serve = {.endpoint = paths.endpoint,
                            .state = paths.state,
                            .spool = paths.spool,
                            .port = (uint16_t)config.port,
                            .also_ports = options->also_ports.port,
                            .also_port_count = options->also_ports.count,
                            .timeout_ms = options->timeout_ms,
                            .logger = config.logger};
  int status = find_serving(command, options, &paths, &serve);

  if (c == NULL) {
    return cmd_failed(command, "no memory");
  }
  if (status != CMD_OK) {
    free(c);
    return status;
  }
  config.serve = options->may_serve ? &serve : NULL;
  c->options = options;
  bh_buffer_init(&c->out, bh_system_allocator());
  if (first != NULL && (c->pending[0] = strdup(first)) != NULL) {
    c->pending_count = 1;
  }
  status = cmd_session_run(&c->session, command, &config);
  for (size_t i = 0; i < c->pending_count; i++) {
    free(c->pending[i]);
  }
  bh_buffer_free(&c->out);
  free(c);
  return status;
}

/* ---- the command */

const cmd_client_options cmd_client_defaults = {
    .group = "", .timeout_ms = BH_TIMEOUT_MS, .name = "bridgehub", .window = 1, .log_level = BH_LOG_INFO};

static const char *const roles[] = {"instance", "observer", NULL};

static const cmd_option client_options[] = {
    CMD_OPTION_GROUP(cmd_client_options),
    CMD_OPTION_ENDPOINT(cmd_client_options),
    CMD_OPTION_PORT(cmd_client_options),
    CMD_OPTION_NAME,
    {.name = "instance",
     .value = "ID",
     .help = "resume this instance, which an earlier client was",
     .kind = CMD_TEXT,
     .at = offsetof(cmd_client_options, instance)},
    CMD_OPTION_WINDOW,
    {.name = "role",
     .value = "instance|observer",
     .help = "an observer gets no imports (instance)",
     .kind = CMD_CHOICE,
     .at = offsetof(cmd_client_options, role),
     .choices = roles},
    CMD_OPTION_ACK,
    {.name = "may-serve",
     .help = "become the hub where there is none",
     .kind = CMD_FLAG,
     .at = offsetof(cmd_client_options, may_serve)},
    CMD_OPTION_ALSO_PORT(cmd_client_options),
    CMD_OPTION_STATE(cmd_client_options),
    CMD_OPTION_SPOOL(cmd_client_options),
    CMD_OPTION_HEARTBEAT(cmd_client_options),
    CMD_OPTION_TIMEOUT(cmd_client_options),
    CMD_OPTION_LOG_LEVEL(cmd_client_options),
    {0},
};

static int run(int argc, char **argv) {
  cmd_client_options options = cmd_client_defaults;
  int status;

  if (cmd_parse(&cmd_client, argc, argv, &options, &status) == 0) {
    return status;
  }
  return cmd_client_run(&cmd_client, &options, NULL);
}

const cmd_command cmd_client = {
    .name = "client",
    .summary = "be a client: JSON lines out, commands in",
    .operands = "",
    .description =
        "Registers with the hub and stays, also when the hub goes and another comes. Each event is one line of\n"
        "JSON on standard output: registered, active, inactive, import, hub-lost, error. Each line on standard\n"
        "input is a command: claim, claim ID, release, ack IMPORT, refuse IMPORT, quit. The end of standard\n"
        "input is a quit; with /dev/null there are no commands, and the client stays. An import that is not\n"
        "answered by ack or refuse is sent again later. With --may-serve it becomes the hub where there is none, or\n"
        "when the hub dies, and stays a client of itself.\n",
    .example =
        "  $ bridgehub client --name 'my renderer' --ack\n"
        "  "
        "{\"event\":\"registered\",\"instance\":\"3f0c2a11-1\",\"pid\":4243,\"hub_pid\":4242,\"epoch\":1,\"active\":"
        "\"3f0c2a11-1\"}\n"
        "  {\"event\":\"active\"}\n",
    .options = client_options,
    .run = run,
};
