/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <stdio.h>
#include <string.h>

/* The hub: connections, what they send, and what the driver is to do. */

enum { HEARTBEAT_LEAST_MS = 10 };

bh_hub *bh_hub_new(const bh_hub_config *config, uint64_t now) {
  bh_hub *hub;

  if (config->heartbeat_ms < HEARTBEAT_LEAST_MS || config->timeout_ms / 2 < config->heartbeat_ms) {
    return NULL;
  }
  hub = config->allocator.resize(config->allocator.ctx, NULL, sizeof *hub);
  if (hub == NULL) {
    return NULL;
  }
  memset(hub, 0, offsetof(bh_hub, peers));
  hub->allocator = config->allocator;
  hub->logger = config->logger;
  hub->hub_pid = config->hub_pid;
  hub->heartbeat_ms = config->heartbeat_ms;
  hub->timeout_ms = config->timeout_ms;
  hub->epoch = config->epoch;
  hub->random = config->random;
  hub->started = now;
  hub->next_beat = now + config->heartbeat_ms;
  hub->next_reserved = BH_NEVER;
  hub->instances_version = 1;
  hub->state_due = true;
  if (config->former_active != NULL && config->former_active[0] != '\0') {
    snprintf(hub->former, sizeof hub->former, "%s", config->former_active);
    hub->former_until = now + config->timeout_ms;
  }
  bh_buffer_init(&hub->scratch, config->allocator);
  return hub;
}

void bh_hub_free(bh_hub *hub) {
  if (hub == NULL) {
    return;
  }
  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    if (hub->peers[slot].state != PEER_FREE) {
      bh_peer_forget(hub, &hub->peers[slot]);
    }
  }
  bh_entries_free(hub);
  bh_buffer_free(&hub->scratch);
  hub->allocator.resize(hub->allocator.ctx, hub, 0);
}

/* ---- connections */

int bh_hub_open(bh_hub *hub, uint64_t now, bh_peer *id) {
  peer *p = bh_peer_open(hub, now);

  hub->now = now;
  *id = 0;
  if (p == NULL) {
    return BH_E_FULL;
  }
  *id = p->id;
  if (bh_count_unregistered(hub) > BH_UNREGISTERED_MAX) {
    bh_log(hub, BH_LOG_WARNING, "overloaded: %u connections have not registered", BH_UNREGISTERED_MAX);
    bh_send_error(hub, p, 0, BH_CODE_OVERLOADED, "too many connections have not registered");
    bh_peer_begin_close(hub, p, now);
  }
  return BH_OK;
}

void bh_hub_close(bh_hub *hub, bh_peer id, bool process_gone, uint64_t now) {
  peer *p = bh_peer_find(hub, id);

  hub->now = now;
  if (p != NULL) {
    bh_lost(hub, p, process_gone, process_gone ? "its process is gone" : "its connection has ended", now);
    bh_peer_forget(hub, p);
  }
}

/* ---- messages */

static bool needs_registration(bh_type type) {
  return type == BH_UNREGISTER || type == BH_CLAIM_ACTIVE || type == BH_RELEASE_ACTIVE || type == BH_HEARTBEAT;
}

static void dispatch(bh_hub *hub, peer *p, const bh_body *body, uint64_t now) {
  bh_type type = p->reader.type;

  if (needs_registration(type) && p->state != PEER_REGISTERED) {
    bh_send_error(hub, p, p->reader.id, BH_CODE_NOT_REGISTERED, "REGISTER comes first");
    return;
  }
  switch (type) {
  case BH_REGISTER:
    bh_on_register(hub, p, body, now);
    break;
  case BH_UNREGISTER:
    bh_on_unregister(hub, p, now);
    break;
  case BH_CLAIM_ACTIVE:
    bh_on_claim_active(hub, p, body);
    break;
  case BH_RELEASE_ACTIVE:
    bh_on_release_active(hub, p);
    break;
  case BH_HEARTBEAT:
    bh_on_heartbeat(hub, p);
    break;
  case BH_ACK:
    bh_on_ack(hub, p, body);
    break;
  case BH_ERROR:
    bh_on_error(hub, p, body);
    break;
  case BH_IMPORT_DATA:
    bh_send_error(hub, p, p->reader.id, BH_CODE_UNEXPECTED, "a hub takes no IMPORT_DATA");
    break;
  case BH_TYPE_UNKNOWN:
    bh_send_error(hub, p, p->reader.id, BH_CODE_UNKNOWN_TYPE, "none of the eight types");
    break;
  }
}

/* A break of the framing: one last ERROR, and the client is lost (BH-FRAME-004). */
static void end_broken(bh_hub *hub, peer *p, uint32_t answers, bh_code code, const char *what, uint64_t now) {
  bh_send_error(hub, p, answers, code, what);
  bh_turn_out(hub, p, what, now);
}

