/* SPDX-License-Identifier: MIT */
#include "test_support.h"
#include "vectors.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The connections from Bridge: spec/protocol.md, section 5. */

enum { HEARTBEAT_MS = 1000, TIMEOUT_MS = 5000, SILENCE_MS = 6 * TIMEOUT_MS, LONG = 1 << 20 };

static test_memory memory;
static bh_ingest *ingest;
static uint64_t now = 7777;
static char text[8192]; /* what has happened, told */

static void begin(void) {
  ingest = bh_ingest_new(HEARTBEAT_MS, TIMEOUT_MS, test_allocator(&memory));
  cr_assert_not_null(ingest);
}

static void end(void) {
  bh_ingest_free(ingest);
  cr_expect_eq(memory.blocks, 0);
}

TestSuite(ingest, .init = begin, .fini = end);

static void tell(const bh_ingest_event *event) {
  size_t at = strlen(text);
  char *out = text + at;
  size_t room = sizeof text - at;

  switch (event->kind) {
  case BH_INGEST_BEGIN:
    snprintf(out, room, "<");
    break;
  case BH_INGEST_OCTETS:
    snprintf(out, room, "%.*s", (int)event->size, (const char *)event->octets);
    break;
  case BH_INGEST_COMMIT:
    snprintf(out, room, "> ");
    break;
  case BH_INGEST_DROP:
    snprintf(out, room, "! (%s) ", event->reason == NULL ? "empty" : event->reason);
    break;
  case BH_INGEST_CLOSE:
    snprintf(out, room, "%s: %s", event->orderly ? "end" : "reset", event->reason);
    break;
  }
}

/* What has happened since it was last asked; values stand in < >. */
static const char *events(void) {
  bh_ingest_event event;

  text[0] = '\0';
  while (bh_ingest_poll(ingest, &event)) {
    tell(&event);
  }
  return text;
}

/* Octets that are gone afterwards, in pieces; what comes of them is told whole. */
static const char *receives_in(bh_bridge bridge, const char *octets, size_t chunk) {
  bh_ingest_event event;
  size_t size = strlen(octets);

  text[0] = '\0';
  for (size_t taken = 0; taken < size; taken += chunk) {
    size_t part = size - taken < chunk ? size - taken : chunk;
    uint8_t *given = malloc(part);
    memcpy(given, octets + taken, part);
    int error = bh_ingest_recv(ingest, bridge, given, part, now);
    while (bh_ingest_poll(ingest, &event)) {
      tell(&event);
    }
    free(given);
    if (error != BH_OK) {
      break;
    }
  }
  return text;
}

static const char *receives(bh_bridge bridge, const char *octets) {
  return receives_in(bridge, octets, strlen(octets));
}

static const char *ends(bh_bridge bridge) {
  bh_ingest_end(ingest, bridge, false, now);
  return events();
}

/* ---- values */

/* BH-INGEST-002, BH-INGEST-003, BH-INGEST-004, BH-INGEST-017 */
Test(ingest, each_value_is_an_import_as_soon_as_it_is_whole) {
  bh_bridge bridge = bh_ingest_open(ingest, now);

  cr_assert_str_eq(receives(bridge, "[{\"a\":1}"), "<[{\"a\":1}");
  cr_assert_str_eq(receives(bridge, " ]"), " ]> ");
  cr_assert_str_eq(receives(bridge, "\n{\"b\":[ ]}  [{}, {}"), "<[{\"b\":[ ]}]> <[{}, {}");
  cr_assert_str_eq(receives(bridge, "]"), "]> ");
  cr_assert_str_eq(receives(bridge, " \r\n\t"), "");
  cr_assert_str_eq(ends(bridge), "end: the sender is done");
  cr_assert_eq(bh_ingest_recv(ingest, bridge, (const uint8_t *)"[", 1, now), BH_E_CLOSED);
}

