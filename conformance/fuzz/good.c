/* SPDX-License-Identifier: MIT */
/* The window, and the Bridge, that do everything right: whatever others do beside them, they get what is theirs. */

#include <string.h>

#include "world.h"

#define PIECES_MAX 3
#define UNREGISTERED_MAX 64
#define BRIDGES_MAX 16
#define PAUSE_MS 20
/* Longer than an answer may take: what has to end is not taken for what is given up as silent. */
#define TIMEOUT_MS 2500

static bool is(const struct message *message, const char *type) {
  return strcmp(message->type, type) == 0;
}

static _Noreturn void disturbed(const char *id, const char *expected, const struct conn *conn,
                                const struct message *message) {
  if (message) {
    fail_as(id, expected, "%s %u %s", message->type, message->id,
            printable(message->json.text, message->json.size, 200));
  }
  fail_as(id, expected, conn->ended ? "the end of %s" : "nothing on %s in %llu ms", conn->name,
          (unsigned long long)deadline_ms());
}

/* The next that is no HEARTBEAT. */
static const struct message *next(struct conn *conn) {
  uint64_t end = now_ms() + deadline_ms();
  const struct message *message;
  do {
    message = next_message_in(conn, end > now_ms() ? end - now_ms() : 0);
  } while (message && is(message, "HEARTBEAT"));
  return message;
}

/* Where an import comes that is none of its own, or one of these a second time. */
static void expect_no_import(const struct conn *conn, const struct message *message) {
  if (message && is(message, "IMPORT_DATA")) {
    disturbed("BH-ROUTE-006", "no import that was not exported, and none twice", conn, message);
  }
}

static const struct message *ask(struct conn *conn, const char *id, const char *type, const char *body) {
  uint32_t number = send_body(conn, type, body, strlen(body));
  const char *expected = format("ACK for %s %u of %s, which does everything right", type, number, conn->name);
  const struct message *message = next(conn);
  bool fits = message && is(message, "ACK") && json_is_integer(&message->json, "for") &&
              json_integer(&message->json, "for") == number;
  expect_no_import(conn, message);
  if (!fits) {
    disturbed(id, expected, conn, message);
  }
  return message;
}

static void enter(struct world *world, struct lane *lane, const char *name) {
  lane->conn = conn_open(world->hub);
  const struct message *ack = ask(lane->conn, "BH-REG-001", "REGISTER",
                                  format("{\"protocol\":1,\"pid\":4242,\"name\":\"%s\",\"window\":2}", name));
  const char *instance = json_is_text(&ack->json, "instance") ? json_text(&ack->json, "instance") : "";
  if (!*instance || strlen(instance) >= sizeof lane->instance) {
    disturbed("BH-REG-001", "an instance id in the ACK of REGISTER", lane->conn, ack);
  }
  memcpy(lane->instance, instance, strlen(instance) + 1);
  lane->registered = true;
}

void world_begin(struct world *world) {
  world->hub = hub_start_with((struct hub_options){.timeout_ms = TIMEOUT_MS});
  enter(world, &world->good, "who does everything right");
}

void good_request(struct world *world) {
  ask(world->good.conn, "BH-MSG-001", "HEARTBEAT", "{}");
}

void good_claims(struct world *world) {
  if (world->active_is_known && strcmp(world->active, world->good.instance) == 0) {
    return;
  }
  const struct message *ack = ask(world->good.conn, "BH-CLAIM-001", "CLAIM_ACTIVE", "{}");
  checking("BH-CLAIM-002");
  expect_text(&ack->json, "active", world->good.instance);
  world->active_is_known = true;
  memcpy(world->active, world->good.instance, sizeof world->active);
}

void good_takes(struct world *world, const void *assets, size_t size) {
  struct conn *conn = world->good.conn;
  const char *expected = format("the import of %s on %s", printable(assets, size, 60), conn->name);
  const struct message *message = next(conn);
  if (!message || !is(message, "IMPORT_DATA")) {
    disturbed("BH-ROUTE-001", expected, conn, message);
  }
  size_t came_size;
  const char *came = json_octets(&message->json, "assets", &came_size);
  if (came_size != size || memcmp(came, assets, size) != 0) {
    disturbed("BH-ROUTE-002", expected, conn, message);
  }
  world->imports++;
  send_message(conn, "ACK", "{'for':%u}", message->id);
}

static void send_some(struct bridge *bridge, const char *text) {
  size_t left = strlen(text);
  for (uint32_t pieces = 1 + random_below(PIECES_MAX); pieces > 0 && left > 0; pieces--) {
    size_t piece = pieces == 1 ? left : 1 + random_below((uint32_t)left);
    bridge_send(bridge, text, piece);
    text += piece;
    left -= piece;
  }
}

static bool has_ended(void *bridge) {
  return ((struct bridge *)bridge)->ended;
}

