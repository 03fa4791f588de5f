/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <stdio.h>
#include <string.h>

enum { COUNT_UNREGISTERED, COUNT_INSTANCES, COUNT_OBSERVERS };

static size_t *count_of(bh_hub *hub, const peer *p) {
  if (p->state == PEER_UNREGISTERED) {
    return &hub->counts[COUNT_UNREGISTERED];
  }
  return &hub->counts[p->role == BH_ROLE_OBSERVER ? COUNT_OBSERVERS : COUNT_INSTANCES];
}

size_t bh_count_unregistered(const bh_hub *hub) {
  return hub->counts[COUNT_UNREGISTERED];
}

size_t bh_count_instances(const bh_hub *hub) {
  return hub->counts[COUNT_INSTANCES];
}

size_t bh_count_observers(const bh_hub *hub) {
  return hub->counts[COUNT_OBSERVERS];
}

/* A peer's id holds its slot and, so that a late event of an earlier connection finds nobody, the slot's generation. */
peer *bh_peer_find(bh_hub *hub, bh_peer id) {
  size_t slot = id & ((1u << BH_PEER_SLOT_BITS) - 1);

  if (slot >= hub->peer_end || hub->peers[slot].state == PEER_FREE || hub->peers[slot].id != id) {
    return NULL;
  }
  return &hub->peers[slot];
}

/* Every walk over the slots ends at peer_end, which stays low where few are connected at a time. */
static peer *free_slot(bh_hub *hub) {
  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    if (hub->peers[slot].state == PEER_FREE) {
      return &hub->peers[slot];
    }
  }
  if (hub->peer_end == BH_PEER_SLOTS) {
    return NULL;
  }
  hub->peers[hub->peer_end].generation = 0;
  return &hub->peers[hub->peer_end++];
}

peer *bh_peer_open(bh_hub *hub, uint64_t now) {
  peer *p = free_slot(hub);
  uint32_t generation;

  if (p == NULL) {
    return NULL;
  }
  generation = p->generation + 1;
  if (generation >= 1u << (32 - BH_PEER_SLOT_BITS)) {
    generation = 1;
  }
  memset(p, 0, sizeof *p);
  p->generation = generation;
  p->id = generation << BH_PEER_SLOT_BITS | (uint32_t)(p - hub->peers);
  p->state = PEER_UNREGISTERED;
  p->since = now;
  p->heard = now;
  bh_reader_init(&p->reader, BH_CLIENT_BODY_MAX, hub->allocator);
  bh_outbox_init(&p->out, hub->allocator);
  (*count_of(hub, p))++;
  return p;
}

void bh_peer_forget(bh_hub *hub, peer *p) {
  if (p->state != PEER_CLOSING) {
    (*count_of(hub, p))--;
  }
  bh_reader_free(&p->reader);
  bh_outbox_free(&p->out);
  p->state = PEER_FREE;
}

peer *bh_peer_of_instance(bh_hub *hub, const char *instance) {
  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    peer *p = &hub->peers[slot];
    if (p->state == PEER_REGISTERED && strcmp(p->info.instance, instance) == 0) {
      return p;
    }
  }
  return NULL;
}

/* An observer stands in no list: its coming and going is told to nobody. */
static void registrations_changed(bh_hub *hub, const peer *p) {
  hub->instances_version += p->role == BH_ROLE_INSTANCE;
  hub->state_due = true;
}

void bh_peer_register(bh_hub *hub, peer *p, const bh_body *body, const char *instance) {
  (*count_of(hub, p))--;
  p->state = PEER_REGISTERED;
  p->role = body->role;
  p->window = body->window;
  p->info.pid = body->pid;
  p->info.last_seen = p->heard;
  memcpy(p->info.name, body->name, sizeof p->info.name);
  snprintf(p->info.instance, sizeof p->info.instance, "%s", instance);
  (*count_of(hub, p))++;
  registrations_changed(hub, p);
}

void bh_peer_begin_close(bh_hub *hub, peer *p, uint64_t now) {
  if (p->state == PEER_CLOSING) {
    return;
  }
  (*count_of(hub, p))--;
  if (p->state == PEER_REGISTERED) {
    registrations_changed(hub, p);
  }
  p->state = PEER_CLOSING;
  p->since = now;
}

static bool known(bh_hub *hub, const char *instance) {
  if (bh_peer_of_instance(hub, instance) != NULL || strcmp(hub->former, instance) == 0) {
    return true;
  }
  for (const entry *e = hub->first; e != NULL; e = e->next) {
    if (strcmp(e->record.holder, instance) == 0) {
      return true;
    }
  }
  return false;
}

void bh_new_instance_id(bh_hub *hub, char out[BH_INSTANCE_ID_MAX + 1]) {
  do {
    hub->made_instances++;
    snprintf(out, BH_INSTANCE_ID_MAX + 1, "%08x-%llu", (unsigned)(hub->random >> 32),
             (unsigned long long)hub->made_instances);
  } while (known(hub, out));
}
