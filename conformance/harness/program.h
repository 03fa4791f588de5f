/* SPDX-License-Identifier: MIT */
#ifndef PROGRAM_H
#define PROGRAM_H

/*
 * The programs of --connect and --listen, which stand between the suite and an endpoint that it cannot open itself.
 * What such a program has to say stands on its standard error: a line with its `ready` word when it has connected or
 * listens, and one with the word `ended` when that is over, unless it ends itself then.
 */

#include "internal.h"

struct program {
  struct program *next;
  uv_process_t *handle;
  uv_pipe_t errors;
  const char *ready; /* the word */
  void (*changed)(struct program *program);
  void *owner;
  bool is_ready, has_ended; /* by what it says */
  bool running;
  uint64_t started;
  int exit_status;
  const char *last_line; /* of its standard error */
  char *pid_file;
  bh_buffer said;
};

/*
 * `standard` is its input and output; `dir` its XDG_RUNTIME_DIR. `ready`, `changed` and `owner` are set; changed() is
 * called when it is ready, has ended, or runs no more.
 */
void program_start(struct program *program, char *command, const char *dir, const uv_stdio_container_t standard[2]);
/* Whatever it was for, it is over. */
bool program_is_over(const struct program *program);
/* Ends the case where there is no such program; `option` has the command. */
void program_check(const struct program *program, const char *option);
void program_kill(struct program *program);
/* How long one of them took from its start until it was ready, at most, in milliseconds. */
uint64_t programs_slowest_start(void);
/* All of them, and waits. */
void programs_end(void);
/* Without waiting. */
void programs_kill(void);

#endif
