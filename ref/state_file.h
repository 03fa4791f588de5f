/* SPDX-License-Identifier: MIT */
#ifndef BH_STATE_FILE_H
#define BH_STATE_FILE_H

#include "buffer.h"

/* The text of the state file (spec/protocol.md, section 8). */

typedef struct {
  uint64_t now;       /* the time of bh_instance_info.last_seen */
  uint64_t unix_time; /* the same moment in Unix seconds */
  uint16_t port;
  bool ended; /* hub_pid is null: the hub is ending */
} bh_state_context;

/* Failures are latched in `out`. */
void bh_state_write(bh_buffer *out, const bh_hub_view *view, const bh_state_context *context);

typedef struct {
  uint64_t epoch;
  uint32_t hub_pid; /* 0 for null */
  uint16_t port;
  char active[BH_INSTANCE_ID_MAX + 1]; /* "" is nobody */
} bh_state_hint;

/* What the next hub takes from it. NULL, or what is wrong (static text). At most 1 MiB is looked at. */
const char *bh_state_read(const uint8_t *octets, size_t size, bh_state_hint *hint);

#endif