/* BH-INGEST-003, BH-INGEST-005, BH-INGEST-006 */
Test(ingest, the_same_in_any_chunking) {
  static const char octets[] = "\xEF\xBB\xBF {\"a\":\"]\\\"}\"}[ ][]\n[{\"\xC3\xA4\":[[1,2e3]]},{}]{}";

  for (size_t chunk = 1; chunk <= sizeof octets; chunk++) {
    bh_bridge bridge = bh_ingest_open(ingest, now);
    cr_assert_str_eq(receives_in(bridge, octets, chunk),
                     "<[{\"a\":\"]\\\"}\"}]> <[ ]! (empty) <[]! (empty) <[{\"\xC3\xA4\":[[1,2e3]]},{}]> <[{}]> ");
    cr_assert_str_eq(ends(bridge), "end: the sender is done");
  }
}

/* BH-INGEST-007, BH-INGEST-008, BH-INGEST-017 */
Test(ingest, a_wrong_octet_closes_and_drops_the_value_it_is_in) {
  static const char wrong[] = "an octet is wrong for a run of JSON arrays and objects";

  cr_assert_str_eq(receives(bh_ingest_open(ingest, now), "[{}] [{},1"),
                   quoted("<[{}]> <! (%s) reset: %s", wrong, wrong));
  cr_assert_str_eq(receives(bh_ingest_open(ingest, now), "GET / HTTP/1.1\r\n"), quoted("reset: %s", wrong));
  cr_assert_str_eq(receives(bh_ingest_open(ingest, now), "[{}],"), quoted("<[{}]> reset: %s", wrong));
  cr_assert_str_eq(receives(bh_ingest_open(ingest, now), "[{\"a\":\"\xFF\"}]"),
                   "<! (an octet is not UTF-8) reset: an octet is not UTF-8");
}

/* BH-INGEST-009, BH-INGEST-017 */
Test(ingest, a_value_that_is_cut_short_is_dropped) {
  bh_bridge bridge = bh_ingest_open(ingest, now);

  receives(bridge, "[{}][{}");
  cr_assert_str_eq(ends(bridge), "! (the connection ended inside a value) reset: the connection ended inside a value");
  bridge = bh_ingest_open(ingest, now);
  receives(bridge, "{");
  bh_ingest_end(ingest, bridge, true, now);
  cr_assert_str_eq(events(), "! (the connection broke) reset: the connection broke");
  bridge = bh_ingest_open(ingest, now);
  bh_ingest_end(ingest, bridge, true, now);
  cr_assert_str_eq(events(), "reset: the connection broke");
}

/* BH-INGEST-010 */
Test(ingest, the_shutdown_word_closes_its_connection_alone) {
  bh_bridge other = bh_ingest_open(ingest, now);

  for (size_t chunk = 1; chunk < 20; chunk++) {
    bh_bridge bridge = bh_ingest_open(ingest, now);
    cr_assert_str_eq(receives_in(bridge, "{} Bye Megascans[{}]", chunk), "<[{}]> end: Bye Megascans");
  }
  cr_assert_str_eq(receives(other, "{}"), "<[{}]> ");
}

/* BH-INGEST-012 */
Test(ingest, depth_62_is_the_last) {
  char octets[256];

  for (size_t depth = 62; depth <= 63; depth++) {
    strcpy(octets, "[{\"a\":");
    memset(octets + 6, '[', depth - 2);
    memset(octets + 6 + depth - 2, ']', depth - 2);
    strcpy(octets + 6 + 2 * (depth - 2), "}]");
    const char *array = receives(bh_ingest_open(ingest, now), octets);
    cr_assert(depth == 62 ? strstr(array, "}]> ") != NULL : strstr(array, "reset: a value is too deep") != NULL);
    octets[5 + 1 + 2 * (depth - 2) + 1] = '\0'; /* without the array around it, it counts all the same */
    array = receives(bh_ingest_open(ingest, now), octets + 1);
    cr_assert(depth == 62 ? strstr(array, "}]> ") != NULL : strstr(array, "reset: a value is too deep") != NULL);
  }
}

