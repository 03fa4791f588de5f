/* SPDX-License-Identifier: MIT */
#include "client_internal.h"
#include "escape.h"

#include <stdio.h>
#include <string.h>

/* IMPORT_DATA: spec/protocol.md, section 6.3. An import is handed up once, however often it comes. */

static in_hand *find(bh_client *client, const char *import) {
  for (size_t i = 0; i < client->import_count; i++) {
    if (strcmp(client->imports[i].import, import) == 0) {
      return &client->imports[i];
    }
  }
  return NULL;
}

static bool is_finished(const bh_client *client, const char *import) {
  for (size_t i = 0; i < BH_FINISHED_MAX; i++) {
    if (strcmp(client->finished[i], import) == 0) {
      return true;
    }
  }
  return false;
}

/* Since UNREGISTER went out, the hub gives to others what it may still have sent: BH-CLIENT-006. */
static bool is_leaving(const bh_client *client) {
  for (size_t i = 0; i < BH_REQUESTS_MAX; i++) {
    if (client->requests[i].message != 0 && client->requests[i].type == BH_UNREGISTER) {
      return true;
    }
  }
  return false;
}

void bh_client_on_import_data(bh_client *client, const bh_body *body) {
  uint32_t message = client->reader.id;
  in_hand *known = find(client, body->import);
  bh_event *event;

  if (known != NULL) {
    known->message = message;
    return;
  }
  if (is_finished(client, body->import)) {
    bh_client_answer_ack(client, message);
    return;
  }
  if (is_leaving(client)) {
    return; /* an answer would finish or park it */
  }
  if (client->import_count == BH_IN_HAND_MAX) {
    bh_client_answer_error(client, message, BH_CODE_OVERLOADED, "more imports at once than the window allows");
    return;
  }
  known = &client->imports[client->import_count++];
  memcpy(known->import, body->import, sizeof known->import);
  known->message = message;
  event = bh_client_event(client, BH_EV_IMPORT);
  memcpy(event->import, body->import, sizeof event->import);
  event->attempt = body->attempt;
  event->assets = body->assets.octets;
  event->assets_size = body->assets.size;
}

/* Takes it out of the hand. Returns the message that waits for its answer, 0 where none does; -1: not in hand. */
static int64_t take(bh_client *client, const char *import) {
  in_hand *known = find(client, import);
  uint32_t message;

  if (known == NULL) {
    return -1;
  }
  message = known->message;
  *known = client->imports[--client->import_count];
  return message;
}

int bh_client_ack(bh_client *client, const char *import) {
  char *slot = client->finished[client->finished_next];
  int64_t message = take(client, import);

  if (message < 0) {
    return BH_E_INVALID;
  }
  snprintf(slot, BH_IMPORT_ID_MAX + 1, "%s", import);
  client->finished_next = (client->finished_next + 1) % BH_FINISHED_MAX;
  if (message > 0) {
    bh_client_answer_ack(client, (uint32_t)message);
    bh_client_check_output(client);
  }
  return BH_OK;
}

/* A long reason must not become a message that is too large for the hub, which keeps no more of it than this. */
int bh_client_refuse(bh_client *client, const char *import, const char *why) {
  char reason[BH_REASON_OCTETS_MAX + 1];
  int64_t message = take(client, import);

  if (message < 0) {
    return BH_E_INVALID;
  }
  if (message > 0) {
    bh_copy_text(reason, sizeof reason, why);
    bh_client_answer_error(client, (uint32_t)message, BH_CODE_REFUSED, reason);
    bh_client_check_output(client);
  }
  return BH_OK;
}
