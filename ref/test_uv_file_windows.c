/* SPDX-License-Identifier: MIT */
#include "uv_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* What Windows is called with: only behind \\?\ it takes a path of more than 260 characters. */

static char room[BH_NATIVE_PATH_MAX];

#define becomes(path, native) cr_expect(strcmp(bh_path_native(path, room), native) == 0, "is %s", room)

Test(path, one_on_a_drive_is_taken_as_it_stands) {
  becomes("C:\\Temp\\Größe 木\\x", "\\\\?\\C:\\Temp\\Größe 木\\x");
  becomes("C:/Temp/./a/../b", "\\\\?\\C:\\Temp\\b");
}

Test(path, one_on_a_server_is_taken_as_it_stands) {
  becomes("\\\\server\\share\\x", "\\\\?\\UNC\\server\\share\\x");
  becomes("//server/share/x", "\\\\?\\UNC\\server\\share\\x");
}

Test(path, a_relative_one_is_made_absolute) {
  const char *native = bh_path_native("state.json", room);

  cr_assert(strncmp(native, "\\\\?\\", 4) == 0 && native[5] == ':', "is %s", native);
  cr_assert_str_eq(strrchr(native, '\\'), "\\state.json");
}

Test(path, what_has_the_prefix_and_what_is_a_device_stays) {
  becomes("\\\\?\\C:\\x", "\\\\?\\C:\\x");
  becomes("\\\\.\\pipe\\x", "\\\\.\\pipe\\x");
  becomes("NUL", "NUL");
  becomes("", "");
}

Test(path, a_file_deeper_than_the_limit_is_made_found_and_removed) {
  char path[BH_PATH_MAX];
  char other[BH_PATH_MAX];
  char directories[8][BH_PATH_MAX];
  size_t size = BH_PATH_MAX - 1;
  int file;

  cr_assert_eq(uv_os_tmpdir(path, &size), 0);
  for (int i = 0; i < 8; i++) {
    snprintf(directories[i], BH_PATH_MAX, "%s\\bh-%d-and-some-letters-to-make-it-much-longer-than-it-has-to-be", path,
             i);
    cr_assert_eq(bh_directory_make(directories[i]), 0);
    memcpy(path, directories[i], sizeof path);
  }
  cr_assert_eq(bh_path_join(path, directories[7], "from", ""), 0);
  cr_assert_gt(strlen(path), 400);
  cr_assert_eq(bh_file_remove(path), 0); /* of a test that failed */
  file = bh_file_create(path);
  cr_assert_geq(file, 0);
  bh_file_close(file);
  cr_assert_eq(bh_path_join(other, directories[7], "to", ""), 0);
  cr_assert_eq(bh_file_rename(path, other), 0);
  cr_assert_not(bh_file_exists(path));
  cr_assert(bh_file_exists(other));
  cr_assert_eq(bh_file_remove(other), 0);
  cr_assert_not(bh_file_exists(other));
  for (int i = 7; i >= 0; i--) {
    uv_fs_t request;

    cr_assert_eq(uv_fs_rmdir(NULL, &request, bh_path_native(directories[i], room), NULL), 0);
    uv_fs_req_cleanup(&request);
  }
}
