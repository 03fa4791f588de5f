/* SPDX-License-Identifier: MIT */
#ifndef STEP_LIST_H
#define STEP_LIST_H

/* Which steps of a run of --fuzz are taken: "3,8-9", as --fuzz-steps has it; "0": none; "all" and "": every one. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No step at all. */
#define NO_STEP "0"
/* How the note of a step begins in the record; its number follows. */
#define STEP_NOTE "step "

struct step_range {
  uint32_t first, last;
};

struct step_list {
  struct step_range *ranges; /* of the case's memory */
  size_t count;
  bool all;
  bool valid;
};

struct step_list step_list_read(const char *text);
bool step_list_has(const struct step_list *list, uint32_t step);
/* `steps` in their order, as text. */
char *step_list_write(const uint32_t *steps, size_t count);

#endif
