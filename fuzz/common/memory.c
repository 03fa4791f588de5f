/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include "target.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static size_t blocks; /* that were not given back */
static uint32_t fail_one_in, fail_state;
static bool has_failed;

static bool shall_fail(void) {
  if (fail_one_in == 0) {
    return false;
  }
  fail_state = fail_state * 1664525u + 1013904223u;
  if ((fail_state >> 8) % fail_one_in != 0) {
    return false;
  }
  has_failed = true;
  return true;
}

void memory_fail(uint32_t one_in, uint32_t seed) {
  fail_one_in = one_in;
  fail_state = seed;
  has_failed = has_failed && one_in == 0;
}

bool memory_has_failed(void) {
  return has_failed;
}

#ifdef SANITIZED

static void *take(void *old, size_t size) {
  return realloc(old, size);
}

static void give_back(void *old) {
  free(old);
}

static void empty(void) {}

#else

/* One behind the other, each with its size before it; what does not fit is the system's. */
enum { ARENA_SIZE = 8 << 20, HEAD = 16 };

static _Alignas(16) uint8_t arena[ARENA_SIZE];
static size_t used;

static bool is_in_arena(const void *block) {
  return (const uint8_t *)block >= arena && (const uint8_t *)block < arena + ARENA_SIZE;
}

static size_t *size_of(void *block) {
  return (size_t *)(void *)((uint8_t *)block - HEAD);
}

static size_t round_up(size_t size) {
  return (size + HEAD - 1) / HEAD * HEAD;
}

static bool is_last(void *block) {
  return (uint8_t *)block + round_up(*size_of(block)) == arena + used;
}

static void give_back(void *old) {
  if (!is_in_arena(old)) {
    free(old);
  } else if (is_last(old)) {
    used -= round_up(*size_of(old)) + HEAD;
  }
}

static void *take(void *old, size_t size) {
  if (old && !is_in_arena(old)) {
    return realloc(old, size);
  }
  if (old && is_last(old) && size <= ARENA_SIZE / 2 && used - round_up(*size_of(old)) + round_up(size) <= ARENA_SIZE) {
    used = used - round_up(*size_of(old)) + round_up(size);
    *size_of(old) = size;
    return old;
  }
  uint8_t *block;
  if (size <= ARENA_SIZE / 2 && used + HEAD + round_up(size) <= ARENA_SIZE) {
    block = arena + used + HEAD;
    used += HEAD + round_up(size);
    *size_of(block) = size;
  } else {
    block = malloc(size);
  }
  if (block && old) {
    memcpy(block, old, *size_of(old) < size ? *size_of(old) : size);
    give_back(old);
  }
  return block;
}

static void empty(void) {
  used = 0;
}

#endif

static void *resize(void *ctx, void *old, size_t size) {
  (void)ctx;
  if (size == 0) {
    blocks -= old != NULL;
    if (old) {
      give_back(old);
    }
    return NULL;
  }
  if (shall_fail()) {
    return NULL;
  }
  blocks += old == NULL;
  return take(old, size);
}

bh_allocator memory_allocator(void) {
  return (bh_allocator){.resize = resize, .ctx = NULL};
}

void memory_reset(void) {
  REQUIRE(blocks == 0, "%zu blocks of memory were not given back", blocks);
  empty();
}
