/* SPDX-License-Identifier: MIT */
#include "cmd_session.h"

#include "json.h"
#include "json_write.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 1000 };

int cmd_endpoints(const cmd_command *command, const char *group, const char *endpoint,
                  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX], size_t *count) {
  bh_why why = {""};

  if (!bh_group_is_valid(group)) {
    return cmd_usage(command, "--group takes 1-%d of A-Z, a-z, 0-9 and '-', and '%s' is none of that", BH_GROUP_MAX,
                     group);
  }
  return bh_endpoints_find(group, endpoint, endpoints, count, &why) == 0 ? CMD_OK : cmd_usage(command, "%s", why.text);
}

static int set_path(const cmd_command *command, char path[BH_PATH_MAX], const char *given, const char *option) {
  if (given != NULL && given[0] == '\0') {
    return cmd_usage(command, "--%s needs a path", option);
  }
  if (given != NULL && bh_path_join(path, given, "", "") != 0) {
    return cmd_usage(command, "the path of --%s is too long", option);
  }
  return CMD_OK;
}

int cmd_paths(const cmd_command *command, const char *group, const char *endpoint, const char *state, const char *spool,
              bh_paths *paths) {
  bh_why why = {""};
  int status = set_path(command, paths->endpoint, endpoint, "endpoint");

  if (status == CMD_OK) {
    status = set_path(command, paths->state, state, "state");
  }
  if (status == CMD_OK) {
    status = set_path(command, paths->spool, spool, "spool");
  }
  if (status != CMD_OK) {
    return status;
  }
  return bh_paths_complete(paths, group, &why) == 0 ? CMD_OK : cmd_failed(command, "%s", why.text);
}

int cmd_check_timings(const cmd_command *command, uint32_t heartbeat_ms, uint32_t timeout_ms) {
  if (timeout_ms / 2 < heartbeat_ms) {
    return cmd_usage(command, "--timeout-ms (%lu) must be at least twice --heartbeat-ms (%lu)",
                     (unsigned long)timeout_ms, (unsigned long)heartbeat_ms);
  }
  return CMD_OK;
}

/* ---- the end */

static void stop(cmd_session *session) {
  if (uv_is_closing((uv_handle_t *)&session->patience)) {
    return;
  }
  bh_link_stop(session->link, NULL, NULL);
  uv_close((uv_handle_t *)&session->patience, NULL);
  cmd_signals_stop(&session->signals);
}

static void on_patience_ends(uv_timer_t *timer) {
  stop(timer->data);
}

void cmd_session_end(cmd_session *session, int status) {
  if (session->ending) {
    return;
  }
  session->ending = true;
  session->status = status;
  if (session->config.ending != NULL) {
    session->config.ending(session);
  }
  if (bh_client_unregister(bh_link_client(session->link), &session->unregister) != BH_OK) {
    stop(session);
    return;
  }
  bh_link_flush(session->link);
  uv_timer_start(&session->patience, on_patience_ends, PATIENCE_MS, 0);
}

/* ---- what happens */

/* Requests that were made before UNREGISTER are answered before it, and told. */
static void on_event(void *ctx, const bh_event *event) {
  cmd_session *session = ctx;

  if (session->ending && event->request == session->unregister &&
      (event->kind == BH_EV_DONE || event->kind == BH_EV_FAILED)) {
    stop(session);
    return;
  }
  session->config.event(session, event);
}

static void on_news(void *ctx, bh_election_news news, const char *text) {
  cmd_session *session = ctx;

  if (!session->ending) {
    session->config.news(session, news, text);
  } else if (news == BH_NEWS_LOST) {
    stop(session);
  }
}

static void on_signal(void *ctx, const char *how) {
  cmd_session *session = ctx;

  (void)how;
  if (session->ending) {
    stop(session);
  } else if (session->config.interrupted != NULL) {
    session->config.interrupted(session);
  } else {
    cmd_session_end(session, CMD_FAILED);
  }
}

/* ---- the beginning */

static void watch_signals(cmd_session *session) {
  uv_timer_init(&session->loop, &session->patience);
  session->patience.data = session;
  cmd_signals_start(&session->signals, &session->loop, on_signal, session);
}

static int start_link(cmd_session *session, char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX], size_t count, bh_why *why) {
  const cmd_session_config *config = &session->config;
  bh_link_config link = {.endpoint_count = count,
                         .port = (uint16_t)config->port,
                         .serve = config->serve,
                         .client = {.pid = (uint32_t)uv_os_getpid(),
                                    .name = config->name,
                                    .instance = config->instance,
                                    .window = config->window,
                                    .role = config->role,
                                    .timeout_ms = config->timeout_ms,
                                    .allocator = bh_system_allocator(),
                                    .logger = config->logger},
                         .event = on_event,
                         .news = on_news,
                         .ctx = session};

  for (size_t i = 0; i < count; i++) {
    link.endpoints[i] = endpoints[i];
  }
  return bh_link_start(&session->loop, &link, &session->link, why);
}

bool cmd_is_instance_id(const char *text) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  size_t size = strlen(text);

  return size > 0 && size <= BH_INSTANCE_ID_MAX && strspn(text, letters) == size;
}

bool cmd_is_utf8(const char *text) {
  bh_buffer string;
  bh_json json;
  size_t consumed;
  bool right;

  bh_buffer_init(&string, bh_system_allocator());
  bh_write_string(&string, text, strlen(text));
  bh_json_init(&json, BH_DEPTH_MAX, false);
  right = !string.failed && bh_json_feed(&json, string.octets, string.size, &consumed) == BH_JSON_MORE &&
          bh_json_end(&json) == BH_JSON_DONE;
  bh_buffer_free(&string);
  return right;
}

int cmd_session_run(cmd_session *session, const cmd_command *command, const cmd_session_config *config) {
  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t count = 0;
  bh_why why = {""};
  bh_client_config client = {.name = config->name, .instance = config->instance, .window = config->window};
  int status = bh_link_check(&client, &why) == 0 ? CMD_OK : cmd_usage(command, "%s", why.text);

  if (status == CMD_OK) {
    status = cmd_endpoints(command, config->group, config->endpoint, endpoints, &count);
  }
  if (status != CMD_OK) {
    return status;
  }
  session->config = *config;
  session->status = CMD_OK;
  session->ending = false;
  uv_loop_init(&session->loop);
  if (start_link(session, endpoints, count, &why) != 0) {
    uv_loop_close(&session->loop);
    return cmd_failed(command, "%s", why.text);
  }
  watch_signals(session);
  if (config->begin != NULL) {
    config->begin(session);
  }
  uv_run(&session->loop, UV_RUN_DEFAULT);
  uv_loop_close(&session->loop);
  return session->status;
}
