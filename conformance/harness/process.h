/* SPDX-License-Identifier: MIT */
#ifndef PROCESS_H
#define PROCESS_H

/* A program under test, a hub or a client: started by a command line, in a process group of its own. */

#include "internal.h"

#define UNIMPLEMENTED_STATUS 89

/* How it is with it, for cases to read. */
struct process_state {
  bool *running;
  int *exit_status, *exit_signal; /* once it has ended */
};

struct process {
  struct process *next;
  struct process_state state;
  const char *what; /* "hub" */
  const char *lane;
  const char *dir; /* its private directory */
  char *command, *pid_file;
  uv_process_t *handle; /* NULL: it has never run */
  uv_pipe_t *input, *output[2];
  int open_outputs;
  bh_buffer log;   /* standard output and error */
  size_t recorded; /* octets of the log that stand in the record */
  bool may_end;    /* whenever it likes */
  bool stopped;    /* by SIGSTOP */
  /* Takes its standard output, which then is no log; NULL: it is. */
  void (*output_taker)(struct process *process, const char *octets, size_t size);
  void *owner;
};

/* Of the case: ended with it. */
void process_add(struct process *process);
/* A private directory, short enough for a socket in it. */
char *private_directory(void);
void process_start(struct process *process, char *command);
void process_write(struct process *process, const char *text, size_t size);
void process_close_input(struct process *process);
void process_signal(struct process *process, int signal);
/* Waits for its end, for up to `ms`. False: it runs on. */
bool process_wait_end(struct process *process, uint64_t ms);
/* The same for as long as an end may take, and the case fails where it runs on. */
void process_expect_end(struct process *process);
void process_end(struct process *process);  /* SIGTERM, and waits */
void process_kill(struct process *process); /* SIGKILL, and waits */
const char *process_ending(const struct process *process);

#endif
