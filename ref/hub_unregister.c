/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

/* UNREGISTER: BH-REG-009. The holder leaves of its own will, so its imports are given back at once. */

void bh_on_unregister(bh_hub *hub, peer *p, uint64_t now) {
  char who[BH_INSTANCE_ID_MAX + BH_NAME_MAX];

  bh_log(hub, BH_LOG_INFO, "unregistered: %s", bh_who(p, who, sizeof who));
  bh_send_ack(hub, p, p->reader.id);
  bh_delivery_on_leave(hub, p);
  bh_peer_begin_close(hub, p, now);
  bh_active_on_leave(hub, p);
}
