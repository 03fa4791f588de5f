/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <stdio.h>
#include <string.h>

/*
 * Which import goes where: spec/protocol.md, section 6.2.
 *
 *     WAITING -> RECORDING -> LOADING -> IN_HAND -> REMOVING     sent, and finished
 *                                        IN_HAND -> PARKING      refused
 *     IN_HAND -> RESERVED -> RECORDING ...                       lost, and resumed
 *                RESERVED -> RETURNING -> WAITING                lost: a death
 *                RESERVED -> PARKING                             ... the third
 *     IN_HAND -> RETURNING -> WAITING                            left by UNREGISTER
 */

/* Numbers that a spool may hold, but no hub comes to by itself, must not wrap. */
static uint32_t one_more(uint32_t count) {
  return count == UINT32_MAX ? count : count + 1;
}

static bool is_for(const entry *e, const peer *p) {
  return strcmp(e->record.holder, p->info.instance) == 0;
}

/* The first import that `p` may be sent. One that is being given back keeps its place: nothing may overtake it. */
static entry *choose(bh_hub *hub, peer *p) {
  bool active = strcmp(hub->active, p->info.instance) == 0;

  if (!active && !p->reserved) {
    return NULL;
  }
  for (entry *e = hub->first; e != NULL; e = e->next) {
    if (e->state == ENTRY_RESERVED && is_for(e, p)) {
      return e;
    }
    if (active && e->state == ENTRY_WAITING) {
      return e;
    }
    if (active && e->state == ENTRY_RETURNING) {
      return NULL;
    }
  }
  p->reserved = false;
  return NULL;
}

void bh_deliver(bh_hub *hub, peer *p) {
  entry *e;

  if (p->state != PEER_REGISTERED || p->role != BH_ROLE_INSTANCE || p->fetching || p->import_unsent ||
      p->held >= p->window) {
    return;
  }
  e = choose(hub, p);
  if (e == NULL) {
    return;
  }
  e->was_reserved = e->state == ENTRY_RESERVED;
  e->next_record = e->record;
  e->next_record.attempt = one_more(e->sends);
  memcpy(e->next_record.holder, p->info.instance, sizeof e->next_record.holder);
  e->peer = p->id;
  p->held++;
  p->fetching = true;
  bh_entry_enter(hub, e, ENTRY_RECORDING);
}

void bh_deliver_active(bh_hub *hub) {
  peer *p = hub->active[0] == '\0' ? NULL : bh_peer_of_instance(hub, hub->active);

  if (p != NULL) {
    bh_deliver(hub, p);
  }
}

int bh_hub_loaded(bh_hub *hub, uint64_t sequence, const uint8_t *octets, size_t size, uint64_t now) {
  entry *e = bh_entry_find(hub, sequence);
  peer *p = e == NULL ? NULL : bh_peer_find(hub, e->peer);
  char who[BH_INSTANCE_ID_MAX + BH_NAME_MAX];

  hub->now = now;
  if (e == NULL || p == NULL || e->state != ENTRY_LOADING || !e->asked) {
    return BH_E_STATE;
  }
  e->message = bh_send_import(hub, p, &e->record, octets, size);
  bh_check_output(hub, p, now);
  if (e->message == 0 || p->state != PEER_REGISTERED) {
    return BH_OK; /* it was lost by that, and the import with it */
  }
  e->sends = e->record.attempt;
  p->fetching = false;
  bh_entry_enter(hub, e, ENTRY_IN_HAND);
  bh_log(hub, BH_LOG_INFO, "import: %s, attempt %u, goes to %s", e->record.import, (unsigned)e->record.attempt,
         bh_who(p, who, sizeof who));
  return BH_OK;
}

/* ---- answers */

entry *bh_entry_in_hand(bh_hub *hub, const peer *p, uint32_t message) {
  for (entry *e = hub->first; p->held > 0 && e != NULL; e = e->next) {
    if (e->state == ENTRY_IN_HAND && e->peer == p->id && e->message == message) {
      return e;
    }
  }
  return NULL;
}

void bh_finish(bh_hub *hub, peer *p, entry *e) {
  bh_log(hub, BH_LOG_INFO, "import: %s is finished by %s", e->record.import, p->info.instance);
  p->held--;
  bh_entry_enter(hub, e, ENTRY_REMOVING);
  bh_deliver(hub, p);
}

static void park(bh_hub *hub, entry *e) {
  e->next_record = e->record;
  e->next_record.attempt = e->sends;
  e->next_record.holder[0] = '\0';
  bh_entry_enter(hub, e, ENTRY_PARKING);
}

void bh_refuse(bh_hub *hub, peer *p, entry *e, const char *code, const char *message) {
  char code_line[BH_CODE_MAX * 2];
  char line[BH_REASON_MAX / 2];

  snprintf(e->reason, sizeof e->reason, "%s refused it: %s: %s", p->info.instance,
           bh_escape(code, code_line, sizeof code_line), bh_escape(message, line, sizeof line));
  p->held--;
  park(hub, e);
  bh_deliver(hub, p);
}

/* ---- holders that go */

static void give_back(bh_hub *hub, entry *e, uint32_t deaths) {
  e->next_record = e->record;
  e->next_record.attempt = e->sends;
  e->next_record.deaths = deaths;
  e->next_record.holder[0] = '\0';
  bh_entry_enter(hub, e, ENTRY_RETURNING);
}

