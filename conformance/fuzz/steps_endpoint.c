/* SPDX-License-Identifier: MIT */
/* Steps at the endpoint: octets, right and wrong. */

#include "world.h"

static const char *const vectors[] = {"frame.json", "messages.json", NULL};

/* Of how many draws one is wrong: mostly few, so that what comes behind is read too. */
static uint32_t draw_wrongness(void) {
  static const uint32_t degrees[] = {0, 4, 10, 20, 40};
  return degrees[random_below(sizeof degrees / sizeof *degrees)];
}

static bh_buffer draw_octets(void) {
  bh_buffer octets = draw_buffer();
  if (draw_once_in(5)) {
    draw_vector(&octets, vectors, 3);
    return octets;
  }
  uint32_t wrongness = draw_wrongness();
  draw_conversation(&octets, wrongness);
  if (draw_once_in(wrongness / 2)) {
    damage(&octets);
  }
  return octets;
}

static void conversation(struct world *world) {
  bh_buffer octets = draw_octets();
  struct lane *lane = lane_open(world);
  lane_sends(world, lane, octets.octets, octets.size);
  lane_leave(world, lane);
}

/* One that stops in the middle, and goes on when others have said and got theirs. */
static void interrupted(struct world *world) {
  bh_buffer octets = draw_octets();
  size_t cut = random_below((uint32_t)octets.size + 1);
  struct lane *lane = lane_open(world);
  lane_sends(world, lane, octets.octets, cut);
  world->interrupted = lane;
  if (draw_once_in(2)) {
    conversation(world);
  } else {
    good_export(world);
  }
  world->interrupted = NULL;
  lane_sends(world, lane, octets.octets + cut, octets.size - cut);
  lane_leave(world, lane);
}

/* One that never comes to the end of its message. */
static void cut_short(struct world *world) {
  bh_buffer octets = draw_octets();
  struct lane *lane = lane_open(world);
  lane_sends(world, lane, octets.octets, random_below((uint32_t)octets.size + 1));
  lane_leave(world, lane);
}

const struct step endpoint_steps[] = {{"a conversation", conversation},
                                      {"a conversation", conversation},
                                      {"an interrupted conversation", interrupted},
                                      {"a conversation cut short", cut_short},
                                      {NULL, NULL}};
