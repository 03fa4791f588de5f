/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The imports of the spool in their order, and the actions on it that wait for the driver. */

/* ---- the list, by sequence */

entry *bh_entry_find(bh_hub *hub, uint64_t sequence) {
  for (entry *e = hub->first; e != NULL && e->record.sequence <= sequence; e = e->next) {
    if (e->record.sequence == sequence) {
      return e;
    }
  }
  return NULL;
}

/* The last that is not behind `sequence`. Nearly every import comes last, so the place is looked for from the end. */
static entry *place_of(const bh_hub *hub, uint64_t sequence) {
  entry *before = hub->last;

  while (before != NULL && before->record.sequence > sequence) {
    before = before->previous;
  }
  return before;
}

static void insert(bh_hub *hub, entry *before, entry *e) {
  e->previous = before;
  e->next = before == NULL ? hub->first : before->next;
  *(e->previous == NULL ? &hub->first : &e->previous->next) = e;
  *(e->next == NULL ? &hub->last : &e->next->previous) = e;
  hub->entries++;
}

static bool counts_as_waiting(entry_state state) {
  return state == ENTRY_WAITING || state == ENTRY_RETURNING;
}

void bh_entry_forget(bh_hub *hub, entry *e) {
  if (counts_as_waiting(e->state)) {
    hub->waiting--;
  }
  *(e->previous == NULL ? &hub->first : &e->previous->next) = e->next;
  *(e->next == NULL ? &hub->last : &e->next->previous) = e->previous;
  hub->entries--;
  hub->allocator.resize(hub->allocator.ctx, e, 0);
}

void bh_entries_free(bh_hub *hub) {
  hub->first_to_do = NULL;
  hub->last_to_do = NULL;
  while (hub->first != NULL) {
    bh_entry_forget(hub, hub->first);
  }
}

/* ---- actions */

static bool needs_action(entry_state state) {
  switch (state) {
  case ENTRY_RECORDING:
  case ENTRY_LOADING:
  case ENTRY_RETURNING:
  case ENTRY_PARKING:
  case ENTRY_REMOVING:
    return true;
  case ENTRY_WAITING:
  case ENTRY_RESERVED:
  case ENTRY_IN_HAND:
    return false;
  }
  return false;
}

static void queue_action(bh_hub *hub, entry *e) {
  if (e->to_do) {
    return;
  }
  e->to_do = true;
  e->next_to_do = NULL;
  *(hub->last_to_do == NULL ? &hub->first_to_do : &hub->last_to_do->next_to_do) = e;
  hub->last_to_do = e;
}

void bh_entry_enter(bh_hub *hub, entry *e, entry_state state) {
  if (counts_as_waiting(e->state)) {
    hub->waiting--;
  }
  if (counts_as_waiting(state)) {
    hub->waiting++;
  }
  e->state = state;
  e->asked = false;
  e->failed = false;
  if (needs_action(state)) {
    queue_action(hub, e);
  }
}

void bh_entries_again(bh_hub *hub) {
  for (entry *e = hub->first; e != NULL; e = e->next) {
    if (e->failed) {
      e->failed = false;
      queue_action(hub, e);
    }
  }
}

static entry *pop_to_do(bh_hub *hub) {
  entry *e = hub->first_to_do;

  if (e != NULL) {
    hub->first_to_do = e->next_to_do;
    if (hub->first_to_do == NULL) {
      hub->last_to_do = NULL;
    }
    e->to_do = false;
  }
  return e;
}

static bh_action_kind action_kind(entry_state state) {
  switch (state) {
  case ENTRY_LOADING:
    return BH_DO_LOAD;
  case ENTRY_PARKING:
    return BH_DO_PARK;
  case ENTRY_REMOVING:
    return BH_DO_REMOVE;
  default:
    return BH_DO_RECORD;
  }
}

bool bh_entry_poll(bh_hub *hub, bh_action *action) {
  entry *e;

  while ((e = pop_to_do(hub)) != NULL) {
    if (!needs_action(e->state)) {
      continue; /* it was taken back before the driver heard of it */
    }
    action->kind = action_kind(e->state);
    action->before = e->record;
    action->import = e->next_record;
    action->reason = e->reason;
    e->asked = true;
    return true;
  }
  return false;
}

/* ---- what the driver tells */

void bh_hub_next_import(bh_hub *hub, bh_import *import) {
  memset(import, 0, sizeof *import);
  hub->last_sequence += hub->last_sequence < UINT64_MAX; /* no way leads on from the last there can be */
  import->sequence = hub->last_sequence;
  snprintf(import->import, sizeof import->import, "%016" PRIx64 "-%" PRIu64, hub->random, ++hub->made_imports);
}

