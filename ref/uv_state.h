/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_STATE_H
#define BH_UV_STATE_H

#include "state_file.h"
#include "uv_say.h"

/* The state file on disk (spec/protocol.md, section 8). */

/* What a former hub left. Whatever is wrong with the file is said in the log, and all of `hint` is 0 then. */
void bh_state_file_read(const char *path, const bh_logger *logger, bh_state_hint *hint);
/* Whole or not at all, and never through a symbolic link. Only the hub calls this: it has the port and the lock. */
int bh_state_file_write(const char *path, const uint8_t *octets, size_t size, bh_why *why);
int bh_state_file_remove(const char *path, bh_why *why);

#endif
