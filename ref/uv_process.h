/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_PROCESS_H
#define BH_UV_PROCESS_H

#include <uv.h>

#include <stdbool.h>
#include <stdint.h>

/* Who is at the other end, as the operating system has it (spec/protocol.md, BH-TIME-008 and BH-ACCESS-001). */

/* A pid alone may be another process's by the time one looks. */
typedef struct {
  uint32_t pid;   /* 0: of another pid namespace, or not known */
  uint64_t start; /* when it started, in a unit of the system's; 0: not known */
} bh_process;

typedef enum {
  BH_PROCESS_LIVES, /* as far as one can tell */
  BH_PROCESS_ENDS,  /* it is on its way out; its files may be closed already */
  BH_PROCESS_GONE,
} bh_process_state;

/* 0, UV_EACCES: it runs as another user; or why it cannot be told. */
int bh_process_of_peer(const uv_pipe_t *pipe, bh_process *process);
bh_process_state bh_process_look(const bh_process *process);

#endif
