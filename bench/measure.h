/* SPDX-License-Identifier: MIT */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two ways to do the same, measured in turns, so that what else the machine does falls on both alike. */

enum { REPEATS_MAX = 1024 };

typedef struct {
  const char *id; /* for programs that read the results: never changed */
  const char *what;
  const char *ours;
  const char *theirs;
  const char *unit;
  double (*figure)(double ns, double octets); /* what is shown, of the time that one repeat took */
  double octets;                              /* that a repeat is about */
  size_t repeats;
  double ours_ns[REPEATS_MAX];
  double theirs_ns[REPEATS_MAX];
} comparison;

/* One repeat, in nanoseconds; negative: it failed, and said so. */
typedef double (*measure)(void *ctx);

/* Runs both once unmeasured, then `repeats` times in turns, or fewer where that took more than ten seconds. */
bool compare(comparison *c, measure ours, measure theirs, void *ctx, size_t repeats);

/* The middle half of a series, and its middle. */
typedef struct {
  double low, median, high;
} spread;

/* At most REPEATS_MAX values. */
spread spread_of(const double *values, size_t count);

double clock_ns(void);

#endif
