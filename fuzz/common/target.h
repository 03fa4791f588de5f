/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

/* What every target shares. A broken promise ends the process by abort(), which each fuzzer takes for a finding. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition, ...)                                                                                        \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: broken: %s: ", __FILE__, __LINE__, #condition);                                          \
      fprintf(stderr, __VA_ARGS__);                                                                                    \
      fputc('\n', stderr);                                                                                             \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

/* What happens is told on standard error: replay -v. */
extern int fuzz_tells;

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

/*
 * Where the input is cut. A fuzzer tries one place for each input, drawn from the input itself, so that it is fast and
 * always does the same; the replay of the corpus tries them all (fuzz_every_cut).
 */
extern int fuzz_every_cut;
size_t fuzz_draw(const uint8_t *octets, size_t size);
/* The next of all: a thousand of them where there are more, and a hundred of a large input. */
size_t fuzz_next_cut(size_t cut, size_t size);

#endif
