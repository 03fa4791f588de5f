/* SPDX-License-Identifier: MIT */
#ifndef BH_OUTBOX_H
#define BH_OUTBOX_H

#include "encode.h"

/*
 * What goes out on a connection. `sending` is lent to the driver and stays where it is until it has been sent; what
 * comes meanwhile is written to `queued`.
 */
typedef struct {
  bh_buffer sending;
  bh_buffer queued;
  size_t sent;      /* of `sending` */
  uint32_t last_id; /* of the messages queued (BH-FRAME-007) */
  bool used_up;     /* a message had no id any more: the connection is to be closed (BH-FRAME-012) */
} bh_outbox;

void bh_outbox_init(bh_outbox *box, bh_allocator allocator);
void bh_outbox_free(bh_outbox *box);
/*
 * Queues a message and returns its id. 0: the ids are used up, and nothing was queued. No memory: box->queued.failed is
 * latched, and from what is queued nothing is lent any more, because its end may be missing.
 */
uint32_t bh_outbox_put(bh_outbox *box, bh_type type, const bh_buffer *body);
/* The same, for a message whose body of `length` octets the caller appends to box->queued. */
uint32_t bh_outbox_begin(bh_outbox *box, bh_type type, size_t length);
/* Octets that are not sent yet. */
size_t bh_outbox_size(const bh_outbox *box);
/* All that was lent has been sent: the next bh_outbox_lend() lends what is queued. */
bool bh_outbox_is_idle(const bh_outbox *box);
size_t bh_outbox_lend(bh_outbox *box, const uint8_t **octets);
void bh_outbox_sent(bh_outbox *box, size_t size);

#endif
