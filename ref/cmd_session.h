/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_SESSION_H
#define BH_CMD_SESSION_H

#include "cmd.h"
#include "cmd_signals.h"
#include "uv_link.h"

/* A command that is a client: a loop, the signals that end it, and a link to the hub. */

typedef struct cmd_session cmd_session;

typedef struct {
  const char *group;
  const char *endpoint; /* NULL: the group's */
  uint32_t port;        /* 0: not known */
  uint32_t timeout_ms;
  const char *name;
  uint32_t window;
  const char *instance; /* to resume; NULL: a new one */
  bh_role role;
  const bh_server_config *serve; /* the hub that it may become, or NULL */
  bh_logger logger;
  void (*begin)(cmd_session *session); /* the loop is there: opens the handles of the command itself; may be NULL */
  void (*event)(cmd_session *session, const bh_event *event);
  void (*news)(cmd_session *session, bh_election_news news, const char *text);
  void (*interrupted)(cmd_session *session); /* by a signal; NULL: cmd_session_end() with CMD_FAILED */
  void (*ending)(cmd_session *session);      /* closes those handles; may be NULL */
  void *ctx;
} cmd_session_config;

struct cmd_session {
  cmd_session_config config;
  uv_loop_t loop;
  cmd_signals signals;
  uv_timer_t patience; /* with the answer to UNREGISTER */
  bh_link *link;
  bool ending;
  uint32_t unregister; /* the request, while `ending` */
  int status;
};

/* Runs until cmd_session_end() and all that it waits for. Returns the exit status. */
int cmd_session_run(cmd_session *session, const cmd_command *command, const cmd_session_config *config);
/* Leaves the hub politely, and ends the loop. */
void cmd_session_end(cmd_session *session, int status);

/* The group's or the user's endpoint; what is wrong with it is said. */
int cmd_endpoints(const cmd_command *command, const char *group, const char *endpoint,
                  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX], size_t *count);

/* Where a hub has its things: as given, or the group's where NULL. What is wrong with them is said. */
int cmd_paths(const cmd_command *command, const char *group, const char *endpoint, const char *state, const char *spool,
              bh_paths *paths);
int cmd_check_timings(const cmd_command *command, uint32_t heartbeat_ms, uint32_t timeout_ms);

bool cmd_is_instance_id(const char *text);
bool cmd_is_utf8(const char *text);

#endif
