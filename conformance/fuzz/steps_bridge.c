/* SPDX-License-Identifier: MIT */
/* Steps at the port: what Bridge writes, and others. */

#include "world.h"

static void draw(struct world *world, void (*between)(struct world *world)) {
  static const uint32_t degrees[] = {0, 2, 4, 10};
  bh_buffer octets = draw_buffer();
  draw_stream(&octets, format("other-%u", random_below(1000)), degrees[random_below(sizeof degrees / sizeof *degrees)]);
  stream_run(world, octets.octets, octets.size, between);
}

static void stream(struct world *world) {
  draw(world, NULL);
}

static void around_export(struct world *world) {
  draw(world, good_export);
}

static void around_another(struct world *world) {
  draw(world, stream);
}

const struct step bridge_steps[] = {{"a connection to the port", stream},
                                    {"a connection to the port, and a right one", around_export},
                                    {"two connections to the port", around_another},
                                    {NULL, NULL}};
