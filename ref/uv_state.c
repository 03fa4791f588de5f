/* SPDX-License-Identifier: MIT */
#include "uv_state.h"

#include "uv_file.h"

#include <stdlib.h>
#include <string.h>

enum { STATE_MAX = 1024 * 1024 };

/* A group's name holds no dot, so that this is no group's state file. */
static const char temporary_suffix[] = ".hub.tmp";

/* ---- reading */

/* Reads the whole file into `octets`; NULL, or why not (static text). */
static const char *read_whole(int file, bh_buffer *octets) {
  uv_stat_t status;
  int got;

  if (bh_file_status(file, &status) != 0 || !bh_file_is_ours(&status)) {
    return "it belongs to another user";
  }
  if (status.st_size > STATE_MAX) {
    return "it is too large";
  }
  if (!bh_buffer_reserve(octets, STATE_MAX + 1)) {
    return "no memory";
  }
  do {
    got = bh_file_read(file, octets->octets + octets->size, STATE_MAX + 1 - octets->size);
    if (got < 0) {
      return uv_strerror(got);
    }
    octets->size += (size_t)got;
  } while (got > 0 && octets->size <= STATE_MAX);
  return octets->size > STATE_MAX ? "it is too large" : NULL;
}

static const char *why_not_opened(int error) {
  switch (error) {
  case UV_ELOOP:
    return "it is a symbolic link";
  case UV_EINVAL:
  case UV_ENXIO:
    return "it is no file";
  default:
    return uv_strerror(error);
  }
}

void bh_state_file_read(const char *path, const bh_logger *logger, bh_state_hint *hint) {
  int file = bh_file_open(path);
  bh_buffer octets;
  const char *wrong;

  *hint = (bh_state_hint){0};
  if (file == UV_ENOENT) {
    return;
  }
  bh_buffer_init(&octets, bh_system_allocator());
  if (file < 0) {
    wrong = why_not_opened(file);
  } else {
    wrong = read_whole(file, &octets);
    bh_file_close(file);
    if (wrong == NULL) {
      wrong = bh_state_read(octets.octets, octets.size, hint);
    }
  }
  bh_buffer_free(&octets);
  if (wrong != NULL) {
    *hint = (bh_state_hint){0};
    bh_say(logger, BH_LOG_WARNING, "the former state file %s tells nothing, and is to be replaced: %s", path, wrong);
  }
}

/* ---- writing */

static int write_new(const char *path, const uint8_t *octets, size_t size) {
  int file = bh_file_create(path);
  int error;

  if (file == UV_EEXIST) {
    /* A hub that was killed left it, or somebody planted it. */
    error = bh_file_remove(path);
    file = error != 0 ? error : bh_file_create(path);
  }
  if (file < 0) {
    return file;
  }
  error = bh_file_write(file, octets, size);
  bh_file_close(file);
  return error;
}

int bh_state_file_write(const char *path, const uint8_t *octets, size_t size, bh_why *why) {
  char temporary[BH_PATH_MAX];
  int error = bh_path_join(temporary, path, "", temporary_suffix);

  if (error == 0) {
    error = write_new(temporary, octets, size);
  }
  if (error == 0) {
    error = bh_file_rename(temporary, path);
    if (error != 0) {
      bh_file_remove(temporary);
    }
  }
  if (error != 0) {
    return bh_why_set(why, error, "the state file %s cannot be written: %s", path, uv_strerror(error));
  }
  return 0;
}

int bh_state_file_remove(const char *path, bh_why *why) {
  int error = bh_file_remove(path);

  if (error != 0) {
    return bh_why_set(why, error, "the state file %s cannot be removed: %s", path, uv_strerror(error));
  }
  return 0;
}