static entry *new_entry(bh_hub *hub, const bh_import *import) {
  entry *e = hub->allocator.resize(hub->allocator.ctx, NULL, sizeof *e);

  if (e != NULL) {
    memset(e, 0, sizeof *e);
    e->record = *import;
    e->sends = import->attempt;
    e->state = ENTRY_RESERVED; /* the one that counts nowhere, until bh_hub_import() enters the right one */
    e->reserved_until = BH_NEVER;
  }
  return e;
}

int bh_hub_import(bh_hub *hub, const bh_import *import, uint64_t now) {
  entry *before = place_of(hub, import->sequence);
  entry *e;

  hub->now = now;
  if (import->sequence == UINT64_MAX || (before != NULL && before->record.sequence == import->sequence)) {
    return BH_E_INVALID;
  }
  if (hub->entries >= BH_IMPORTS_MAX) {
    return BH_E_FULL;
  }
  e = new_entry(hub, import);
  if (e == NULL) {
    return BH_E_NO_MEMORY;
  }
  insert(hub, before, e);
  if (import->sequence > hub->last_sequence) {
    hub->last_sequence = import->sequence;
  }
  if (import->holder[0] == '\0') {
    bh_entry_enter(hub, e, ENTRY_WAITING);
    bh_log(hub, BH_LOG_INFO, "import: %s waits", import->import);
    bh_deliver_active(hub);
  } else {
    peer *holder = bh_peer_of_instance(hub, import->holder);
    bh_reserve(hub, e, now + hub->timeout_ms);
    bh_log(hub, BH_LOG_INFO, "import: %s is reserved for %s", import->import, import->holder);
    if (holder != NULL) {
      bh_delivery_on_register(hub, holder);
    }
  }
  return BH_OK;
}

void bh_hub_parked(bh_hub *hub, uint32_t parked, uint64_t last_sequence, uint64_t now) {
  hub->now = now;
  hub->parked = parked;
  if (last_sequence > hub->last_sequence && last_sequence != UINT64_MAX) {
    hub->last_sequence = last_sequence;
  }
}

static void done(bh_hub *hub, entry *e) {
  switch (e->state) {
  case ENTRY_RECORDING:
    e->record = e->next_record;
    bh_entry_enter(hub, e, ENTRY_LOADING);
    break;
  case ENTRY_RETURNING:
    e->record = e->next_record;
    bh_entry_enter(hub, e, ENTRY_WAITING);
    bh_deliver_active(hub);
    break;
  case ENTRY_PARKING:
    hub->parked++;
    bh_log(hub, BH_LOG_WARNING, "parked: %s: %s", e->record.import, e->reason);
    bh_entry_forget(hub, e);
    break;
  case ENTRY_REMOVING:
    bh_entry_forget(hub, e);
    break;
  default:
    break;
  }
}

/* The file went away under the hub: somebody has cleaned up. Nothing is left that could be delivered. */
static void gone(bh_hub *hub, entry *e) {
  peer *p = e->state == ENTRY_RECORDING || e->state == ENTRY_LOADING ? bh_peer_find(hub, e->peer) : NULL;

  bh_log(hub, BH_LOG_ERROR, "import: %s is not in the spool any more, or is no import, and is forgotten",
         e->record.import);
  bh_entry_forget(hub, e);
  if (p != NULL) {
    p->held--;
    p->fetching = false;
    bh_deliver(hub, p);
  }
  bh_deliver_active(hub); /* which it may have held up, if it was being given back */
}

void bh_hub_spool_done(bh_hub *hub, uint64_t sequence, bh_spool_result result, uint64_t now) {
  entry *e = bh_entry_find(hub, sequence);

  hub->now = now;
  if (e == NULL || !e->asked || (e->state == ENTRY_LOADING && result == BH_SPOOL_OK)) {
    return; /* a LOAD ends well by bh_hub_loaded() alone */
  }
  e->asked = false;
  switch (result) {
  case BH_SPOOL_OK:
    done(hub, e);
    break;
  case BH_SPOOL_FAILED:
    e->failed = true;
    bh_log(hub, BH_LOG_ERROR, "import: %s cannot be read, moved or removed in the spool, and that is tried again",
           e->record.import);
    break;
  case BH_SPOOL_GONE:
    if (e->state == ENTRY_REMOVING) {
      done(hub, e);
    } else {
      gone(hub, e);
    }
    break;
  }
}
