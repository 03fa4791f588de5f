/* SPDX-License-Identifier: MIT */
#include "test_directory.h"

#include "uv_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char directory[BH_PATH_MAX];

const char *test_directory_make(void) {
  char template[BH_PATH_MAX];
  size_t size = sizeof directory;
  uv_fs_t request;

  cr_assert_eq(uv_os_tmpdir(directory, &size), 0);
  cr_assert_eq(bh_path_join(template, directory, "bh-test-XXXXXX", ""), 0);
  cr_assert_eq(uv_fs_mkdtemp(NULL, &request, template, NULL), 0);
  snprintf(directory, sizeof directory, "%s", request.path);
  uv_fs_req_cleanup(&request);
  return directory;
}

static int remove_entry(void *ctx, const char *name) {
  char path[BH_PATH_MAX];
  uv_stat_t status;
  uv_fs_t request;

  if (bh_path_join(path, ctx, name, "") != 0 || bh_file_link_status(path, &status) != 0) {
    return 0;
  }
  if ((status.st_mode & S_IFMT) != S_IFDIR) {
    return bh_file_remove(path);
  }
  bh_directory_list(path, remove_entry, path);
  uv_fs_rmdir(NULL, &request, path, NULL);
  uv_fs_req_cleanup(&request);
  return 0;
}

void test_directory_remove(void) {
  uv_fs_t request;

  bh_directory_list(directory, remove_entry, directory);
  uv_fs_rmdir(NULL, &request, directory, NULL);
  uv_fs_req_cleanup(&request);
}

const char *test_path(const char *name) {
  static char paths[4][BH_PATH_MAX];
  static size_t next;
  char *path = paths[next++ % 4];

  cr_assert_eq(bh_path_join(path, directory, name, ""), 0);
  return path;
}

bool test_has(const char *name) {
  return bh_file_exists(test_path(name));
}

void test_put(const char *name, const char *text) {
  FILE *file = fopen(test_path(name), "wb");

  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}
