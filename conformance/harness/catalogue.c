/* SPDX-License-Identifier: MIT */
/* Which cases there are, in the order of the specification. */

#include <criterion/internal/ordered-set.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "known.h"
#include "runner.h"

static const struct section sections[] = {
    {"names", "2 Roles and names"},
    {"frame", "3.1 Frame"},
    {"bodies", "3.2 Bodies"},
    {"messages", "3.3 Answers and errors"},
    {"registration", "3.4 Registration"},
    {"active", "4 Who is active"},
    {"ingest", "5 What Bridge sends"},
    {"spool", "6.1 Spool"},
    {"spool_trouble", "6.1 Spool: trouble"},
    {"crash", "6 Nothing is lost: hubs that die"},
    {"delivery", "6.2 Delivery"},
    {"holders", "6.2 Delivery: clients that die"},
    {"election", "7 Electing a hub"},
    {"takeover", "7 Electing a hub: takeover"},
    {"ending", "7 Electing a hub: a clean end"},
    {"state", "8 State file"},
    {"timing", "9 Timing"},
    {"hung", "9 Timing: hung, not dead"},
    {"limits", "10 Who gets in"},
    {"contract", "11 An implementation under test"},
    {"fuzz", "Fuzzing: a right client beside wrong ones"},
    {"client_frame", "3.1 Frame: clients"},
    {"client_bodies", "3.2 Bodies: clients"},
    {"client_answers", "3.3 Answers and errors: clients"},
    {"client_registration", "3.4 Registration: clients"},
    {"client_active", "4 Who is active: clients"},
    {"client_imports", "6.3 The client's side"},
    {"client_resume", "7 Electing a hub: clients"},
    {"client_timing", "9 Timing: clients"},
    {"client_contract", "11 A client under test"},
};

static const struct section *find_section(const char *name) {
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    if (strcmp(sections[i].name, name) == 0) {
      return &sections[i];
    }
  }
  return NULL;
}

size_t requirement_index(const char *id, size_t size) {
  size_t index = 0;
  while (index < requirement_count &&
         (strlen(requirements[index].id) != size || strncmp(requirements[index].id, id, size) != 0)) {
    index++;
  }
  return index;
}

static bool ids_are_known(const struct entry *entry) {
  bool known = *entry->ids != '\0';
  for (const char *id = entry->ids; *id;) {
    size_t size = strcspn(id, " ");
    if (requirement_index(id, size) == requirement_count) {
      fprintf(stderr, "bridgehub-conformance: %s names %.*s, which the specification does not have\n", entry->slug,
              (int)size, id);
      known = false;
    }
    id += size;
    id += strspn(id, " ");
  }
  return known;
}

static char *make_slug(const struct criterion_test *test) {
  size_t size = strlen(test->category) + strlen(test->name) + 2;
  char *slug = malloc(size);
  if (!slug) {
    return NULL;
  }
  snprintf(slug, size, "%s/%s", test->category, test->name);
  for (char *at = slug; *at; at++) {
    if (*at == '_') {
      *at = '-';
    }
  }
  return slug;
}

static bool make_entry(struct criterion_test *test, struct entry *entry) {
  const char *description = test->data->description ? test->data->description : "";
  const char *space = strchr(description, ' ');
  *entry = (struct entry){.test = test,
                          .section = find_section(test->category),
                          .slug = make_slug(test),
                          .level = strncmp(description, "SHOULD ", 7) == 0 ? "SHOULD" : "MUST",
                          .of_client = is_of_client(test->category),
                          .ids = space ? space + 1 : ""};
  if (!entry->slug) {
    return false;
  }
  if (!entry->section) {
    fprintf(stderr, "bridgehub-conformance: %s is in a section that the specification does not have\n", entry->slug);
  }
  return ids_are_known(entry) && entry->section;
}

static bool is_under_test(const struct entry *entry, const struct options *options) {
  const char *command = entry->of_client ? options->client : options->hub;
  return command || (options->list && !options->hub && !options->client);
}

bool is_of_fuzz(const char *section) {
  return strcmp(section, "fuzz") == 0;
}

static bool is_selected(const struct entry *entry, const struct options *options) {
  bool fuzzes = options->fuzz_seconds || options->fuzz_steps;
  if (!is_under_test(entry, options) || is_of_fuzz(entry->test->category) != fuzzes) {
    return false;
  }
  for (size_t i = 0; i < options->glob_count; i++) {
    if (fnmatch(options->globs[i], entry->slug, 0) == 0) {
      return true;
    }
  }
  return options->glob_count == 0;
}

