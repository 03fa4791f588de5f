/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_PUMP_H
#define BH_CMD_PUMP_H

#include <uv.h>

#include <stdbool.h>

/* Octets from one place to another, no faster than they are taken there. */

enum { CMD_PUMP_OCTETS = 65536 };

typedef struct {
  uv_stream_t *stream; /* NULL: */
  uv_file file;
} cmd_pump_end;

typedef enum {
  CMD_PUMP_DONE,    /* `from` has ended, and `to` has all of it and was told so, as far as it can be */
  CMD_PUMP_READING, /* `from` broke off */
  CMD_PUMP_WRITING, /* `to` takes no more */
} cmd_pump_result;

typedef struct cmd_pump cmd_pump;
struct cmd_pump {
  uv_loop_t *loop;
  cmd_pump_end from, to;
  void (*ended)(cmd_pump *pump, cmd_pump_result result, int error);
  void *ctx;

  bool stopped;
  union {
    uv_write_t write;
    uv_shutdown_t shutdown;
    uv_fs_t file;
  } request;
  size_t size, written; /* what was read, and how much of it the file has taken */
  char octets[CMD_PUMP_OCTETS];
};

/* Begins; `loop`, the ends, `ended` and `ctx` are set, all else is 0. */
void cmd_pump_start(cmd_pump *pump);
/* `ended` is not called any more. What is under way goes on until the streams are closed. */
void cmd_pump_stop(cmd_pump *pump);

#endif
