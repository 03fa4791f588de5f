/* SPDX-License-Identifier: MIT */
#ifndef CASE_H
#define CASE_H

#include <criterion/criterion.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * A case is a Criterion test in a worker of its own. Its slug `section/what-it-shows` is made from the names of suite
 * and test, never changes and is never used for another case.
 */

typedef enum { MUST, SHOULD } level;

typedef struct {
  const char *section; /* as identifiers: '_' stands for '-' */
  const char *name;
  level level;
  const char *requirements; /* ids, separated by spaces */
  void (*body)(void);
} conformance_case;

/* Runs the body in the worker: sets up, catches the failure, cleans up, writes the verdict. */
void run_case(const conformance_case *c);

/* All cases of the program, in the order of the linker. */
extern const conformance_case *const __start_conformance_cases[];
extern const conformance_case *const __stop_conformance_cases[];

#define CASE(section_, name_, level_, requirements_)                                                                   \
  static void section_##_##name_##_body(void);                                                                         \
  static const conformance_case section_##_##name_##_case = {#section_, #name_, level_, requirements_,                 \
                                                             section_##_##name_##_body};                               \
  static const conformance_case *const section_##_##name_##_entry                                                      \
      __attribute__((used, section("conformance_cases"))) = &section_##_##name_##_case;                                \
  Test(section_, name_) {                                                                                              \
    run_case(&section_##_##name_##_case);                                                                              \
  }                                                                                                                    \
  static void section_##_##name_##_body(void)

/* `expected` says what the requirement asks for, `came` what happened instead. Both are cut at some thousand octets. */
_Noreturn void fail(const char *expected, const char *came, ...) __attribute__((format(printf, 2, 3)));
/* The host is too slow, or cannot do what the case needs: no verdict about the hub. */
_Noreturn void inconclusive(const char *why, ...) __attribute__((format(printf, 1, 2)));
/* Fails unless `condition`; the message says what was expected and what came. */
#define check(condition, expected, ...)                                                                                \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fail(expected, __VA_ARGS__);                                                                                     \
    }                                                                                                                  \
  } while (0)

/* A line in the transcript: what the case is about to do. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
