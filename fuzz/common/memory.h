/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include "buffer.h"

/*
 * The allocator of the targets. Under a sanitizer it is the system's, which finds what is used after its end. In a fast
 * build memory comes from an arena that memory_reset() empties, so that an input costs no allocation. Both count:
 * memory_reset() requires that all was given back.
 */
bh_allocator memory_allocator(void);
void memory_reset(void);

/* The allocations from now on that get nothing: one in `one_in`, drawn from `seed`; 0: none. */
void memory_fail(uint32_t one_in, uint32_t seed);
bool memory_has_failed(void); /* since it was last to fail */

#endif
