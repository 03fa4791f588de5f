/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Parked imports, by hand, in a spool of the test's own: spec/protocol.md, section 6.1. */

static char spool[] = "/tmp/parked-XXXXXX";
static char why[256];

#define FIRST "00000000000000000003.0123456789abcdef-3.1.0._"
#define SECOND "00000000000000000007.0123456789abcdef-7.3.3._"

static const char *path_of(const char *name) {
  static char path[512];

  snprintf(path, sizeof path, "%s/%s", spool, name);
  return path;
}

static void put(const char *name, const char *text) {
  FILE *file = fopen(path_of(name), "w");

  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}

static bool has(const char *name) {
  return access(path_of(name), F_OK) == 0;
}

static void begin(void) {
  cr_assert_not_null(mkdtemp(spool));
  mkdir(path_of("parked"), 0700);
  put("parked/" SECOND ".json", "[{\"a\":1},{\"b\":[2]}]");
  put("parked/" SECOND ".why", "they died\n");
  put("parked/" FIRST ".json", "[{}]");
  put("parked/README", "no import");
}

static void end(void) {
  static const char *const names[] = {"parked/" FIRST ".json",
                                      "parked/" FIRST ".why",
                                      "parked/" SECOND ".json",
                                      "parked/" SECOND ".why",
                                      "parked/README",
                                      "retry/" FIRST ".json",
                                      "retry/" SECOND ".json",
                                      "parked",
                                      "retry",
                                      "lock",
                                      "."};

  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    remove(path_of(names[i]));
  }
  rmdir(spool);
}

TestSuite(parked, .init = begin, .fini = end);

Test(parked, imports_are_listed_by_sequence_with_what_is_known_of_them) {
  bh_parked *items;
  size_t count;

  cr_assert_eq(symlink("README", path_of("parked/00000000000000000009.0123456789abcdef-9.1.0._.json")), 0);
  cr_assert_eq(bh_parked_list(spool, &items, &count, why, sizeof why), BH_OK);
  remove(path_of("parked/00000000000000000009.0123456789abcdef-9.1.0._.json"));
  cr_assert_eq(count, 2);
  cr_assert_str_eq(items[0].import.import, "0123456789abcdef-3");
  cr_assert_eq(items[0].assets, 1);
  cr_assert_str_eq(items[0].reason, "");
  cr_assert_str_eq(items[1].import.import, "0123456789abcdef-7");
  cr_assert_eq(items[1].import.deaths, 3);
  cr_assert_eq(items[1].assets, 2);
  cr_assert_eq(items[1].size, 19);
  cr_assert_gt(items[1].parked_at, 1000000000);
  cr_assert_str_eq(items[1].reason, "they died\n");
  bh_parked_free(items);
}

Test(parked, a_spool_that_is_missing_has_nothing_parked) {
  bh_parked *items;
  size_t count = 5;

  cr_assert_eq(bh_parked_list(path_of("nowhere"), &items, &count, why, sizeof why), BH_OK);
  cr_assert_eq(count, 0);
  bh_parked_free(items);
  cr_assert_eq(bh_parked_list(path_of("parked/README"), &items, &count, why, sizeof why), BH_E_STATE);
  cr_assert_not_null(strstr(why, "cannot be listed"));
}

Test(parked, a_retried_import_goes_to_retry_without_its_reason) {
  cr_assert_eq(bh_parked_retry(spool, "0123456789abcdef-7", why, sizeof why), BH_OK);
  cr_assert(has("retry/" SECOND ".json"));
  cr_assert_not(has("parked/" SECOND ".json"));
  cr_assert_not(has("parked/" SECOND ".why"));
  cr_assert(has("parked/" FIRST ".json"));
}

Test(parked, a_dropped_import_is_gone) {
  cr_assert_eq(bh_parked_drop(spool, "0123456789abcdef-7", why, sizeof why), BH_OK);
  cr_assert_not(has("parked/" SECOND ".json"));
  cr_assert_not(has("parked/" SECOND ".why"));
  cr_assert(has("parked/" FIRST ".json"));
}

Test(parked, one_that_is_not_parked_is_named) {
  cr_assert_eq(bh_parked_drop(spool, "0123456789abcdef-8", why, sizeof why), BH_E_INVALID);
  cr_assert_not_null(strstr(why, "0123456789abcdef-8"));
  cr_assert_not_null(strstr(why, spool));
  cr_assert_eq(bh_parked_retry(spool, "../x", why, sizeof why), BH_E_INVALID);
  cr_assert_eq(bh_parked_retry(spool, "", NULL, 0), BH_E_INVALID);
}

Test(parked, nothing_is_overwritten_in_retry) {
  mkdir(path_of("retry"), 0700);
  put("retry/" FIRST ".json", "[{\"other\":1}]");
  cr_assert_eq(bh_parked_retry(spool, "0123456789abcdef-3", why, sizeof why), BH_E_STATE);
  cr_assert(has("parked/" FIRST ".json"));
}

/* The lock is another process's: its own would not keep this one out. */
Test(parked, a_hub_that_runs_is_seen_by_its_lock) {
  int ready[2];
  char octet;
  pid_t child;

  cr_assert_not(bh_parked_hub_runs(spool));
  put("lock", "");
  cr_assert_not(bh_parked_hub_runs(spool));
  cr_assert_eq(pipe(ready), 0);
  child = fork();
  if (child == 0) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = open(path_of("lock"), O_RDWR);

    if (fcntl(file, F_SETLK, &lock) == 0 && write(ready[1], "x", 1) == 1) {
      pause();
    }
    _exit(0);
  }
  cr_assert_eq(read(ready[0], &octet, 1), 1);
  cr_assert(bh_parked_hub_runs(spool));
  kill(child, SIGKILL);
}
