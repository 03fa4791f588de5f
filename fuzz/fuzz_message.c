/* SPDX-License-Identifier: MIT */
/*
 * One direction of a connection at the endpoint: frame, ids, bodies. The input is the octets, as they stand.
 *
 *  - Read whole and read in pieces is the same (BH-FRAME-002).
 *  - The grammar agrees with the obvious reading of the ABNF, octet for octet, in the frame and in JSON.
 *  - What was read, written again, is what was read.
 */

#include "body.h"
#include "encode.h"
#include "json.h"
#include "obvious.h"
#include "reader.h"
#include "target.h"

#include <string.h>

enum { EVENTS_MAX = 64 };

typedef struct {
  bh_read_status status;
  bh_type type;
  uint32_t id;
  uint64_t begin, end; /* of the message in the direction; of a break: where it is */
  size_t body_size;
  bh_code code;
  uint32_t for_id;
} event;

typedef struct {
  bh_sender sender;
  uint32_t limit;
  event events[EVENTS_MAX];
  size_t count;
} reading;

/* ------------------------------------------------------------------------------------------------------- bodies */

static size_t recognised(const uint8_t *octets, size_t size) {
  bh_json json;
  size_t consumed;

  bh_json_init(&json, BH_DEPTH_MAX, false);
  if (bh_json_feed(&json, octets, size, &consumed) == BH_JSON_BROKEN) {
    return (size_t)json.offset;
  }
  return bh_json_end(&json) == BH_JSON_DONE ? OBVIOUS_WHOLE : size;
}

static void check_body(bh_sender sender, bh_type type, const uint8_t *octets, size_t size) {
  size_t obvious = obvious_json(octets, size, BH_DEPTH_MAX);
  size_t found = recognised(octets, size);
  bh_body body;
  bh_body_fault fault;

  REQUIRE(found == obvious, "the grammar ends at %zu, the obvious reading at %zu of %zu", found, obvious, size);
  if (bh_body_read(sender, type, octets, size, &body, &fault)) {
    REQUIRE(size == 0 || obvious == OBVIOUS_WHOLE, "a body that is no JSON was taken");
    REQUIRE(body.name[BH_NAME_MAX] == '\0' && body.instance[BH_INSTANCE_ID_MAX] == '\0', "a text without its end");
  } else {
    REQUIRE(fault.offset <= size && fault.what && fault.requirement, "a fault at %zu of %zu", fault.offset, size);
  }
}

/* ------------------------------------------------------------------------------------------------------ messages */

static void check_written_again(const bh_reader *reader, const uint8_t *octets, uint64_t begin, uint64_t end) {
  bh_buffer again;

  if (reader->type == BH_TYPE_UNKNOWN) {
    return;
  }
  bh_buffer_init(&again, bh_system_allocator());
  bh_encode_header(&again, reader->type, reader->id, reader->body_size);
  bh_buffer_append(&again, reader->body, reader->body_size);
  REQUIRE(again.failed || (again.size == end - begin && memcmp(again.octets, octets + begin, again.size) == 0),
          "message %u is written otherwise", (unsigned)reader->id);
  bh_buffer_free(&again);
}

static bool take(reading *r, const bh_reader *reader, bh_read_status status) {
  if (status == BH_READ_MORE || r->count == EVENTS_MAX) {
    return false;
  }
  event *e = &r->events[r->count++];
  *e = (event){.status = status, .begin = reader->message_offset, .end = reader->offset};
  if (status == BH_READ_MESSAGE) {
    e->type = reader->type;
    e->id = reader->id;
    e->body_size = reader->body_size;
  } else if (status == BH_READ_BROKEN) {
    e->code = reader->code;
    e->for_id = reader->for_id;
  }
  return status == BH_READ_MESSAGE;
}

/* False: it is over. */
static bool feed(reading *r, bh_reader *reader, const uint8_t *octets, size_t size, const uint8_t *all) {
  for (size_t at = 0; at < size || size == 0;) {
    size_t consumed;
    bh_read_status status = bh_reader_next(reader, octets + at, size - at, &consumed);
    at += consumed;
    if (status == BH_READ_MORE) {
      REQUIRE(at == size, "%zu octets are left", size - at);
      return true;
    }
    if (!take(r, reader, status)) {
      return false;
    }
    if (all) {
      check_body(r->sender, reader->type, reader->body, reader->body_size);
      check_written_again(reader, all, reader->message_offset, reader->offset);
    }
  }
  return true;
}

