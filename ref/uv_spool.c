/* SPDX-License-Identifier: MIT */
#include "uv_spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char bh_spool_queue[] = "queue";
const char bh_spool_parked[] = "parked";
const char bh_spool_retry[] = "retry";
static const char tmp[] = "tmp";

/* ---- paths */

int bh_spool_path(char path[BH_PATH_MAX], const bh_spool *spool, const char *directory, const char *name) {
  char parent[BH_PATH_MAX];
  int error = bh_path_join(parent, spool->path, directory, "");

  return error != 0 ? error : bh_path_join(path, parent, name, "");
}

static int import_path(char path[BH_PATH_MAX], const bh_spool *spool, const char *directory, const bh_import *import) {
  char name[BH_SPOOL_NAME_MAX];

  bh_spool_name(import, name);
  return bh_spool_path(path, spool, directory, name);
}

static int value_path(char path[BH_PATH_MAX], const bh_spool *spool, const bh_spool_value *value) {
  char name[32];

  snprintf(name, sizeof name, "%" PRIu64, value->name);
  return bh_spool_path(path, spool, tmp, name);
}

int bh_spool_move(const bh_spool *spool, const char *from_directory, const bh_import *from, const char *to_directory,
                  const bh_import *to) {
  char from_path[BH_PATH_MAX];
  char to_path[BH_PATH_MAX];
  int error = import_path(from_path, spool, from_directory, from);

  if (error == 0) {
    error = import_path(to_path, spool, to_directory, to);
  }
  if (error == 0 && strcmp(from_path, to_path) == 0) {
    return bh_file_exists(from_path) ? 0 : UV_ENOENT;
  }
  if (error == 0 && bh_file_exists(to_path)) {
    error = UV_EEXIST;
  }
  return error != 0 ? error : bh_file_rename(from_path, to_path);
}

/* ---- opening */

static int make_directory(const char *path, uv_stat_t *status) {
  int error = bh_directory_make(path);
  char room[BH_NATIVE_PATH_MAX];
  uv_fs_t request;

  if (error != 0) {
    return error;
  }
  error = uv_fs_stat(NULL, &request, bh_path_native(path, room), NULL);
  *status = request.statbuf;
  uv_fs_req_cleanup(&request);
  return error;
}

static int make_private(const char *path, bh_why *why) {
  char room[BH_NATIVE_PATH_MAX];
  uv_stat_t status;
  uv_fs_t request;
  int error = make_directory(path, &status);

  if (error == 0 && (status.st_mode & S_IFMT) != S_IFDIR) {
    error = UV_ENOTDIR;
  }
  if (error != 0) {
    return bh_why_set(why, error, "the spool %s cannot be made: %s", path, uv_strerror(error));
  }
  if (!bh_file_is_ours(&status)) {
    return bh_why_set(why, UV_EPERM, "the spool %s belongs to another user", path);
  }
  if (!bh_directory_is_private(&status)) {
    error = uv_fs_chmod(NULL, &request, bh_path_native(path, room), 0700, NULL);
    uv_fs_req_cleanup(&request);
  }
  if (error == 0) {
    error = bh_directory_access(path, true);
  }
  if (error != 0) {
    return bh_why_set(why, error, "the spool %s cannot be written: %s", path, uv_strerror(error));
  }
  return 0;
}

int bh_spool_make(bh_spool *spool, const char *path, const bh_logger *logger, bh_why *why) {
  char longest[BH_PATH_MAX];
  char name[BH_SPOOL_NAME_MAX];

  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  memset(spool, 0, sizeof *spool);
  spool->logger = *logger;
  if (bh_path_join(spool->path, path, "", "") != 0 || bh_spool_path(longest, spool, bh_spool_parked, name) != 0) {
    return bh_why_set(why, UV_ENAMETOOLONG, "the spool's path is too long: %s", path);
  }
  return make_private(path, why);
}

static int remove_value(void *ctx, const char *name) {
  const bh_spool *spool = ctx;
  char path[BH_PATH_MAX];
  int error = bh_spool_path(path, spool, tmp, name);

  if (error == 0) {
    error = bh_file_remove(path);
  }
  if (error != 0) {
    bh_say(&spool->logger, BH_LOG_WARNING, "%s in the spool's tmp/ cannot be removed: %s", name, uv_strerror(error));
  }
  return 0;
}

static int make_directories(const bh_spool *spool, bh_why *why) {
  static const char *const directories[] = {bh_spool_queue, bh_spool_parked, bh_spool_retry, tmp};
  char path[BH_PATH_MAX];
  int error = 0;

  for (size_t i = 0; error == 0 && i < sizeof directories / sizeof directories[0]; i++) {
    error = bh_spool_path(path, spool, directories[i], "");
    error = error != 0 ? error : make_private(path, why);
  }
  return error;
}

int bh_spool_open(bh_spool *spool, bh_why *why) {
  char path[BH_PATH_MAX];
  int error = make_directories(spool, why);

  if (error != 0) {
    return error;
  }
  error = bh_spool_path(path, spool, tmp, "");
  error = error != 0 ? error : bh_directory_list(path, remove_value, spool);
  return error != 0 ? bh_why_set(why, error, "the spool's %s cannot be read: %s", path, uv_strerror(error)) : 0;
}

void bh_spool_close(bh_spool *spool) {
  bh_spool_said_free(&spool->said);
}

/* ---- a value from Bridge */

