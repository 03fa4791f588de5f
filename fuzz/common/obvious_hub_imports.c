/* SPDX-License-Identifier: MIT */
/* Which import is where, and what the hub wants of the spool: section 6.2. */

#include "obvious_hub_internal.h"

obvious_entry *obvious_hub_entry(obvious_hub *o, uint64_t sequence) {
  for (size_t i = 0; i < o->entry_end; i++) {
    if (o->entries[i].state != OBVIOUS_FREE && o->entries[i].record.sequence == sequence) {
      return &o->entries[i];
    }
  }
  return NULL;
}

bool obvious_entry_is_for(const obvious_entry *e, const char *instance) {
  return same(e->record.holder, instance);
}

static void wait(obvious_entry *e) {
  e->state = OBVIOUS_WAITING;
  e->failed = false;
}

void obvious_entry_give_back(obvious_entry *e, uint32_t deaths) {
  e->state = OBVIOUS_RETURNING;
  e->failed = false;
  e->next = e->record;
  e->next.attempt = e->sends;
  e->next.deaths = deaths;
  e->next.holder[0] = '\0';
}

void obvious_entry_park(obvious_entry *e, uint32_t deaths) {
  obvious_entry_give_back(e, deaths);
  e->state = OBVIOUS_PARKING;
}

/* BH-ROUTE-013, BH-ROUTE-014 */
void obvious_entry_die(obvious_entry *e) {
  uint32_t deaths = e->record.deaths == UINT32_MAX ? UINT32_MAX : e->record.deaths + 1;

  if (deaths >= 3) {
    obvious_entry_park(e, deaths);
  } else {
    obvious_entry_give_back(e, deaths);
  }
}

void obvious_entry_reserve(obvious_entry *e, uint64_t until) {
  e->state = OBVIOUS_RESERVED;
  e->failed = false;
  e->until = until;
  e->lost = 0;
}

/* It was on its way, and no octet of it was queued. */
void obvious_entry_take_back(obvious_entry *e, uint64_t until) {
  if (e->was_reserved) {
    obvious_entry_reserve(e, until);
  } else if (e->state == OBVIOUS_RECORDING) {
    wait(e);
  } else {
    obvious_entry_give_back(e, e->record.deaths);
  }
}

bool obvious_entry_is_under_way(const obvious_entry *e) {
  return e->state == OBVIOUS_RECORDING || e->state == OBVIOUS_LOADING;
}

void obvious_hub_reserve_held(obvious_hub *o, obvious_peer *p, uint64_t until) {
  for (size_t i = 0; i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_IN_HAND && e->peer == p->handle) {
      obvious_entry_reserve(e, until);
    } else if (obvious_entry_is_under_way(e) && e->peer == p->handle) {
      obvious_entry_take_back(e, until);
    }
  }
  p->held = 0;
  p->fetching = false;
}

uint32_t obvious_hub_count_waiting(const obvious_hub *o) {
  uint32_t waiting = 0;

  for (size_t i = 0; i < o->entry_end; i++) {
    waiting += o->entries[i].state == OBVIOUS_WAITING || o->entries[i].state == OBVIOUS_RETURNING;
  }
  return waiting;
}

/* ---- what is told */

void obvious_hub_import(obvious_hub *o, const bh_import *import, int result, uint64_t now) {
  bool known = obvious_hub_entry(o, import->sequence) || import->sequence == UINT64_MAX;

  EXPECT(o, result == (known ? BH_E_INVALID : BH_OK), "an import is answered by %d", result);
  if (result != BH_OK) {
    return;
  }
  o->last_sequence = import->sequence > o->last_sequence ? import->sequence : o->last_sequence;
  for (size_t i = 0; i < OBVIOUS_ENTRIES_MAX; i++) {
    obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_FREE) {
      o->entry_end = i < o->entry_end ? o->entry_end : i + 1;
      *e = (obvious_entry){.record = *import, .sends = import->attempt, .came_late = o->looks_late};
      wait(e);
      if (import->holder[0]) {
        const obvious_peer *holder = obvious_hub_of_instance(o, import->holder);
        obvious_entry_reserve(e, holder && holder->role == BH_ROLE_INSTANCE ? BH_NEVER : now + o->timeout_ms);
      }
      return;
    }
  }
  o->lenient = true;
}

