/* SPDX-License-Identifier: MIT */
#include "uv_file.h"

#include <stdio.h>
#include <string.h>

#include <unistd.h>

static const int mode_directory = 0700;
static const int mode_file = 0600;

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

/* ---- opening */

static int open_file(const char *path, int flags) {
  char room[BH_NATIVE_PATH_MAX];
  uv_fs_t request;

  uv_fs_open(NULL, &request, bh_path_native(path, room), flags | UV_FS_O_NOFOLLOW, mode_file, NULL);
  return finish(&request);
}

int bh_file_create(const char *path) {
  return open_file(path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_EXCL);
}

/* Windows has no flag for that. */
static int check_link(const char *path) {
  uv_stat_t status;

  return UV_FS_O_NOFOLLOW == 0 && bh_file_link_status(path, &status) == 0 && (status.st_mode & S_IFMT) == S_IFLNK
             ? UV_ELOOP
             : 0;
}

static int open_regular(const char *path, int flags) {
  uv_stat_t status;
  int error = check_link(path);
  /* Not blocking: opening somebody's FIFO must not wait for its other end. */
  int file = error != 0 ? error : open_file(path, flags | UV_FS_O_NONBLOCK);

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

/* ---- what is open */

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

/* ---- by name */

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
  char room[BH_NATIVE_PATH_MAX];
  uv_fs_t request;
  int error;

  uv_fs_unlink(NULL, &request, bh_path_native(path, room), NULL);
  error = finish(&request);
  if (error == UV_ENOENT) {
    return is_below_file(path) ? UV_ENOTDIR : 0;
  }
  return error;
}

int bh_file_link_status(const char *path, uv_stat_t *status) {
  char room[BH_NATIVE_PATH_MAX];
  uv_fs_t request;

  uv_fs_lstat(NULL, &request, bh_path_native(path, room), NULL);
  *status = request.statbuf;
  return finish(&request);
}

bool bh_file_exists(const char *path) {
  uv_stat_t status;

  return bh_file_link_status(path, &status) == 0;
}

int bh_directory_make(const char *path) {
  char room[BH_NATIVE_PATH_MAX];
  uv_fs_t request;
  int error;

  uv_fs_mkdir(NULL, &request, bh_path_native(path, room), mode_directory, NULL);
  error = finish(&request);
  return error == UV_EEXIST ? 0 : error;
}

int bh_directory_access(const char *path, bool writing) {
  char room[BH_NATIVE_PATH_MAX];
  uv_fs_t request;

  uv_fs_access(NULL, &request, bh_path_native(path, room), R_OK | X_OK | (writing ? W_OK : 0), NULL);
  return finish(&request);
}

int bh_directory_list(const char *path, int (*entry)(void *ctx, const char *name), void *ctx) {
  char room[BH_NATIVE_PATH_MAX];
  uv_fs_t request;
  uv_dirent_t found;
  int count = uv_fs_scandir(NULL, &request, bh_path_native(path, room), 0, NULL);
  int result = count < 0 ? count : 0;

  if (result == UV_ENOENT && is_below_file(path)) {
    result = UV_ENOTDIR;
  }
  /* To the end also where `entry` has stopped it: libuv does not free the last name where one stops at it. */
  while (count > 0 && uv_fs_scandir_next(&request, &found) != UV_EOF) {
    result = result == 0 ? entry(ctx, found.name) : result;
  }
  uv_fs_req_cleanup(&request);
  return result;
}