int bh_spool_begin(bh_spool *spool, bh_spool_value *value) {
  char path[BH_PATH_MAX];
  int error;

  value->name = ++spool->values;
  value->file = -1;
  value->size = 0;
  error = value_path(path, spool, value);
  if (error != 0) {
    return error;
  }
  value->file = bh_file_create(path);
  return value->file < 0 ? value->file : 0;
}

int bh_spool_append(bh_spool_value *value, const uint8_t *octets, size_t size) {
  value->size += size;
  return bh_file_write(value->file, octets, size);
}

int bh_spool_commit(bh_spool *spool, bh_spool_value *value, const bh_import *import) {
  char from[BH_PATH_MAX];
  char to[BH_PATH_MAX];
  int error = value_path(from, spool, value);

  bh_file_close(value->file);
  value->file = -1;
  if (error == 0) {
    error = import_path(to, spool, bh_spool_queue, import);
  }
  if (error == 0) {
    error = bh_file_rename(from, to);
    if (error != 0) {
      bh_file_remove(from);
    }
  }
  return error;
}

void bh_spool_drop(const bh_spool *spool, bh_spool_value *value) {
  char path[BH_PATH_MAX];

  if (value->file < 0) {
    return;
  }
  bh_file_close(value->file);
  value->file = -1;
  if (value_path(path, spool, value) == 0) {
    bh_file_remove(path);
  }
}

/* ---- trouble */

static int write_zeros(bh_spool_value *value, size_t size) {
  static const uint8_t zeros[65536];
  int error = 0;

  while (error == 0 && value->size < size) {
    size_t left = size - value->size;

    error = bh_spool_append(value, zeros, left < sizeof zeros ? left : sizeof zeros);
  }
  return error;
}

int bh_spool_try(bh_spool *spool, size_t size, bh_why *why) {
  bh_spool_value value = {.file = -1};
  int error = make_private(spool->path, why);

  if (error == 0) {
    error = make_directories(spool, why);
  }
  if (error != 0) {
    return error;
  }
  error = bh_spool_begin(spool, &value);
  if (error == 0) {
    error = write_zeros(&value, size);
  }
  bh_spool_drop(spool, &value);
  return error == 0 ? 0 : bh_why_set(why, error, "the spool %s cannot be written: %s", spool->path, uv_strerror(error));
}

bool bh_spool_is_gone(const bh_spool *spool, const bh_import *import) {
  char path[BH_PATH_MAX];
  uv_stat_t status;

  return bh_spool_path(path, spool, bh_spool_queue, "") == 0 && bh_file_link_status(path, &status) == 0 &&
         (status.st_mode & S_IFMT) == S_IFDIR && import_path(path, spool, bh_spool_queue, import) == 0 &&
         bh_file_link_status(path, &status) == UV_ENOENT;
}

/* ---- an import */

int bh_spool_record(const bh_spool *spool, const bh_import *before, const bh_import *import) {
  return bh_spool_move(spool, bh_spool_queue, before, bh_spool_queue, import);
}

static int read_to_end(int file, bh_buffer *octets) {
  uv_stat_t status;
  int error = bh_file_status(file, &status);
  int got;

  if (error != 0) {
    return error;
  }
  if (status.st_size > BH_BRIDGE_VALUE_MAX + 2) {
    return UV_EFBIG;
  }
  if (!bh_buffer_reserve(octets, (size_t)status.st_size)) {
    return UV_ENOMEM;
  }
  while (octets->size < status.st_size) {
    got = bh_file_read(file, octets->octets + octets->size, (size_t)status.st_size - octets->size);
    if (got <= 0) {
      return got < 0 ? got : UV_EIO;
    }
    octets->size += (size_t)got;
  }
  return 0;
}

int bh_spool_load(const bh_spool *spool, const bh_import *import, bh_buffer *octets) {
  char path[BH_PATH_MAX];
  int error = import_path(path, spool, bh_spool_queue, import);
  int file;

  if (error != 0) {
    return error;
  }
  file = bh_file_open(path);
  if (file < 0) {
    return file;
  }
  error = read_to_end(file, octets);
  bh_file_close(file);
  return error;
}

int bh_spool_remove(const bh_spool *spool, const bh_import *import) {
  char path[BH_PATH_MAX];
  int error = import_path(path, spool, bh_spool_queue, import);

  return error != 0 ? error : bh_file_remove(path);
}

/* For people; an import is parked with or without it. */
static int write_why(const bh_spool *spool, const bh_import *import, const char *reason) {
  static const char json[] = "json";
  char path[BH_PATH_MAX];
  int error = import_path(path, spool, bh_spool_parked, import);
  int file;

  if (error != 0) {
    return error;
  }
  memcpy(path + strlen(path) - strlen(json), "why", sizeof "why");
  error = bh_file_remove(path);
  file = error != 0 ? error : bh_file_create(path);
  if (file < 0) {
    return file;
  }
  error = bh_file_write(file, reason, strlen(reason));
  bh_file_close(file);
  return error;
}

int bh_spool_park(const bh_spool *spool, const bh_import *before, const bh_import *import, const char *reason) {
  int error = bh_spool_move(spool, bh_spool_queue, before, bh_spool_parked, import);

  if (error == 0) {
    int unsaid = write_why(spool, import, reason);

    if (unsaid != 0) {
      bh_say(&spool->logger, BH_LOG_WARNING, "why import %s is parked cannot be written: %s", import->import,
             uv_strerror(unsaid));
    }
  }
  return error;
}
