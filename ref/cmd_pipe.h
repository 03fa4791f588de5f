/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_PIPE_H
#define BH_CMD_PIPE_H

#include "cmd.h"

/* The two directions of `bridgehub pipe`. */

typedef struct {
  const char *group;
  uint32_t serve; /* a port; 0: it connects */
  bool stay;
  bool quiet;
} pipe_options;

/* What it exits with, besides CMD_OK and the others. */
enum {
  PIPE_HUB_ENDED = 3, /* the hub has ended the connection, while standard input went on */
  PIPE_BROKE_OFF = 4,
};

/* One line to standard error, unless --quiet. */
void pipe_say(const pipe_options *options, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Listens at the endpoint until standard input ends, and goes on while there are connections. */
int pipe_serve(const pipe_options *options, const char *endpoint);

#endif
