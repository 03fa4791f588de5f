/* SPDX-License-Identifier: MIT */
#include "client_internal.h"

#include <string.h>

/* HEARTBEAT from the hub: spec/protocol.md, BH-TIME-002. It is answered, and tells how things are. */

static bool take_instances(bh_client *client, bh_octets array) {
  size_t count = bh_body_instances(array, NULL, 0);
  bh_instance_info *instances;

  if (count == 0) {
    client->view.instance_count = 0;
    return true;
  }
  instances = client->allocator.resize(client->allocator.ctx, client->instances, count * sizeof *instances);
  if (instances == NULL) {
    return false;
  }
  client->instances = instances;
  client->view.instance_count = bh_body_instances(array, instances, count);
  return true;
}

void bh_client_on_heartbeat(bh_client *client, const bh_body *body) {
  bh_client_view *view = &client->view;
  bool changed = !view->heard || view->waiting != body->waiting || view->parked != body->parked ||
                 strcmp(view->active, body->active) != 0 || strcmp(view->problem, body->problem) != 0 ||
                 (body->given & BH_M_INSTANCES) != 0;

  bh_client_answer_ack(client, client->reader.id);
  if ((body->given & BH_M_INSTANCES) != 0 && !take_instances(client, body->instances)) {
    bh_client_end(client, BH_EV_CLOSE, "there is no memory for the list of instances");
    return;
  }
  view->heard = true;
  view->waiting = body->waiting;
  view->parked = body->parked;
  memcpy(view->problem, body->problem, sizeof view->problem);
  bh_client_set_active(client, body->active);
  if (changed) {
    bh_client_event(client, BH_EV_STATUS);
  }
}
