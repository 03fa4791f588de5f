/* SPDX-License-Identifier: MIT */
#include "outbox.h"

#include <string.h>

enum { KEPT = 65536 };

void bh_outbox_init(bh_outbox *box, bh_allocator allocator) {
  memset(box, 0, sizeof *box);
  bh_buffer_init(&box->sending, allocator);
  bh_buffer_init(&box->queued, allocator);
}

void bh_outbox_free(bh_outbox *box) {
  bh_buffer_free(&box->sending);
  bh_buffer_free(&box->queued);
  box->sent = 0;
}

uint32_t bh_outbox_begin(bh_outbox *box, bh_type type, size_t length) {
  if (box->last_id == UINT32_MAX) {
    box->used_up = true;
    return 0;
  }
  bh_encode_header(&box->queued, type, ++box->last_id, length);
  return box->last_id;
}

uint32_t bh_outbox_put(bh_outbox *box, bh_type type, const bh_buffer *body) {
  uint32_t id = bh_outbox_begin(box, type, body->size);

  if (id != 0) {
    bh_buffer_append(&box->queued, body->octets, body->size);
    box->queued.failed = box->queued.failed || body->failed;
  }
  return id;
}

size_t bh_outbox_size(const bh_outbox *box) {
  return box->sending.size - box->sent + box->queued.size;
}

bool bh_outbox_is_idle(const bh_outbox *box) {
  return box->sent == box->sending.size;
}

/* What an import took goes back: hundreds of idle clients must not keep the memory of the largest export each. */
static void empty(bh_buffer *buffer) {
  if (buffer->capacity > KEPT) {
    bh_buffer_free(buffer);
  } else {
    bh_buffer_clear(buffer);
  }
}

size_t bh_outbox_lend(bh_outbox *box, const uint8_t **octets) {
  if (bh_outbox_is_idle(box) && !box->queued.failed) {
    bh_buffer spare = box->sending;
    box->sending = box->queued;
    box->queued = spare;
    bh_buffer_clear(&box->queued);
    box->sent = 0;
  }
  *octets = box->sending.size > box->sent ? box->sending.octets + box->sent : NULL;
  return box->sending.size - box->sent;
}

void bh_outbox_sent(bh_outbox *box, size_t size) {
  size_t left = box->sending.size - box->sent;

  box->sent += size < left ? size : left;
  if (bh_outbox_is_idle(box)) {
    empty(&box->sending);
    box->sent = 0;
  }
}
