/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_PATHS_H
#define BH_UV_PATHS_H

#include "uv_file.h"
#include "uv_say.h"

/* Where a group's things lie (spec/protocol.md, section 2). */

enum { BH_ENDPOINTS_MAX = 2 };

typedef struct {
  char endpoint[BH_PATH_MAX];
  char state[BH_PATH_MAX];
  char spool[BH_PATH_MAX];
} bh_paths;

/* BH-NAME-002; "" is the default group. */
bool bh_group_is_valid(const char *group);

/*
 * For a hub: fills in those that are "". The runtime directory is looked at, and made where that is right, only if one
 * of them lies there.
 */
int bh_paths_complete(bh_paths *paths, const char *group, bh_why *why);

/* For a client: where the group's endpoint may be, best first. Returns how many. */
size_t bh_endpoint_candidates(const char *group, char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX]);

/* Those of them that can be used, or `endpoint` alone unless it is NULL. An error where that leaves none. */
int bh_endpoints_find(const char *group, const char *endpoint, char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX],
                      size_t *count, bh_why *why);

/* BH-NAME-006. libuv would cut it short without a word. */
int bh_endpoint_check(const char *endpoint, bh_why *why);

#endif
