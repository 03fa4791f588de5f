/* SPDX-License-Identifier: MIT */
/* Deadlines: section 9. */

#include "obvious_hub_internal.h"

static uint64_t deadline(const obvious_hub *o, const obvious_peer *p) {
  return !p->handle ? BH_NEVER : (p->state == OBVIOUS_REGISTERED ? p->heard : p->since) + o->timeout_ms;
}

uint64_t obvious_hub_expiry(const obvious_hub *o) {
  uint64_t expiry = o->next_beat;

  for (size_t i = 0; i < o->peer_end; i++) {
    uint64_t d = deadline(o, &o->peers[i]);
    expiry = d < expiry ? d : expiry;
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    const obvious_entry *e = &o->entries[i];
    expiry = e->state == OBVIOUS_RESERVED && e->until < expiry ? e->until : expiry;
  }
  return o->lonely && o->started + o->timeout_ms < expiry ? o->started + o->timeout_ms : expiry;
}

/* BH-TIME-007 */
static void fresh_time(obvious_hub *o, uint64_t now) {
  for (size_t i = 0; i < o->peer_end; i++) {
    o->peers[i].heard = o->peers[i].since = now;
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    e->until = e->state == OBVIOUS_RESERVED && e->until != BH_NEVER ? now + o->timeout_ms : e->until;
  }
  o->former_until = now + o->timeout_ms;
  o->started = o->lonely ? now : o->started;
}

static void expire_lonely(obvious_hub *o, uint64_t now) {
  if (o->former[0] && now > o->former_until) {
    o->former[0] = '\0';
  }
  if (!o->lonely || obvious_hub_is_young(o, now)) {
    return;
  }
  o->lonely = false;
  if (obvious_hub_count(o, OBVIOUS_REGISTERED, BH_ROLE_INSTANCE) != 1 || o->active[0] || o->released) {
    return;
  }
  for (size_t i = 0; i < o->peer_end; i++) {
    const obvious_peer *p = &o->peers[i];
    if (p->handle && p->state == OBVIOUS_REGISTERED && p->role == BH_ROLE_INSTANCE && p->early) {
      obvious_hub_set_active(o, p->instance);
      return;
    }
  }
}

void obvious_hub_expire(obvious_hub *o, uint64_t now, uint64_t expiry) {
  EXPECT(o, expiry <= obvious_hub_expiry(o), "the hub wants to be woken at %llu, which is too late",
         (unsigned long long)expiry);
  if (now < expiry) {
    return;
  }
  if (now - expiry >= o->heartbeat_ms) {
    fresh_time(o, now);
  }
  for (size_t i = 0; i < o->peer_end; i++) {
    obvious_peer *p = &o->peers[i];
    if (now >= deadline(o, p)) {
      if (p->state != OBVIOUS_CLOSING) {
        obvious_hub_lose(o, p, false, now);
      }
      p->at_once = true;
    }
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_RESERVED && e->until != BH_NEVER && now >= e->until) {
      obvious_entry_die(e);
    }
  }
  expire_lonely(o, now);
  if (now < o->next_beat) {
    return;
  }
  o->next_beat = o->next_beat + o->heartbeat_ms > now ? o->next_beat + o->heartbeat_ms : now + o->heartbeat_ms;
  o->state_version++;
  o->retry_due = true;
  for (size_t i = 0; i < o->entry_end; i++) {
    o->entries[i].failed = false; /* it is due again */
  }
  for (size_t i = 0; i < o->peer_end; i++) {
    o->peers[i].beats = 0; /* and each is due another */
  }
}
