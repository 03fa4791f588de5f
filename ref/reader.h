/* SPDX-License-Identifier: MIT */
#ifndef BH_READER_H
#define BH_READER_H

#include "buffer.h"
#include "frame.h"

/* Messages out of one direction of a connection: frame, ids and bodies (spec/protocol.md, section 3.1). */

typedef enum {
  BH_READ_MORE,      /* all octets are taken */
  BH_READ_MESSAGE,   /* type, id and body are set, until the next call; the rest of the octets is not taken */
  BH_READ_BROKEN,    /* a break of the framing: code, and for_id (0: null); latched */
  BH_READ_NO_MEMORY, /* latched */
} bh_read_status;

typedef struct {
  bh_frame frame;
  bool in_body;
  bool latched;
  bh_read_status status; /* once latched */
  uint32_t last_id;
  bh_buffer buffer;        /* a body that came in pieces */
  uint64_t offset;         /* octets of this direction taken so far */
  uint64_t message_offset; /* where the message begins */
  /* The message, or the break. */
  bh_type type;
  uint32_t id;
  const uint8_t *body; /* points into the octets fed, or into `buffer` */
  size_t body_size;
  bh_code code;
  uint32_t for_id;
  const char *what;        /* BROKEN: static text */
  const char *requirement; /* BROKEN: "BH-FRAME-008" */
} bh_reader;

/* `limit`: the largest body taken. */
void bh_reader_init(bh_reader *reader, uint32_t limit, bh_allocator allocator);
void bh_reader_free(bh_reader *reader);
bh_read_status bh_reader_next(bh_reader *reader, const uint8_t *octets, size_t size, size_t *consumed);

#endif
