/* SPDX-License-Identifier: MIT */
#include "uv_file.h"

#include <unistd.h>

const char bh_path_separator[] = "/";

/* NOLINTNEXTLINE(readability-non-const-parameter): Windows writes to it */
const char *bh_path_native(const char *path, char room[BH_NATIVE_PATH_MAX]) {
  (void)room;
  return path;
}

int bh_file_rename(const char *from, const char *to) {
  uv_fs_t request;
  int error = uv_fs_rename(NULL, &request, from, to, NULL);

  uv_fs_req_cleanup(&request);
  return error;
}

bool bh_file_is_ours(const uv_stat_t *status) {
  return status->st_uid == geteuid();
}

bool bh_directory_is_private(const uv_stat_t *status) {
  return (status->st_mode & 07777) == 0700;
}
