/* SPDX-License-Identifier: MIT */
#include "uv_say.h"

#include <stdarg.h>
#include <stdio.h>

int bh_why_set(bh_why *why, int error, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(why->text, sizeof why->text, format, arguments);
  va_end(arguments);
  return error;
}

void bh_say(const bh_logger *logger, bh_log_level level, const char *format, ...) {
  char line[BH_WHY_MAX];
  va_list arguments;

  if (logger->write == NULL) {
    return;
  }
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  logger->write(logger->ctx, level, line);
}
