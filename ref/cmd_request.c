/* SPDX-License-Identifier: MIT */
#include "cmd_request.h"

#include "escape.h"

#include <stdio.h>
#include <string.h>

enum { MESSAGE_ESCAPED_MAX = 2048 };

typedef struct {
  cmd_session session;
  const cmd_command *command;
  const cmd_request *request;
} request_command;

static void ask(request_command *c) {
  bh_client *client = bh_link_client(c->session.link);
  const char *instance = c->request->instance;
  uint32_t number;
  int error = instance == NULL ? bh_client_release(client, &number) : bh_client_claim(client, instance, &number);

  if (error != BH_OK) {
    cmd_session_end(&c->session, cmd_failed(c->command, "%s", bh_error_string((bh_error)error)));
  }
}

static void tell_done(request_command *c) {
  if (c->request->instance == NULL) {
    printf("Nobody is active now: imports wait until someone claims.\n");
  } else {
    printf("%s is active now.\n", c->request->instance);
  }
}

static int tell_failed(const request_command *c, const bh_event *event) {
  char message[MESSAGE_ESCAPED_MAX];

  if (strcmp(event->code, bh_code_name(BH_CODE_NO_SUCH_INSTANCE)) == 0) {
    return cmd_failed(c->command, "no instance '%s' is registered; 'bridgehub status' lists them",
                      c->request->instance == NULL ? "" : c->request->instance);
  }
  if (strcmp(event->code, bh_code_name(BH_CODE_NOT_ACTIVE)) == 0) {
    return cmd_failed(c->command, "nobody is active, so there is nothing to release");
  }
  if (event->code[0] == '\0') { /* not an answer of the hub's: the connection went first */
    return cmd_failed(c->command, "%s; 'bridgehub status' shows whether it was done",
                      bh_escape(event->message, message, sizeof message));
  }
  return cmd_failed(c->command, "the hub says %s: %s", event->code, bh_escape(event->message, message, sizeof message));
}

static void on_event(cmd_session *session, const bh_event *event) {
  request_command *c = session->config.ctx;

  if (session->ending) {
    return;
  }
  switch (event->kind) {
  case BH_EV_REGISTERED:
    ask(c);
    break;
  case BH_EV_DONE:
    tell_done(c);
    cmd_session_end(session, CMD_OK);
    break;
  case BH_EV_FAILED:
    cmd_session_end(session, tell_failed(c, event));
    break;
  default:
    break;
  }
}

static void on_news(cmd_session *session, bh_election_news news, const char *text) {
  const request_command *c = session->config.ctx;

  cmd_session_end(session,
                  cmd_failed(c->command, "%s%s", text, news == BH_NEWS_NO_HUB ? "; 'bridgehub serve' starts one" : ""));
}

int cmd_request_run(const cmd_command *command, const cmd_request *request) {
  request_command c = {.command = command, .request = request};
  char name[32];
  cmd_session_config config = {.group = request->group,
                               .endpoint = request->endpoint,
                               .timeout_ms = request->timeout_ms,
                               .name = name,
                               .window = 1,
                               .role = BH_ROLE_OBSERVER,
                               .event = on_event,
                               .news = on_news,
                               .ctx = &c};

  snprintf(name, sizeof name, "bridgehub %s", command->name);
  return cmd_session_run(&c.session, command, &config);
}
