/* SPDX-License-Identifier: MIT */
/*
 * Which states of the grammars a program comes to: site_scons/fuzz_coverage.py puts a call of bh_state_reached() into
 * each state of the machines that Ragel makes. They are written to the file that FUZZ_STATES names, behind what is in
 * it, at the end.
 */

#include "states.h"

#include <stdio.h>
#include <stdlib.h>

enum { STATES_MAX = 1024 };

static bool reached[BH_MACHINES][STATES_MAX];
static bool at_work;

static void tell(void) {
  const char *path = getenv("FUZZ_STATES");
  FILE *file = path ? fopen(path, "a") : NULL;

  for (int machine = 0; file && machine < BH_MACHINES; machine++) {
    for (int state = 0; state < STATES_MAX; state++) {
      if (reached[machine][state]) {
        fprintf(file, "%d %d\n", machine, state);
      }
    }
  }
  if (file) {
    fclose(file);
  }
}

void bh_state_reached(int machine, int state) {
  if (!at_work) {
    at_work = true;
    atexit(tell);
  }
  if (state >= 0 && state < STATES_MAX) {
    reached[machine][state] = true;
  }
}
