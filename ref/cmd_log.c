/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The log: one line an event, on standard error. */

enum { LINE_MAX_OCTETS = 2 * BH_WHY_MAX };

const char *const cmd_log_levels[] = {"debug", "info", "warning", "error", NULL};

/* Names are escaped by who logs them; paths and other texts are not. Nothing that moves a cursor gets through. */
static void make_printable(const char *text, char *out, size_t size) {
  const unsigned char *p = (const unsigned char *)text;
  size_t at = 0;

  for (; *p != '\0' && at + sizeof "\\u0000" < size; p++) {
    if (*p < 0x20 || *p == 0x7F) {
      at += (size_t)snprintf(out + at, size - at, "\\u%04x", *p);
    } else if (p[0] == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0) {
      at += (size_t)snprintf(out + at, size - at, "\\u%04x", p[1]);
      p++;
    } else {
      out[at++] = (char)*p;
    }
  }
  out[at] = '\0';
}

static void write_line(void *ctx, bh_log_level level, const char *line) {
  const int *least = ctx;
  char text[LINE_MAX_OCTETS];
  char stamp[32] = "";
  uv_timeval64_t now = {0};
  struct tm utc;
  time_t seconds;

  if ((int)level < *least) {
    return;
  }
  make_printable(line, text, sizeof text);
  uv_gettimeofday(&now);
  seconds = (time_t)now.tv_sec;
  if (gmtime_r(&seconds, &utc) != NULL) {
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  }
  fprintf(stderr, "%s.%03dZ %-7s %s\n", stamp, (int)(now.tv_usec / 1000), cmd_log_levels[level], text);
}

bh_logger cmd_logger(const int *level) {
  return (bh_logger){.write = write_line, .ctx = (void *)level};
}