/* Types that this side does not take are answered before their bodies are looked at (BH-MSG-010). */
static bool has_body_rules(bh_type type) {
  return type != BH_TYPE_UNKNOWN && type != BH_IMPORT_DATA;
}

static void on_message(bh_hub *hub, peer *p, uint64_t now) {
  const bh_reader *reader = &p->reader;
  bh_body body;
  bh_body_fault fault;

  if (!has_body_rules(reader->type) ||
      bh_body_read(BH_FROM_CLIENT, reader->type, reader->body, reader->body_size, &body, &fault)) {
    dispatch(hub, p, &body, now);
  } else if (reader->type == BH_ACK || reader->type == BH_ERROR) {
    end_broken(hub, p, reader->id, BH_CODE_MALFORMED, fault.what, now);
  } else {
    bh_send_error(hub, p, reader->id, BH_CODE_BAD_BODY, fault.what);
  }
}

int bh_hub_recv(bh_hub *hub, bh_peer id, const uint8_t *octets, size_t size, uint64_t now) {
  peer *p = bh_peer_find(hub, id);
  size_t taken = 0;

  hub->now = now;
  if (p == NULL) {
    return BH_E_CLOSED;
  }
  p->heard = now;
  p->info.last_seen = now;
  while (p->state != PEER_CLOSING && taken < size) {
    size_t consumed = 0;
    bh_read_status status = bh_reader_next(&p->reader, octets + taken, size - taken, &consumed);
    taken += consumed;
    if (status == BH_READ_MESSAGE) {
      on_message(hub, p, now);
    } else if (status == BH_READ_BROKEN) {
      end_broken(hub, p, p->reader.for_id, p->reader.code, p->reader.what, now);
    } else if (status == BH_READ_NO_MEMORY) {
      bh_lost(hub, p, false, "there is no memory for what it sends", now);
    }
    bh_check_output(hub, p, now);
  }
  return p->state == PEER_CLOSING ? BH_E_CLOSED : BH_OK;
}

/* ---- trouble */

void bh_hub_problem(bh_hub *hub, const char *problem, uint64_t now) {
  char escaped[sizeof hub->problem];

  hub->now = now;
  bh_escape(problem == NULL ? "" : problem, escaped, sizeof escaped);
  if (strcmp(escaped, hub->problem) == 0) {
    return;
  }
  bh_log(hub, escaped[0] == '\0' ? BH_LOG_INFO : BH_LOG_ERROR, "problem: %s%s", escaped[0] == '\0' ? "over: " : "",
         escaped[0] == '\0' ? hub->problem : escaped);
  memcpy(hub->problem, escaped, sizeof escaped);
  hub->state_due = true;
  bh_beat_all(hub);
}

/* ---- actions */

static bool is_drained(const peer *p) {
  return bh_outbox_size(&p->out) == 0 && !p->send_told;
}

static bool wants_to_send(const peer *p) {
  bool beat = p->beat_due && p->state == PEER_REGISTERED;

  return !p->send_told && p->state != PEER_FREE && (bh_outbox_size(&p->out) > 0 || beat);
}

static bool poll_peer(bh_hub *hub, peer *p, bh_action *action) {
  if (p->state == PEER_CLOSING && (p->close_now || is_drained(p))) {
    action->kind = BH_DO_CLOSE;
    action->peer = p->id;
    bh_peer_forget(hub, p);
    return true;
  }
  if (wants_to_send(p)) {
    action->kind = BH_DO_SEND;
    action->peer = p->id;
    p->send_told = true;
    return true;
  }
  return false;
}

bool bh_hub_poll(bh_hub *hub, bh_action *action) {
  memset(action, 0, sizeof *action);
  if (hub->state_due) {
    hub->state_due = false;
    action->kind = BH_DO_WRITE_STATE;
    return true;
  }
  if (hub->retry_due) {
    hub->retry_due = false;
    action->kind = BH_DO_RETRY;
    return true;
  }
  if (bh_entry_poll(hub, action)) {
    return true;
  }
  /* On from where something was done last: those before it were looked at a moment ago. */
  for (size_t i = 0, end = hub->peer_end; i < end; i++) {
    size_t slot = (hub->poll_from + i) % end;
    if (poll_peer(hub, &hub->peers[slot], action)) {
      hub->poll_from = slot;
      return true;
    }
  }
  return false;
}

void bh_hub_state(bh_hub *hub, bh_hub_view *view) {
  *view = (bh_hub_view){.hub_pid = hub->hub_pid,
                        .epoch = hub->epoch,
                        .instances = hub->view,
                        .waiting = hub->waiting,
                        .parked = hub->parked,
                        .problem = hub->problem};
  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    const peer *p = &hub->peers[slot];
    if (p->state != PEER_REGISTERED || p->role != BH_ROLE_INSTANCE) {
      continue;
    }
    hub->view[view->instance_count] = p->info;
    if (strcmp(p->info.instance, hub->active) == 0) {
      view->active = &hub->view[view->instance_count];
    }
    view->instance_count++;
  }
}
