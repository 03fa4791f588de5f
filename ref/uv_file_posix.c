/* SPDX-License-Identifier: MIT */
#include "uv_file.h"

#include <unistd.h>

static const int mode_file = 0600;

const char bh_path_separator[] = "/";

/* libuv's file requests without a callback are done when they return; their result is all that is of interest. */
static int finish(uv_fs_t *request) {
  int result = (int)request->result;

  uv_fs_req_cleanup(request);
  return result;
}

int bh_file_create(const char *path) {
  uv_fs_t request;

  uv_fs_open(NULL, &request, path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_EXCL | UV_FS_O_NOFOLLOW, mode_file, NULL);
  return finish(&request);
}

static int open_regular(const char *path, int flags) {
  uv_fs_t request;
  uv_stat_t status;
  int file;
  int error;

  /* Not blocking: opening somebody's FIFO must not wait for its other end. */
  uv_fs_open(NULL, &request, path, flags | UV_FS_O_NOFOLLOW | UV_FS_O_NONBLOCK, mode_file, NULL);
  file = finish(&request);
  if (file < 0) {
    return file;
  }
  error = bh_file_status(file, &status);
  if (error == 0 && (status.st_mode & S_IFMT) != S_IFREG) {
    error = UV_EINVAL;
  }
  if (error != 0) {
    bh_file_close(file);
    return error;
  }
  return file;
}

int bh_file_open(const char *path) {
  return open_regular(path, UV_FS_O_RDONLY);
}

int bh_file_append(const char *path) {
  return open_regular(path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_APPEND);
}

int bh_file_rename(const char *from, const char *to) {
  uv_fs_t request;

  uv_fs_rename(NULL, &request, from, to, NULL);
  return finish(&request);
}

bool bh_file_is_ours(const uv_stat_t *status) {
  return status->st_uid == geteuid();
}

bool bh_directory_is_private(const uv_stat_t *status) {
  return (status->st_mode & 07777) == 0700;
}
