/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_LOCK_H
#define BH_UV_LOCK_H

#include "uv_say.h"

/*
 * The lock of the spool (spec/protocol.md, BH-ELECT-001), which keeps out a second hub of the group on another port.
 * It belongs to the process: two hubs in one are not kept apart by it.
 */

typedef struct {
  int file; /* -1: not held */
} bh_lock;

/* UV_EBUSY: another process has it. */
int bh_lock_take(bh_lock *lock, const char *spool, bh_why *why);
void bh_lock_release(bh_lock *lock);

#endif
