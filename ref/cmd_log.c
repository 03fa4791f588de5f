/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <stdio.h>

/* The log, on standard error. */

static void write_line(void *ctx, bh_log_level level, const char *line) {
  const int *least = ctx;
  char text[BH_LOG_LINE_MAX];

  if ((int)level >= *least) {
    bh_log_format(text, level, line);
    fputs(text, stderr);
    fflush(stderr); /* not every system writes it at once */
  }
}

bh_logger cmd_logger(const int *level) {
  return (bh_logger){.write = write_line, .ctx = (void *)level};
}
