/* SPDX-License-Identifier: MIT */
/* --fuzz: the cases of fuzz/ again and again, each time with the next seed; what fails is made as short as it can be.
 */

#include <criterion/logging.h>
#include <criterion/options.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "result.h"
#include "runner.h"
#include "step_list.h"

#define REDUCE_MS 30000
#define TRIES 3
#define ID_MAX 16

/* What came of one run of one case. */
struct outcome {
  enum verdict verdict;
  bool found; /* a fault, and none that is known */
  bool known;
  char requirement[ID_MAX];
  uint32_t last_step; /* that it began */
  uint64_t us;        /* when it was over */
};

/* Criterion's callbacks have no argument of ours. */
static struct {
  const struct catalogue *catalogue;
  const struct options *options;
  const char *run;
} fuzzing;

static void on_end(struct criterion_test_stats *stats) {
  struct entry *entry = catalogue_find(fuzzing.catalogue, stats->test);
  if (entry) {
    entry->signal = stats->signal;
  }
}

static struct criterion_logger logger = {
    .log_test_timeout = on_end,
    .log_test_crash = on_end,
    .log_other_crash = on_end,
    .log_abnormal_exit = on_end,
    .log_post_fini = on_end,
};

/* --------------------------------------------------------------------------------------------------------- one run */

static char *record_of(const struct entry *entry, const char *suffix) {
  return format("%s/" RESULTS "/%s.%s.jsonl%s", fuzzing.run, entry->test->category, entry->test->name, suffix);
}

/* Those of the entries that are not over yet, or that one. */
static struct catalogue chosen(struct entry *only) {
  struct catalogue some = {.entries = calloc(fuzzing.catalogue->count, sizeof *some.entries)};
  for (size_t i = 0; some.entries && i < fuzzing.catalogue->count; i++) {
    struct entry *entry = &fuzzing.catalogue->entries[i];
    if (only ? entry == only : !entry->over) {
      entry->signal = 0;
      remove(record_of(entry, ""));
      some.entries[some.count++] = *entry;
    }
  }
  return some;
}

/* False: there is nothing to run. */
static bool run_once(struct entry *only, uint64_t seed, const char *steps) {
  struct catalogue some = chosen(only);
  struct criterion_test_set *set = some.count ? catalogue_test_set(&some, 0) : NULL;
  setenv(ENV_SEED, format("%llu", (unsigned long long)seed), 1);
  setenv(ENV_STEPS, steps, 1);
  if (set) {
    criterion_run_all_tests(set);
  }
  free(set);
  free(some.entries);
  return set != NULL;
}

static uint32_t step_of(const struct json *line) {
  const char *text = line_is(line, "event") ? line_member(line, "text") : "";
  bool is_step = strncmp(text, STEP_NOTE, strlen(STEP_NOTE)) == 0 && strcmp(line_member(line, "lane"), "case") == 0;
  return is_step ? (uint32_t)strtoul(text + strlen(STEP_NOTE), NULL, 10) : 0;
}

static struct outcome look(const struct entry *entry) {
  struct result result = result_read(entry, fuzzing.run, fuzzing.options);
  struct outcome outcome = {.verdict = result.verdict,
                            .known = result.known,
                            .found = (result.fails && !result.known) || result.verdict == VERDICT_BROKEN};
  const char *requirement = result.requirement;
  for (size_t i = 0; i < result.breach_count; i++) {
    outcome.known = outcome.known || result.breaches[i].known;
    if (!result.breaches[i].known) {
      outcome.found = true;
      requirement = result.breaches[i].requirement;
    }
  }
  snprintf(outcome.requirement, sizeof outcome.requirement, "%s", requirement);
  for (size_t i = 0; i < result.count; i++) {
    uint32_t step = step_of(&result.lines[i]);
    outcome.last_step = step ? step : outcome.last_step;
    outcome.us = json_integer(&result.lines[i], "us");
  }
  free_all();
  return outcome;
}

static bool is_same(const struct outcome *a, const struct outcome *b) {
  return a->found && b->found && a->verdict == b->verdict && strcmp(a->requirement, b->requirement) == 0;
}

/* ------------------------------------------------------------------------------------------- as short as it can be */

struct reduction {
  struct entry *entry;
  uint64_t seed, end;
  struct outcome sought;
  uint32_t *steps; /* with which it was seen to fail, in their order */
  size_t count;
};

/* Takes these as the shortest so far, with the record that they left. */
static void keep(struct reduction *reduction, const uint32_t *steps, size_t count) {
  struct entry *entry = reduction->entry;
  memmove(reduction->steps, steps, count * sizeof *steps);
  reduction->count = count;
  rename(record_of(entry, ""), record_of(entry, ".kept"));
  free(entry->fuzz_steps);
  entry->fuzz_steps = strdup(step_list_write(steps, count));
  free_all();
}

static bool fails_with(struct reduction *reduction, const uint32_t *steps, size_t count) {
  if (!run_once(reduction->entry, reduction->seed, step_list_write(steps, count))) {
    return false;
  }
  struct outcome outcome = look(reduction->entry);
  if (!is_same(&outcome, &reduction->sought)) {
    return false;
  }
  keep(reduction, steps, count);
  return true;
}

static bool has_time(const struct reduction *reduction) {
  return now_ms() < reduction->end;
}

/* Without the `size` steps from `at` on. */
static bool fails_without(struct reduction *reduction, size_t at, size_t size) {
  uint32_t *steps = calloc(reduction->count + 1, sizeof *steps);
  if (!steps) {
    return false;
  }
  size_t behind = reduction->count - at - size;
  memcpy(steps, reduction->steps, at * sizeof *steps);
  memcpy(steps + at, reduction->steps + at + size, behind * sizeof *steps);
  bool fails = fails_with(reduction, steps, at + behind);
  free(steps);
  return fails;
}

