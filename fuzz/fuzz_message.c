/* SPDX-License-Identifier: MIT */
/*
 * One direction of a connection at the endpoint: frame, ids, bodies. The input is the octets, as they stand.
 *
 *  - Read whole and read in pieces is the same (BH-FRAME-002), each body and its outline included.
 *  - The grammar agrees with the obvious reading of the ABNF, octet for octet, in the frame and in JSON.
 *  - Every member of a body is what the obvious reading of the table in section 3.2 says.
 *  - What was read, written again, is what was read.
 *  - Where memory is missing, what was read until then is the same, and nothing follows.
 */

#include "check_body.h"
#include "encode.h"
#include "json.h"
#include "memory.h"
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
  size_t draw;
  const uint8_t *octets; /* of the direction */
  event events[EVENTS_MAX];
  size_t count;
} reading;

/* --------------------------------------------------------------------------------------------------------- JSON */

/* What the recogniser says of a text that comes in two pieces: where it ends, and the members that it finds. */
typedef struct {
  size_t end; /* OBVIOUS_WHOLE, or as obvious_json() has it */
  size_t members;
  uint64_t spans; /* of all of them, as one number */
} recognised;

static void add_member(recognised *r, const bh_json *json) {
  const uint64_t spans[] = {json->key.begin, json->key.end, json->value.begin, json->value.end};

  r->members++;
  for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
    r->spans = (r->spans ^ spans[i]) * 1099511628211u;
  }
}

/* False: it is broken. */
static bool recognise_piece(recognised *r, bh_json *json, const uint8_t *octets, size_t size) {
  bh_json_status status = BH_JSON_MEMBER;

  for (size_t at = 0; status == BH_JSON_MEMBER;) {
    size_t consumed;
    status = bh_json_feed(json, octets + at, size - at, &consumed);
    at += consumed;
    REQUIRE(at <= size && (status != BH_JSON_MORE || at == size), "%zu of %zu octets are taken", at, size);
    if (status == BH_JSON_MEMBER) {
      REQUIRE(json->outline && json->value.begin < json->value.end, "a member of no octets");
      add_member(r, json);
    }
  }
  return status != BH_JSON_BROKEN;
}

static recognised recognise(const uint8_t *octets, size_t size, size_t cut, bool outline) {
  recognised r = {0};
  bh_json json;

  bh_json_init(&json, BH_DEPTH_MAX, outline);
  if (!recognise_piece(&r, &json, octets, cut) || !recognise_piece(&r, &json, octets + cut, size - cut)) {
    r.end = (size_t)json.offset;
    REQUIRE(bh_json_end(&json) == BH_JSON_BROKEN, "what was broken is done");
  } else {
    r.end = bh_json_end(&json) == BH_JSON_DONE ? OBVIOUS_WHOLE : size;
  }
  return r;
}

static void check_json(const uint8_t *octets, size_t size, size_t draw) {
  size_t obvious = obvious_json(octets, size, BH_DEPTH_MAX);
  recognised plain = recognise(octets, size, size, false);
  recognised whole = recognise(octets, size, size, true);

  REQUIRE(plain.end == obvious && whole.end == obvious, "the grammar ends at %zu, the obvious reading at %zu of %zu",
          plain.end, obvious, size);
  for (size_t cut = fuzz_every_cut ? 0 : draw % (size + 1); cut <= size; cut = fuzz_next_cut(cut, size)) {
    recognised pieces = recognise(octets, size, cut, true);
    REQUIRE(pieces.end == whole.end && pieces.members == whole.members && pieces.spans == whole.spans,
            "JSON is read otherwise when cut at %zu", cut);
    if (!fuzz_every_cut) {
      break;
    }
  }
}

/* ------------------------------------------------------------------------------------------------------ messages */

