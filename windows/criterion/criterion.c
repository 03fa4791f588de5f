/* SPDX-License-Identifier: MIT */
#include "criterion.h"

#include <setjmp.h>
#include <stdarg.h>

static struct criterion_entry *suites;
static struct criterion_entry *tests;
static size_t test_count;

/* What goes on from test to test: the variables of the program do not. */
static struct {
  jmp_buf end_of_test;
  bool failed;
  char *copy;
} * state;

/* The linker's: of all variables of the program, those of the C library in its DLL apart. */
extern char __data_start__[], __data_end__[], __bss_start__[], __bss_end__[];

void criterion_add(struct criterion_entry *entry) {
  struct criterion_entry **list = entry->name == NULL ? &suites : &tests;

  entry->next = *list;
  *list = entry;
  test_count += entry->name != NULL;
}

void criterion_fail(bool fatal, const char *file, int line, const char *text, const char *format, ...) {
  va_list arguments;

  state->failed = true;
  printf("# %s:%d: %s\n", file, line, text);
  va_start(arguments, format);
  printf("#   ");
  vprintf(format, arguments);
  printf("\n");
  va_end(arguments);
  if (fatal) {
    longjmp(state->end_of_test, 1);
  }
}

static struct criterion_options options_of(const struct criterion_entry *test) {
  struct criterion_options options = test->options;

  for (const struct criterion_entry *suite = suites; suite != NULL; suite = suite->next) {
    if (strcmp(suite->suite, test->suite) == 0) {
      options.init = options.init == NULL ? suite->options.init : options.init;
      options.fini = options.fini == NULL ? suite->options.fini : options.fini;
    }
  }
  return options;
}

char *strndup(const char *text, size_t size) {
  size_t taken = strnlen(text, size);
  char *copy = malloc(taken + 1);

  if (copy != NULL) {
    memcpy(copy, text, taken);
    copy[taken] = '\0';
  }
  return copy;
}

/* True: it has come to its end. */
static bool run_part(void (*part)(void)) {
  if (setjmp(state->end_of_test) != 0) {
    return false;
  }
  if (part != NULL) {
    part();
  }
  return true;
}

static size_t size_between(const char *start, const char *end) {
  return (size_t)((uintptr_t)end - (uintptr_t)start);
}

/* Criterion gives each test a process of its own, in which all variables are as they began. */
static void keep_variables(void) {
  size_t data = size_between(__data_start__, __data_end__);
  size_t bss = size_between(__bss_start__, __bss_end__);

  state = malloc(sizeof *state);
  if (state == NULL || (state->copy = malloc(data + bss)) == NULL) {
    abort();
  }
  memcpy(state->copy, __data_start__, data);
  memcpy(state->copy + data, __bss_start__, bss);
}

static void restore_variables(void) {
  size_t data = size_between(__data_start__, __data_end__);

  memcpy(__data_start__, state->copy, data);
  memcpy(__bss_start__, state->copy + data, size_between(__bss_start__, __bss_end__));
}

static bool run_test(const struct criterion_entry *test) {
  struct criterion_options options = options_of(test);

  restore_variables();
  state->failed = false;
  if (run_part(options.init) && run_part(test->run)) {
    run_part(options.fini);
  }
  return !state->failed;
}

int main(void) {
  size_t number = 0;
  bool all = true;

  keep_variables();
  printf("1..%zu\n", test_count);
  for (const struct criterion_entry *test = tests; test != NULL; test = test->next) {
    bool passed = run_test(test);

    printf("%s %zu - %s::%s\n", passed ? "ok" : "not ok", ++number, test->suite, test->name);
    fflush(stdout);
    all = all && passed;
  }
  return all && test_count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
