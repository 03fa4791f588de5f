/* SPDX-License-Identifier: MIT */
/* One run: Criterion starts the workers, and their records are told in the order of the specification. */

#include <criterion/logging.h>
#include <criterion/options.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "internal.h"
#include "known.h"
#include "report.h"

/* Most of a case's time is spent on waiting: one processor does for as many at a time. */
#define CASES_A_JOB 3

/* Longer than this, and endpoints below it would not fit sun_path. */
#define TEMPORARY_MAX 24

/* So much has to be free in memory, in octets: several times what the largest cases need. */
#define MEMORY_LEAST (UINT64_C(1) << 30)

/* Criterion's callbacks have no argument of ours. */
static struct {
  const struct catalogue *catalogue;
  struct options *options;
  const char *run;
  size_t over; /* cases */
  size_t told; /* entries before this one have been told */
  struct tally tally;
} current;

/* ------------------------------------------------------------------------------------------------ what has ended */

static void count(struct entry *entry, const struct result *result) {
  struct tally *tally = &current.tally;
  entry->verdicts[result->verdict]++;
  tally->of[result->verdict]++;
  tally->faults += result->fails && !result->known;
  tally->known += result->known;
  for (size_t i = 0; i < result->breach_count; i++) {
    *(result->breaches[i].known ? &tally->known_breaches : &tally->breaches) += 1;
  }
  bool shown = result->verdict == VERDICT_PASS || (result->verdict == VERDICT_NON_STRICT && !result->fails);
  known_saw(current.options->known, entry->slug, shown);
}

static void take(struct entry *entry) {
  struct result result = result_read(entry, current.run, current.options);
  entry->over = true;
  current.over++;
  count(entry, &result);
  reports_add(&result, &current.tally);
  free_all();
}

/* ---------------------------------------------------------------------------------- in the order of the catalogue */

static size_t end_of_section(size_t begin) {
  const struct catalogue *catalogue = current.catalogue;
  size_t end = begin;
  while (end < catalogue->count && catalogue->entries[end].section == catalogue->entries[begin].section) {
    end++;
  }
  return end;
}

static bool is_section_over(size_t begin, size_t end) {
  while (begin < end && current.catalogue->entries[begin].over) {
    begin++;
  }
  return begin == end;
}

/* The title says how many passed, and comes before what is told of them. */
static void tell_section(size_t begin, size_t end) {
  char *text = NULL;
  size_t size = 0, passed = 0;
  FILE *stream = open_memstream(&text, &size);
  if (!stream) {
    exit(EXIT_BROKEN);
  }
  for (size_t i = begin; i < end; i++) {
    struct result result = result_read(&current.catalogue->entries[i], current.run, current.options);
    passed += result.verdict == VERDICT_PASS;
    report_case(&result, current.options, &current.tally, stream);
    free_all();
  }
  fclose(stream);
  progress_clear();
  if (size > 0 && current.options->quiet) {
    report_turn(current.options, stdout);
  }
  if (size > 0 || !current.options->quiet) {
    report_section(current.catalogue->entries[begin].section, passed, end - begin, stdout);
    fwrite(text, 1, size, stdout);
    fflush(stdout);
  }
  free(text);
}

static void tell_what_is_over(void) {
  while (current.told < current.catalogue->count) {
    size_t end = end_of_section(current.told);
    if (!is_section_over(current.told, end)) {
      return;
    }
    tell_section(current.told, end);
    current.told = end;
  }
}

static void on_end(struct criterion_test_stats *stats) {
  struct entry *entry = catalogue_find(current.catalogue, stats->test);
  if (!entry || entry->over) {
    return;
  }
  entry->signal = stats->signal;
  take(entry);
  tell_what_is_over();
  progress_show(current.over, current.catalogue->count, current.tally.faults, entry->slug);
}

static struct criterion_logger logger = {
    .log_test_timeout = on_end,
    .log_test_crash = on_end,
    .log_other_crash = on_end,
    .log_abnormal_exit = on_end,
    .log_post_fini = on_end,
};

static bool has_room(const char *directory) {
  struct statvfs status;
  return access(directory, W_OK | X_OK) == 0 && statvfs(directory, &status) == 0 &&
         (uint64_t)status.f_bavail * status.f_frsize >= MEMORY_LEAST;
}

/* Cases make and remove thousands of files: a file system in memory does not become slow by that. */
static const char *temporary_directory(void) {
  const char *temporary = environment("TMPDIR");
  if (*temporary == '/' && strlen(temporary) <= TEMPORARY_MAX) {
    return temporary;
  }
  return has_room("/dev/shm") ? "/dev/shm" : "/tmp";
}

static bool make_run_directory(char *run, size_t size) {
  snprintf(run, size, "%s/bhc-XXXXXX", temporary_directory());
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
  setenv(ENV_HUB, options->hub ? options->hub : "", 1);
  setenv(ENV_CLIENT, options->client ? options->client : "", 1);
  setenv(ENV_KILL, options->kill ? options->kill : "", 1);
  setenv(ENV_CONNECT, options->connect ? options->connect : "", 1);
  setenv(ENV_LISTEN, options->listen ? options->listen : "", 1);
  setenv(ENV_TIME_SCALE, scale, 1);
  setenv(ENV_STEPS, options->fuzz_steps ? options->fuzz_steps : "", 1);
  setenv(ENV_KEEP, options->keep ? "1" : "", 1);
  setenv("BH_VECTORS", options->vectors, 1);
  setenv("BH_PAYLOADS", format("%s/../payloads", options->vectors), 1);
}

