/* SPDX-License-Identifier: MIT */
#include "obvious_hub_internal.h"

#include "memory.h"

#include <string.h>

void obvious_hub_start(obvious_hub *o, bh_hub *hub, const bh_hub_config *config, uint64_t now) {
  bool thorough = o->thorough, lenient = o->lenient;

  memset(o, 0, offsetof(obvious_hub, peers));
  memset(&o->peer_end, 0, sizeof *o - offsetof(obvious_hub, peer_end));
  obvious_hub_forget_sent();
  o->hub = hub;
  o->thorough = thorough;
  o->lenient = lenient;
  o->heartbeat_ms = config->heartbeat_ms;
  o->timeout_ms = config->timeout_ms;
  o->started = now;
  o->next_beat = now + o->heartbeat_ms;
  o->instances_version = o->state_version = 1;
  if (config->former_active) {
    copy(o->former, config->former_active);
    o->former_until = now + o->timeout_ms;
  }
}

void obvious_hub_forget(obvious_peer *p) {
  bh_reader_free(&p->sends);
  bh_reader_free(&p->gets);
  p->handle = 0;
}

void obvious_hub_end(obvious_hub *o) {
  for (size_t i = 0; i < o->peer_end; i++) {
    if (o->peers[i].handle) {
      obvious_hub_forget(&o->peers[i]);
    }
  }
}

/* ---- who is there */

obvious_peer *obvious_hub_peer(obvious_hub *o, bh_peer handle) {
  for (size_t i = 0; handle && i < o->peer_end; i++) {
    if (o->peers[i].handle == handle) {
      return &o->peers[i];
    }
  }
  return NULL;
}

obvious_peer *obvious_hub_of_instance(obvious_hub *o, const char *instance) {
  for (size_t i = 0; i < o->peer_end; i++) {
    obvious_peer *p = &o->peers[i];
    if (p->handle && p->state == OBVIOUS_REGISTERED && same(p->instance, instance)) {
      return p;
    }
  }
  return NULL;
}

size_t obvious_hub_count(const obvious_hub *o, obvious_peer_state state, bh_role role) {
  size_t found = 0;

  for (size_t i = 0; i < o->peer_end; i++) {
    const obvious_peer *p = &o->peers[i];
    found += p->handle && p->state == state && (state != OBVIOUS_REGISTERED || p->role == role);
  }
  return found;
}

void obvious_hub_begin_close(obvious_hub *o, obvious_peer *p, uint64_t now) {
  if (p->state == OBVIOUS_REGISTERED && p->role == BH_ROLE_INSTANCE) {
    o->instances_version++;
    o->state_version++;
  }
  if (p->state != OBVIOUS_CLOSING) {
    p->state = OBVIOUS_CLOSING;
    p->since = now;
  }
}

void obvious_hub_parked(obvious_hub *o, uint32_t parked, uint64_t last_sequence) {
  o->parked = parked;
  if (last_sequence > o->last_sequence && last_sequence != UINT64_MAX) {
    o->last_sequence = last_sequence;
  }
}

void obvious_hub_problem(obvious_hub *o, const char *escaped) {
  copy(o->problem, escaped);
}