void obvious_hub_next_import(obvious_hub *o, const bh_import *import) {
  EXPECT(o, import->sequence > o->last_sequence || import->sequence == UINT64_MAX,
         "a sequence that is not behind the others");
  EXPECT(o, import->attempt == 0 && import->deaths == 0 && import->holder[0] == '\0', "a new import is not new");
  o->last_sequence = import->sequence;
}

/* ---- what the hub wants */

static bool same_record(const bh_import *a, const bh_import *b) {
  return a->sequence == b->sequence && a->attempt == b->attempt && a->deaths == b->deaths &&
         same(a->import, b->import) && same(a->holder, b->holder);
}

/* BH-ROUTE-002, -007, -012: whether `e` is the first that `p` may be sent. */
bool obvious_hub_is_next(const obvious_hub *o, const obvious_peer *p, const obvious_entry *e) {
  bool active = same(o->active, p->instance);

  for (size_t i = 0; i < o->entry_end; i++) {
    const obvious_entry *other = &o->entries[i];
    if (other->record.sequence >= e->record.sequence || (other->came_late && !e->came_late)) {
      continue; /* what was chosen before retry/ was looked at is on its way */
    }
    if ((other->state == OBVIOUS_RESERVED && obvious_entry_is_for(other, p->instance)) ||
        (active && (other->state == OBVIOUS_WAITING || other->state == OBVIOUS_RETURNING))) {
      return false;
    }
  }
  return e->state == OBVIOUS_RESERVED ? obvious_entry_is_for(e, p->instance) : e->state == OBVIOUS_WAITING && active;
}

bool obvious_hub_can_take(const obvious_peer *p) {
  return p->handle && p->state == OBVIOUS_REGISTERED && p->role == BH_ROLE_INSTANCE && !p->fetching && !p->unsent &&
         p->held < p->window;
}

static void records_sending(obvious_hub *o, obvious_entry *e, const bh_import *next) {
  obvious_peer *p = obvious_hub_of_instance(o, next->holder);
  bh_import expected = e->record;

  if (e->state == OBVIOUS_RECORDING) { /* once more */
    EXPECT(o, p && e->peer == p->handle, "its record is for another");
  } else {
    EXPECT(o, p && obvious_hub_can_take(p), "%s cannot be sent another import", next->holder);
    /* What was next before the role moved, between two messages that came together, may still be on its way. */
    EXPECT(o, (o->changes > 0 && o->messages > 1) || (p && obvious_hub_is_next(o, p, e)), "%s is not the next for %s",
           e->record.import, next->holder);
  }
  if (o->lenient || !p) {
    return;
  }
  expected.attempt = e->sends == UINT32_MAX ? UINT32_MAX : e->sends + 1;
  copy(expected.holder, p->instance);
  REQUIRE(same_record(&expected, next), "its record: attempt %u, %u deaths, '%s'", (unsigned)next->attempt,
          (unsigned)next->deaths, next->holder);
  if (e->state != OBVIOUS_RECORDING) {
    e->was_reserved = e->state == OBVIOUS_RESERVED;
    p->held++;
  }
  e->next = *next;
  e->peer = p->handle;
  e->state = OBVIOUS_RECORDING;
  p->fetching = true;
}

