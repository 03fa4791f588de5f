/* SPDX-License-Identifier: MIT */
/*
 * What arrives on one connection at the TCP port. The input is the octets, as they stand.
 *
 *  - Read whole and read in pieces is the same (BH-INGEST-003).
 *  - What becomes an import is what the obvious reading takes for one, and the end is where it finds it
 *    (BH-INGEST-004 to -010, -012).
 *  - A connection ends once, and nothing comes of it afterwards; also where the driver cannot write, or many are open.
 *  - The next one, in its place, has nothing of it.
 */

#include "bridgehub.h"
#include "memory.h"
#include "obvious.h"
#include "target.h"

#include <string.h>

enum { HEARTBEAT_MS = 100, TIMEOUT_MS = 1000 };

typedef struct {
  bh_buffer imports; /* one behind the other, each with a 0 behind it, which none has in it */
  size_t committed, dropped;
  size_t begin; /* of the value in hand, in `imports` */
  bool in_hand, closed, orderly;
  uint64_t offset;
  const char *reason;
} outcome;

static void check_import(const outcome *o) {
  const uint8_t *octets = o->imports.octets + o->begin;
  size_t size = o->imports.size - o->begin;

  REQUIRE(size >= 2 && octets[0] == '[' && octets[size - 1] == ']', "an import that is no array");
  REQUIRE(obvious_json(octets, size, BH_BRIDGE_DEPTH_MAX) == OBVIOUS_WHOLE, "an import that is no JSON");
}

static void take(outcome *o, const bh_ingest_event *event) {
  REQUIRE(!o->closed, "an event after the end");
  switch (event->kind) {
  case BH_INGEST_BEGIN:
    REQUIRE(!o->in_hand, "a value in a value");
    o->in_hand = true;
    o->begin = o->imports.size;
    break;
  case BH_INGEST_OCTETS:
    REQUIRE(o->in_hand && event->size > 0, "octets of no value");
    bh_buffer_append(&o->imports, event->octets, event->size);
    break;
  case BH_INGEST_COMMIT:
    REQUIRE(o->in_hand, "the end of no value");
    check_import(o);
    bh_buffer_append(&o->imports, "", 1);
    o->in_hand = false;
    o->committed++;
    break;
  case BH_INGEST_DROP:
    REQUIRE(o->in_hand, "the drop of no value");
    o->imports.size = o->begin;
    o->in_hand = false;
    o->dropped++;
    break;
  case BH_INGEST_CLOSE:
    REQUIRE(!o->in_hand, "the end in a value");
    o->closed = true;
    o->orderly = event->orderly;
    o->offset = event->offset;
    o->reason = event->reason;
    break;
  }
}

static void poll_all(bh_ingest *ingest, outcome *o) {
  bh_ingest_event event;

  while (bh_ingest_poll(ingest, &event)) {
    take(o, &event);
  }
}

static void feed(bh_ingest *ingest, bh_bridge bridge, const uint8_t *octets, size_t size, outcome *o) {
  if (size > 0 && !o->closed) {
    bh_ingest_recv(ingest, bridge, octets, size, 0);
    poll_all(ingest, o);
  }
}

static outcome read_cut(const uint8_t *octets, size_t size, size_t cut) {
  bh_ingest *ingest = bh_ingest_new(HEARTBEAT_MS, TIMEOUT_MS, memory_allocator());
  outcome o = {0};

  REQUIRE(ingest, "no memory");
  bh_buffer_init(&o.imports, memory_allocator());
  bh_bridge bridge = bh_ingest_open(ingest, 0);
  feed(ingest, bridge, octets, cut, &o);
  feed(ingest, bridge, octets + cut, size - cut, &o);
  if (!o.closed) {
    bh_ingest_end(ingest, bridge, false, 0);
    poll_all(ingest, &o);
  }
  REQUIRE(o.closed, "the sender has ended, and the connection has not");
  bh_ingest_free(ingest);
  return o;
}

static bool is_orderly(const obvious_stream *s) {
  return s->kind == OBVIOUS_STREAM_BYE || (s->kind == OBVIOUS_STREAM_END && s->begin == s->end);
}

static void compare_obvious(const outcome *o, const uint8_t *octets, size_t size) {
  const uint8_t *import = o->imports.octets;
  size_t committed = 0;
  obvious_stream s = obvious_stream_next(octets, size, 0);

  for (; s.kind == OBVIOUS_STREAM_VALUE; s = obvious_stream_next(octets, size, s.end)) {
    size_t length = s.end - s.begin, around = octets[s.begin] == '{';
    if (s.empty) {
      continue;
    }
    REQUIRE(committed++ < o->committed, "%zu imports, and more are obvious", o->committed);
    REQUIRE(import + length + 2 * around < o->imports.octets + o->imports.size &&
                memcmp(import + around, octets + s.begin, length) == 0 && import[length + 2 * around] == '\0' &&
                import[0] == '[',
            "import %zu is another", committed);
    import += length + 2 * around + 1;
  }
  REQUIRE(committed == o->committed, "%zu imports, and %zu are obvious", o->committed, committed);
  REQUIRE(o->offset == s.end && o->orderly == is_orderly(&s), "it ends at %llu, and at %zu is obvious: %s",
          (unsigned long long)o->offset, s.end, o->reason);
}