/* Pieces of half the size each time are left out, as many as can be. */
static void leave_out(struct reduction *reduction) {
  for (size_t size = reduction->count / 2; size > 0 && has_time(reduction); size /= 2) {
    for (size_t at = 0; at + size <= reduction->count && has_time(reduction);) {
      at += fails_without(reduction, at, size) ? 0 : size;
    }
  }
}

static bool fails_again(struct reduction *reduction) {
  for (int i = 0; i < TRIES; i++) {
    if (fails_with(reduction, reduction->steps, reduction->count)) {
      return true;
    }
  }
  return false;
}

/* The record says in its last line what the run itself cannot know. */
static void tell_unsteady(const struct entry *entry, uint64_t us) {
  FILE *record = fopen(record_of(entry, ".kept"), "a");
  if (record) {
    fprintf(record,
            "{\"us\":%llu,\"kind\":\"event\",\"lane\":\"case\",\"text\":\"the same octets again, %d times: it did not "
            "fail, "
            "so that it takes more than they\"}\n",
            (unsigned long long)us, TRIES);
    fclose(record);
  }
}

static void reduce(struct entry *entry, uint64_t seed, const struct outcome *sought) {
  uint32_t *steps = calloc((size_t)sought->last_step + 1, sizeof *steps);
  if (!steps) {
    return;
  }
  for (uint32_t i = 0; i < sought->last_step; i++) {
    steps[i] = i + 1;
  }
  struct reduction reduction = {.entry = entry, .seed = seed, .sought = *sought, .steps = steps};
  reduction.end = now_ms() + (uint64_t)(REDUCE_MS * fuzzing.options->time_scale);
  reduction.count = sought->last_step;
  if (!fails_again(&reduction)) {
    tell_unsteady(entry, sought->us);
  } else if (reduction.count > 1) {
    uint32_t last = steps[reduction.count - 1];
    if (!fails_with(&reduction, &last, 1)) {
      leave_out(&reduction);
    }
  }
  free(steps);
}

/* ------------------------------------------------------------------------------------------------- one after another
 */

static void found(struct entry *entry, uint64_t seed, const struct outcome *outcome) {
  entry->fuzz_seed = seed;
  free(entry->fuzz_steps);
  entry->fuzz_steps = strdup("all");
  rename(record_of(entry, ""), record_of(entry, ".kept"));
  progress_clear();
  if (!fuzzing.options->quiet) {
    printf("%s fails with the seed %llu; which of its steps does it take?\n", entry->slug, (unsigned long long)seed);
    fflush(stdout);
  }
  if (outcome->verdict != VERDICT_BROKEN) {
    reduce(entry, seed, outcome);
  }
}

/* Where no run finds anything new, the case is as the best of its runs. */
static void keep_best(struct entry *entry, uint64_t seed, const struct outcome *outcome) {
  bool worse = entry->fuzz_seed && (entry->fuzz_known || (entry->fuzz_passed && outcome->verdict != VERDICT_PASS));
  if (worse && !outcome->known) {
    return;
  }
  entry->fuzz_seed = seed;
  entry->fuzz_known = outcome->known;
  entry->fuzz_passed = outcome->verdict == VERDICT_PASS;
  rename(record_of(entry, ""), record_of(entry, ".kept"));
}

static void judge(struct entry *entry, uint64_t seed, void (*tell)(struct entry *entry)) {
  struct outcome outcome = look(entry);
  if (outcome.found) {
    found(entry, seed, &outcome);
  } else {
    keep_best(entry, seed, &outcome);
  }
  if (outcome.found || outcome.verdict == VERDICT_UNIMPLEMENTED) {
    rename(record_of(entry, ".kept"), record_of(entry, ""));
    tell(entry);
  }
}

static void tell_rest(void (*tell)(struct entry *entry)) {
  for (size_t i = 0; i < fuzzing.catalogue->count; i++) {
    struct entry *entry = &fuzzing.catalogue->entries[i];
    if (!entry->over) {
      rename(record_of(entry, ".kept"), record_of(entry, ""));
      tell(entry);
    }
  }
}

void fuzz_runs(const struct catalogue *catalogue, const struct options *options, const char *run,
               void (*tell)(struct entry *entry)) {
  fuzzing.catalogue = catalogue;
  fuzzing.options = options;
  fuzzing.run = run;
  criterion_options.logger = &logger;
  uint64_t began = now_ms(), left_ms = options->fuzz_seconds * 1000, runs = 0;
  while ((runs == 0 || left_ms > 0) && run_once(NULL, options->seed + runs, "")) {
    uint64_t ended = now_ms(), took = ended - began;
    left_ms = took < left_ms ? left_ms - took : 0;
    for (size_t i = 0; i < catalogue->count; i++) {
      if (!catalogue->entries[i].over) {
        judge(&catalogue->entries[i], options->seed + runs, tell);
      }
    }
    runs++;
    began = now_ms(); /* what it takes to make a failing run shorter is no part of the time */
    progress_fuzz(runs, options->fuzz_seconds - left_ms / 1000, options->fuzz_seconds);
  }
  progress_clear();
  tell_rest(tell);
  printf("%llu run%s of each case that did not fail, seeds %llu to %llu\n\n", (unsigned long long)runs,
         runs == 1 ? "" : "s", (unsigned long long)options->seed, (unsigned long long)(options->seed + runs - 1));
}
