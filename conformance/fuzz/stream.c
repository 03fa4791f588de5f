/* SPDX-License-Identifier: MIT */
/* A connection to the port: what the core of the reference makes of the octets is what a hub has to make of them. */

#include <string.h>

#include "world.h"

#define SHORT_PIECE 40
#define LONG_PIECE 9000
#define BRIDGES_MAX 16
/* Those of a step that others are taken in, and the right one. */
#define STEPS_DEEP 4

struct reading {
  struct stream_outlook outlook;
  bh_buffer value;
  size_t imports_capacity, sizes_capacity;
};

static void take_import(struct reading *reading) {
  struct stream_outlook *outlook = &reading->outlook;
  char *copy = allocate(reading->value.size + 1);
  memcpy(copy, reading->value.octets, reading->value.size);
  outlook->imports = grow(outlook->imports, outlook->count, &reading->imports_capacity, sizeof *outlook->imports);
  outlook->sizes = grow(outlook->sizes, outlook->count, &reading->sizes_capacity, sizeof *outlook->sizes);
  outlook->imports[outlook->count] = copy;
  outlook->sizes[outlook->count++] = reading->value.size;
}

static void take_event(struct reading *reading, const bh_ingest_event *event) {
  switch (event->kind) {
  case BH_INGEST_BEGIN:
    bh_buffer_clear(&reading->value);
    reading->outlook.partial = true;
    break;
  case BH_INGEST_OCTETS:
    bh_buffer_append(&reading->value, event->octets, event->size);
    break;
  case BH_INGEST_COMMIT:
    take_import(reading);
    reading->outlook.partial = false;
    break;
  case BH_INGEST_DROP:
    reading->outlook.partial = false;
    break;
  case BH_INGEST_CLOSE:
    reading->outlook.closes = true;
    reading->outlook.orderly = event->orderly;
    reading->outlook.reason = event->reason;
    break;
  }
}

struct stream_outlook stream_judge(const void *octets, size_t size) {
  struct reading reading = {.value = draw_buffer()};
  bh_ingest *ingest = bh_ingest_new(1000, 5000, case_allocator());
  bh_ingest_event event;
  if (!ingest) {
    suite_broke("no memory");
  }
  bh_bridge bridge = bh_ingest_open(ingest, 0);
  if (size > 0) {
    bh_ingest_recv(ingest, bridge, octets, size, 0);
  }
  while (bh_ingest_poll(ingest, &event)) {
    take_event(&reading, &event);
  }
  bh_ingest_free(ingest);
  bh_buffer_free(&reading.value);
  return reading.outlook;
}

/* --------------------------------------------------------------------------------------------------------- it runs */

static void send_pieces_of(struct bridge *bridge, const char *octets, size_t size) {
  while (size > 0) { /* the draws are the same whenever the hub closes it */
    size_t piece = 1 + random_below(draw_once_in(3) ? SHORT_PIECE : LONG_PIECE);
    piece = piece < size ? piece : size;
    if (!bridge->ended) {
      bridge_send(bridge, octets, piece);
    }
    octets += piece;
    size -= piece;
  }
}

static bool has_ended(void *bridge) {
  return ((struct bridge *)bridge)->ended;
}

static void expect_end(struct bridge *bridge, const char *id, bool reset, const char *why) {
  const char *expected =
      format("the hub closes %s %s: %s", bridge->name, reset ? "with a reset" : "with an orderly end", why);
  if (!wait_until(has_ended, bridge, deadline_ms())) {
    fail_as(id, expected, "it stays open for %llu ms", (unsigned long long)deadline_ms());
  }
  if (bridge->reset != reset) {
    fail_as(reset ? "BH-INGEST-018" : "BH-INGEST-017", expected, bridge->reset ? "a reset" : "an orderly end");
  }
}

static void expect_own_end(struct bridge *bridge, const struct stream_outlook *outlook) {
  if (outlook->orderly) { /* the specification does not say how */
    if (!wait_until(has_ended, bridge, deadline_ms())) {
      fail_as("BH-INGEST-010", format("`Bye Megascans` closes %s", bridge->name), "it stays open");
    }
    return;
  }
  expect_end(bridge, "BH-INGEST-007", true, outlook->reason);
}

void stream_close(struct world *world, struct bridge *bridge, bool reset) {
  world->unsure += !bridge->ended;
  if (reset) {
    bridge_reset(bridge);
  } else {
    bridge_close(bridge);
  }
}

static void leave_silent(struct world *world, struct bridge *bridge) {
  if (world->silent_count == LINGERING_MAX) {
    stream_close(world, world->silent[0], false);
    world->silent_count--;
    memmove(world->silent, world->silent + 1, world->silent_count * sizeof(struct bridge *));
  }
  world->silent[world->silent_count++] = bridge;
}

static void leave(struct world *world, struct bridge *bridge, const struct stream_outlook *outlook) {
  switch (random_below(5)) {
  case 0:
    stream_close(world, bridge, false);
    break;
  case 1:
    stream_close(world, bridge, true);
    break;
  case 2:
    leave_silent(world, bridge);
    break;
  default:
    bridge_half_close(bridge);
    expect_end(bridge, "BH-INGEST-017", outlook->partial,
               outlook->partial ? "its last value is cut short" : "all its values are complete");
    bridge_close(bridge);
    break;
  }
}

/* Where there can be no more than 16 at any time, none is closed for being silent. */
static void expect_open(const struct world *world, const struct bridge *bridge) {
  if (bridge->ended && world->unsure + world->silent_count + STEPS_DEEP < BRIDGES_MAX) {
    fail_as("BH-INGEST-013", format("%s stays open while it is silent", bridge->name), "it was closed");
  }
}

void stream_run(struct world *world, const void *octets, size_t size, void (*between)(struct world *world)) {
  struct stream_outlook whole = stream_judge(octets, size);
  size_t cut = random_below((uint32_t)size + 1);
  struct stream_outlook before = stream_judge(octets, cut);
  good_claims(world);
  struct bridge *bridge = bridge_open(world->hub);
  send_pieces_of(bridge, octets, cut);
  for (size_t i = 0; i < before.count; i++) {
    good_takes(world, before.imports[i], before.sizes[i]);
  }
  if (between && !before.closes) {
    between(world);
    good_claims(world);
    expect_open(world, bridge);
  }
  /* One that was the longest silent of seventeen is closed, and the hub has not read the rest. */
  if (bridge->ended && !before.closes) {
    bridge_close(bridge);
    return;
  }
  send_pieces_of(bridge, (const char *)octets + cut, size - cut);
  for (size_t i = before.count; i < whole.count; i++) {
    good_takes(world, whole.imports[i], whole.sizes[i]);
  }
  if (whole.closes) {
    expect_own_end(bridge, &whole);
    bridge_close(bridge);
  } else {
    leave(world, bridge, &whole);
  }
}