static void compare(const outcome *whole, const outcome *cut, size_t at) {
  bool same = whole->committed == cut->committed && whole->dropped == cut->dropped && whole->orderly == cut->orderly &&
              whole->offset == cut->offset && whole->reason == cut->reason && whole->imports.size == cut->imports.size;

  REQUIRE(same && (whole->imports.size == 0 ||
                   memcmp(whole->imports.octets, cut->imports.octets, whole->imports.size) == 0),
          "it ends otherwise when cut at %zu", at);
}

/* The next connection, which the sender ends, or which breaks. */
static void check_next(bh_ingest *ingest, bool breaks) {
  static const uint8_t import[] = {'[', '{', '}', ']'};
  outcome o = {0};

  bh_buffer_init(&o.imports, memory_allocator());
  bh_bridge bridge = bh_ingest_open(ingest, 0);
  feed(ingest, bridge, import, sizeof import, &o);
  REQUIRE(!o.closed && o.committed == 1 && o.imports.size == sizeof import + 1, "it is disturbed by the former one");
  bh_ingest_end(ingest, bridge, breaks, 0);
  poll_all(ingest, &o);
  REQUIRE(o.closed && o.orderly == !breaks && o.offset == sizeof import, "it ends as if it were the former one");
  bh_buffer_free(&o.imports);
}

/* A driver that cannot write: the value in hand ends there, and the connection is reset. */
static void check_abort(const uint8_t *octets, size_t size, size_t cut) {
  bh_ingest *ingest = bh_ingest_new(HEARTBEAT_MS, TIMEOUT_MS, memory_allocator());
  bh_bridge bridge = bh_ingest_open(ingest, 0);
  outcome o = {0};

  bh_buffer_init(&o.imports, memory_allocator());
  feed(ingest, bridge, octets, cut, &o);
  bh_ingest_abort(ingest, bridge, "the disk is full");
  o.in_hand = false;
  bh_ingest_end(ingest, bridge, false, 0);
  REQUIRE(o.closed || bh_ingest_recv(ingest, bridge, octets, size, 0) == BH_E_CLOSED,
          "octets after the abort are taken");
  bool closed = o.closed;
  poll_all(ingest, &o);
  REQUIRE(o.closed && (closed || !o.orderly), "a connection that was aborted ends in order");
  check_next(ingest, cut % 2);
  bh_ingest_free(ingest);
  bh_buffer_free(&o.imports);
}

/* BH-INGEST-013, -014: one more than there may be ends the one that was silent the longest, and silence ends the
 * others. */
static void check_crowd(size_t draw) {
  bh_ingest *ingest = bh_ingest_new(HEARTBEAT_MS, TIMEOUT_MS, memory_allocator());
  bh_bridge bridges[BH_BRIDGE_CONNECTIONS_MAX + 1];
  bh_ingest_event event;
  size_t closed = 0, silent = draw % BH_BRIDGE_CONNECTIONS_MAX;

  for (size_t i = 0; i < BH_BRIDGE_CONNECTIONS_MAX; i++) {
    bridges[i] = bh_ingest_open(ingest, i);
  }
  for (size_t i = 0; i < BH_BRIDGE_CONNECTIONS_MAX; i++) {
    bh_ingest_recv(ingest, bridges[i], (const uint8_t *)" ", i != silent, 20); /* no octet is silence */
  }
  REQUIRE(!bh_ingest_poll(ingest, &event), "an event of nothing");
  bridges[BH_BRIDGE_CONNECTIONS_MAX] = bh_ingest_open(ingest, 21);
  uint64_t expiry = bh_ingest_expiry(ingest); /* not that of the one that is to be closed */
  REQUIRE(bh_ingest_poll(ingest, &event) && event.kind == BH_INGEST_CLOSE && event.bridge == bridges[silent] &&
              !event.orderly && !bh_ingest_poll(ingest, &event),
          "another than the longest silent one is closed");
  REQUIRE(expiry == 20 + 6 * TIMEOUT_MS, "it wants to be woken at %llu", (unsigned long long)expiry);
  bh_ingest_expire(ingest, expiry - 1);
  REQUIRE(!bh_ingest_poll(ingest, &event), "a silence that is too short");
  bh_ingest_expire(ingest, expiry);
  while (bh_ingest_poll(ingest, &event)) {
    closed += event.kind == BH_INGEST_CLOSE && !event.orderly;
  }
  REQUIRE(closed == BH_BRIDGE_CONNECTIONS_MAX - 1u, "%zu connections are closed for their silence", closed);
  uint64_t late = bh_ingest_expiry(ingest) + HEARTBEAT_MS; /* the hub itself was stopped (BH-TIME-007) */
  bh_ingest_expire(ingest, late);
  REQUIRE(!bh_ingest_poll(ingest, &event) && bh_ingest_expiry(ingest) == late + 6 * TIMEOUT_MS, "no fresh time");
  bh_ingest_free(ingest);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size) {
  outcome whole = read_cut(octets, size, size);

  compare_obvious(&whole, octets, size);
  for (size_t cut = fuzz_every_cut ? 0 : fuzz_draw(octets, size) % (size + 1); cut <= size;
       cut = fuzz_next_cut(cut, size)) {
    outcome pieces = read_cut(octets, size, cut);
    compare(&whole, &pieces, cut);
    bh_buffer_free(&pieces.imports);
    if (!fuzz_every_cut) {
      break;
    }
  }
  bh_buffer_free(&whole.imports);
  check_abort(octets, size, fuzz_draw(octets, size) % (size + 1));
  if (fuzz_draw(octets, size) % 16 == 0) {
    check_crowd(fuzz_draw(octets, size) / 16);
  }
  memory_reset();
  return 0;
}
