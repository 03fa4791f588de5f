/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

/* Deadlines: spec/protocol.md, section 9, and BH-LIMIT-003. */

static void lose(bh_hub *hub, peer *p, bool process_gone, const char *why, uint64_t now) {
  bool registered = p->state == PEER_REGISTERED;
  char who[BH_INSTANCE_ID_MAX + BH_NAME_MAX];

  bh_log(hub, registered ? BH_LOG_WARNING : BH_LOG_DEBUG, "%s: %s: %s", registered ? "lost" : "closed",
         bh_who(p, who, sizeof who), why);
  bh_peer_begin_close(hub, p, now);
  if (registered) {
    bh_delivery_on_loss(hub, p, process_gone, now);
    bh_active_on_loss(hub, p, now);
  }
}

void bh_lost(bh_hub *hub, peer *p, bool process_gone, const char *why, uint64_t now) {
  lose(hub, p, process_gone, why, now);
  p->close_now = true;
}

void bh_turn_out(bh_hub *hub, peer *p, const char *why, uint64_t now) {
  lose(hub, p, false, why, now);
}

void bh_check_output(bh_hub *hub, peer *p, uint64_t now) {
  if (p->out.queued.failed) {
    bh_lost(hub, p, false, "there is no memory for what it is to be sent", now);
  } else if (bh_outbox_size(&p->out) > BH_QUEUE_MAX) {
    bh_lost(hub, p, false, "it does not read what it is sent", now);
  } else if (p->out.used_up && p->state != PEER_CLOSING) {
    bh_turn_out(hub, p, "no message to it can have another id", now);
  }
}

/* When the peer's patience, or the hub's with it, ends: the last sign of life counts, or the last chance to get out. */
static uint64_t deadline(const bh_hub *hub, const peer *p) {
  switch (p->state) {
  case PEER_REGISTERED:
    return p->heard + hub->timeout_ms;
  case PEER_UNREGISTERED:
  case PEER_CLOSING:
    return p->since + hub->timeout_ms;
  case PEER_FREE:
    break;
  }
  return BH_NEVER;
}

static uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

uint64_t bh_hub_expiry(const bh_hub *hub) {
  uint64_t expiry = least(hub->next_beat, least(hub->next_reserved, bh_active_expiry(hub)));

  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    expiry = least(expiry, deadline(hub, &hub->peers[slot]));
  }
  return expiry;
}

/* This process itself was stopped, or the machine slept: the silence may be its own (BH-TIME-007). */
static void give_fresh_time(bh_hub *hub, uint64_t now, uint64_t late) {
  bh_log(hub, BH_LOG_WARNING, "late: this process was held up for %llu ms, every client gets a fresh time-out",
         (unsigned long long)late);
  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    hub->peers[slot].heard = now;
    hub->peers[slot].since = now;
  }
  for (entry *e = hub->first; e != NULL; e = e->next) {
    if (e->state == ENTRY_RESERVED && e->reserved_until != BH_NEVER) {
      e->reserved_until = now + hub->timeout_ms;
    }
  }
  if (hub->former[0] != '\0') {
    hub->former_until = now + hub->timeout_ms;
  }
  if (hub->lonely_may_claim) {
    hub->started = now;
  }
}

static void expire_peers(bh_hub *hub, uint64_t now) {
  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    peer *p = &hub->peers[slot];
    if (now < deadline(hub, p)) {
      continue;
    }
    if (p->state == PEER_CLOSING) {
      p->close_now = true;
    } else {
      bh_lost(hub, p, false,
              p->state == PEER_REGISTERED ? "nothing came from it for the time-out" : "it has not registered in time",
              now);
    }
  }
}

static void beat(bh_hub *hub, uint64_t now) {
  if (now < hub->next_beat) {
    return;
  }
  hub->next_beat += hub->heartbeat_ms;
  if (hub->next_beat <= now) {
    hub->next_beat = now + hub->heartbeat_ms;
  }
  hub->state_due = true;
  hub->retry_due = true;
  bh_entries_again(hub);
  bh_beat_all(hub);
}

void bh_hub_expire(bh_hub *hub, uint64_t now) {
  uint64_t expiry = bh_hub_expiry(hub);

  hub->now = now;
  if (now < expiry) {
    return;
  }
  if (now - expiry >= hub->heartbeat_ms) {
    give_fresh_time(hub, now, now - expiry);
  }
  expire_peers(hub, now);
  bh_delivery_expire(hub, now);
  bh_active_expire(hub, now);
  beat(hub, now);
}
