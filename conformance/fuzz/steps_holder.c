/* SPDX-License-Identifier: MIT */
/* A step in which an import is with somebody who then does something wrong: it comes back, or is finished or parked. */

#include <string.h>

#include "world.h"

static const char *message_octets(const char *type, uint32_t id, const char *body) {
  return format("BH1 %s %u %zu\n%s", type, id, strlen(body), body);
}

/* The last octets of a holder that is to be lost. */
static const char *draw_break(const struct lane *lane, uint32_t import) {
  uint32_t id = lane->reader.last_id + 1;
  switch (random_below(6)) {
  case 0:
    return message_octets("ACK", id, format("{\"for\":%u.0}", import));
  case 1:
    return message_octets("ACK", id + 1, format("{\"for\":%u}", import));
  case 2:
    return message_octets("ERROR", id, "{}");
  case 3:
    return format("BH1 ACK %u 99999\n", id);
  case 4:
    return "bh1 ACK";
  default: /* cut short */
    return format("BH1 ACK %u 9\n{\"for\":%u", id, import);
  }
}

/* Right or wrong, these change nothing. */
static const char *draw_harmless(const struct lane *lane) {
  uint32_t id = lane->reader.last_id + 1;
  switch (random_below(4)) {
  case 0:
    return message_octets("ACK", id, "{\"for\":999}");
  case 1:
    return message_octets("ACKNOWLEDGE", id, "{\"for\":999}");
  case 2:
    return message_octets("CLAIM_ACTIVE", id, "{]}");
  default:
    return message_octets("ERROR", id, "{\"for\":null,\"code\":\"refused\",\"message\":\"\"}");
  }
}

static const struct message *take(struct lane *lane, const char *assets, const char *id) {
  const char *expected = format("the import of %s on %s", assets, lane->conn->name);
  const struct message *message = lane_next(lane);
  size_t size = 0;
  bool is_import = message && strcmp(message->type, "IMPORT_DATA") == 0;
  const char *came = is_import ? json_octets(&message->json, "assets", &size) : "";
  if (size != strlen(assets) || memcmp(came, assets, size) != 0) {
    fail_as(id, expected, "%s",
            message ? format("%s %s", message->type, printable(message->json.text, message->json.size, 200))
                    : "nothing, or the end of the connection");
  }
  return message;
}

static void finish(struct world *world, struct lane *lane, uint32_t import) {
  lane_sends_message(world, lane, "ACK", format("{\"for\":%u}", import));
  world->imports++;
}

static void refuse(struct world *world, struct lane *lane, uint32_t import) {
  lane_sends_message(world, lane, "ERROR", format("{\"for\":%u,\"code\":\"refused\",\"message\":\"no\"}", import));
  world->parked++;
}

/* A lost holder has its time to come back, and another gets the import after that. */
static void given_back(struct world *world, const char *assets) {
  good_claims(world);
  case_allow_ms(world->hub->timeout_ms);
  extend_deadline(world->hub->timeout_ms);
  good_takes(world, assets, strlen(assets));
}

static void come_back(struct world *world, const char *instance, const char *assets) {
  struct lane *lane = lane_open(world);
  lane_registers(world, lane, instance);
  finish(world, lane, take(lane, assets, "BH-ROUTE-012")->id);
  lane_leave(world, lane);
}

static void lose(struct world *world, struct lane *lane, uint32_t import) {
  const char *last = draw_break(lane, import);
  lane_sends(world, lane, last, strlen(last));
  if (!lane->conn->ended) {
    lane_close(world, lane);
  }
}

static void held_by_another(struct world *world) {
  const char *assets = format("[{\"id\":\"held\",\"number\":%u}]", ++world->exports);
  const char *instance = format("holder-%u", random_below(3));
  struct lane *lane = lane_open(world);
  lane_registers(world, lane, instance);
  lane_sends_message(world, lane, "CLAIM_ACTIVE", "{}");
  bridge_export(world->hub, assets);
  uint32_t import = take(lane, assets, "BH-ROUTE-001")->id;
  if (draw_once_in(2)) {
    const char *harmless = draw_harmless(lane);
    lane_sends(world, lane, harmless, strlen(harmless));
  }
  switch (random_below(16)) {
  case 0:
    finish(world, lane, import);
    lane_leave(world, lane);
    break;
  case 1:
  case 2:
    refuse(world, lane, import);
    lane_leave(world, lane);
    break;
  case 3:
  case 4:
  case 5:
    lane_sends_message(world, lane, "UNREGISTER", "");
    given_back(world, assets);
    break;
  case 6: /* seldom: it takes a time-out */
    lose(world, lane, import);
    given_back(world, assets);
    break;
  default:
    lose(world, lane, import);
    come_back(world, instance, assets);
    break;
  }
}

const struct step holder_steps[] = {{"an import in wrong hands", held_by_another}, {NULL, NULL}};