static int exit_status(const struct tally *tally, size_t stale) {
  if (tally->of[VERDICT_BROKEN]) {
    return EXIT_BROKEN;
  }
  if (tally->faults || tally->breaches || stale) {
    return EXIT_FAULTS;
  }
  /* A hub that implements nothing of what was asked is not shown to be right. */
  size_t told = tally->of[VERDICT_PASS] + tally->of[VERDICT_NON_STRICT] + tally->known;
  return told > 0 && !tally->of[VERDICT_INCONCLUSIVE] ? EXIT_CONFORMANT : EXIT_INCONCLUSIVE;
}

/* ------------------------------------------------------------------------------------------------------- the run */

static int broken(const char *what) {
  fprintf(stderr, "bridgehub-conformance: cannot %s: %s\n", what, strerror(errno));
  return EXIT_BROKEN;
}

static void begin_turn(void) {
  char seed[32];
  current.over = current.told = 0;
  for (size_t i = 0; i < current.catalogue->count; i++) {
    current.catalogue->entries[i].over = false;
    current.catalogue->entries[i].signal = 0;
  }
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)current.options->seed);
  setenv(ENV_SEED, seed, 1);
}

static bool run_turn(void) {
  struct criterion_test_set *set = catalogue_test_set(current.catalogue, current.options->seed);
  if (!set) {
    return false;
  }
  begin_turn();
  criterion_run_all_tests(set);
  /* A worker that Criterion lost without a word: its record is there, or says by its absence what happened. */
  for (size_t i = 0; i < current.catalogue->count; i++) {
    if (!current.catalogue->entries[i].over) {
      take(&current.catalogue->entries[i]);
    }
  }
  tell_what_is_over();
  progress_clear();
  free(set);
  return true;
}

static bool run_turns(void) {
  struct options *options = current.options;
  uint64_t first_seed = options->seed;
  bool sound = true;
  for (options->turn = 1; sound && options->turn <= options->repeat; options->turn++) {
    options->seed = first_seed && !options->fuzz_steps ? first_seed + options->turn - 1 : first_seed;
    if (!options->quiet) {
      report_turn(options, stdout);
    }
    sound = run_turn();
  }
  return sound;
}

static bool run_all_turns(void) {
  struct options *options = current.options;
  if (!options->fuzz_seconds) {
    return run_turns();
  }
  options->turn = 1;
  begin_turn();
  fuzz_runs(current.catalogue, options, current.run, take);
  tell_what_is_over();
  return true;
}

/* The last words of the run, which the reports tell too. */
static int end_reports(void) {
  char *stale = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&stale, &size);
  if (!stream) {
    return broken("tell what is stale");
  }
  int status = exit_status(&current.tally, known_stale(current.options->known, stream));
  fclose(stream);
  fputs(stale, stdout);
  bool whole = reports_end(status, stale);
  free(stale);
  free_all();
  return whole ? status : EXIT_BROKEN;
}

static int run_all(void) {
  uint64_t began = now_ms();
  criterion_options.logger = &logger;
  criterion_options.jobs = CASES_A_JOB * current.options->jobs;
  criterion_options.always_succeed = true;
  progress_begin(current.options);
  if (!run_all_turns()) {
    return broken("begin");
  }
  report_varied(current.catalogue, stdout);
  report_summary(&current.tally, (double)(now_ms() - began) / 1000, stdout);
  return end_reports();
}

static void set_time_scale(struct options *options) {
  if (options->time_scale > 0) {
    return;
  }
  struct calibration found = calibrate(CASES_A_JOB * options->jobs);
  options->time_scale = found.time_scale;
  if (found.time_scale > 1) {
    printf("This host is slow, or busy: a process needs %.0f ms to start and to end. --time-scale %g\n",
           found.process_ms, found.time_scale);
  }
}

static int run_guarded(const char *run) {
  struct options *options = current.options;
  int guarded;
  pid_t guard = guard_start(run, options->keep, &guarded);
  if (guard < 0) {
    return broken("start a process");
  }
  /* After the guard, which must not hold what others read to its end. */
  if (!reports_open(options)) {
    guard_end(guard, guarded);
    return EXIT_BROKEN;
  }
  set_time_scale(options);
  tell_workers(options, run);
  reports_begin(options, current.catalogue);
  printf("%zu case%s on: %s%s%s\n\n", current.catalogue->count, current.catalogue->count == 1 ? "" : "s",
         options->hub ? options->hub : "", options->hub && options->client ? "\nand: " : "",
         options->client ? options->client : "");
  fflush(stdout);
  int status = run_all();
  if (options->keep) {
    printf("records and directories: %s\n", run);
  }
  guard_end(guard, guarded);
  return status;
}

int run_cases(const struct catalogue *catalogue, struct options *options) {
  static char run[128]; /* the callbacks need it too */
  if (!make_run_directory(run, sizeof run)) {
    char what[160];
    snprintf(what, sizeof what, "make a private directory in %s", temporary_directory());
    return broken(what);
  }
  current.catalogue = catalogue;
  current.options = options;
  current.run = run;
  current.tally.seen = calloc(requirement_count + 1, sizeof *current.tally.seen);
  int status = current.tally.seen ? run_guarded(run) : broken("begin");
  free(current.tally.seen);
  return status;
}
