/* SPDX-License-Identifier: MIT */
/* Damage that knows octets alone, and the words of the grammar. */

#include <string.h>

#include "draw.h"
#include "words.h"

#define PIECE_MAX 40

/* Replaces `gone` octets at `at` by others. */
static void splice(bh_buffer *octets, size_t at, size_t gone, const void *with, size_t size) {
  bh_buffer whole = draw_buffer();
  bh_buffer_append(&whole, octets->octets, at);
  bh_buffer_append(&whole, with, size);
  bh_buffer_append(&whole, octets->octets + at + gone, octets->size - at - gone);
  bh_buffer_free(octets);
  *octets = whole;
}

void damage(bh_buffer *octets) {
  if (octets->size == 0) {
    return;
  }
  size_t at = random_below((uint32_t)octets->size), left = octets->size - at;
  size_t piece = 1 + random_below(PIECE_MAX);
  piece = piece < left ? piece : left;
  const struct word *word = &words[random_below((uint32_t)word_count)];
  uint8_t octet = (uint8_t)random_below(256);
  switch (random_below(6)) {
  case 0:
    octets->octets[at] = octet;
    break;
  case 1:
    octets->octets[at] ^= (uint8_t)(1U << random_below(8));
    break;
  case 2:
    splice(octets, at, piece, NULL, 0);
    break;
  case 3:
    splice(octets, at, 0, word->octets, word->size);
    break;
  case 4:
    splice(octets, at, word->size < left ? word->size : left, word->octets, word->size);
    break;
  default: {
    char copy[PIECE_MAX];
    memcpy(copy, octets->octets + at, piece);
    splice(octets, random_below((uint32_t)octets->size), 0, copy, piece);
    break;
  }
  }
}
