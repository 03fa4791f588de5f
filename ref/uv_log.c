/* SPDX-License-Identifier: MIT */
#include "uv_log.h"

#include "uv_file.h"
#include "uv_fork.h"
#include "uv_say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The log: one line an event. */

enum { TEXT_MAX = 2 * BH_WHY_MAX - 128, GROWN = 1048576 };

struct bh_log_file {
  int file;
  bh_log_level least;
};

const char *const bh_log_levels[] = {"debug", "info", "warning", "error", NULL};

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

size_t bh_log_format(char out[BH_LOG_LINE_MAX], bh_log_level level, const char *line) {
  char text[TEXT_MAX];
  char stamp[32] = "";
  uv_timeval64_t now = {0};
  struct tm utc;
  time_t seconds;

  make_printable(line, text, sizeof text);
  uv_gettimeofday(&now);
  seconds = (time_t)now.tv_sec;
  if (gmtime_r(&seconds, &utc) != NULL) {
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  }
  return (size_t)snprintf(out, BH_LOG_LINE_MAX, "%s.%03dZ %-7s %s\n", stamp, (int)(now.tv_usec / 1000),
                          bh_log_levels[level], text);
}

/* ---- in a file */

static void make_old(const char *path) {
  char old[BH_PATH_MAX];
  uv_stat_t status;

  /* One who has it open writes into the old one until it ends, which harms nobody. */
  if (bh_file_link_status(path, &status) == 0 && status.st_size > GROWN && bh_path_join(old, path, "", ".old") == 0) {
    (void)bh_file_rename(path, old);
  }
}

int bh_log_open(const char *path, bh_log_level least, bh_log_file **result, char *why, size_t why_size) {
  bh_log_file *log = calloc(1, sizeof *log);

  *result = NULL;
  if (log == NULL) {
    return BH_E_NO_MEMORY;
  }
  make_old(path);
  log->least = least;
  log->file = bh_file_append(path);
  if (log->file < 0) {
    snprintf(why, why_size, "the log %s cannot be opened: %s", path, uv_strerror(log->file));
    free(log);
    return BH_E_STATE;
  }
  bh_fork_guard(log->file);
  *result = log;
  return BH_OK;
}

void bh_log_write(void *ctx, bh_log_level level, const char *line) {
  const bh_log_file *log = ctx;
  char whose[TEXT_MAX];
  char text[BH_LOG_LINE_MAX];

  if (level >= log->least) {
    snprintf(whose, sizeof whose, "[%lu] %s", (unsigned long)uv_os_getpid(), line);
    /* Where the log cannot be written there is nowhere to say so. */
    (void)bh_file_write(log->file, text, bh_log_format(text, level, whose));
  }
}

void bh_log_close(bh_log_file *log) {
  if (log != NULL) {
    bh_fork_forget(log->file);
    bh_file_close(log->file);
    free(log);
  }
}
