/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void bh_log(bh_hub *hub, bh_log_level level, const char *format, ...) {
  va_list arguments;

  if (hub->logger.write == NULL) {
    return;
  }
  va_start(arguments, format);
  vsnprintf(hub->line, sizeof hub->line, format, arguments);
  va_end(arguments);
  hub->logger.write(hub->logger.ctx, level, hub->line);
}

const char *bh_who(const peer *p, char *out, size_t size) {
  size_t at;

  if (p->info.instance[0] == '\0') {
    snprintf(out, size, "connection %u", (unsigned)p->id);
    return out;
  }
  at = (size_t)snprintf(out, size, "%s ", p->info.instance);
  bh_escape(p->info.name, out + at, size - at);
  return out;
}