/* BH-INGEST-011 */
Test(ingest, a_value_of_33554432_octets_is_taken) {
  size_t size = BH_BRIDGE_VALUE_MAX;
  uint8_t *octets = malloc(size + 1);
  bh_ingest_event event;

  for (size_t more = 0; more <= 1; more++) {
    for (size_t chunk = 65536; chunk <= 2 * size; chunk *= 1024) {
      bh_bridge bridge = bh_ingest_open(ingest, now);
      size_t got = 0;
      bh_ingest_kind last = BH_INGEST_BEGIN;
      memset(octets, ' ', size + more);
      octets[0] = '[';
      octets[1] = '{';
      octets[2] = '}';
      octets[size + more - 1] = ']';
      for (size_t taken = 0; taken < size + more; taken += chunk) {
        size_t part = size + more - taken < chunk ? size + more - taken : chunk;
        if (bh_ingest_recv(ingest, bridge, octets + taken, part, now) != BH_OK) {
          break;
        }
        while (bh_ingest_poll(ingest, &event)) {
          got += event.kind == BH_INGEST_OCTETS ? event.size : 0;
          last = event.kind;
        }
      }
      cr_assert_eq(last, more == 0 ? BH_INGEST_COMMIT : BH_INGEST_CLOSE);
      cr_assert(more == 1 || got == size);
    }
  }
  cr_assert_str_eq(event.reason, "a value is too long");
  cr_assert_not(event.orderly);
  free(octets);
}

/* The place of what is wrong is told, for the log. */
Test(ingest, the_place_of_a_wrong_octet_is_told) {
  bh_bridge bridge = bh_ingest_open(ingest, now);
  bh_ingest_event event;

  receives(bridge, "[{}]\n");
  bh_ingest_recv(ingest, bridge, (const uint8_t *)"[{},x", 5, now);
  while (bh_ingest_poll(ingest, &event) && event.kind != BH_INGEST_DROP) {
  }
  cr_assert_eq(event.offset, 9);
  cr_assert(bh_ingest_poll(ingest, &event));
  cr_assert_eq(event.kind, BH_INGEST_CLOSE);
  cr_assert_eq(event.offset, 9);
  cr_assert_eq(event.bridge, bridge);
}

/* ---- the driver */

Test(ingest, events_come_first) {
  bh_bridge bridge = bh_ingest_open(ingest, now);
  bh_ingest_event event;

  cr_assert_eq(bh_ingest_recv(ingest, bridge, (const uint8_t *)"{}{}", 4, now), BH_OK);
  for (int i = 0; i < 9; i++) {
    cr_assert_eq(bh_ingest_recv(ingest, bridge, (const uint8_t *)"{}", 2, now), BH_E_STATE);
    cr_assert(bh_ingest_poll(ingest, &event));
  }
  cr_assert(bh_ingest_poll(ingest, &event));
  cr_assert_not(bh_ingest_poll(ingest, &event));
  cr_assert_eq(bh_ingest_recv(ingest, bridge, (const uint8_t *)"{}", 2, now), BH_OK);
  cr_assert_eq(bh_ingest_recv(ingest, 99, (const uint8_t *)"{}", 2, now), BH_E_CLOSED);
}

/* BH-SPOOL-009: what could not be written is not told to its sender as safe. */
Test(ingest, a_value_that_cannot_be_written_ends_with_a_reset) {
  bh_bridge bridge = bh_ingest_open(ingest, now);
  bh_ingest_event event;

  bh_ingest_recv(ingest, bridge, (const uint8_t *)"[{}][{}]", 8, now);
  cr_assert(bh_ingest_poll(ingest, &event));
  cr_assert_eq(event.kind, BH_INGEST_BEGIN);
  bh_ingest_abort(ingest, bridge, "the disk is full");
  cr_assert_str_eq(events(), "reset: the disk is full");
  bh_ingest_abort(ingest, bridge, "again");
  bh_ingest_end(ingest, bridge, false, now);
  cr_assert_str_eq(events(), "");

  /* ... also where it would have been closed in good order by then. */
  bridge = bh_ingest_open(ingest, now);
  receives(bridge, "{}");
  bh_ingest_end(ingest, bridge, false, now);
  bh_ingest_abort(ingest, bridge, "the disk is full");
  cr_assert_str_eq(events(), "reset: the sender is done");
}

