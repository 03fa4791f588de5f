/* SPDX-License-Identifier: MIT */
/* The end of a private directory. */

#include <ftw.h>
#include <stdio.h>

#include "internal.h"

#define OPEN_DIRECTORIES 16

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status;
  (void)type;
  (void)place;
  /* What cannot be removed now goes with the directory of the run. */
  remove(path);
  return 0;
}

void remove_directory(const char *path) {
  nftw(path, remove_entry, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS);
}
