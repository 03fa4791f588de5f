/* SPDX-License-Identifier: MIT */
/* One run: Criterion starts the workers, and their records are told in the order of the specification. */

#include <criterion/logging.h>
#include <criterion/options.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "result.h"

#include <criterion/output.h> /* needs stdio.h, and does not say so */

/* Most of a case's time is spent on waiting: one processor does for as many at a time. */
#define CASES_A_JOB 2

/* Longer than this, and endpoints below it would not fit sun_path. */
#define TEMPORARY_MAX 24

/* Criterion's callbacks have no argument of ours. */
static struct {
  const struct catalogue *catalogue;
  const struct options *options;
  const char *run;
  size_t told; /* entries before this one have been reported */
  struct tally tally;
} current;

/* Told when all of its cases are over. */
struct told_section {
  char *text; /* of its cases */
  size_t size, passed, cases;
  FILE *stream;
};

static bool end_of_section(const struct entry *entry) {
  const struct catalogue *catalogue = current.catalogue;
  return entry + 1 == catalogue->entries + catalogue->count || entry[1].section != entry->section;
}

static void tell_section(const struct section *section, struct told_section *told) {
  fclose(told->stream);
  report_section(section, told->passed, told->cases, stdout);
  fwrite(told->text, 1, told->size, stdout);
  fflush(stdout);
  free(told->text);
  *told = (struct told_section){0};
}

static enum verdict tell_case(const struct entry *entry, FILE *out) {
  struct result result = result_read(entry, current.run, current.options);
  current.tally.of[result.verdict]++;
  report_case(&result, current.options, &current.tally, out);
  free_all();
  return result.verdict;
}

static void tell_what_is_over(void) {
  static struct told_section told;
  const struct catalogue *catalogue = current.catalogue;
  for (; current.told < catalogue->count && catalogue->entries[current.told].over; current.told++) {
    const struct entry *entry = &catalogue->entries[current.told];
    if (!told.stream && !(told.stream = open_memstream(&told.text, &told.size))) {
      exit(EXIT_BROKEN);
    }
    told.cases++;
    told.passed += tell_case(entry, told.stream) == VERDICT_PASS;
    if (end_of_section(entry)) {
      tell_section(entry->section, &told);
    }
  }
}

static void on_end(struct criterion_test_stats *stats) {
  struct entry *entry = catalogue_find(current.catalogue, stats->test);
  if (!entry) {
    return;
  }
  entry->over = true;
  entry->signal = stats->signal;
  tell_what_is_over();
}

static struct criterion_logger logger = {
    .log_test_timeout = on_end,
    .log_test_crash = on_end,
    .log_other_crash = on_end,
    .log_abnormal_exit = on_end,
    .log_post_fini = on_end,
};

static bool make_run_directory(char *run, size_t size) {
  const char *temporary = environment("TMPDIR");
  bool usable = *temporary == '/' && strlen(temporary) <= TEMPORARY_MAX;
  snprintf(run, size, "%s/bhc-XXXXXX", usable ? temporary : "/tmp");
  if (!mkdtemp(run)) {
    return false;
  }
  static const char *const parts[] = {RESULTS, CASES, PIDS, LEARNED};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", run, parts[i]);
    if (mkdir(path, 0700) != 0) {
      return false;
    }
  }
  return true;
}

static void tell_workers(const struct options *options, const char *run) {
  char scale[32];
  snprintf(scale, sizeof scale, "%g", options->time_scale);
  setenv(ENV_RUN, run, 1);
  setenv(ENV_HUB, options->hub, 1);
  setenv(ENV_KILL, options->kill ? options->kill : "", 1);
  setenv(ENV_TIME_SCALE, scale, 1);
  setenv(ENV_KEEP, options->keep ? "1" : "", 1);
  setenv("BH_VECTORS", options->vectors, 1);
  setenv("BH_PAYLOADS", format("%s/../payloads", options->vectors), 1);
}

/* Criterion finds only at the end that it cannot write. */
static bool is_writable(const char *path) {
  FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
  return file && (file == stdout || fclose(file) == 0);
}

static bool set_output(const char *provider, const char *path) {
  return !path || (is_writable(path) && criterion_add_output(provider, path) != -1);
}

static int exit_status(const struct tally *tally) {
  if (tally->of[VERDICT_BROKEN]) {
    return EXIT_BROKEN;
  }
  if (tally->of[VERDICT_FAIL] || tally->of[VERDICT_CRASH] || tally->of[VERDICT_TIMEOUT] || tally->breaches) {
    return EXIT_FAULTS;
  }
  /* A hub that implements nothing of what was asked is not shown to be right. */
  bool shown = tally->of[VERDICT_PASS] + tally->of[VERDICT_NON_STRICT] > 0 && !tally->of[VERDICT_INCONCLUSIVE];
  return shown ? EXIT_CONFORMANT : EXIT_INCONCLUSIVE;
}

static void run_all(struct criterion_test_set *set) {
  uint64_t began = now_ms();
  criterion_options.logger = &logger;
  criterion_options.jobs = CASES_A_JOB * current.options->jobs;
  criterion_options.always_succeed = true;
  criterion_run_all_tests(set);
  /* A worker that Criterion lost without a word: its record is there, or says by its absence what happened. */
  for (size_t i = 0; i < current.catalogue->count; i++) {
    current.catalogue->entries[i].over = true;
  }
  tell_what_is_over();
  report_summary(&current.tally, (double)(now_ms() - began) / 1000, stdout);
}

static int broken(const char *what) {
  fprintf(stderr, "bridgehub-conformance: cannot %s: %s\n", what, strerror(errno));
  return EXIT_BROKEN;
}

static int run_guarded(struct criterion_test_set *set, const char *run) {
  const struct options *options = current.options;
  int guarded;
  pid_t guard = guard_start(run, options->keep, &guarded);
  if (guard < 0) {
    return broken("start a process");
  }
  tell_workers(options, run);
  printf("%zu case%s on: %s\n\n", set->tests, set->tests == 1 ? "" : "s", options->hub);
  fflush(stdout);
  run_all(set);
  if (options->keep) {
    printf("records and directories: %s\n", run);
  }
  guard_end(guard, guarded);
  return exit_status(&current.tally);
}

int run_cases(const struct catalogue *catalogue, const struct options *options) {
  static char run[128]; /* the callbacks need it too */
  if (!set_output("tap", options->tap) || !set_output("xml", options->xml) || !set_output("json", options->json)) {
    return broken("write the report");
  }
  if (!make_run_directory(run, sizeof run)) {
    return broken("make a private directory");
  }
  struct criterion_test_set *set = catalogue_test_set(catalogue);
  current.catalogue = catalogue;
  current.options = options;
  current.run = run;
  current.tally.seen = calloc(requirement_count + 1, sizeof *current.tally.seen);
  int status = set && current.tally.seen ? run_guarded(set, run) : broken("begin");
  free(current.tally.seen);
  free(set);
  return status;
}
