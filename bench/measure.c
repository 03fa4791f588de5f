/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPEATS_LEAST = 5 };

static const double budget_ns = 10e9;

double clock_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Where a repeat takes long, fewer must do. */
static bool has_enough(const comparison *c, double start) {
  return c->repeats >= REPEATS_LEAST && clock_ns() - start > budget_ns;
}

bool compare(comparison *c, measure ours, measure theirs, void *ctx, size_t repeats) {
  double start = clock_ns();

  if (ours(ctx) < 0 || theirs(ctx) < 0) {
    return false;
  }
  for (c->repeats = 0; c->repeats < repeats && c->repeats < REPEATS_MAX && !has_enough(c, start); c->repeats++) {
    c->ours_ns[c->repeats] = ours(ctx);
    c->theirs_ns[c->repeats] = theirs(ctx);
    if (c->ours_ns[c->repeats] < 0 || c->theirs_ns[c->repeats] < 0) {
      return false;
    }
  }
  return true;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;

  return (x > y) - (x < y);
}

spread spread_of(const double *values, size_t count) {
  double sorted[REPEATS_MAX];

  memcpy(sorted, values, count * sizeof *values);
  qsort(sorted, count, sizeof *sorted, by_size);
  return (spread){.low = sorted[count / 4], .median = sorted[count / 2], .high = sorted[count - 1 - count / 4]};
}
