/* SPDX-License-Identifier: MIT */
/* Steps that are about connections: many, short, half, unread. */

#include <string.h>

#include "world.h"

#define STORM_MAX 90
#define BRIDGES_MIN 17
#define BRIDGES_MORE 30
#define CHURN_MAX 150
#define FLOOD 400

static const char *draw_beginning(void) {
  static const char *const texts[] = {"",
                                      "B",
                                      "BH1",
                                      "BH1 REGISTER 1 9",
                                      "BH1 REGISTER 1 65536\n{",
                                      "BH1 HEARTBEAT 1 0\n",
                                      "BH2",
                                      "GET / HTTP/1.1\r\n\r\n",
                                      "BH1 HEARTBEAT 1 99999",
                                      "BH1 X 1 2\n{}BH1 X 2 2\n{",
                                      "BH1 ACK 1 2\n{}",
                                      "BH1 HEARTBEAT 2 0\n"};
  return texts[random_below(sizeof texts / sizeof *texts)];
}

static struct conn *open_with_beginning(struct world *world) {
  struct conn *conn = conn_open(world->hub);
  const char *text = draw_beginning();
  conn_mute(conn);
  if (*text) {
    send_octets(conn, text, strlen(text));
  }
  return conn;
}

/* Many at a time; those beyond the limit are told so, and closed. */
static void storm(struct world *world) {
  struct conn *conns[STORM_MAX];
  size_t count = 1 + random_below(STORM_MAX);
  for (size_t i = 0; i < count; i++) {
    conns[i] = open_with_beginning(world);
  }
  good_request(world);
  good_export(world);
  for (size_t i = 0; i < count; i++) {
    if (draw_once_in(3)) {
      conn_half_close(conns[i]);
    }
    conn_close(conns[i]);
  }
  world_wait_room(world);
}

/* Many, one after another. */
static void churn(struct world *world) {
  for (uint32_t left = 1 + random_below(CHURN_MAX); left > 0; left--) {
    conn_close(open_with_beginning(world));
  }
  good_request(world);
  world_wait_room(world);
}

static void bridge_storm(struct world *world) {
  static const char *const texts[] = {"", "[", "[{\"half\":\"", " ", "\xef\xbb", "Bye", "x", "[{}"};
  struct bridge *bridges[BRIDGES_MIN + BRIDGES_MORE];
  size_t count = BRIDGES_MIN + random_below(BRIDGES_MORE);
  for (size_t i = 0; i < count; i++) {
    bridges[i] = bridge_open(world->hub);
    bridge_send_text(bridges[i], texts[random_below(sizeof texts / sizeof *texts)]);
  }
  good_export(world);
  for (size_t i = 0; i < count; i++) {
    stream_close(world, bridges[i], draw_once_in(2));
  }
}

/* It asks and asks, and reads no answer, until it does: then all of them are there. */
static void flood(struct world *world) {
  bh_buffer octets = draw_buffer();
  struct lane *lane = lane_open(world);
  lane_registers(world, lane, format("fuzz-%u", random_below(5)));
  if (lane->conn->ended) {
    return;
  }
  for (uint32_t i = 0, id = lane->reader.last_id; i < FLOOD; i++) {
    draw_text(&octets, format("BH1 HEARTBEAT %u 0\n", ++id));
  }
  conn_stop_reading(lane->conn);
  send_octets(lane->conn, octets.octets, octets.size);
  lane->sent_at = now_ms();
  good_request(world);
  good_export(world);
  conn_read_again(lane->conn);
  lane_judge(world, lane, octets.octets, octets.size);
  lane_leave(world, lane);
}

static void visitor(struct world *world) {
  good_visitor(world);
}

const struct step connection_steps[] = {{"many connections at a time", storm},
                                        {"many connections, one after another", churn},
                                        {"many connections to the port", bridge_storm},
                                        {"requests whose answers are not read", flood},
                                        {"a visitor", visitor},
                                        {NULL, NULL}};
