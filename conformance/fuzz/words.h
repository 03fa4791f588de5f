/* SPDX-License-Identifier: MIT */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>

/* The dictionary of fuzz/: the terminals of the grammar, and the words of the bodies. The build makes the table. */
struct word {
  const char *octets;
  size_t size;
};

extern const struct word words[];
extern const size_t word_count;

#endif
