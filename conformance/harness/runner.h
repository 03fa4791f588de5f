/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_H
#define RUNNER_H

/* What the files of the runner share: the process that starts the workers and tells what they found. */

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "requirements.h"

enum { EXIT_CONFORMANT = 0, EXIT_FAULTS = 1, EXIT_INCONCLUSIVE = 2, EXIT_USAGE = 254, EXIT_BROKEN = 255 };

struct options {
  const char *program; /* as it was called */
  const char *hub, *client, *kill, *connect, *listen, *vectors;
  const char *tap, *xml, *json, *html;
  const char *known_failures;
  const char **globs; /* none: all cases */
  size_t glob_count;
  double time_scale; /* 0: as the calibration finds it */
  size_t jobs;
  uint64_t repeat;
  uint64_t turn;             /* of these, from 1 */
  const char *given_vectors; /* as --vectors has them, or NULL */
  struct known *known;       /* NULL: none */
  uint64_t seed;             /* 0: the order of the specification */
  uint64_t fuzz_seconds;     /* --fuzz; 0: no fuzzing */
  const char *fuzz_steps;    /* --fuzz-steps; NULL: none given */
  bool list, quiet, verbose, keep, strict;
};

/* Ends the program where they are wrong, and where all there is to do is to tell how it is used. */
void options_read(int argc, char **argv, struct options *options);
_Noreturn void usage(const char *wrong);

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

/* ------------------------------------------------------------------------------------------------- the catalogue */

struct section {
  const char *name;  /* "active" */
  const char *title; /* "4 Who is active" */
};

struct entry {
  struct criterion_test *test;
  const struct section *section;
  char *slug;                /* "active/the-latest-claim-wins" */
  const char *level;         /* "MUST", "SHOULD" */
  bool of_client;            /* what is under test is a client */
  const char *ids;           /* "BH-CLAIM-001 BH-CLAIM-002" */
  size_t verdicts[VERDICTS]; /* how often, of all runs */
  bool over;                 /* its worker has ended, */
  int signal;                /* by this signal */
  uint64_t fuzz_seed;        /* of the run that is told; 0: that of the options */
  char *fuzz_steps;          /* and its steps; NULL: those of the options */
  bool fuzz_known, fuzz_passed;
};

struct catalogue {
  struct entry *entries; /* the selected ones, in the order of the specification */
  size_t count;
};

/* False: it said what is wrong with the suite itself. */
bool catalogue_make(struct criterion_test_set *all, const struct options *options, struct catalogue *catalogue);
/* In the order that `seed` makes of it; 0: that of the catalogue. */
struct criterion_test_set *catalogue_test_set(const struct catalogue *catalogue, uint64_t seed);
struct entry *catalogue_find(const struct catalogue *catalogue, const struct criterion_test *test);
void catalogue_list(const struct catalogue *catalogue);
void catalogue_free(struct catalogue *catalogue);
/* Where in `requirements` the first `size` octets of `id` stand; requirement_count: nowhere. */
size_t requirement_index(const char *id, size_t size);

struct tally {
  size_t of[VERDICTS];
  size_t faults;         /* cases by which the run fails */
  size_t known;          /* and those by which it would, but for --known-failures */
  size_t breaches;       /* seen in passing: requirements of each case that is about something else */
  size_t known_breaches; /* the same */
  bool *seen;            /* of each requirement: whether it was among them */
};

/* -------------------------------------------------------------------------------------------------- for people */

/* Says on `out` what there is to tell of it. */
struct result;
void report_case(const struct result *result, const struct options *options, struct tally *tally, FILE *out);
/* The same of a case that failed, at length. */
void report_details(const struct result *result, FILE *out);
void report_section(const struct section *section, size_t passed, size_t cases, FILE *out);
/* "Run 3 of 30", where there are several. */
void report_turn(const struct options *options, FILE *out);
/* The cases that did not have the same verdict in all runs. */
void report_varied(const struct catalogue *catalogue, FILE *out);
void report_summary(const struct tally *tally, double seconds, FILE *out);

/* What `seed` makes of a name. */
uint64_t draw(uint64_t seed, const char *name);

struct calibration {
  double process_ms; /* how long a process takes to start and to end */
  double time_scale; /* what that asks for */
};
struct calibration calibrate(size_t at_once);

void progress_begin(const struct options *options);
void progress_show(size_t over, size_t cases, size_t faults, const char *slug);
void progress_fuzz(uint64_t runs, uint64_t seconds, uint64_t of);
void progress_clear(void);

/* ------------------------------------------------------------------------------------------------------- the run */

/* A process that outlives the runner: when `*guarded` closes, it ends every hub that is left and removes `run`. */
pid_t guard_start(const char *run, bool keep, int *guarded);
void guard_end(pid_t guard, int guarded);

int run_cases(const struct catalogue *catalogue, struct options *options);
/* Runs the cases for the time of --fuzz. `tell` is called for each once its record is that which is to be told. */
void fuzz_runs(const struct catalogue *catalogue, const struct options *options, const char *run,
               void (*tell)(struct entry *entry));
/* A case of this section, as it is in C, is for --fuzz. */
bool is_of_fuzz(const char *section);

#endif
