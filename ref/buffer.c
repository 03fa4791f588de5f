/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <string.h>

enum { CAPACITY_FIRST = 256 };

void bh_buffer_init(bh_buffer *buffer, bh_allocator allocator) {
  *buffer = (bh_buffer){.allocator = allocator};
}

void bh_buffer_free(bh_buffer *buffer) {
  if (buffer->octets != NULL) {
    buffer->allocator.resize(buffer->allocator.ctx, buffer->octets, 0);
  }
  *buffer = (bh_buffer){.allocator = buffer->allocator};
}

void bh_buffer_clear(bh_buffer *buffer) {
  buffer->size = 0;
  buffer->failed = false;
}

bool bh_buffer_reserve(bh_buffer *buffer, size_t more) {
  size_t capacity = buffer->capacity == 0 ? CAPACITY_FIRST : buffer->capacity;
  uint8_t *octets;

  if (buffer->failed || more > SIZE_MAX / 2 - buffer->size) {
    buffer->failed = true;
    return false;
  }
  if (buffer->size + more <= buffer->capacity) {
    return true;
  }
  while (capacity < buffer->size + more) {
    capacity *= 2;
  }
  octets = buffer->allocator.resize(buffer->allocator.ctx, buffer->octets, capacity);
  if (octets == NULL) {
    buffer->failed = true;
    return false;
  }
  buffer->octets = octets;
  buffer->capacity = capacity;
  return true;
}

bool bh_buffer_append(bh_buffer *buffer, const void *octets, size_t size) {
  if (!bh_buffer_reserve(buffer, size)) {
    return false;
  }
  if (size > 0) {
    memcpy(buffer->octets + buffer->size, octets, size);
    buffer->size += size;
  }
  return true;
}
