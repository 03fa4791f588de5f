/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_H
#define RUNNER_H

/* What the files of the runner share: the process that starts the workers and tells what they found. */

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>

#include "requirements.h"

enum { EXIT_CONFORMANT = 0, EXIT_FAULTS = 1, EXIT_INCONCLUSIVE = 2, EXIT_USAGE = 254, EXIT_BROKEN = 255 };

struct options {
  const char *hub, *kill, *vectors;
  const char *tap, *xml, *json;
  const char **globs; /* none: all cases */
  size_t glob_count;
  double time_scale;
  size_t jobs;
  bool list, verbose, keep;
};

/* ------------------------------------------------------------------------------------------------- the catalogue */

struct section {
  const char *name;  /* "active" */
  const char *title; /* "4 Who is active" */
};

struct entry {
  struct criterion_test *test;
  const struct section *section;
  char *slug;        /* "active/the-latest-claim-wins" */
  const char *level; /* "MUST", "SHOULD" */
  const char *ids;   /* "BH-CLAIM-001 BH-CLAIM-002" */
  bool over;         /* its worker has ended, */
  int signal;        /* by this signal */
};

struct catalogue {
  struct entry *entries; /* the selected ones, in the order of the specification */
  size_t count;
};

/* False: it said what is wrong with the suite itself. */
bool catalogue_make(struct criterion_test_set *all, const struct options *options, struct catalogue *catalogue);
struct criterion_test_set *catalogue_test_set(const struct catalogue *catalogue);
struct entry *catalogue_find(const struct catalogue *catalogue, const struct criterion_test *test);
void catalogue_list(const struct catalogue *catalogue);
void catalogue_free(struct catalogue *catalogue);
/* Where in `requirements` the first `size` octets of `id` stand; requirement_count: nowhere. */
size_t requirement_index(const char *id, size_t size);

/* --------------------------------------------------------------------------------------------------- the verdicts */

enum verdict {
  VERDICT_PASS,
  VERDICT_FAIL,
  VERDICT_CRASH,
  VERDICT_TIMEOUT,
  VERDICT_NON_STRICT,
  VERDICT_INCONCLUSIVE,
  VERDICT_UNIMPLEMENTED,
  VERDICT_SKIP,
  VERDICT_BROKEN, /* the suite itself, not the hub */
  VERDICTS,
};

struct tally {
  size_t of[VERDICTS];
  size_t breaches; /* seen in passing: requirements of each case that is about something else */
  bool *seen;      /* of each requirement: whether it was among them */
};

/* Says on `out` what there is to tell of it. */
struct result;
void report_case(const struct result *result, const struct options *options, struct tally *tally, FILE *out);
void report_section(const struct section *section, size_t passed, size_t cases, FILE *out);
void report_summary(const struct tally *tally, double seconds, FILE *out);

/* ------------------------------------------------------------------------------------------------------- the run */

/* A process that outlives the runner: when `*guarded` closes, it ends every hub that is left and removes `run`. */
pid_t guard_start(const char *run, bool keep, int *guarded);
void guard_end(pid_t guard, int guarded);

int run_cases(const struct catalogue *catalogue, const struct options *options);

#endif
