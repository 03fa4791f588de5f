/* SPDX-License-Identifier: MIT */
#include "hub_internal.h"

#include <string.h>

/* What goes out to a peer. A closing peer is told nothing new: whoever closes it queues the last message first. */

size_t bh_queued(const peer *p) {
  return p->sending.size - p->sent + p->queued.size;
}

static void send_scratch(bh_hub *hub, peer *p, bh_type type) {
  bh_encode(&p->queued, type, ++p->last_id, &hub->scratch);
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
  for (size_t slot = 0; slot < BH_PEER_SLOTS; slot++) {
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
  if (p->told_instances != hub->instances_version) {
    write_instances(hub, body);
    p->told_instances = hub->instances_version;
  }
  bh_write_text(body, "}");
  send_scratch(hub, p, BH_HEARTBEAT);
}

uint32_t bh_send_import(bh_hub *hub, peer *p, const bh_import *import, const uint8_t *octets, size_t size) {
  bh_buffer *body = begin(hub);

  bh_write_text(body, "{\"import\":");
  bh_write_string(body, import->import, strlen(import->import));
  bh_encode_member(body, ",\"attempt\":", import->attempt);
  bh_write_text(body, ",\"assets\":");
  if (body->failed) {
    p->queued.failed = true;
    return 0;
  }
  bh_encode_header(&p->queued, BH_IMPORT_DATA, ++p->last_id, body->size + size + 1);
  bh_buffer_reserve(&p->queued, body->size + size + 1);
  bh_buffer_append(&p->queued, body->octets, body->size);
  bh_buffer_append(&p->queued, octets, size);
  bh_buffer_append(&p->queued, "}", 1);
  p->import_unsent = true;
  return p->last_id;
}

void bh_beat_all(bh_hub *hub) {
  for (size_t slot = 0; slot < BH_PEER_SLOTS; slot++) {
    if (hub->peers[slot].state == PEER_REGISTERED) {
      hub->peers[slot].beat_due = true;
    }
  }
}

size_t bh_hub_send(bh_hub *hub, bh_peer id, const uint8_t **octets) {
  peer *p = bh_peer_find(hub, id);

  *octets = NULL;
  if (p == NULL) {
    return 0;
  }
  if (p->sent == p->sending.size) {
    bh_buffer swap = p->sending;
    if (p->state == PEER_REGISTERED) {
      send_due_beat(hub, p);
    }
    p->sending = p->queued;
    p->queued = swap;
    bh_buffer_clear(&p->queued);
    p->sent = 0;
    p->import_in_sending = p->import_unsent;
  }
  if (p->sending.size > p->sent) {
    *octets = p->sending.octets + p->sent;
  }
  return p->sending.size - p->sent;
}

/* What an import took goes back: hundreds of idle clients must not keep the memory of the largest export each. */
static void shrink(bh_buffer *buffer) {
  enum { KEPT = 65536 };

  if (buffer->capacity > KEPT) {
    bh_buffer_free(buffer);
  } else {
    bh_buffer_clear(buffer);
  }
}

void bh_hub_sent(bh_hub *hub, bh_peer id, size_t size, uint64_t now) {
  peer *p = bh_peer_find(hub, id);

  (void)now;
  if (p == NULL) {
    return;
  }
  p->send_told = false;
  p->sent += size < p->sending.size - p->sent ? size : p->sending.size - p->sent;
  if (p->sent < p->sending.size) {
    return;
  }
  shrink(&p->sending);
  p->sent = 0;
  if (p->import_in_sending) {
    p->import_in_sending = false;
    p->import_unsent = false;
    bh_deliver(hub, p);
  }
}
