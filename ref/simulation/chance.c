/* SPDX-License-Identifier: MIT */
#include "simulation.h"

/* The one source of all that is left to chance: splitmix64 from the seed. */

uint64_t draw_bits(world *w) {
  uint64_t bits = w->random += 0x9e3779b97f4a7c15u;

  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
  return bits ^ bits >> 31;
}

uint32_t draw_below(world *w, uint32_t bound) {
  return bound == 0 ? 0 : (uint32_t)((draw_bits(w) >> 32) * bound >> 32);
}

uint64_t draw_between(world *w, uint64_t least, uint64_t most) {
  return least + draw_bits(w) % (most - least + 1);
}

bool one_in(world *w, uint32_t count) {
  return count != 0 && draw_below(w, count) == 0;
}
