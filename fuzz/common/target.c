/* SPDX-License-Identifier: MIT */
#include "target.h"

int fuzz_every_cut;
int fuzz_tells;

/* FNV-1a: a place that moves with every octet. */
size_t fuzz_draw(const uint8_t *octets, size_t size) {
  uint64_t hash = 14695981039346656037u;

  for (size_t i = 0; i < size; i++) {
    hash = (hash ^ octets[i]) * 1099511628211u;
  }
  return (size_t)(hash ^ (hash >> 32));
}

size_t fuzz_next_cut(size_t cut, size_t size) {
  return cut + 1 + size / (size > 10000 ? 100 : 1000);
}
