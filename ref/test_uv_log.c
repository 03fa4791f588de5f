/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"
#include "test_directory.h"
#include "uv_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* A log in a file of a directory of the test's own. */

enum { PATH_ROOM = 128, TEXT_ROOM = 16384, GROWN = 1048576 };

static const char *directory;
static char why[BH_TEXT_MAX];

static void begin(void) {
  directory = test_directory_make();
}

TestSuite(log, .init = begin, .fini = test_directory_remove, .timeout = 60);

static bh_log_file *open_log(void) {
  bh_log_file *log;

  cr_assert_eq(bh_log_open(test_path("log"), BH_LOG_INFO, &log, why, sizeof why), BH_OK, "%s", why);
  return log;
}

static const char *read_log(void) {
  static char text[TEXT_ROOM];
  FILE *file = fopen(test_path("log"), "r");

  cr_assert_not_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

Test(log, two_write_whole_lines_and_only_what_is_grave_enough) {
  bh_log_file *a = open_log();
  bh_log_file *b = open_log();
  char pid[PATH_ROOM];

  bh_log_write(a, BH_LOG_INFO, "one");
  bh_log_write(b, BH_LOG_WARNING, "two\n\033[2J");
  bh_log_write(a, BH_LOG_DEBUG, "never");
  bh_log_write(a, BH_LOG_ERROR, "three");
  bh_log_close(a);
  bh_log_close(b);
  bh_log_close(NULL);
  snprintf(pid, sizeof pid, "Z info    [%lu] one\n", (unsigned long)uv_os_getpid());
  cr_assert_not_null(strstr(read_log(), pid));
  cr_assert_not_null(strstr(read_log(), "] two\\u000a\\u001b[2J\n"));
  cr_assert_not_null(strstr(read_log(), "Z error   ["));
  cr_assert_null(strstr(read_log(), "never"));
}

Test(log, one_that_has_grown_begins_anew) {
  FILE *file = fopen(test_path("log"), "w");

  cr_assert_eq(fseek(file, GROWN + 1, SEEK_SET), 0);
  fputc('x', file);
  fclose(file);
  bh_log_file *log = open_log();
  bh_log_write(log, BH_LOG_INFO, "new");
  bh_log_close(log);
  cr_assert_not_null(strstr(read_log(), "new"));
  cr_assert_lt(strlen(read_log()), 100);
  cr_assert(test_has("log.old"));
}

Test(log, what_is_no_file_is_refused_and_named) {
  bh_log_file *log;

  cr_assert_eq(bh_log_open(directory, BH_LOG_INFO, &log, why, sizeof why), BH_E_STATE);
  cr_assert_null(log);
  cr_assert_not_null(strstr(why, directory));
}
