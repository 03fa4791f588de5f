/* SPDX-License-Identifier: MIT */
#include "uv_paths_platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

const char bh_endpoint_name[] = "QuixelBridge_IPC.sock";

/* ---- the runtime directory */

/* NULL where it is not set. A relative one would be another directory for each process. */
static const char *directory_from(const char *variable) {
  const char *value = getenv(variable);

  return value != NULL && value[0] == '/' ? value : NULL;
}

static int temporary_directory(char directory[BH_PATH_MAX]) {
  const char *parent = directory_from("TMPDIR");
  char name[64];

  snprintf(name, sizeof name, "QuixelBridge-%lu", (unsigned long)geteuid());
  return bh_path_join(directory, parent != NULL ? parent : "/tmp", name, "");
}

/* BH-NAME-004. Everybody may write beside it: whoever was there first could otherwise read and forge all. */
static int check_temporary_directory(const char *directory, bh_why *why) {
  uv_stat_t status;
  int error = bh_directory_make(directory);

  if (error == 0) {
    error = bh_file_link_status(directory, &status);
  }
  if (error != 0) {
    return bh_why_set(why, error, "the runtime directory %s cannot be made: %s", directory, uv_strerror(error));
  }
  if ((status.st_mode & S_IFMT) == S_IFLNK) {
    return bh_why_set(why, UV_EPERM, "the runtime directory %s is a symbolic link: remove it", directory);
  }
  if ((status.st_mode & S_IFMT) != S_IFDIR) {
    return bh_why_set(why, UV_ENOTDIR, "the runtime directory %s is no directory: remove it", directory);
  }
  if (status.st_uid != geteuid()) {
    return bh_why_set(why, UV_EPERM, "the runtime directory %s belongs to another user: set XDG_RUNTIME_DIR or TMPDIR",
                      directory);
  }
  if ((status.st_mode & 07777) != 0700) {
    return bh_why_set(why, UV_EPERM, "the runtime directory %s has mode %04o: make it 0700", directory,
                      (unsigned)(status.st_mode & 07777));
  }
  return 0;
}

int bh_runtime_directory(char directory[BH_PATH_MAX], bh_why *why) {
  const char *given = directory_from("XDG_RUNTIME_DIR");
  int error = given != NULL ? bh_path_join(directory, given, "", "") : temporary_directory(directory);

  if (error != 0) {
    return bh_why_set(why, error, "the runtime directory's path is too long");
  }
  return given != NULL ? 0 : check_temporary_directory(directory, why);
}

int bh_endpoint_directory(char directory[BH_PATH_MAX], bh_why *why) {
  return bh_runtime_directory(directory, why);
}

size_t bh_endpoint_directories(char directories[BH_ENDPOINTS_MAX][BH_PATH_MAX]) {
  const char *given = directory_from("XDG_RUNTIME_DIR");
  size_t count = 0;

  if (given != NULL && bh_path_join(directories[count], given, "", "") == 0) {
    count++;
  }
  if (temporary_directory(directories[count]) == 0) {
    count++;
  }
  return count;
}

/* ---- the endpoint's path */

int bh_endpoint_check(const char *endpoint, bh_why *why) {
  /* One octet stays for the 0 at the end: not every system takes a path without. */
  size_t limit = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;
  size_t size = strlen(endpoint);

  if (size == 0) {
    return bh_why_set(why, UV_EINVAL, "the endpoint's path is empty");
  }
  if (size > limit) {
    return bh_why_set(
        why, UV_ENAMETOOLONG,
        "the endpoint's path has %zu octets, and a socket's path at most %zu: choose a shorter one than %s", size,
        limit, endpoint);
  }
  return 0;
}
