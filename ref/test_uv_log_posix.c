/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"
#include "test_directory.h"

#include <criterion/criterion.h>

#include <sys/stat.h>

Test(log_posix, its_file_is_the_users_alone) {
  bh_log_file *log;
  struct stat status;
  char why[BH_TEXT_MAX];

  test_directory_make();
  cr_assert_eq(bh_log_open(test_path("log"), BH_LOG_INFO, &log, why, sizeof why), BH_OK, "%s", why);
  bh_log_close(log);
  cr_assert_eq(stat(test_path("log"), &status), 0);
  cr_expect_eq(status.st_mode & 0777, 0600);
  test_directory_remove();
}
