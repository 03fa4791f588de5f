/* SPDX-License-Identifier: MIT */
#ifndef BH_BUFFER_H
#define BH_BUFFER_H

#include "bridgehub.h"

/* A run of octets that grows. A failed allocation is latched in `failed`, so that a run of appends is checked once. */
typedef struct {
  uint8_t *octets;
  size_t size;
  size_t capacity;
  bool failed;
  bh_allocator allocator;
} bh_buffer;

void bh_buffer_init(bh_buffer *buffer, bh_allocator allocator);
void bh_buffer_free(bh_buffer *buffer);
/* Keeps the memory. */
void bh_buffer_clear(bh_buffer *buffer);
bool bh_buffer_reserve(bh_buffer *buffer, size_t more);
bool bh_buffer_append(bh_buffer *buffer, const void *octets, size_t size);

/* resize(ctx, p, n) of realloc and free, for programs that inject nothing. */
bh_allocator bh_system_allocator(void);

#endif
