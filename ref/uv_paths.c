/* SPDX-License-Identifier: MIT */
#include "uv_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char endpoint_name[] = "QuixelBridge_IPC.sock";
static const char state_name[] = "QuixelBridge_Hub.json";
static const char spool_name[] = "QuixelBridge_Spool";

bool bh_group_is_valid(const char *group) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  size_t size = strlen(group);

  return size <= BH_GROUP_MAX && strspn(group, letters) == size;
}

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

static int runtime_directory(char directory[BH_PATH_MAX], bh_why *why) {
  const char *given = directory_from("XDG_RUNTIME_DIR");
  int error = given != NULL ? bh_path_join(directory, given, "", "") : temporary_directory(directory);

  if (error != 0) {
    return bh_why_set(why, error, "the runtime directory's path is too long");
  }
  return given != NULL ? 0 : check_temporary_directory(directory, why);
}

/* ---- names */

static int group_path(char path[BH_PATH_MAX], const char *directory, const char *name, const char *group) {
  char suffix[BH_GROUP_MAX + 2] = "";

  if (group[0] != '\0') {
    snprintf(suffix, sizeof suffix, ".%s", group);
  }
  return bh_path_join(path, directory, name, suffix);
}

int bh_paths_complete(bh_paths *paths, const char *group, bh_why *why) {
  const struct {
    char *path;
    const char *name;
  } wanted[] = {{paths->endpoint, endpoint_name}, {paths->state, state_name}, {paths->spool, spool_name}};
  char directory[BH_PATH_MAX] = "";

  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    int error = 0;

    if (wanted[i].path[0] != '\0') {
      continue;
    }
    if (directory[0] == '\0') {
      error = runtime_directory(directory, why);
      if (error != 0) {
        return error;
      }
    }
    error = group_path(wanted[i].path, directory, wanted[i].name, group);
    if (error != 0) {
      return bh_why_set(why, error, "the path of %s in %s is too long", wanted[i].name, directory);
    }
  }
  return bh_endpoint_check(paths->endpoint, why);
}

size_t bh_endpoint_candidates(const char *group, char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX]) {
  const char *given = directory_from("XDG_RUNTIME_DIR");
  char directory[BH_PATH_MAX];
  size_t count = 0;

  if (given != NULL && group_path(endpoints[count], given, endpoint_name, group) == 0) {
    count++;
  }
  if (temporary_directory(directory) == 0 && group_path(endpoints[count], directory, endpoint_name, group) == 0) {
    count++;
  }
  return count;
}

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

int bh_endpoints_find(const char *group, const char *endpoint, char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX],
                      size_t *count, bh_why *why) {
  char candidates[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t found = 1;

  if (endpoint != NULL) {
    snprintf(candidates[0], BH_PATH_MAX, "%s", endpoint);
  } else {
    found = bh_endpoint_candidates(group, candidates);
  }
  *count = 0;
  for (size_t i = 0; i < found; i++) {
    if (bh_endpoint_check(candidates[i], why) == 0) {
      memcpy(endpoints[(*count)++], candidates[i], BH_PATH_MAX);
    }
  }
  return *count > 0 ? 0 : UV_EINVAL;
}
