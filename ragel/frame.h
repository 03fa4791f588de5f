/* SPDX-License-Identifier: MIT */
#ifndef BH_RAGEL_FRAME_H
#define BH_RAGEL_FRAME_H

/* The header of a message (spec/protocol.md, section 3.1), read octet by octet. The body is the caller's to count. */

#include "bridgehub.h"

typedef enum {
  BH_FRAME_MORE,   /* the header goes on */
  BH_FRAME_HEADER, /* the header is whole: type, id and length are set, the next octet is the body's first */
  BH_FRAME_BROKEN, /* `code` is malformed or too-large; the octet at `offset` is the wrong one; latched */
} bh_frame_status;

typedef struct {
  int cs;
  uint64_t offset; /* octets of this header taken so far; when BROKEN, the wrong octet's place in it */
  uint32_t limit;  /* the largest length taken */
  bh_type type;
  uint32_t id;  /* valid once `id_read` */
  bool id_read; /* the space after the id was reached (BH-FRAME-009) */
  uint32_t length;
  bh_code code;
} bh_frame;

/* Begins a header. `limit` is at most BH_BODY_MAX. */
void bh_frame_init(bh_frame *frame, uint32_t limit);
/* Takes octets up to the header's end and says in `consumed` how many; the wrong octet is not consumed. */
bh_frame_status bh_frame_feed(bh_frame *frame, const uint8_t *octets, size_t size, size_t *consumed);

#endif
