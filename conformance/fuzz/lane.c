/* SPDX-License-Identifier: MIT */
/* A connection to the endpoint, from which right and wrong octets come: who may do what with it, and how it ends. */

#include <string.h>

#include "world.h"

#define SHORT_PIECE 30
#define LONG_PIECE 5000
#define BODY_MAX_AT_HUB 65536

struct lane *lane_open(struct world *world) {
  struct lane *lane = allocate(sizeof *lane);
  lane->conn = conn_open(world->hub);
  /* An answer to a HEARTBEAT would take an id that is laid out, and the octets are to be the same each time. */
  conn_mute(lane->conn);
  lane->sent_at = now_ms();
  bh_reader_init(&lane->reader, BODY_MAX_AT_HUB, case_allocator());
  return lane;
}

void send_in_pieces(struct lane *lane, const void *octets, size_t size) {
  const char *from = octets;
  bool at_once = draw_once_in(3);
  while (size > 0) { /* the draws are the same whenever the hub closes it */
    size_t piece = at_once ? size : 1 + random_below(draw_once_in(2) ? SHORT_PIECE : LONG_PIECE);
    piece = piece < size ? piece : size;
    if (!lane->conn->ended) {
      send_pieces(lane->conn, from, piece, piece);
    }
    from += piece;
    size -= piece;
  }
  lane->sent_at = now_ms();
}

void lane_sends(struct world *world, struct lane *lane, const void *octets, size_t size) {
  send_in_pieces(lane, octets, size);
  lane_judge(world, lane, octets, size);
}

void lane_sends_message(struct world *world, struct lane *lane, const char *type, const char *body) {
  const char *octets = format("BH1 %s %u %zu\n%s", type, lane->reader.last_id + 1, strlen(body), body);
  lane_sends(world, lane, octets, strlen(octets));
}

void lane_registers(struct world *world, struct lane *lane, const char *instance) {
  lane_sends_message(world, lane, "REGISTER",
                     format("{\"protocol\":1,\"pid\":1,\"name\":\"it\",\"instance\":\"%s\"}", instance));
}

/* ---------------------------------------------------------------------------------------------------------- its end */

void lane_lost(struct world *world, struct lane *lane) {
  /* When the hub finds it lost is not known, and whether it is taken for the same when it comes back. */
  if (lane->registered && strcmp(world->active, lane->instance) == 0) {
    world->active_is_known = false;
  }
  lane->registered = false;
  lane->over = true;
}

void lane_close(struct world *world, struct lane *lane) {
  lane_lost(world, lane);
  conn_close(lane->conn);
}

static void forget_oldest(struct world *world) {
  lane_close(world, world->lingering[0]);
  world->lingering_count--;
  memmove(world->lingering, world->lingering + 1, world->lingering_count * sizeof(struct lane *));
}

static void linger(struct world *world, struct lane *lane) {
  if (world->lingering_count == LINGERING_MAX) {
    forget_oldest(world);
  }
  world->lingering[world->lingering_count++] = lane;
}

void world_close_lingering(struct world *world) {
  while (world->lingering_count > 0) {
    forget_oldest(world);
  }
  for (size_t i = 0; i < world->silent_count; i++) {
    stream_close(world, world->silent[i], false);
  }
  world->silent_count = 0;
}

static bool has_ended(void *conn) {
  return ((struct conn *)conn)->ended;
}

/* All that was sent is answered by now: the hub has nothing to keep it open for. */
static void half_close(struct world *world, struct lane *lane) {
  lane_lost(world, lane);
  conn_half_close(lane->conn);
  wait_until(has_ended, lane->conn, deadline_ms());
  conn_close(lane->conn);
}

void lane_leave(struct world *world, struct lane *lane) {
  uint32_t how = random_below(4);
  if (lane->conn->ended) {
    lane_lost(world, lane);
    return;
  }
  switch (how) {
  case 0:
    lane_close(world, lane);
    break;
  case 1:
    half_close(world, lane);
    break;
  default:
    linger(world, lane);
    break;
  }
}

static bool has(const struct lane *lane, const char *instance) {
  return lane->registered && strcmp(lane->instance, instance) == 0;
}

struct lane *lane_of(struct world *world, const char *instance, const struct lane *but) {
  if (world->interrupted && world->interrupted != but && has(world->interrupted, instance)) {
    return world->interrupted;
  }
  for (size_t i = 0; i < world->lingering_count; i++) {
    struct lane *lane = world->lingering[i];
    if (lane != but && has(lane, instance)) {
      return lane;
    }
  }
  return NULL;
}