static void wants_of_spool(obvious_hub *o, const bh_action *action) {
  obvious_entry *e = obvious_hub_entry(o, action->before.sequence);

  EXPECT(o, e && same_record(&e->record, &action->before), "an action on another import");
  if (o->lenient) {
    return;
  }
  EXPECT(o, !e->failed, "%s is tried again too soon", e->record.import);
  switch (action->kind) {
  case BH_DO_RECORD:
    if (action->import.holder[0]) {
      records_sending(o, e, &action->import);
    } else {
      REQUIRE(e->state == OBVIOUS_RETURNING && same_record(&e->next, &action->import), "%s is given back wrongly",
              e->record.import);
    }
    break;
  case BH_DO_LOAD:
    REQUIRE(e->state == OBVIOUS_LOADING, "%s is read, and its sending is not recorded", e->record.import);
    break;
  case BH_DO_REMOVE:
    REQUIRE(e->state == OBVIOUS_REMOVING, "%s is removed, and nobody has finished it", e->record.import);
    break;
  default:
    REQUIRE(e->state == OBVIOUS_PARKING && same_record(&e->next, &action->import), "%s is parked wrongly",
            e->record.import);
    REQUIRE(action->reason && action->reason[0], "%s is parked without a reason", e->record.import);
  }
}

void obvious_hub_acts(obvious_hub *o, const bh_action *action) {
  obvious_peer *p;

  switch (action->kind) {
  case BH_DO_WRITE_STATE:
    obvious_hub_check_view(o);
    o->written_version = o->state_version;
    copy(o->written_active, o->active);
    break;
  case BH_DO_RETRY:
    EXPECT(o, o->retry_due, "retry/ is looked at between heartbeats");
    o->retry_due = false;
    o->looks_late = true;
    break;
  case BH_DO_RECORD:
  case BH_DO_LOAD:
  case BH_DO_REMOVE:
  case BH_DO_PARK:
    wants_of_spool(o, action);
    break;
  case BH_DO_CLOSE:
    p = obvious_hub_peer(o, action->peer);
    REQUIRE(p, "the end of nobody");
    EXPECT(o, p->state == OBVIOUS_CLOSING, "%s is closed without a reason", p->instance);
    EXPECT(o, p->at_once || p->owed == p->paid, "it is closed, and an answer is owed");
    obvious_hub_forget(p);
    break;
  default:
    break;
  }
}

static void is_gone(obvious_hub *o, obvious_entry *e) {
  obvious_peer *p = obvious_entry_is_under_way(e) ? obvious_hub_peer(o, e->peer) : NULL;

  if (p) {
    p->held--;
    p->fetching = false;
  }
  e->state = OBVIOUS_FREE;
}

void obvious_hub_spool_done(obvious_hub *o, uint64_t sequence, bh_spool_result result, uint64_t now) {
  obvious_entry *e = obvious_hub_entry(o, sequence);

  (void)now;
  if (!e || o->lenient) {
    return;
  }
  if (result == BH_SPOOL_FAILED) {
    e->failed = true;
    return;
  }
  if (result == BH_SPOOL_GONE) {
    is_gone(o, e);
    return;
  }
  switch (e->state) {
  case OBVIOUS_RECORDING:
    e->record = e->next;
    e->state = OBVIOUS_LOADING;
    break;
  case OBVIOUS_RETURNING:
    e->record = e->next;
    wait(e);
    break;
  case OBVIOUS_PARKING:
    o->parked++;
    e->state = OBVIOUS_FREE;
    break;
  case OBVIOUS_REMOVING:
    e->state = OBVIOUS_FREE;
    break;
  default:
    break;
  }
}

void obvious_hub_loaded(obvious_hub *o, uint64_t sequence) {
  obvious_entry *e = obvious_hub_entry(o, sequence);
  obvious_peer *p = e ? obvious_hub_peer(o, e->peer) : NULL;

  if (!p || o->lenient) {
    return;
  }
  e->state = OBVIOUS_IN_HAND;
  e->sends = e->record.attempt;
  e->message = 0;
  e->owed_before = p->owed;
  p->fetching = false;
  p->unsent = true;
}
