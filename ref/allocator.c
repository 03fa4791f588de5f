/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <stdlib.h>

static void *system_resize(void *ctx, void *octets, size_t size) {
  (void)ctx;
  if (size == 0) {
    free(octets);
    return NULL;
  }
  return realloc(octets, size);
}

bh_allocator bh_system_allocator(void) {
  return (bh_allocator){.resize = system_resize, .ctx = NULL};
}
