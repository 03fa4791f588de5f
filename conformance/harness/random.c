/* SPDX-License-Identifier: MIT */
/* What is drawn at random: always the same from one seed, on every host. */

#include <stdlib.h>

#include "internal.h"
#include "runner.h"

/* splitmix64 */
static uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

uint64_t draw(uint64_t seed, const char *name) {
  uint64_t state = mix(seed + 0x9e3779b97f4a7c15U);
  for (; *name; name++) {
    state = mix(state ^ (unsigned char)*name);
  }
  return state;
}

static uint64_t state; /* of the case: each has a process of its own */

static uint64_t of_case(void) {
  return draw(strtoull(environment(ENV_SEED), NULL, 10), criterion_current_test->name);
}

void random_restart(uint32_t number) {
  state = mix(of_case() + number);
}

uint32_t random_below(uint32_t bound) {
  if (state == 0) {
    state = of_case();
  }
  state += 0x9e3779b97f4a7c15U;
  return (uint32_t)(mix(state) % bound);
}
