/* SPDX-License-Identifier: MIT */
#include "client_internal.h"

#include <string.h>

/* ACK from the hub: spec/protocol.md, section 3.2, last column of the table. */

static const uint32_t registered_members =
    BH_M_INSTANCE | BH_M_HUB_PID | BH_M_EPOCH | BH_M_HEARTBEAT_MS | BH_M_TIMEOUT_MS | BH_M_ACTIVE;

static uint32_t members_of_ack(bh_type request) {
  switch (request) {
  case BH_REGISTER:
    return registered_members;
  case BH_CLAIM_ACTIVE:
  case BH_RELEASE_ACTIVE:
    return BH_M_ACTIVE;
  default:
    return 0;
  }
}

static void on_registered(bh_client *client, const bh_body *body) {
  bh_event *event = bh_client_event(client, BH_EV_REGISTERED);

  memcpy(client->instance, body->instance, sizeof client->instance);
  client->state = CLIENT_REGISTERED;
  /* A time-out of 0 would end every connection at once: such a hub gets the default. */
  client->heartbeat_ms = body->heartbeat_ms == 0 ? BH_HEARTBEAT_MS : body->heartbeat_ms;
  client->timeout_ms = body->timeout_ms == 0 ? BH_TIMEOUT_MS : body->timeout_ms;
  client->view.registered = true;
  client->view.hub_pid = body->hub_pid;
  client->view.epoch = body->epoch;
  client->view.heartbeat_ms = client->heartbeat_ms;
  client->view.timeout_ms = client->timeout_ms;
  memcpy(event->instance, body->instance, sizeof event->instance);
  memcpy(event->active, body->active, sizeof event->active);
  event->hub_pid = body->hub_pid;
  event->epoch = body->epoch;
}

bool bh_client_on_ack(bh_client *client, const bh_body *body) {
  request *r = bh_client_request(client, body->answers);
  uint32_t wanted;

  if (r == NULL) {
    return true; /* it answers nothing (BH-MSG-006) */
  }
  wanted = members_of_ack(r->type);
  if ((body->given & wanted) != wanted || (r->type == BH_RELEASE_ACTIVE && body->active[0] != '\0')) {
    return false;
  }
  r->message = 0;
  if (r->type == BH_REGISTER) {
    on_registered(client, body);
  } else {
    bh_client_event(client, BH_EV_DONE)->request = r->request;
  }
  if ((wanted & BH_M_ACTIVE) != 0) {
    bh_client_set_active(client, body->active);
  }
  return true;
}
