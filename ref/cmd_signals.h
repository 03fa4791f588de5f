/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_SIGNALS_H
#define BH_CMD_SIGNALS_H

#include "cmd_system.h"

/* The signals that end a command, on its loop. */

typedef struct {
  uv_signal_t handles[CMD_SIGNALS_MAX];
  void (*told)(void *ctx, const char *how);
  void *ctx;
} cmd_signals;

/* `told` is called for each of them that comes, with a text for the log. */
void cmd_signals_start(cmd_signals *signals, uv_loop_t *loop, void (*told)(void *ctx, const char *how), void *ctx);
void cmd_signals_stop(cmd_signals *signals);

#endif
