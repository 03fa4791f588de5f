/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_LOG_H
#define BH_UV_LOG_H

#include "bridgehub.h"

/* How a line of the log looks, wherever it goes. */

enum { BH_LOG_LINE_MAX = 9216 };

extern const char *const bh_log_levels[]; /* in the order of bh_log_level, then NULL */

/* With the time, the level and a line end. Returns its length without the 0. */
size_t bh_log_format(char out[BH_LOG_LINE_MAX], bh_log_level level, const char *line);

#endif
