/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_REQUEST_H
#define BH_CMD_REQUEST_H

#include "cmd_session.h"

/* One request of an observer's, and the end. */

typedef struct {
  const char *group;
  const char *endpoint;
  uint32_t timeout_ms;
  const char *instance; /* to claim for; NULL: release */
} cmd_request;

int cmd_request_run(const cmd_command *command, const cmd_request *request);

#endif
