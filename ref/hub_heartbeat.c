/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

/* HEARTBEAT from a client: BH-TIME-006. That it is alive was noted with its first octet. */

void bh_on_heartbeat(bh_hub *hub, peer *p) {
  bh_send_ack(hub, p, p->reader.id);
}