/* ---- silence */

/* BH-INGEST-013 */
Test(ingest, six_time_outs_of_silence_close) {
  bh_bridge a = bh_ingest_open(ingest, now);

  cr_assert_eq(bh_ingest_expiry(ingest), now + SILENCE_MS);
  now += SILENCE_MS - 1;
  bh_ingest_expire(ingest, now);
  cr_assert_str_eq(receives(a, "["), "<[");
  bh_bridge b = bh_ingest_open(ingest, now);
  now += SILENCE_MS - 1;
  receives(b, " ");
  bh_ingest_expire(ingest, now);
  cr_assert_str_eq(events(), "");
  now += 1;
  bh_ingest_expire(ingest, now);
  cr_assert_str_eq(events(), "! (silent for too long) reset: silent for too long");
  cr_assert_eq(bh_ingest_expiry(ingest), now - 1 + SILENCE_MS);
  now += SILENCE_MS - 1;
  bh_ingest_expire(ingest, now);
  cr_assert_str_eq(events(), "reset: silent for too long");
  cr_assert_eq(bh_ingest_expiry(ingest), BH_NEVER);
  bh_ingest_expire(ingest, now);
}

/* BH-TIME-007 */
Test(ingest, after_a_stop_each_connection_has_its_time_again) {
  bh_bridge a = bh_ingest_open(ingest, now);

  now += SILENCE_MS + HEARTBEAT_MS;
  bh_ingest_expire(ingest, now);
  cr_assert_str_eq(events(), "");
  cr_assert_eq(bh_ingest_expiry(ingest), now + SILENCE_MS);
  cr_assert_str_eq(receives(a, "{}"), "<[{}]> ");
  now += SILENCE_MS + HEARTBEAT_MS - 1;
  bh_ingest_expire(ingest, now);
  cr_assert_str_eq(events(), "reset: silent for too long");
}

/* BH-INGEST-013, BH-INGEST-014, BH-INGEST-015 */
Test(ingest, the_seventeenth_takes_the_place_of_the_longest_silent) {
  bh_bridge bridges[BH_BRIDGE_CONNECTIONS_MAX];

  for (int i = 0; i < BH_BRIDGE_CONNECTIONS_MAX; i++) {
    bridges[i] = bh_ingest_open(ingest, now);
    now += 10;
  }
  cr_assert_str_eq(events(), "");
  receives(bridges[0], "[");
  receives(bridges[2], "[");
  bh_bridge more = bh_ingest_open(ingest, now);
  cr_assert_str_eq(events(), "reset: too many connections, and this one was silent the longest");
  cr_assert_eq(bh_ingest_recv(ingest, bridges[1], (const uint8_t *)"{}", 2, now), BH_E_CLOSED);
  cr_assert_str_eq(receives(more, "{}"), "<[{}]> ");
  cr_assert_str_eq(receives(bridges[0], "{}]"), "{}]> ");
  for (int i = 3; i < BH_BRIDGE_CONNECTIONS_MAX; i++) {
    receives(bridges[i], " ");
  }
  bh_ingest_open(ingest, now);
  cr_assert_str_eq(events(), "! (too many connections, and this one was silent the longest) reset: too many "
                             "connections, and this one was silent the longest");
  cr_assert_eq(bh_ingest_recv(ingest, bridges[2], (const uint8_t *)"{}", 2, now), BH_E_CLOSED);
}

/* Those that are being closed have their places until that was told. */
Test(ingest, a_driver_that_takes_no_events_has_no_more_places) {
  int open = 0;

  while (bh_ingest_open(ingest, now) != 0) {
    open++;
    cr_assert_leq(open, 1000);
  }
  cr_assert_geq(open, BH_BRIDGE_CONNECTIONS_MAX + 1);
  events();
  cr_assert_neq(bh_ingest_open(ingest, now), 0);
}

