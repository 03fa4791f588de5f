/* SPDX-License-Identifier: MIT */
/* How slow is this host? Asked of it before the first case, while as much runs at a time as will then. */

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"
#include "runner.h"

#define PROCESSES 24
#define AT_ONCE_MAX 16
/* A shell starts and ends within this on a host for which the deadlines of the cases are made, also a busy one. */
#define GOOD_MS 40.0
#define SCALE_MAX 20.0

extern char **environ;

struct probe {
  pid_t pid;
  uint64_t began;
};

static bool start(struct probe *probe) {
  char *argv[] = {"sh", "-c", "exec true", NULL};
  probe->began = uv_hrtime();
  return posix_spawn(&probe->pid, "/bin/sh", NULL, NULL, argv, environ) == 0;
}

static int compare_times(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Milliseconds; the slowest quarter begins there, so that one slow process means nothing. */
static double upper_quartile(double *times, size_t count) {
  qsort(times, count, sizeof *times, compare_times);
  return count ? times[count * 3 / 4] : 0;
}

static double measure(size_t at_once) {
  struct probe probes[AT_ONCE_MAX] = {{0}};
  double times[PROCESSES] = {0};
  size_t started = 0, ended = 0;
  while (started < at_once && start(&probes[started])) {
    started++;
  }
  size_t lanes = started;
  while (ended < started) {
    pid_t pid = waitpid(-1, NULL, 0);
    for (size_t i = 0; i < lanes; i++) {
      if (probes[i].pid != pid) {
        continue;
      }
      times[ended++] = (double)(uv_hrtime() - probes[i].began) / 1e6;
      probes[i].pid = 0;
      started += started < PROCESSES && start(&probes[i]);
    }
    if (pid < 0) {
      break;
    }
  }
  return upper_quartile(times, ended);
}

double process_ms(void) {
  struct probe probe;
  if (start(&probe)) {
    waitpid(probe.pid, NULL, 0);
  }
  return (double)(uv_hrtime() - probe.began) / 1e6;
}

struct calibration calibrate(size_t at_once) {
  struct calibration found = {.process_ms = measure(at_once < AT_ONCE_MAX ? at_once : AT_ONCE_MAX), .time_scale = 1};
  if (found.process_ms > GOOD_MS) {
    double scale = found.process_ms / GOOD_MS;
    found.time_scale = scale < SCALE_MAX ? (double)(unsigned)(scale * 2 + 1) / 2 : SCALE_MAX;
  }
  return found;
}
