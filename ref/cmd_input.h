/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_INPUT_H
#define BH_CMD_INPUT_H

#include "cmd_reader.h"

#include <stdbool.h>

/* Standard input, line by line, whatever it is: a terminal, a pipe, a socket or a file. */

enum { CMD_LINE_MAX = 4096 };

typedef struct {
  uv_loop_t *loop;
  void (*line)(void *ctx, char *line); /* without its end; NULL for one that is too long; not called once stopped */
  void (*end)(void *ctx);
  void *ctx;
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tty_t tty;
    uv_tcp_t tcp;
  } source;
  cmd_reader *reader; /* where it is a file, or is to be read like one */
  bool is_stream;
  bool stopped;
  bool overlong;
  size_t size;
  char text[CMD_LINE_MAX];
  char buffer[CMD_LINE_MAX];
} cmd_input;

/* `line` may be NULL: only the end is of interest. A terminal that this process may not read has no end. */
void cmd_input_start(cmd_input *input, uv_loop_t *loop, void (*line)(void *ctx, char *line), void (*end)(void *ctx),
                     void *ctx);
void cmd_input_stop(cmd_input *input);

#endif
