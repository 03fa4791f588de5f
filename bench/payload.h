/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PAYLOAD_H
#define BENCH_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An export as Bridge sends it: an array of assets. */

typedef struct {
  uint8_t *octets;
  size_t size;
} payload;

/* False: it said why. To be freed in either case. */
bool payload_read(payload *p, const char *directory, const char *name);
/* The same, with its assets `copies` times over, as a batch. */
bool payload_read_batch(payload *p, const char *directory, const char *name, size_t copies);
void payload_free(payload *p);

#endif
