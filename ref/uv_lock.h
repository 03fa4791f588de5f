/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_LOCK_H
#define BH_UV_LOCK_H

#include "uv_say.h"

#include <stdbool.h>

/*
 * The lock of the spool (spec/protocol.md, BH-ELECT-001), which keeps out a second hub of the group on another port.
 * Where the system's lock belongs to the process (fcntl), a list of those held keeps two hubs in one process apart;
 * Windows keeps them apart itself, and needs nothing but the file.
 */

typedef struct bh_lock {
  int file;    /* -1: not held */
  int process; /* that has it: a forked child has a list, and no lock */
  uint64_t device;
  uint64_t inode;
  struct bh_lock *next; /* in that list: a lock that is held must not move */
} bh_lock;

/* UV_EBUSY: another hub has it. */
int bh_lock_take(bh_lock *lock, const char *spool, bh_why *why);
void bh_lock_release(bh_lock *lock);
/* Whether a hub of another process has it. */
bool bh_lock_is_held(const char *spool);

#endif
