/* SPDX-License-Identifier: MIT */
#include "uv_paths_platform.h"

#include <stdio.h>
#include <string.h>

#include <windows.h>

const char bh_endpoint_name[] = "QuixelBridge_IPC";

/* The names of pipes are the machine's, and not in any directory of the file system's. */
static const char pipes[] = "\\\\.\\pipe";
static const char pipes_verbatim[] = "\\\\?\\pipe";

enum { PIPE_NAME_MAX = 256 };

static bool is_separator(char octet) {
  return octet == '\\' || octet == '/';
}

/* Another path would be another directory for each process. */
static bool is_full(const char *path) {
  return path[0] != '\0' &&
         ((path[1] == ':' && is_separator(path[2])) || (is_separator(path[0]) && is_separator(path[1])));
}

/* It is in the user's profile, which others may not enter: there is nothing to check and nothing to make. */
int bh_runtime_directory(char directory[BH_PATH_MAX], bh_why *why) {
  size_t size = BH_PATH_MAX;
  int error = uv_os_getenv("TEMP", directory, &size);

  if (error != 0 || directory[0] == '\0') {
    size = BH_PATH_MAX;
    error = uv_os_tmpdir(directory, &size);
  }
  if (error != 0) {
    return bh_why_set(why, error, "the directory for temporary files, %%TEMP%%, is not to be had: %s",
                      uv_strerror(error));
  }
  if (!is_full(directory)) {
    return bh_why_set(why, UV_EINVAL, "%%TEMP%% is '%s': the directory for temporary files needs a full path",
                      directory);
  }
  for (size = strlen(directory); size > 0 && is_separator(directory[size - 1]); size--) {
    directory[size - 1] = '\0';
  }
  return 0;
}

int bh_endpoint_directory(char directory[BH_PATH_MAX], bh_why *why) {
  (void)why;
  return bh_path_join(directory, pipes, "", "");
}

size_t bh_endpoint_directories(char directories[BH_ENDPOINTS_MAX][BH_PATH_MAX]) {
  return bh_path_join(directories[0], pipes, "", "") == 0 ? 1 : 0;
}

/* ---- the endpoint's path */

static const char *name_in(const char *endpoint, const char *directory) {
  size_t size = strlen(directory);

  return _strnicmp(endpoint, directory, size) == 0 && endpoint[size] == '\\' ? endpoint + size + 1 : NULL;
}

int bh_endpoint_check(const char *endpoint, bh_why *why) {
  const char *name = name_in(endpoint, pipes);
  int characters;

  if (name == NULL) {
    name = name_in(endpoint, pipes_verbatim);
  }
  if (name == NULL || name[0] == '\0') {
    return bh_why_set(why, UV_EINVAL, "the endpoint is the name of a pipe, such as %s\\%s, and '%s' is none", pipes,
                      bh_endpoint_name, endpoint);
  }
  characters = MultiByteToWideChar(CP_UTF8, 0, endpoint, -1, NULL, 0) - 1;
  if (characters > PIPE_NAME_MAX) {
    return bh_why_set(why, UV_ENAMETOOLONG,
                      "the endpoint's name has %d characters, and a pipe's at most %d: choose a shorter one than %s",
                      characters, PIPE_NAME_MAX, endpoint);
  }
  if (strchr(name, '\\') != NULL) {
    return bh_why_set(why, UV_EINVAL, "the name of a pipe has no backslash, and '%s' has one", name);
  }
  return 0;
}
