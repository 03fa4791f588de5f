/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_PATHS_PLATFORM_H
#define BH_UV_PATHS_PLATFORM_H

#include "uv_paths.h"

/* What uv_paths.c asks of uv_paths_posix.c or uv_paths_windows.c. */

extern const char bh_endpoint_name[]; /* of the default group's, in its directory */

/* Of state file and spool; made where that is right. */
int bh_runtime_directory(char directory[BH_PATH_MAX], bh_why *why);
/* Of the endpoint of a hub. */
int bh_endpoint_directory(char directory[BH_PATH_MAX], bh_why *why);
/* Those in which a client looks for it, best first: how many. */
size_t bh_endpoint_directories(char directories[BH_ENDPOINTS_MAX][BH_PATH_MAX]);

#endif
