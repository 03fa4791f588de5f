/* SPDX-License-Identifier: MIT */
#include "uv_file.h"

#include <stdio.h>
#include <string.h>

#include <unistd.h>

static const int mode_directory = 0700;

/* libuv's file requests without a callback are done when they return; their result is all that is of interest. */
static int finish(uv_fs_t *request) {
  int result = (int)request->result;

  uv_fs_req_cleanup(request);
  return result;
}

int bh_path_join(char path[BH_PATH_MAX], const char *directory, const char *name, const char *suffix) {
  const char *separator = name[0] == '\0' ? "" : bh_path_separator;
  int size = snprintf(path, BH_PATH_MAX, "%s%s%s%s", directory, separator, name, suffix);

  return size < 0 || size >= BH_PATH_MAX ? UV_ENAMETOOLONG : 0;
}

int bh_file_status(int file, uv_stat_t *status) {
  uv_fs_t request;

  uv_fs_fstat(NULL, &request, file, NULL);
  *status = request.statbuf;
  return finish(&request);
}

int bh_file_write(int file, const void *octets, size_t size) {
  const char *at = octets;

  while (size > 0) {
    uv_fs_t request;
    uv_buf_t buffer = uv_buf_init((char *)at, size > INT32_MAX ? INT32_MAX : (unsigned)size);
    int written;

    uv_fs_write(NULL, &request, file, &buffer, 1, -1, NULL);
    written = finish(&request);
    if (written < 0) {
      return written;
    }
    at += written;
    size -= (size_t)written;
  }
  return 0;
}

int bh_file_read(int file, void *octets, size_t size) {
  uv_fs_t request;
  uv_buf_t buffer = uv_buf_init(octets, size > INT32_MAX ? INT32_MAX : (unsigned)size);

  uv_fs_read(NULL, &request, file, &buffer, 1, -1, NULL);
  return finish(&request);
}

void bh_file_close(int file) {
  uv_fs_t request;

  uv_fs_close(NULL, &request, file, NULL);
  finish(&request);
}

/* Windows says of a path below a file that it is not there. The directory may come back, with the file in it. */
static bool is_below_file(const char *path) {
  char directory[BH_PATH_MAX];
  size_t size = strlen(path);
  uv_stat_t status;

  while (size > 0 && path[size - 1] != '/' && path[size - 1] != bh_path_separator[0]) {
    size--;
  }
  if (size <= 1 || size > sizeof directory) {
    return false;
  }
  memcpy(directory, path, size - 1);
  directory[size - 1] = '\0';
  return bh_file_link_status(directory, &status) == 0 && (status.st_mode & S_IFMT) == S_IFREG;
}

int bh_file_remove(const char *path) {
  uv_fs_t request;
  int error;

  uv_fs_unlink(NULL, &request, path, NULL);
  error = finish(&request);
  if (error == UV_ENOENT) {
    return is_below_file(path) ? UV_ENOTDIR : 0;
  }
  return error;
}

int bh_file_link_status(const char *path, uv_stat_t *status) {
  uv_fs_t request;

  uv_fs_lstat(NULL, &request, path, NULL);
  *status = request.statbuf;
  return finish(&request);
}

bool bh_file_exists(const char *path) {
  uv_stat_t status;

  return bh_file_link_status(path, &status) == 0;
}

int bh_directory_make(const char *path) {
  uv_fs_t request;
  int error;

  uv_fs_mkdir(NULL, &request, path, mode_directory, NULL);
  error = finish(&request);
  return error == UV_EEXIST ? 0 : error;
}

int bh_directory_access(const char *path, bool writing) {
  uv_fs_t request;

  uv_fs_access(NULL, &request, path, R_OK | X_OK | (writing ? W_OK : 0), NULL);
  return finish(&request);
}

int bh_directory_list(const char *path, int (*entry)(void *ctx, const char *name), void *ctx) {
  uv_fs_t request;
  uv_dirent_t found;
  int result = uv_fs_scandir(NULL, &request, path, 0, NULL);

  if (result > 0) {
    result = 0;
  }
  while (result == 0 && uv_fs_scandir_next(&request, &found) != UV_EOF) {
    result = entry(ctx, found.name);
  }
  uv_fs_req_cleanup(&request);
  return result;
}
