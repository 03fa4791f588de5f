/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"
#include "test_directory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>

#include <sys/stat.h>
#include <unistd.h>

static const char *spool;

static void begin(void) {
  spool = test_directory_make();
}

TestSuite(parked_posix, .init = begin, .fini = test_directory_remove);

Test(parked_posix, a_link_is_no_import) {
  bh_parked *items;
  size_t count = 5;
  char why[256];

  mkdir(test_path("parked"), 0700);
  test_put("parked/README", "[{}]");
  cr_assert_eq(symlink("README", test_path("parked/00000000000000000009.0123456789abcdef-9.1.0._.json")), 0);
  cr_assert_eq(bh_parked_list(spool, &items, &count, why, sizeof why), BH_OK);
  cr_expect_eq(count, 0);
  bh_parked_free(items);
}

/* The lock is another process's: its own would not keep this one out. */
Test(parked_posix, a_hub_that_runs_is_seen_by_its_lock) {
  int ready[2];
  char octet;
  pid_t child;

  cr_assert_not(bh_parked_hub_runs(spool));
  test_put("lock", "");
  cr_assert_not(bh_parked_hub_runs(spool));
  cr_assert_eq(pipe(ready), 0);
  child = fork();
  if (child == 0) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = open(test_path("lock"), O_RDWR);

    if (fcntl(file, F_SETLK, &lock) == 0 && write(ready[1], "x", 1) == 1) {
      pause();
    }
    _exit(0);
  }
  cr_assert_eq(read(ready[0], &octet, 1), 1);
  cr_assert(bh_parked_hub_runs(spool));
  kill(child, SIGKILL);
}
