/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdarg.h>
#include <stdio.h>

/* A story told line by line: when, who, what. */

static void begin_line(const world *w, int index) {
  printf("%6llu.%03llu.%03llu  ", (unsigned long long)(w->now / (1000 * MS)), (unsigned long long)(w->now / MS % 1000),
         (unsigned long long)(w->now % MS));
  if (index < 0) {
    printf("      ");
  } else {
    printf("P%-2d %c ", index, w->processes[index].hub != NULL ? 'H' : ' ');
  }
}

void trace(const world *w, int index, const char *format, ...) {
  va_list arguments;

  if (!w->tracing) {
    return;
  }
  begin_line(w, index);
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
}

static void write_line(void *ctx, bh_log_level level, const char *line) {
  const process *p = ctx;

  (void)level;
  trace(p->world, (int)(p - p->world->processes), "  %s", line);
}

bh_logger trace_logger(world *w, int index) {
  return w->tracing ? (bh_logger){.write = write_line, .ctx = &w->processes[index]} : (bh_logger){0};
}
