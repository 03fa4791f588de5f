/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_CLIENT_H
#define BH_CMD_CLIENT_H

#include "cmd_session.h"

/* A client for programs and for testers: JSON lines out, commands in (spec/protocol.md, section 11). */

typedef struct {
  const char *group;
  const char *endpoint;
  uint32_t port;
  uint32_t timeout_ms;
  const char *name;
  const char *instance;
  uint32_t window;
  int role; /* bh_role */
  bool ack;
  bool may_serve;
  cmd_ports also_ports; /* from here on for the hub that it may become */
  const char *state;
  const char *spool;
  uint32_t heartbeat_ms;
  int log_level;
} cmd_client_options;

extern const cmd_client_options cmd_client_defaults;

#define CMD_OPTION_NAME                                                                                                \
  {                                                                                                                    \
    .name = "name", .value = "TEXT", .help = "what people know it by (bridgehub)", .kind = CMD_TEXT,                   \
    .at = offsetof(cmd_client_options, name)                                                                           \
  }
#define CMD_OPTION_WINDOW                                                                                              \
  {                                                                                                                    \
    .name = "window", .value = "N", .help = "imports taken before any is answered (1)", .kind = CMD_NUMBER,            \
    .at = offsetof(cmd_client_options, window), .least = 1, .most = BH_WINDOW_MAX                                      \
  }
#define CMD_OPTION_ACK                                                                                                 \
  {                                                                                                                    \
    .name = "ack", .help = "answer each import with ACK as soon as it is written", .kind = CMD_FLAG,                   \
    .at = offsetof(cmd_client_options, ack)                                                                            \
  }

/* `first`: a command to begin with, or NULL. */
int cmd_client_run(const cmd_command *command, const cmd_client_options *options, const char *first);

#endif
