/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdlib.h>

/* What is to happen, by time: a heap. Of two at the same moment the one that was planned first comes first. */

static bool is_before(const step *a, const step *b) {
  return a->time != b->time ? a->time < b->time : a->order < b->order;
}

void plan(world *w, uint64_t delay_us, step s) {
  size_t at = w->agenda_size++;

  if (w->agenda_size > w->agenda_capacity) {
    w->agenda_capacity = w->agenda_capacity == 0 ? 256 : 2 * w->agenda_capacity;
    w->agenda = realloc(w->agenda, w->agenda_capacity * sizeof *w->agenda);
    if (w->agenda == NULL) {
      abort();
    }
  }
  s.time = w->now + delay_us;
  s.order = w->order++;
  while (at > 0 && is_before(&s, &w->agenda[(at - 1) / 2])) {
    w->agenda[at] = w->agenda[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  w->agenda[at] = s;
}

void plan_in(world *w, uint64_t delay_us, step_kind kind, int process, int object) {
  step s = {.kind = kind, .process = process, .object = object};

  if (process >= 0) {
    s.life = w->processes[process].life;
  }
  plan(w, delay_us, s);
}

bool agenda_next(world *w, step *s) {
  step last;
  size_t at = 0;

  if (w->agenda_size == 0) {
    return false;
  }
  *s = w->agenda[0];
  last = w->agenda[--w->agenda_size];
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= w->agenda_size) {
      break;
    }
    if (child + 1 < w->agenda_size && is_before(&w->agenda[child + 1], &w->agenda[child])) {
      child++;
    }
    if (!is_before(&w->agenda[child], &last)) {
      break;
    }
    w->agenda[at] = w->agenda[child];
    at = child;
  }
  w->agenda[at] = last;
  return true;
}

void agenda_free(world *w) {
  free(w->agenda);
  w->agenda = NULL;
  w->agenda_size = 0;
  w->agenda_capacity = 0;
}
