/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

/* ERROR from a client: it refuses an import (BH-ROUTE-015), or says something for the log. */

void bh_on_error(bh_hub *hub, peer *p, const bh_body *body) {
  entry *e = body->answers == 0 ? NULL : bh_entry_in_hand(hub, p, body->answers);
  char message[BH_REASON_MAX / 2];
  char line[BH_REASON_MAX];
  char who[BH_INSTANCE_ID_MAX + BH_NAME_MAX];

  bh_body_text(body->message, message, sizeof message);
  if (e != NULL) {
    bh_refuse(hub, p, e, body->code, message);
    return;
  }
  bh_log(hub, BH_LOG_WARNING, "error from %s: %s", bh_who(p, who, sizeof who), bh_escape(message, line, sizeof line));
}
