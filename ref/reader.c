/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <string.h>

enum { BUFFER_KEPT = 65536 };

void bh_reader_init(bh_reader *reader, uint32_t limit, bh_allocator allocator) {
  memset(reader, 0, sizeof *reader);
  bh_frame_init(&reader->frame, limit);
  bh_buffer_init(&reader->buffer, allocator);
}

void bh_reader_free(bh_reader *reader) {
  bh_buffer_free(&reader->buffer);
}

static bh_read_status latch(bh_reader *reader, bh_read_status status) {
  reader->latched = true;
  reader->status = status;
  return status;
}

static bh_read_status broken(bh_reader *reader, bh_code code, const char *what, const char *requirement) {
  reader->code = code;
  reader->for_id = reader->frame.id_read ? reader->frame.id : 0;
  reader->what = what;
  reader->requirement = requirement;
  return latch(reader, BH_READ_BROKEN);
}

static bh_read_status begin_body(bh_reader *reader) {
  const bh_frame *frame = &reader->frame;

  if (frame->id != (uint64_t)reader->last_id + 1) {
    return broken(reader, BH_CODE_MALFORMED, "the id is not the last one plus 1", "BH-FRAME-008");
  }
  reader->last_id = frame->id;
  reader->type = frame->type;
  reader->id = frame->id;
  reader->body_size = frame->length;
  reader->in_body = true;
  bh_buffer_clear(&reader->buffer);
  return BH_READ_MORE;
}

static bh_read_status read_header(bh_reader *reader, const uint8_t *octets, size_t size, size_t *consumed) {
  bh_frame_status status = bh_frame_feed(&reader->frame, octets, size, consumed);

  reader->offset += *consumed;
  switch (status) {
  case BH_FRAME_MORE:
    return BH_READ_MORE;
  case BH_FRAME_HEADER:
    return begin_body(reader);
  case BH_FRAME_BROKEN:
    break;
  }
  if (reader->frame.code == BH_CODE_TOO_LARGE) {
    return broken(reader, BH_CODE_TOO_LARGE, "the length is above the limit", "BH-FRAME-006");
  }
  return broken(reader, BH_CODE_MALFORMED, "no header has this octet here", "BH-FRAME-001");
}

static bh_read_status message(bh_reader *reader, const uint8_t *body) {
  uint32_t limit = reader->frame.limit;

  reader->body = body;
  reader->in_body = false;
  bh_frame_init(&reader->frame, limit);
  return BH_READ_MESSAGE;
}

/* A body that lies whole in the octets is borrowed from them; another is copied once. */
static bh_read_status read_body(bh_reader *reader, const uint8_t *octets, size_t size, size_t *consumed) {
  bh_buffer *buffer = &reader->buffer;
  size_t missing = reader->body_size - buffer->size;
  size_t taken = size < missing ? size : missing;

  *consumed = taken;
  reader->offset += taken;
  if (buffer->size == 0 && taken == missing) {
    return message(reader, octets);
  }
  if (!bh_buffer_append(buffer, octets, taken)) {
    return latch(reader, BH_READ_NO_MEMORY);
  }
  return taken == missing ? message(reader, buffer->octets) : BH_READ_MORE;
}

/* A large body came: the memory goes back, so that idle connections stay small. */
static void shrink(bh_reader *reader) {
  if (!reader->in_body && reader->buffer.capacity > BUFFER_KEPT) {
    bh_buffer_free(&reader->buffer);
  }
}

bh_read_status bh_reader_next(bh_reader *reader, const uint8_t *octets, size_t size, size_t *consumed) {
  bh_read_status status;
  size_t header = 0;
  size_t body = 0;

  *consumed = 0;
  if (reader->latched) {
    return reader->status;
  }
  if (!reader->in_body) {
    shrink(reader);
    if (reader->frame.offset == 0) {
      reader->message_offset = reader->offset;
    }
    status = read_header(reader, octets, size, &header);
    *consumed = header;
    if (status != BH_READ_MORE || !reader->in_body) {
      return status;
    }
  }
  status = read_body(reader, octets + header, size - header, &body);
  *consumed += body;
  return status;
}
