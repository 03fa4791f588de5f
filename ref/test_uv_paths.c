/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 2: where a group's things lie when nobody says where. */
#include "uv_paths.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

enum { PLACE_MAX = 64 };

static char place[PLACE_MAX];
static bh_why why;

static const char *below_place(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Valid until four more were made. */
static const char *below_place(const char *format, ...) {
  static char paths[4][BH_PATH_MAX];
  static unsigned next;
  char *path = paths[next++ % 4];
  int size = snprintf(path, BH_PATH_MAX, "%s/", place);
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(path + size, (size_t)(BH_PATH_MAX - size), format, arguments);
  va_end(arguments);
  return path;
}

/* The runtime directory without XDG_RUNTIME_DIR. */
static const char *runtime(const char *name) {
  return below_place("QuixelBridge-%lu%s%s", (unsigned long)geteuid(), *name ? "/" : "", name);
}

static void begin(void) {
  snprintf(place, sizeof place, "/tmp/bh-paths-XXXXXX");
  cr_assert_not_null(mkdtemp(place));
  setenv("TMPDIR", place, 1);
  unsetenv("XDG_RUNTIME_DIR");
}

static void end(void) {
  remove(runtime(""));
  rmdir(place);
}

TestSuite(paths, .init = begin, .fini = end, .timeout = 60);

static int complete(bh_paths *paths, const char *group) {
  memset(paths, 0, sizeof *paths);
  return bh_paths_complete(paths, group, &why);
}

static void expect_refused(const char *because) {
  bh_paths paths;

  cr_assert_neq(complete(&paths, ""), 0);
  cr_assert_not_null(strstr(why.text, because), "%s", why.text);
  cr_assert_not_null(strstr(why.text, runtime("")), "%s", why.text);
}

/* ---- BH-NAME-001, BH-NAME-003 */

static void expect_names(const char *group, const char *endpoint, const char *state, const char *spool) {
  bh_paths paths;

  setenv("XDG_RUNTIME_DIR", place, 1);
  cr_assert_eq(complete(&paths, group), 0, "%s", why.text);
  cr_expect_str_eq(paths.endpoint, below_place("%s", endpoint));
  cr_expect_str_eq(paths.state, below_place("%s", state));
  cr_expect_str_eq(paths.spool, below_place("%s", spool));
}

Test(paths, the_default_group_has_the_names_of_the_table) {
  expect_names("", "QuixelBridge_IPC.sock", "QuixelBridge_Hub.json", "QuixelBridge_Spool");
}

Test(paths, another_group_has_its_name_behind_them) {
  expect_names("Film-2", "QuixelBridge_IPC.sock.Film-2", "QuixelBridge_Hub.json.Film-2", "QuixelBridge_Spool.Film-2");
}

Test(paths, a_runtime_directory_that_is_no_whole_path_is_none) {
  bh_paths paths;

  setenv("XDG_RUNTIME_DIR", "here", 1);
  cr_assert_eq(complete(&paths, ""), 0, "%s", why.text);
  cr_expect_str_eq(paths.state, runtime("QuixelBridge_Hub.json"));
}

/* ---- BH-NAME-004 */

Test(paths, a_missing_directory_is_made_for_the_user_alone) {
  bh_paths paths;
  struct stat status;

  cr_assert_eq(complete(&paths, ""), 0, "%s", why.text);
  cr_assert_eq(stat(runtime(""), &status), 0);
  cr_expect_eq(status.st_mode, (S_IFDIR | 0700));
  cr_expect_str_eq(paths.endpoint, runtime("QuixelBridge_IPC.sock"));
}

Test(paths, one_that_others_can_read_is_refused) {
  cr_assert_eq(mkdir(runtime(""), 0700), 0);
  cr_assert_eq(chmod(runtime(""), 0755), 0);
  expect_refused("mode 0755");
}

Test(paths, a_symbolic_link_is_refused) {
  cr_assert_eq(symlink(place, runtime("")), 0);
  expect_refused("symbolic link");
}

Test(paths, a_file_in_its_place_is_refused) {
  FILE *file = fopen(runtime(""), "w");

  cr_assert_not_null(file);
  fclose(file);
  expect_refused("no directory");
}

Test(paths, what_was_named_needs_no_runtime_directory) {
  bh_paths paths = {.endpoint = "/e", .state = "/s", .spool = "/p"};

  cr_assert_eq(symlink(place, runtime("")), 0);
  cr_expect_eq(bh_paths_complete(&paths, "", &why), 0, "%s", why.text);
}

/* ---- BH-NAME-007 */

Test(paths, a_client_tries_the_given_directory_and_then_the_other) {
  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t count = 0;

  setenv("XDG_RUNTIME_DIR", below_place("run"), 1);
  cr_assert_eq(bh_endpoints_find("", NULL, endpoints, &count, &why), 0, "%s", why.text);
  cr_assert_eq(count, 2);
  cr_expect_str_eq(endpoints[0], below_place("run/QuixelBridge_IPC.sock"));
  cr_expect_str_eq(endpoints[1], runtime("QuixelBridge_IPC.sock"));
}

Test(paths, a_client_without_it_tries_the_other_alone) {
  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t count = 0;

  cr_assert_eq(bh_endpoints_find("g", NULL, endpoints, &count, &why), 0, "%s", why.text);
  cr_assert_eq(count, 1);
  cr_expect_str_eq(endpoints[0], runtime("QuixelBridge_IPC.sock.g"));
}

Test(paths, a_client_that_was_told_one_tries_no_other) {
  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t count = 0;

  setenv("XDG_RUNTIME_DIR", place, 1);
  cr_assert_eq(bh_endpoints_find("", "/told", endpoints, &count, &why), 0, "%s", why.text);
  cr_assert_eq(count, 1);
  cr_expect_str_eq(endpoints[0], "/told");
}
