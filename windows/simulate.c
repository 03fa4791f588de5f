/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>

/* The simulator of ref/simulation/ where there is no fork(): one seed after the other, and the first that fails ends
 * it. */

void report_wrong(uint64_t seed, const char *text) {
  printf("seed %llu: %s\n", (unsigned long long)seed, text);
  fflush(stdout);
  _Exit(EXIT_FAILURE);
}

int main(int argc, char **argv) {
  static world w;
  uint64_t seeds = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;

  if (seeds == 0) {
    fprintf(stderr, "Usage: simulate SEEDS\n");
    return EXIT_FAILURE;
  }
  w.inputs = calloc(PROCESSES_MAX, sizeof *w.inputs);
  if (w.inputs == NULL) {
    perror("simulate");
    return EXIT_FAILURE;
  }
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    story(&w, seed, false);
  }
  printf("%llu seeds: all is well\n", (unsigned long long)seeds);
  free(w.inputs);
  return EXIT_SUCCESS;
}