static void read_whole(reading *r, const uint8_t *octets, size_t size) {
  bh_reader reader;

  bh_reader_init(&reader, r->limit, bh_system_allocator());
  feed(r, &reader, octets, size, octets);
  bh_reader_free(&reader);
}

/* An empty body is there with its header: the reader may be asked for it without another octet. */
static void read_cut(reading *r, const uint8_t *octets, size_t size, size_t cut) {
  bh_reader reader;

  bh_reader_init(&reader, r->limit, bh_system_allocator());
  if (feed(r, &reader, octets, cut, NULL)) {
    feed(r, &reader, octets + cut, size - cut, NULL);
  }
  bh_reader_free(&reader);
}

static void compare(const reading *whole, const reading *cut, size_t at) {
  REQUIRE(whole->count == cut->count, "%zu events whole, %zu when cut at %zu", whole->count, cut->count, at);
  for (size_t i = 0; i < whole->count; i++) {
    const event *a = &whole->events[i], *b = &cut->events[i];
    REQUIRE(a->status == b->status && a->type == b->type && a->id == b->id && a->begin == b->begin &&
                a->end == b->end && a->body_size == b->body_size && a->code == b->code && a->for_id == b->for_id,
            "event %zu differs when cut at %zu", i, at);
  }
}

/* ------------------------------------------------------------------------------------------- the obvious reading */

static void compare_obvious(const reading *r, const uint8_t *octets, size_t size) {
  size_t at = 0;
  uint32_t last_id = 0;

  for (size_t i = 0; i < EVENTS_MAX; i++) {
    obvious_message m = obvious_read(octets + at, size - at, r->limit, last_id);
    if (m.kind == OBVIOUS_MORE) {
      REQUIRE(r->count == i, "%zu events, and %zu are obvious", r->count, i);
      return;
    }
    REQUIRE(i < r->count, "%zu events, and more are obvious", r->count);
    const event *e = &r->events[i];
    if (m.kind != OBVIOUS_MESSAGE) {
      bh_code code = m.kind == OBVIOUS_TOO_LARGE ? BH_CODE_TOO_LARGE : BH_CODE_MALFORMED;
      REQUIRE(e->status == BH_READ_BROKEN && e->code == code && e->for_id == m.id && e->end == at + m.wrong,
              "event %zu: a break at %zu is obvious", i, at + m.wrong);
      return;
    }
    REQUIRE(e->status == BH_READ_MESSAGE && e->id == m.id && e->begin == at && e->body_size == m.length,
            "event %zu: a message is obvious", i);
    REQUIRE(e->type == BH_TYPE_UNKNOWN || strcmp(bh_type_name(e->type), m.type) == 0, "its type is %s", m.type);
    at += m.body + m.length;
    last_id = m.id;
  }
}

static void try(bh_sender sender, uint32_t limit, const uint8_t *octets, size_t size, size_t draw) {
  reading whole = {.sender = sender, .limit = limit};

  read_whole(&whole, octets, size);
  compare_obvious(&whole, octets, size);
  for (size_t cut = fuzz_every_cut ? 0 : draw % (size + 1); cut <= size; cut = fuzz_next_cut(cut, size)) {
    reading pieces = {.sender = sender, .limit = limit};
    read_cut(&pieces, octets, size, cut);
    compare(&whole, &pieces, cut);
    if (!fuzz_every_cut) {
      break;
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size) {
  size_t draw = fuzz_draw(octets, size);

  if (fuzz_every_cut || draw % 2 == 0) {
    try(BH_FROM_CLIENT, BH_CLIENT_BODY_MAX, octets, size, draw / 2);
  }
  if (fuzz_every_cut || draw % 2 == 1) {
    try(BH_FROM_HUB, BH_BODY_MAX, octets, size, draw / 2);
  }
  return 0;
}
