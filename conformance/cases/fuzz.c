/* SPDX-License-Identifier: MIT */
/*
 * The cases of --fuzz. A case here is one run of steps on a hub of its own; the runner starts it again and again with
 * another seed, until its time is over. What a step sends is drawn from the seed and the number of the step alone: a
 * step that is left out changes nothing in the others.
 */

#include <string.h>

#include "step_list.h"
#include "world.h"

/* A run that is longer, now and then: some faults need many connections. */
#define LONG_ONCE_IN 12
#define LONGER 4
#define STEP_MS 3000

/* Whatever is broken while others do as they please is laid to one of these. */
#define JUDGED                                                                                                         \
  "BH-FRAME-001 BH-FRAME-002 BH-FRAME-003 BH-FRAME-004 BH-FRAME-006 BH-FRAME-007 BH-FRAME-008 BH-FRAME-009 "           \
  "BH-FRAME-010 BH-BODY-001 BH-BODY-004 BH-BODY-005 BH-BODY-006 BH-BODY-008 BH-BODY-009 BH-MSG-001 BH-MSG-002 "        \
  "BH-MSG-005 BH-MSG-006 BH-MSG-007 BH-MSG-008 BH-MSG-009 BH-MSG-010 BH-REG-001 BH-REG-002 BH-REG-005 BH-REG-006 "     \
  "BH-REG-007 BH-REG-008 BH-REG-009 BH-CLAIM-001 BH-CLAIM-002 BH-CLAIM-004 BH-CLAIM-005 BH-CLAIM-006 BH-REL-001 "      \
  "BH-REL-003 BH-INGEST-001 BH-INGEST-007 BH-INGEST-010 BH-INGEST-013 BH-INGEST-017 BH-INGEST-018 BH-ROUTE-001 "       \
  "BH-ROUTE-002 BH-ROUTE-006 BH-ROUTE-008 BH-ROUTE-012 BH-TIME-003 BH-TIME-006 BH-LIMIT-001 BH-IUT-001 BH-IUT-003"

static const struct step *draw_step(const struct step *const *kinds) {
  size_t count = 0;
  for (size_t i = 0; kinds[i]; i++) {
    for (const struct step *step = kinds[i]; step->what; step++) {
      count++;
    }
  }
  size_t chosen = random_below((uint32_t)count);
  for (size_t i = 0;; i++) {
    for (const struct step *step = kinds[i]; step->what; step++) {
      if (chosen-- == 0) {
        return step;
      }
    }
  }
}

static void good_goes_on(struct world *world) {
  good_request(world);
  if (draw_once_in(3)) {
    good_export(world);
  }
}

static void take_step(struct world *world, const struct step *const *kinds, uint32_t number) {
  random_restart(number);
  const struct step *step = draw_step(kinds);
  note(STEP_NOTE "%u: %s", number, step->what);
  case_allow_ms(STEP_MS);
  step->run(world);
  good_goes_on(world);
}

static uint32_t draw_steps(uint32_t about) {
  random_restart(0);
  uint32_t steps = about / 2 + random_below(about);
  return draw_once_in(LONG_ONCE_IN) ? LONGER * steps : steps;
}

/* The kinds end with NULL. */
static void run(const struct step *const *kinds, uint32_t about) {
  struct world world = {0};
  struct step_list list = step_list_read(environment(ENV_STEPS));
  uint32_t steps = draw_steps(about);
  world_begin(&world);
  for (uint32_t i = 1; i <= steps; i++) {
    if (step_list_has(&list, i)) {
      take_step(&world, kinds, i);
    }
  }
  note(STEP_NOTE "%u: is all as it was?", steps + 1);
  random_restart(steps + 1);
  world_capacity(&world);
  world_end(&world);
}

CASE(fuzz, endpoint, MUST, JUDGED) {
  run((const struct step *const[]){endpoint_steps, holder_steps, NULL}, 40);
}

CASE(fuzz, port, MUST, JUDGED) {
  run((const struct step *const[]){bridge_steps, NULL}, 40);
}

CASE(fuzz, connections, MUST, JUDGED) {
  run((const struct step *const[]){connection_steps, NULL}, 10);
}

CASE(fuzz, together, MUST, JUDGED) {
  run((const struct step *const[]){endpoint_steps, bridge_steps, connection_steps, holder_steps, NULL}, 30);
}
