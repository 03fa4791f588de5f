/* SPDX-License-Identifier: MIT */
/* Who is active, and what becomes of one that leaves or is lost: sections 3.3, 4 and 9. */

#include "obvious_hub_internal.h"

void obvious_hub_set_active(obvious_hub *o, const char *instance) {
  o->former[0] = '\0';
  o->lonely = false;
  if (same(o->active, instance)) {
    return;
  }
  copy(o->active, instance);
  o->changes++;
  o->state_version++;
  /* What is on its way to another than the active one goes to the active one, unless it was reserved for the other. */
  for (size_t i = 0; i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    obvious_peer *p = obvious_entry_is_under_way(e) && !e->was_reserved ? obvious_hub_peer(o, e->peer) : NULL;
    if (p && !same(p->instance, instance)) {
      p->held--;
      p->fetching = false;
      obvious_entry_take_back(e, BH_NEVER);
    }
  }
}

bool obvious_hub_is_young(const obvious_hub *o, uint64_t now) {
  return now - o->started < o->timeout_ms;
}

/* BH-ACT-003, -005, -006, BH-REL-004 */
void obvious_hub_active_on_register(obvious_hub *o, obvious_peer *p, bool resumes, uint64_t now) {
  if (o->active[0] || o->released) {
    return;
  }
  bool former = o->former[0] && now <= o->former_until && same(o->former, p->instance);
  if (!former && resumes && obvious_hub_is_young(o, now)) {
    o->lonely = true;
    p->early = true;
  } else if (former || obvious_hub_count(o, OBVIOUS_REGISTERED, BH_ROLE_INSTANCE) == 1) {
    obvious_hub_set_active(o, p->instance);
  }
}

/* ---- leaving and loss */

void obvious_hub_leave(obvious_hub *o, obvious_peer *p, uint64_t now) {
  if (p->role == BH_ROLE_INSTANCE) {
    obvious_hub_reserve_held(o, p, BH_NEVER);
    for (size_t i = 0; i < o->entry_end; i++) {
      if (o->entries[i].state == OBVIOUS_RESERVED && obvious_entry_is_for(&o->entries[i], p->instance)) {
        obvious_entry_give_back(&o->entries[i], o->entries[i].record.deaths);
      }
    }
  }
  obvious_hub_begin_close(o, p, now);
  if (same(o->active, p->instance)) {
    obvious_hub_set_active(o, "");
  }
}

void obvious_hub_lose(obvious_hub *o, obvious_peer *p, bool process_gone, uint64_t now) {
  bool registered = p->state == OBVIOUS_REGISTERED;

  obvious_hub_begin_close(o, p, now);
  if (!registered) {
    return;
  }
  if (p->role == BH_ROLE_INSTANCE) {
    obvious_hub_reserve_held(o, p, now + o->timeout_ms);
    for (size_t i = 0; i < o->entry_end; i++) {
      obvious_entry *e = &o->entries[i];
      if (e->state != OBVIOUS_RESERVED || !obvious_entry_is_for(e, p->instance)) {
        continue;
      }
      if (process_gone) {
        obvious_entry_die(e);
        continue;
      }
      e->until = e->until == BH_NEVER ? now + o->timeout_ms : e->until;
      e->lost = p->handle;
    }
  }
  if (same(o->active, p->instance)) {
    obvious_hub_set_active(o, "");
    copy(o->former, p->instance);
    o->former_until = now + o->timeout_ms;
  }
}

void obvious_hub_close(obvious_hub *o, obvious_peer *p, bool process_gone, uint64_t now) {
  obvious_hub_lose(o, p, process_gone, now);
  obvious_hub_forget(p);
}

bool obvious_hub_reserves(const obvious_hub *o, bh_peer lost) {
  for (size_t i = 0; lost && i < o->entry_end; i++) {
    const obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_RESERVED && e->until != BH_NEVER && e->lost == lost) {
      return true;
    }
  }
  return false;
}

void obvious_hub_gone(obvious_hub *o, bh_peer lost) {
  for (size_t i = 0; lost && i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_RESERVED && e->until != BH_NEVER && e->lost == lost) {
      obvious_entry_die(e);
    }
  }
}
