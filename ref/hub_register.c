/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <string.h>

/* REGISTER: spec/protocol.md, section 3.4. */

/* The same instance is connected already: the newer connection has it now (BH-REG-006). */
static void supersede(bh_hub *hub, peer *older, uint64_t now) {
  char who[BH_INSTANCE_ID_MAX + BH_NAME_MAX];

  bh_log(hub, BH_LOG_WARNING, "superseded: %s has connected again", bh_who(older, who, sizeof who));
  bh_delivery_on_supersede(hub, older);
  bh_send_error(hub, older, 0, BH_CODE_SUPERSEDED, "a newer connection has registered this instance");
  bh_peer_begin_close(hub, older, now);
}

/* Whether there is a place, once `older` has made room. */
static bool is_full(const bh_hub *hub, const bh_body *body, const peer *older) {
  if (older != NULL) {
    return false;
  }
  return body->role == BH_ROLE_OBSERVER ? bh_count_observers(hub) >= BH_OBSERVERS_MAX
                                        : bh_count_instances(hub) >= BH_INSTANCES_MAX;
}

static bh_code find_fault(const bh_hub *hub, const peer *p, const bh_body *body, const peer *older,
                          const char **message) {
  if (p->state == PEER_REGISTERED) {
    *message = "this connection has registered before";
    return BH_CODE_ALREADY_REGISTERED;
  }
  if (body->protocol != BH_PROTOCOL) {
    *message = "this hub speaks protocol 1";
    return BH_CODE_UNSUPPORTED_PROTOCOL;
  }
  if (older != NULL && older->role != body->role) {
    *message = "this instance id is in use in the other role";
    return BH_CODE_REFUSED;
  }
  if (is_full(hub, body, older)) {
    *message = "as many are registered as this hub takes";
    return BH_CODE_OVERLOADED;
  }
  return BH_CODE_NONE;
}

void bh_on_register(bh_hub *hub, peer *p, const bh_body *body, uint64_t now) {
  bool resumes = (body->given & BH_M_INSTANCE) != 0;
  peer *older = resumes ? bh_peer_of_instance(hub, body->instance) : NULL;
  char instance[BH_INSTANCE_ID_MAX + 1];
  char who[BH_INSTANCE_ID_MAX + BH_NAME_MAX];
  const char *message = "";
  bh_code fault = find_fault(hub, p, body, older, &message);

  if (fault != BH_CODE_NONE) {
    bh_send_error(hub, p, p->reader.id, fault, message);
    return;
  }
  if (resumes) {
    memcpy(instance, body->instance, sizeof instance);
  } else {
    bh_new_instance_id(hub, instance);
  }
  if (older != NULL) {
    supersede(hub, older, now);
  }
  bh_peer_register(hub, p, body, instance);
  bh_log(hub, BH_LOG_INFO, "registered: %s, pid %u%s", bh_who(p, who, sizeof who), (unsigned)p->info.pid,
         p->role == BH_ROLE_OBSERVER ? ", an observer" : "");
  if (p->role == BH_ROLE_INSTANCE) {
    bh_active_on_register(hub, p, resumes, now);
  }
  bh_send_ack_registered(hub, p, p->reader.id);
  p->beat_due = true;
  bh_delivery_on_register(hub, p);
}
