/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <string.h>

/* RELEASE_ACTIVE: BH-REL-001 to 004. */

void bh_on_release_active(bh_hub *hub, peer *p) {
  bool may = p->role == BH_ROLE_OBSERVER || strcmp(hub->active, p->info.instance) == 0;
  char who[BH_INSTANCE_ID_MAX + BH_NAME_MAX];

  if (hub->active[0] == '\0' || !may) {
    bh_send_error(hub, p, p->reader.id, BH_CODE_NOT_ACTIVE, "there is no active role to release here");
    return;
  }
  bh_log(hub, BH_LOG_INFO, "released: by %s", bh_who(p, who, sizeof who));
  hub->released = true;
  bh_set_active(hub, "", "released");
  bh_send_ack_active(hub, p, p->reader.id);
}