void good_export(struct world *world) {
  good_claims(world);
  const char *assets = format("[{\"id\":\"right\",\"number\":%u}]", ++world->exports);
  struct bridge *bridge = bridge_open(world->hub);
  send_some(bridge, assets);
  bridge_half_close(bridge);
  wait_until(has_ended, bridge, deadline_ms());
  if (!bridge->ended || bridge->reset) {
    fail_as("BH-INGEST-017",
            format("the hub closes %s, which does everything right, with an orderly end", bridge->name),
            bridge->ended ? "a reset" : "nothing");
  }
  bridge_close(bridge);
  good_takes(world, assets, strlen(assets));
}

void good_visitor(struct world *world) {
  struct lane visitor = {0};
  enter(world, &visitor, "a visitor");
  ask(visitor.conn, "BH-REG-009", "UNREGISTER", "{}");
  conn_close(visitor.conn);
}

/* ------------------------------------------------------------------------------------------------------- the end */

/* A connection that has sent a HEARTBEAT, and is told that it has to register first: the hub holds it. */
static bool is_held(struct conn *conn, uint32_t number) {
  const struct message *message = next(conn);
  return message && is(message, "ERROR") && json_is_integer(&message->json, "for") &&
         json_integer(&message->json, "for") == number;
}

static bool never(void *arg) {
  (void)arg;
  return false;
}

void world_wait_room(struct world *world) {
  uint64_t end = now_ms() + deadline_ms();
  for (;;) {
    struct conn *conn = conn_open(world->hub);
    bool held = is_held(conn, send_message(conn, "HEARTBEAT", "{}"));
    conn_close(conn);
    if (held) {
      return;
    }
    if (now_ms() > end) {
      fail_as("BH-LIMIT-001", "a connection is held, now that others are closed", "none is");
    }
    wait_until(never, NULL, PAUSE_MS);
  }
}

static size_t count_held(struct world *world) {
  struct conn *conns[UNREGISTERED_MAX];
  uint32_t numbers[UNREGISTERED_MAX];
  size_t held = 0;
  for (size_t i = 0; i < UNREGISTERED_MAX; i++) {
    conns[i] = conn_open(world->hub);
    numbers[i] = send_message(conns[i], "HEARTBEAT", "{}");
  }
  while (held < UNREGISTERED_MAX && is_held(conns[held], numbers[held])) {
    held++;
  }
  for (size_t i = 0; i < UNREGISTERED_MAX; i++) {
    conn_close(conns[i]);
  }
  return held;
}

/* Those that were closed are found closed a little later. */
static void expect_room_at_endpoint(struct world *world) {
  uint64_t end = now_ms() + deadline_ms();
  size_t held;
  while ((held = count_held(world)) < UNREGISTERED_MAX) {
    if (now_ms() > end) {
      fail_as("BH-LIMIT-001", "64 connections that have not registered are held, now that all others are closed",
              "the hub does not hold more than %zu", held);
    }
    wait_until(never, NULL, PAUSE_MS);
  }
}

static size_t count_open_bridges(struct world *world) {
  struct bridge *bridges[BRIDGES_MAX - 1];
  size_t open = 0;
  for (size_t i = 0; i < BRIDGES_MAX - 1; i++) {
    bridges[i] = bridge_open(world->hub);
    bridge_send_text(bridges[i], "[{\"half\":");
  }
  good_export(world);
  for (size_t i = 0; i < BRIDGES_MAX - 1; i++) {
    open += !bridges[i]->ended;
    bridge_reset(bridges[i]);
  }
  return open;
}

static void expect_room_at_port(struct world *world) {
  uint64_t end = now_ms() + deadline_ms();
  size_t open;
  while ((open = count_open_bridges(world)) < BRIDGES_MAX - 1) {
    if (now_ms() > end) {
      fail_as("BH-INGEST-013", "15 silent connections stay open beside one more, now that all others are closed",
              "%zu of them do", open);
    }
    wait_until(never, NULL, PAUSE_MS);
  }
}

void world_capacity(struct world *world) {
  note("all that is wrong is closed: is there room again?");
  world_close_lingering(world);
  expect_room_at_endpoint(world);
  expect_room_at_port(world);
}

/* A HEARTBEAT says that nothing waits, and how many are parked. */
static bool says_rest(const struct message *message, uint32_t parked) {
  return json_is_integer(&message->json, "waiting") && json_integer(&message->json, "waiting") == 0 &&
         json_is_integer(&message->json, "parked") && json_integer(&message->json, "parked") == parked;
}

static void expect_rest(struct world *world) {
  const char *expected = format("a HEARTBEAT with \"waiting\" 0 and \"parked\" %u", world->parked);
  uint64_t end = now_ms() + deadline_ms() + world->hub->heartbeat_ms;
  const struct message *message, *last = NULL;
  do {
    last = (message = next_message_in(world->good.conn, end > now_ms() ? end - now_ms() : 0)) ? message : last;
    expect_no_import(world->good.conn, message);
  } while (message && !(is(message, "HEARTBEAT") && says_rest(message, world->parked)));
  if (!message) {
    disturbed("BH-TIME-003", expected, world->good.conn, last);
  }
}

void world_end(struct world *world) {
  good_export(world);
  good_request(world);
  expect_rest(world);
}
