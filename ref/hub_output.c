/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <string.h>

/* What goes out to a peer. A closing peer is told nothing new: whoever closes it queues the last message first. */

static void send_scratch(bh_hub *hub, peer *p, bh_type type) {
  bh_outbox_put(&p->out, type, &hub->scratch);
}

static bh_buffer *begin(bh_hub *hub) {
  bh_buffer_clear(&hub->scratch);
  return &hub->scratch;
}

void bh_send_ack(bh_hub *hub, peer *p, uint32_t answers) {
  bh_encode_for_body(begin(hub), answers);
  send_scratch(hub, p, BH_ACK);
}

static void write_active(bh_hub *hub, bh_buffer *body, const char *name) {
  bh_write_text(body, name);
  bh_write_string_or_null(body, hub->active);
}

void bh_send_ack_active(bh_hub *hub, peer *p, uint32_t answers) {
  bh_buffer *body = begin(hub);

  bh_encode_member(body, "{\"for\":", answers);
  write_active(hub, body, ",\"active\":");
  bh_write_text(body, "}");
  send_scratch(hub, p, BH_ACK);
}

void bh_send_ack_registered(bh_hub *hub, peer *p, uint32_t answers) {
  bh_buffer *body = begin(hub);

  bh_encode_member(body, "{\"for\":", answers);
  bh_write_text(body, ",\"instance\":");
  bh_write_string_or_null(body, p->info.instance);
  bh_encode_member(body, ",\"hub_pid\":", hub->hub_pid);
  bh_encode_member(body, ",\"epoch\":", hub->epoch);
  bh_encode_member(body, ",\"heartbeat_ms\":", hub->heartbeat_ms);
  bh_encode_member(body, ",\"timeout_ms\":", hub->timeout_ms);
  write_active(hub, body, ",\"active\":");
  bh_write_text(body, "}");
  send_scratch(hub, p, BH_ACK);
}

void bh_send_error(bh_hub *hub, peer *p, uint32_t answers, bh_code code, const char *message) {
  bh_encode_error_body(begin(hub), answers, bh_code_name(code), message);
  send_scratch(hub, p, BH_ERROR);
}

static void write_instances(bh_hub *hub, bh_buffer *body) {
  const char *separator = "";

  bh_write_text(body, ",\"instances\":[");
  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    const peer *p = &hub->peers[slot];
    if (p->state != PEER_REGISTERED || p->role != BH_ROLE_INSTANCE) {
      continue;
    }
    bh_write_text(body, separator);
    separator = ",";
    bh_write_text(body, "{\"instance\":");
    bh_write_string_or_null(body, p->info.instance);
    bh_encode_member(body, ",\"pid\":", p->info.pid);
    bh_write_text(body, ",\"name\":");
    bh_write_string(body, p->info.name, strlen(p->info.name));
    bh_write_text(body, "}");
  }
  bh_write_text(body, "]");
}

/*
 * A HEARTBEAT is written when it can go out, and not when it falls due: a client that does not read is then told the
 * newest state once, and not each state that it missed.
 */
static void send_due_beat(bh_hub *hub, peer *p) {
  bh_buffer *body = begin(hub);

  if (!p->beat_due) {
    return;
  }
  p->beat_due = false;
  write_active(hub, body, "{\"active\":");
  bh_encode_member(body, ",\"waiting\":", hub->waiting);
  bh_encode_member(body, ",\"parked\":", hub->parked);
  if (hub->problem[0] != '\0') {
    bh_write_text(body, ",\"problem\":");
    bh_write_string(body, hub->problem, strlen(hub->problem));
  }
  if (p->told_instances != hub->instances_version) {
    write_instances(hub, body);
    p->told_instances = hub->instances_version;
  }
  bh_write_text(body, "}");
  send_scratch(hub, p, BH_HEARTBEAT);
}

uint32_t bh_send_import(bh_hub *hub, peer *p, const bh_import *import, const uint8_t *octets, size_t size) {
  bh_buffer *out = &p->out.queued;
  bh_buffer *body;
  uint32_t id;

  send_due_beat(hub, p); /* that it is active, it learns before it gets what that brings */
  body = begin(hub);
  bh_write_text(body, "{\"import\":");
  bh_write_string(body, import->import, strlen(import->import));
  bh_encode_member(body, ",\"attempt\":", import->attempt);
  bh_write_text(body, ",\"assets\":");
  id = bh_outbox_begin(&p->out, BH_IMPORT_DATA, body->size + size + 1);
  if (id == 0) {
    return 0;
  }
  bh_buffer_reserve(out, body->size + size + 1);
  bh_buffer_append(out, body->octets, body->size);
  bh_buffer_append(out, octets, size);
  bh_buffer_append(out, "}", 1);
  out->failed = out->failed || body->failed;
  p->import_unsent = true;
  return out->failed ? 0 : id;
}

void bh_beat_all(bh_hub *hub) {
  for (size_t slot = 0; slot < hub->peer_end; slot++) {
    if (hub->peers[slot].state == PEER_REGISTERED) {
      hub->peers[slot].beat_due = true;
    }
  }
}

size_t bh_hub_send(bh_hub *hub, bh_peer id, const uint8_t **octets) {
  peer *p = bh_peer_find(hub, id);
  size_t size;

  *octets = NULL;
  if (p == NULL) {
    return 0;
  }
  if (bh_outbox_is_idle(&p->out)) {
    if (p->state == PEER_REGISTERED) {
      send_due_beat(hub, p);
    }
    bh_check_output(hub, p, hub->now);
    p->import_lent = p->import_unsent;
  }
  size = p->close_now ? 0 : bh_outbox_lend(&p->out, octets);
  p->send_told = size > 0; /* no bh_hub_sent() comes where nothing is lent */
  return size;
}

void bh_hub_sent(bh_hub *hub, bh_peer id, size_t size, uint64_t now) {
  peer *p = bh_peer_find(hub, id);

  hub->now = now;
  if (p == NULL) {
    return;
  }
  p->send_told = false;
  bh_outbox_sent(&p->out, size);
  if (bh_outbox_is_idle(&p->out) && p->import_lent) {
    p->import_lent = false;
    p->import_unsent = false;
    bh_deliver(hub, p);
  }
}
