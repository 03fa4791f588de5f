/* SPDX-License-Identifier: MIT */
/* The target that does nothing: as fast as a fuzzer can be on this machine, which the others are measured by. */

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size) {
  (void)octets;
  (void)size;
  return 0;
}