Test(ingest, without_memory_there_is_none) {
  memory.fails_at = memory.calls + 1;
  cr_assert_null(bh_ingest_new(HEARTBEAT_MS, TIMEOUT_MS, test_allocator(&memory)));
  bh_ingest_free(NULL);
}

/* ---- the vectors */

typedef struct {
  const bh_expanded *octets;
  bh_node imports;
  bh_node next;
  bh_expanded expected; /* the import that comes next */
  size_t matched;       /* of its octets */
  bool differs;
  const char *reason;
  bool orderly;
} play;

static void expect_next(play *p, bh_node node) {
  bh_expanded_free(&p->expected);
  p->matched = 0;
  p->next = node;
  if (bh_node_given(node)) {
    cr_assert(bh_node_octets(node, &p->expected));
  } else {
    p->expected = (bh_expanded){0};
  }
}

static void take(play *p, const bh_ingest_event *event) {
  switch (event->kind) {
  case BH_INGEST_BEGIN:
  case BH_INGEST_DROP:
    p->matched = 0;
    p->differs = false;
    break;
  case BH_INGEST_OCTETS:
    if (p->expected.size - p->matched < event->size ||
        (event->size > 0 && memcmp(p->expected.octets + p->matched, event->octets, event->size) != 0)) {
      p->differs = true; /* which is right for a value that is dropped */
    } else {
      p->matched += event->size;
    }
    break;
  case BH_INGEST_COMMIT:
    cr_assert(bh_node_given(p->next) && !p->differs && p->matched == p->expected.size, "another import");
    expect_next(p, bh_node_next(p->imports, p->next));
    break;
  case BH_INGEST_CLOSE:
    p->reason = event->reason;
    p->orderly = event->orderly;
    break;
  }
}

static void give(play *p, bh_bridge bridge, const uint8_t *octets, size_t size) {
  bh_ingest_event event;

  if (p->reason == NULL && bh_ingest_recv(ingest, bridge, octets, size, now) == BH_OK) {
    while (bh_ingest_poll(ingest, &event)) {
      take(p, &event);
    }
  }
}

static void play_vector(const bh_vector *vector, const bh_expanded *octets, size_t split) {
  bh_node ending = bh_node_member(vector->test, "ending");
  play p = {.octets = octets, .imports = bh_node_member(vector->test, "imports")};
  bh_bridge bridge = bh_ingest_open(ingest, now);
  bh_ingest_event event;

  expect_next(&p, bh_node_first(p.imports));
  give(&p, bridge, octets->octets, split);
  give(&p, bridge, octets->octets + split, octets->size - split);
  bool closed = p.reason != NULL;
  bh_ingest_end(ingest, bridge, false, now);
  while (bh_ingest_poll(ingest, &event)) {
    take(&p, &event);
  }
  cr_assert_not(bh_node_given(p.next), "an import is missing");
  cr_assert_eq(closed, bh_node_is(ending, "bye") || bh_node_is(ending, "broken"));
  cr_assert_eq(p.orderly, bh_node_is(ending, "bye") || bh_node_is(ending, "between"));
  cr_assert_not_null(p.reason);
  cr_assert_eq(strcmp(p.reason, "Bye Megascans") == 0, bh_node_is(ending, "bye"));
  expect_next(&p, (bh_node){.file = vector->test.file, .token = -1});
}

Test(ingest, vectors_at_every_split) {
  bh_vectors *file = bh_vectors_open("bridge.json");
  bh_vector vector = {0};

  cr_assert_not_null(file);
  while (bh_vectors_next(file, &vector)) {
    bh_expanded octets;
    cr_assert(bh_node_octets(bh_node_member(vector.test, "octets"), &octets));
    size_t split = 0;
    do {
      play_vector(&vector, &octets, split);
      /* The grammar's own test splits the long ones too. */
      split = octets.size > LONG ? 0 : bh_expanded_split(&octets, split);
    } while (split != 0);
    bh_expanded_free(&octets);
  }
  bh_vectors_close(file);
}
