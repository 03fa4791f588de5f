/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

/* ACK from a client: it has finished with an import (BH-SPOOL-005), or has seen a HEARTBEAT, which changes nothing. */

void bh_on_ack(bh_hub *hub, peer *p, const bh_body *body) {
  entry *e = bh_entry_in_hand(hub, p, body->answers);

  if (e != NULL) {
    bh_finish(hub, p, e);
  } else if (body->answers > p->out.last_id) {
    bh_log(hub, BH_LOG_DEBUG, "ignored: an ACK for message %u, which was never sent", (unsigned)body->answers);
  }
}