static void die(bh_hub *hub, entry *e) {
  uint32_t deaths = one_more(e->record.deaths);

  bh_log(hub, BH_LOG_WARNING, "import: %s was with %s when that was lost: death %u", e->record.import, e->record.holder,
         (unsigned)deaths);
  if (deaths < BH_DEATHS_MAX) {
    give_back(hub, e, deaths);
    return;
  }
  snprintf(e->reason, sizeof e->reason, "%u holders were lost with it, the last of them %s", (unsigned)deaths,
           e->record.holder);
  park(hub, e);
  e->next_record.deaths = deaths;
}

void bh_reserve(bh_hub *hub, entry *e, uint64_t until) {
  e->reserved_until = until;
  e->peer = 0;
  e->lost = 0;
  bh_entry_enter(hub, e, ENTRY_RESERVED);
  if (until < hub->next_reserved) {
    hub->next_reserved = until;
  }
}

/* It was on its way and no octet of it was queued: what was recorded for the sending is undone. */
static void undo_fetch(bh_hub *hub, entry *e, uint64_t until) {
  if (e->was_reserved) {
    bh_reserve(hub, e, until);
  } else if (e->state == ENTRY_RECORDING) {
    bh_entry_enter(hub, e, ENTRY_WAITING);
  } else {
    give_back(hub, e, e->record.deaths);
  }
}

/*
 * What is on its way to an instance that has lost the role goes to whoever has it now, unless it was reserved for it.
 * What is reserved for it may have been held up by what stood before it in the order of the active one.
 */
void bh_delivery_on_role(bh_hub *hub, peer *before) {
  for (entry *e = hub->first; e != NULL; e = e->next) {
    bool fetched = (e->state == ENTRY_RECORDING || e->state == ENTRY_LOADING) && !e->was_reserved;
    peer *p = fetched ? bh_peer_find(hub, e->peer) : NULL;
    if (p != NULL && strcmp(p->info.instance, hub->active) != 0) {
      p->held--;
      p->fetching = false;
      undo_fetch(hub, e, BH_NEVER);
    }
  }
  if (before != NULL) {
    bh_deliver(hub, before);
  }
}

/* Its connection has ended, and with it all that was on its way there. `until`: how long it may come back. */
static void reserve_held(bh_hub *hub, peer *p, uint64_t until) {
  for (entry *e = hub->first; p->held > 0 && e != NULL; e = e->next) {
    if (e->peer != p->id) {
      continue;
    }
    if (e->state == ENTRY_IN_HAND) {
      p->held--;
      bh_reserve(hub, e, until);
    } else if (e->state == ENTRY_RECORDING || e->state == ENTRY_LOADING) {
      p->held--;
      undo_fetch(hub, e, until);
    }
  }
  p->fetching = false;
}

void bh_delivery_on_supersede(bh_hub *hub, peer *older) {
  reserve_held(hub, older, BH_NEVER);
}

void bh_delivery_on_leave(bh_hub *hub, peer *p) {
  if (p->role != BH_ROLE_INSTANCE) {
    return; /* what is reserved for an instance of its id is not the observer's */
  }
  reserve_held(hub, p, BH_NEVER);
  for (entry *e = hub->first; e != NULL; e = e->next) {
    if (e->state == ENTRY_RESERVED && is_for(e, p)) {
      give_back(hub, e, e->record.deaths);
    }
  }
}

void bh_delivery_on_loss(bh_hub *hub, peer *p, bool process_gone, uint64_t now) {
  if (p->role != BH_ROLE_INSTANCE) {
    return;
  }
  reserve_held(hub, p, now + hub->timeout_ms);
  for (entry *e = hub->first; e != NULL; e = e->next) {
    if (e->state != ENTRY_RESERVED || !is_for(e, p)) {
      continue;
    }
    if (process_gone) {
      die(hub, e);
      continue;
    }
    if (e->reserved_until == BH_NEVER) {
      bh_reserve(hub, e, now + hub->timeout_ms);
    }
    e->lost = p->id;
  }
}

static bool is_reserved_since(const entry *e, bh_peer lost) {
  return e->state == ENTRY_RESERVED && e->reserved_until != BH_NEVER && e->lost == lost;
}

bool bh_hub_reserves(const bh_hub *hub, bh_peer lost) {
  for (const entry *e = hub->first; lost != 0 && e != NULL; e = e->next) {
    if (is_reserved_since(e, lost)) {
      return true;
    }
  }
  return false;
}

void bh_hub_gone(bh_hub *hub, bh_peer lost, uint64_t now) {
  hub->now = now;
  for (entry *e = hub->first; lost != 0 && e != NULL; e = e->next) {
    if (is_reserved_since(e, lost)) {
      die(hub, e);
    }
  }
}

void bh_delivery_on_register(bh_hub *hub, peer *p) {
  for (entry *e = hub->first; p->role == BH_ROLE_INSTANCE && e != NULL; e = e->next) {
    if (e->state == ENTRY_RESERVED && is_for(e, p)) {
      e->reserved_until = BH_NEVER;
      p->reserved = true;
    }
  }
  bh_deliver(hub, p);
}

void bh_delivery_expire(bh_hub *hub, uint64_t now) {
  if (now < hub->next_reserved) {
    return;
  }
  hub->next_reserved = BH_NEVER;
  for (entry *e = hub->first; e != NULL; e = e->next) {
    if (e->state != ENTRY_RESERVED || e->reserved_until == BH_NEVER) {
      continue;
    }
    if (now >= e->reserved_until) {
      die(hub, e);
    } else if (e->reserved_until < hub->next_reserved) {
      hub->next_reserved = e->reserved_until;
    }
  }
}
