/* SPDX-License-Identifier: MIT */
#include "uv_paths.h"

#include "uv_paths_platform.h"

#include <stdio.h>
#include <string.h>

static const char state_name[] = "QuixelBridge_Hub.json";
static const char spool_name[] = "QuixelBridge_Spool";

bool bh_group_is_valid(const char *group) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  size_t size = strlen(group);

  return size <= BH_GROUP_MAX && strspn(group, letters) == size;
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
    int (*directory)(char directory[BH_PATH_MAX], bh_why *why);
  } wanted[] = {{paths->endpoint, bh_endpoint_name, bh_endpoint_directory},
                {paths->state, state_name, bh_runtime_directory},
                {paths->spool, spool_name, bh_runtime_directory}};

  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    char directory[BH_PATH_MAX];
    int error = 0;

    if (wanted[i].path[0] != '\0') {
      continue;
    }
    error = wanted[i].directory(directory, why);
    if (error != 0) {
      return error;
    }
    error = group_path(wanted[i].path, directory, wanted[i].name, group);
    if (error != 0) {
      return bh_why_set(why, error, "the path of %s in %s is too long", wanted[i].name, directory);
    }
  }
  return bh_endpoint_check(paths->endpoint, why);
}

size_t bh_endpoint_candidates(const char *group, char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX]) {
  char directories[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t found = bh_endpoint_directories(directories);
  size_t count = 0;

  for (size_t i = 0; i < found; i++) {
    count += group_path(endpoints[count], directories[i], bh_endpoint_name, group) == 0;
  }
  return count;
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