/* A section's cases may stand in several files. No two are equal: of such Criterion's sets would keep one. */
static int compare_places(const struct criterion_test *a, const struct criterion_test *b) {
  int files = strcmp(a->data->file_, b->data->file_);
  if (files != 0) {
    return files;
  }
  return a->data->line_ < b->data->line_ ? -1 : a->data->line_ > b->data->line_;
}

static int compare_entries(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  if (a->section != b->section) {
    return a->section < b->section ? -1 : 1;
  }
  return compare_places(a->test, b->test);
}

bool catalogue_make(struct criterion_test_set *all, const struct options *options, struct catalogue *catalogue) {
  bool sound = true;
  *catalogue = (struct catalogue){.entries = calloc(all->tests + 1, sizeof *catalogue->entries)};
  if (!catalogue->entries) {
    return false;
  }
  FOREACH_SET(struct criterion_suite_set * suite, all->suites) {
    if (!suite->tests) {
      continue;
    }
    FOREACH_SET(struct criterion_test * test, suite->tests) {
      struct entry *entry = &catalogue->entries[catalogue->count];
      sound = make_entry(test, entry) && sound;
      bool selected = sound && is_selected(entry, options);
      if (sound) {
        known_meet(options->known, entry->slug, selected);
      }
      if (selected) {
        catalogue->count++;
      } else {
        free(entry->slug);
      }
    }
  }
  qsort(catalogue->entries, catalogue->count, sizeof *catalogue->entries, compare_entries);
  return sound;
}

/* Criterion runs suites and tests in the order of these sets, and their comparisons have no argument of ours. */
static uint64_t shuffled_by;

static int compare_shuffled(const char *a, const char *b) {
  uint64_t of_a = draw(shuffled_by, a), of_b = draw(shuffled_by, b);
  return of_a == of_b ? strcmp(a, b) : of_a < of_b ? -1 : 1;
}

static int compare_suites(void *left, void *right) {
  const struct criterion_suite_set *a = left, *b = right;
  if (shuffled_by) {
    return compare_shuffled(a->suite.name, b->suite.name);
  }
  const struct section *of_a = find_section(a->suite.name), *of_b = find_section(b->suite.name);
  return of_a < of_b ? -1 : of_a > of_b;
}

static int compare_tests(void *left, void *right) {
  const struct criterion_test *a = left, *b = right;
  return shuffled_by ? compare_shuffled(a->name, b->name) : compare_places(a, b);
}

struct criterion_test_set *catalogue_test_set(const struct catalogue *catalogue, uint64_t seed) {
  shuffled_by = seed;
  struct criterion_test_set *set = calloc(1, sizeof *set);
  if (!set) {
    return NULL;
  }
  set->suites = new_ordered_set(compare_suites, NULL);
  for (size_t i = 0; i < catalogue->count; i++) {
    struct criterion_test *test = catalogue->entries[i].test;
    struct criterion_suite_set suite = {.suite = {.name = test->category}};
    struct criterion_suite_set *own = insert_ordered_set(set->suites, &suite, sizeof suite);
    if (!own->tests) {
      own->tests = new_ordered_set(compare_tests, NULL);
    }
    insert_ordered_set(own->tests, test, sizeof *test);
    set->tests++;
  }
  return set;
}

struct entry *catalogue_find(const struct catalogue *catalogue, const struct criterion_test *test) {
  for (size_t i = 0; i < catalogue->count; i++) {
    if (strcmp(catalogue->entries[i].test->name, test->name) == 0 &&
        strcmp(catalogue->entries[i].test->category, test->category) == 0) {
      return &catalogue->entries[i];
    }
  }
  return NULL;
}

void catalogue_list(const struct catalogue *catalogue) {
  size_t width = 0;
  for (size_t i = 0; i < catalogue->count; i++) {
    if (strlen(catalogue->entries[i].slug) > width) {
      width = strlen(catalogue->entries[i].slug);
    }
  }
  for (size_t i = 0; i < catalogue->count; i++) {
    const struct entry *entry = &catalogue->entries[i];
    printf("%-*s  %-6s  %s\n", (int)width, entry->slug, entry->level, entry->ids);
  }
}

void catalogue_free(struct catalogue *catalogue) {
  for (size_t i = 0; i < catalogue->count; i++) {
    free(catalogue->entries[i].slug);
    free(catalogue->entries[i].fuzz_steps);
  }
  free(catalogue->entries);
}