static void check_written_again(const bh_reader *reader, const uint8_t *octets, uint64_t begin, uint64_t end) {
  bh_buffer again;

  if (reader->type == BH_TYPE_UNKNOWN) {
    return;
  }
  bh_buffer_init(&again, memory_allocator());
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
    REQUIRE(e->begin <= e->end && reader->body_size <= e->end - e->begin &&
                memcmp(reader->body, r->octets + (e->end - reader->body_size), reader->body_size) == 0,
            "the body of message %u is another", (unsigned)e->id);
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
      bh_body body;
      check_json(reader->body, reader->body_size, r->draw);
      check_body(r->sender, reader->type, reader->body, reader->body_size, &body);
      check_written_again(reader, all, reader->message_offset, reader->offset);
    }
  }
  return true;
}

static void read_whole(reading *r, const uint8_t *octets, size_t size) {
  bh_reader reader;

  bh_reader_init(&reader, r->limit, memory_allocator());
  feed(r, &reader, octets, size, octets);
  bh_reader_free(&reader);
}

/* An empty body is there with its header: the reader may be asked for it without another octet. */
static void read_cut(reading *r, const uint8_t *octets, size_t size, size_t cut) {
  size_t again = cut + (size - cut) / 2; /* a third piece is put behind others */
  bh_reader reader;

  bh_reader_init(&reader, r->limit, memory_allocator());
  if (feed(r, &reader, octets, cut, NULL) && feed(r, &reader, octets + cut, again - cut, NULL)) {
    feed(r, &reader, octets + again, size - again, NULL);
  }
  if (reader.latched) {
    size_t consumed = 1;
    REQUIRE(bh_reader_next(&reader, octets, size, &consumed) == reader.status && consumed == 0,
            "it goes on after its end");
  }
  bh_reader_free(&reader);
}

/* What came before memory was missing. */
static void read_without_memory(reading *r, const uint8_t *octets, size_t size, size_t cut) {
  memory_fail(2, (uint32_t)r->draw);
  read_cut(r, octets, size, cut);
  memory_fail(0, 0);
  if (memory_has_failed()) {
    REQUIRE(r->count > 0 && r->events[r->count - 1].status == BH_READ_NO_MEMORY,
            "memory was missing, and was not missed");
    r->count--;
  }
}

static bool same(const event *a, const event *b) {
  return a->status == b->status && a->type == b->type && a->id == b->id && a->begin == b->begin && a->end == b->end &&
         a->body_size == b->body_size && a->code == b->code && a->for_id == b->for_id;
}

static void compare(const reading *whole, const reading *cut, size_t at, bool all) {
  REQUIRE(whole->count == cut->count || (!all && cut->count < whole->count), "%zu events whole, %zu when cut at %zu",
          whole->count, cut->count, at);
  for (size_t i = 0; i < cut->count; i++) {
    REQUIRE(same(&whole->events[i], &cut->events[i]), "event %zu differs when cut at %zu", i, at);
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

/* Large and used again: an input must not cost their clearing. */
static reading whole, pieces;

static void begin(reading *r, bh_sender sender, uint32_t limit, size_t draw, const uint8_t *octets) {
  r->sender = sender;
  r->limit = limit;
  r->draw = draw;
  r->octets = octets;
  r->count = 0;
}

static void try_in_pieces(bh_sender sender, uint32_t limit, const uint8_t *octets, size_t size, size_t draw) {
  for (size_t cut = fuzz_every_cut ? 0 : draw % (size + 1); cut <= size; cut = fuzz_next_cut(cut, size)) {
    begin(&pieces, sender, limit, draw, octets);
    read_cut(&pieces, octets, size, cut);
    compare(&whole, &pieces, cut, true);
    if (!fuzz_every_cut) {
      break;
    }
  }
}

/* Either in pieces or without memory; the replay both. */
static void try(bh_sender sender, uint32_t limit, const uint8_t *octets, size_t size, size_t draw) {
  bool hungry = draw / 2 % 4 == 0;

  begin(&whole, sender, limit, draw, octets);
  read_whole(&whole, octets, size);
  compare_obvious(&whole, octets, size);
  if (fuzz_every_cut || !hungry) {
    try_in_pieces(sender, limit, octets, size, draw);
  }
  if (fuzz_every_cut || hungry) {
    begin(&pieces, sender, limit, draw, octets);
    read_without_memory(&pieces, octets, size, size / 2);
    compare(&whole, &pieces, size / 2, false);
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
  memory_reset();
  return 0;
}
