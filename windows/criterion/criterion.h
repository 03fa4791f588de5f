/* SPDX-License-Identifier: MIT */
#ifndef BH_WINDOWS_CRITERION_H
#define BH_WINDOWS_CRITERION_H

/*
 * As much of Criterion as the unit tests use, where there is no Criterion: for Windows. Tests run one after the other
 * in one process; a check that fails ends its test. The report is TAP.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct criterion_options {
  int line;
  void (*init)(void);
  void (*fini)(void);
  double timeout; /* not kept: the whole has one */
};

struct criterion_entry {
  const char *suite;
  const char *name; /* NULL: the suite itself */
  void (*run)(void);
  struct criterion_options options;
  struct criterion_entry *next;
};

void criterion_add(struct criterion_entry *entry);
void criterion_fail(bool fatal, const char *file, int line, const char *text, const char *format, ...);

char *strndup(const char *text, size_t size); /* of POSIX, and not of Windows */

#define CRITERION_ADD(entry)                                                                                           \
  static void __attribute__((constructor)) entry##_add(void) {                                                         \
    criterion_add(&entry);                                                                                             \
  }                                                                                                                    \
  struct criterion_entry

#define TestSuite(suite_, ...)                                                                                         \
  static struct criterion_entry suite_##_suite = {.suite = #suite_, .options = {.line = __LINE__, __VA_ARGS__}};       \
  CRITERION_ADD(suite_##_suite)

#define Test(suite_, name_, ...)                                                                                       \
  static void suite_##_##name_##_run(void);                                                                            \
  static struct criterion_entry suite_##_##name_##_test = {                                                            \
      .suite = #suite_, .name = #name_, .run = suite_##_##name_##_run, .options = {.line = __LINE__, __VA_ARGS__}};    \
  CRITERION_ADD(suite_##_##name_##_test);                                                                              \
  static void suite_##_##name_##_run(void)

#define CRITERION_CHECK(fatal, condition, text, ...)                                                                   \
  ((condition) ? (void)0 : criterion_fail(fatal, __FILE__, __LINE__, text, "" __VA_ARGS__))

#define cr_assert(condition, ...) CRITERION_CHECK(true, condition, #condition, __VA_ARGS__)
#define cr_assert_not(condition, ...) CRITERION_CHECK(true, !(condition), "not " #condition, __VA_ARGS__)
#define cr_assert_null(a, ...) CRITERION_CHECK(true, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_assert_not_null(a, ...) CRITERION_CHECK(true, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_assert_eq(a, b, ...) CRITERION_CHECK(true, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) CRITERION_CHECK(true, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) CRITERION_CHECK(true, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) CRITERION_CHECK(true, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) CRITERION_CHECK(true, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) CRITERION_CHECK(true, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) CRITERION_CHECK(true, strcmp(a, b) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) CRITERION_CHECK(true, strcmp(a, b) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...) CRITERION_CHECK(true, memcmp(a, b, size) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_fail(...) CRITERION_CHECK(true, false, "should not come here", __VA_ARGS__)
#define cr_expect(condition, ...) CRITERION_CHECK(false, condition, #condition, __VA_ARGS__)
#define cr_expect_not(condition, ...) CRITERION_CHECK(false, !(condition), "not " #condition, __VA_ARGS__)
#define cr_expect_null(a, ...) CRITERION_CHECK(false, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_expect_not_null(a, ...) CRITERION_CHECK(false, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_expect_eq(a, b, ...) CRITERION_CHECK(false, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) CRITERION_CHECK(false, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) CRITERION_CHECK(false, (a) >= (b), #a " >= " #b, __VA_ARGS__)

#endif
