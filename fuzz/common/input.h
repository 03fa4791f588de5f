/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

/* An input that is a list of events. It never ends too early: behind its end there are zeros. */
typedef struct {
  const uint8_t *octets;
  size_t size, at;
} input;

static inline uint8_t input_next(input *in) {
  return in->at < in->size ? in->octets[in->at++] : 0;
}

/* The next `*size` octets, fewer where there are no more. */
static inline const uint8_t *input_take(input *in, size_t *size) {
  const uint8_t *octets = in->octets + in->at;

  *size = *size < in->size - in->at ? *size : in->size - in->at;
  in->at += *size;
  return octets;
}

#endif
