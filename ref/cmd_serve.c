/* SPDX-License-Identifier: MIT */
#include "cmd_session.h"

#include "cmd_input.h"
#include "uv_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The hub, in the foreground. */

typedef struct {
  const char *group;
  uint32_t port; /* 0: not given */
  cmd_ports also_ports;
  const char *endpoint;
  const char *state;
  const char *spool;
  uint32_t heartbeat_ms;
  uint32_t timeout_ms;
  bool watch_input;
  int log_level;
} serve_options;

typedef struct {
  uv_loop_t loop;
  cmd_signals signals;
  cmd_input input;
  bool has_input;
  bh_server *server;
  bh_logger logger;
  bool ending;
} serve_command;

/* ---- the end */

static void end(serve_command *c, const char *why) {
  if (c->ending) {
    return;
  }
  c->ending = true;
  bh_say(&c->logger, BH_LOG_INFO, "ending: %s", why);
  bh_server_stop(c->server, NULL, NULL);
  if (c->has_input) {
    cmd_input_stop(&c->input);
  }
  cmd_signals_stop(&c->signals);
}

static void on_signal(void *ctx, const char *how) {
  end(ctx, how);
}

static void on_end_of_input(void *ctx) {
  end(ctx, "standard input has ended");
}

/* ---- whoever has the port */

typedef struct {
  cmd_session session;
  uint32_t hub_pid;
} holder;

static void on_holder_event(cmd_session *session, const bh_event *event) {
  holder *h = session->config.ctx;

  if (event->kind == BH_EV_REGISTERED) {
    h->hub_pid = event->hub_pid;
    cmd_session_end(session, CMD_OK);
  }
}

static void on_holder_news(cmd_session *session, bh_election_news news, const char *text) {
  (void)text;
  cmd_session_end(session, news == BH_NEWS_NOT_RESPONDING ? CMD_OK : CMD_FAILED);
}

static int tell_taken(const char *endpoint, uint16_t port, const char *text) {
  char what[BH_PORT_HOLDER_TEXT_MAX];
  bh_port_holder who;
  holder h = {.hub_pid = 0};
  cmd_session_config config = {.group = "",
                               .endpoint = endpoint,
                               .timeout_ms = 1000,
                               .name = "bridgehub serve",
                               .window = 1,
                               .role = BH_ROLE_OBSERVER,
                               .event = on_holder_event,
                               .news = on_holder_news,
                               .ctx = &h};
  int status = cmd_session_run(&h.session, &cmd_serve, &config);

  if (h.hub_pid != 0) {
    return cmd_failed(&cmd_serve, "%s; the hub is process %lu already, and 'bridgehub status' shows it", text,
                      (unsigned long)h.hub_pid);
  }
  if (status == CMD_OK) {
    return cmd_failed(&cmd_serve, "%s; a hub is there and does not respond", text);
  }
  bh_port_holder_find(port, &who);
  bh_port_holder_say(&who, what);
  return cmd_failed(
      &cmd_serve,
      "%s; it is taken by %s, which is not a hub of this group: end that, or choose another port with --port", text,
      what);
}

/* ---- the beginning */

static int check(const serve_options *options) {
  if (!bh_group_is_valid(options->group)) {
    return cmd_usage(&cmd_serve, "--group takes 1-%d of A-Z, a-z, 0-9 and '-', and '%s' is none of that", BH_GROUP_MAX,
                     options->group);
  }
  if (options->group[0] != '\0' && options->port == 0) {
    return cmd_usage(&cmd_serve, "group %s needs a port of its own: add --port N", options->group);
  }
  return cmd_check_timings(&cmd_serve, options->heartbeat_ms, options->timeout_ms);
}

static int serve(serve_command *c, const serve_options *options, const bh_paths *paths) {
  bh_server_config config = {.endpoint = paths->endpoint,
                             .state = paths->state,
                             .spool = paths->spool,
                             .port = (uint16_t)(options->port == 0 ? BH_PORT : options->port),
                             .also_ports = options->also_ports.port,
                             .also_port_count = options->also_ports.count,
                             .heartbeat_ms = options->heartbeat_ms,
                             .timeout_ms = options->timeout_ms,
                             .logger = c->logger};
  bh_why why = {""};
  int error;

  uv_loop_init(&c->loop);
  cmd_signals_start(&c->signals, &c->loop, on_signal,
                    c); /* whoever sees that the hub is ready may tell it to end at once */
  error = bh_server_start(&c->loop, &config, &c->server, &why);
  c->has_input = error == 0 && options->watch_input;
  if (c->has_input) {
    cmd_input_start(&c->input, &c->loop, NULL, on_end_of_input, c);
  }
  if (error != 0) {
    cmd_signals_stop(&c->signals);
  }
  uv_run(&c->loop, UV_RUN_DEFAULT);
  uv_loop_close(&c->loop);
  if (error == UV_EADDRINUSE) {
    return tell_taken(paths->endpoint, config.port, why.text);
  }
  return error == 0 ? CMD_OK : cmd_failed(&cmd_serve, "%s", why.text);
}

static const cmd_option serve_option_table[] = {
    {.name = "group",
     .value = "NAME",
     .help = "serve this group; '' (the default) means the default group",
     .kind = CMD_TEXT,
     .at = offsetof(serve_options, group)},
    CMD_OPTION_PORT(serve_options),
    CMD_OPTION_ALSO_PORT(serve_options),
    CMD_OPTION_ENDPOINT(serve_options),
    CMD_OPTION_STATE(serve_options),
    CMD_OPTION_SPOOL(serve_options),
    CMD_OPTION_HEARTBEAT(serve_options),
    {.name = "timeout-ms",
     .value = "N",
     .help = "how long a client may be silent (5000)",
     .kind = CMD_NUMBER,
     .at = offsetof(serve_options, timeout_ms),
     .least = 20,
     .most = 3600000},
    {.name = "stdin",
     .help = "end when standard input ends",
     .kind = CMD_FLAG,
     .at = offsetof(serve_options, watch_input)},
    CMD_OPTION_LOG_LEVEL(serve_options),
    {0},
};

static int run(int argc, char **argv) {
  serve_options options = {
      .group = "", .heartbeat_ms = BH_HEARTBEAT_MS, .timeout_ms = BH_TIMEOUT_MS, .log_level = BH_LOG_INFO};
  serve_command c = {.logger = cmd_logger(&options.log_level)};
  bh_paths paths = {.endpoint = ""};
  int status;

  if (cmd_parse(&cmd_serve, argc, argv, &options, &status) == 0) {
    return status;
  }
  status = check(&options);
  if (status == CMD_OK) {
    status = cmd_paths(&cmd_serve, options.group, options.endpoint, options.state, options.spool, &paths);
  }
  return status == CMD_OK ? serve(&c, &options, &paths) : status;
}

const cmd_command cmd_serve = {
    .name = "serve",
    .summary = "be the hub, in the foreground",
    .operands = "",
    .description = "Owns Bridge's port and hands each export to the active instance. It is ready when its log says\n"
                   "'Running as HUB'. An interrupt (Ctrl-C) or SIGTERM ends it cleanly; what was exported and not yet\n"
                   "imported waits in the spool for the next hub. It fails where another process has the port.\n",
    .example = "  $ bridgehub serve --also-port 28888\n"
               "  2026-01-01T12:00:00.000Z info    Running as HUB: nobody had port 24981; ...\n",
    .options = serve_option_table,
    .run = run,
};
