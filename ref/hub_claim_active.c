/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

/* CLAIM_ACTIVE: BH-CLAIM-001 to 006. */

static void claim(bh_hub *hub, peer *p, const peer *target) {
  char who[BH_INSTANCE_ID_MAX + BH_NAME_MAX];

  bh_log(hub, BH_LOG_INFO, "claimed: %s", bh_who(target, who, sizeof who));
  hub->released = false;
  bh_set_active(hub, target->info.instance, "claimed");
  bh_send_ack_active(hub, p, p->reader.id);
  bh_deliver_active(hub);
}

void bh_on_claim_active(bh_hub *hub, peer *p, const bh_body *body) {
  const peer *target = p;

  if ((body->given & BH_M_INSTANCE) != 0) {
    target = bh_peer_of_instance(hub, body->instance);
    if (target == NULL || target->role != BH_ROLE_INSTANCE) {
      bh_send_error(hub, p, p->reader.id, BH_CODE_NO_SUCH_INSTANCE, "no such instance is registered");
      return;
    }
  } else if (p->role != BH_ROLE_INSTANCE) {
    bh_send_error(hub, p, p->reader.id, BH_CODE_REFUSED, "an observer can claim for an instance only");
    return;
  }
  claim(hub, p, target);
}
