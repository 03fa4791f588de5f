/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <stdio.h>
#include <string.h>

/* Who is active: spec/protocol.md, section 4. */

static void forget_former(bh_hub *hub) {
  hub->former[0] = '\0';
  hub->former_until = 0;
}

void bh_set_active(bh_hub *hub, const char *instance, const char *why) {
  peer *before;

  /* Any change ends the wait for the instance that was lost, and for one to be found alone. */
  forget_former(hub);
  hub->lonely_may_claim = false;
  if (strcmp(hub->active, instance) == 0) {
    return;
  }
  before = hub->active[0] == '\0' ? NULL : bh_peer_of_instance(hub, hub->active);
  snprintf(hub->active, sizeof hub->active, "%s", instance);
  if (instance[0] == '\0') {
    bh_log(hub, BH_LOG_INFO, "active: nobody (%s)", why);
  } else {
    bh_log(hub, BH_LOG_INFO, "active: %s (%s)", instance, why);
  }
  hub->state_due = true;
  bh_beat_all(hub);
  bh_delivery_on_role(hub, before);
}

static bool is_young(const bh_hub *hub, uint64_t now) {
  return now - hub->started < hub->timeout_ms;
}

void bh_active_on_register(bh_hub *hub, peer *p, bool resumes, uint64_t now) {
  if (hub->active[0] != '\0' || hub->released) {
    return;
  }
  if (hub->former[0] != '\0' && now <= hub->former_until && strcmp(hub->former, p->info.instance) == 0) {
    bh_set_active(hub, p->info.instance, "it was active before its connection was lost");
  } else if (resumes && is_young(hub, now)) {
    /* Others are on their way back too, the formerly active one perhaps among them. */
    hub->lonely_may_claim = true;
    p->early = true;
  } else if (bh_count_instances(hub) == 1) {
    bh_set_active(hub, p->info.instance, "no other instance is registered");
  }
}

void bh_active_on_leave(bh_hub *hub, const peer *p) {
  if (strcmp(hub->active, p->info.instance) == 0) {
    bh_set_active(hub, "", "the active instance has left");
  }
}

void bh_active_on_loss(bh_hub *hub, const peer *p, uint64_t now) {
  if (strcmp(hub->active, p->info.instance) != 0) {
    return;
  }
  bh_set_active(hub, "", "the active instance was lost");
  snprintf(hub->former, sizeof hub->former, "%s", p->info.instance);
  hub->former_until = now + hub->timeout_ms;
}

static const peer *only_instance(const bh_hub *hub) {
  if (bh_count_instances(hub) != 1) {
    return NULL;
  }
  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    const peer *p = &hub->peers[slot];
    if (p->state == PEER_REGISTERED && p->role == BH_ROLE_INSTANCE) {
      return p;
    }
  }
  return NULL;
}

void bh_active_expire(bh_hub *hub, uint64_t now) {
  const peer *alone;

  if (hub->former[0] != '\0' && now > hub->former_until) {
    forget_former(hub);
  }
  if (!hub->lonely_may_claim || is_young(hub, now)) {
    return;
  }
  hub->lonely_may_claim = false;
  alone = only_instance(hub);
  if (alone != NULL && alone->early && hub->active[0] == '\0' && !hub->released) {
    bh_set_active(hub, alone->info.instance, "no other instance has come back");
    bh_deliver_active(hub);
  }
}

uint64_t bh_active_expiry(const bh_hub *hub) {
  return hub->lonely_may_claim ? hub->started + hub->timeout_ms : BH_NEVER;
}
