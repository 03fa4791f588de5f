/* SPDX-License-Identifier: MIT */
#include "frame.h"
#include "vectors.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bh_frame_status feed(bh_frame *frame, const char *text, size_t *consumed) {
  return bh_frame_feed(frame, (const uint8_t *)text, strlen(text), consumed);
}

Test(frame, a_header_ends_before_its_body) {
  bh_frame frame;
  size_t consumed;

  bh_frame_init(&frame, BH_BODY_MAX);
  cr_assert_eq(feed(&frame, "BH1 IMPORT_DATA 7 12\n{\"a\"", &consumed), BH_FRAME_HEADER);
  cr_assert_eq(consumed, 21);
  cr_assert_eq(frame.offset, 21);
  cr_assert_eq(frame.type, BH_IMPORT_DATA);
  cr_assert_eq(frame.id, 7);
  cr_assert_eq(frame.length, 12);
}

Test(frame, each_type_is_known_by_its_name) {
  for (bh_type type = BH_REGISTER; type <= BH_ERROR; type++) {
    char header[64];
    size_t consumed;
    bh_frame frame;
    bh_frame_init(&frame, BH_BODY_MAX);
    snprintf(header, sizeof header, "BH1 %s 1 0\n", bh_type_name(type));
    cr_assert_eq(feed(&frame, header, &consumed), BH_FRAME_HEADER);
    cr_assert_eq(frame.type, type);
  }
}

Test(frame, the_id_counts_once_its_space_is_there) {
  bh_frame frame;
  size_t consumed;

  bh_frame_init(&frame, BH_BODY_MAX);
  cr_assert_eq(feed(&frame, "BH1 ACK 4294967295", &consumed), BH_FRAME_MORE);
  cr_assert_not(frame.id_read);
  cr_assert_eq(feed(&frame, " ", &consumed), BH_FRAME_MORE);
  cr_assert(frame.id_read);
  cr_assert_eq(frame.id, UINT32_MAX);
}

Test(frame, a_break_is_latched_and_its_octet_not_taken) {
  bh_frame frame;
  size_t consumed;

  bh_frame_init(&frame, BH_BODY_MAX);
  cr_assert_eq(feed(&frame, "BH1 ACK x", &consumed), BH_FRAME_BROKEN);
  cr_assert_eq(consumed, 8);
  cr_assert_eq(feed(&frame, "1 0\n", &consumed), BH_FRAME_BROKEN);
  cr_assert_eq(consumed, 0);
  cr_assert_eq(frame.offset, 8);
  cr_assert_eq(frame.code, BH_CODE_MALFORMED);
}

Test(frame, a_number_too_large_is_latched_too) {
  bh_frame frame;
  size_t consumed;

  bh_frame_init(&frame, 9);
  cr_assert_eq(feed(&frame, "BH1 ACK 1 10", &consumed), BH_FRAME_BROKEN);
  cr_assert_eq(consumed, 11);
  cr_assert_eq(feed(&frame, "\n", &consumed), BH_FRAME_BROKEN);
  cr_assert_eq(consumed, 0);
  cr_assert_eq(frame.offset, 11);
  cr_assert_eq(frame.code, BH_CODE_TOO_LARGE);
}

Test(frame, the_limit_is_the_receivers) {
  static const struct {
    const char *header;
    uint32_t limit;
    uint64_t wrong_at; /* 0: right */
  } cases[] = {
      {"BH1 ACK 1 0\n", 0, 0},    {"BH1 ACK 1 1\n", 0, 10},     {"BH1 ACK 1 9\n", 9, 0},
      {"BH1 ACK 1 10\n", 9, 11},  {"BH1 ACK 1 100\n", 100, 0},  {"BH1 ACK 1 101\n", 100, 12},
      {"BH1 ACK 1 99\n", 100, 0}, {"BH1 ACK 1 1000\n", 99, 12}, {"BH1 ACK 1 67108864\n", BH_BODY_MAX, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    bh_frame frame;
    size_t consumed;
    bh_frame_init(&frame, cases[i].limit);
    if (cases[i].wrong_at == 0) {
      cr_assert_eq(feed(&frame, cases[i].header, &consumed), BH_FRAME_HEADER, "case %zu", i);
    } else {
      cr_assert_eq(feed(&frame, cases[i].header, &consumed), BH_FRAME_BROKEN, "case %zu", i);
      cr_assert_eq(frame.code, BH_CODE_TOO_LARGE, "case %zu", i);
      cr_assert_eq(frame.offset, cases[i].wrong_at, "case %zu", i);
    }
  }
}

/* ---- every header of the vectors, by itself */

typedef struct {
  bh_frame_status status;
  bh_frame frame;
} answer;

/* One chunk of `first` octets, and then chunks of `step`. */
static answer run(const uint8_t *octets, size_t size, size_t first, size_t step, uint32_t limit) {
  size_t taken = 0;
  size_t chunk = first;
  answer got = {.status = BH_FRAME_MORE};

  bh_frame_init(&got.frame, limit);
  while (got.status == BH_FRAME_MORE && taken < size) {
    size_t consumed;
    chunk = chunk < size - taken ? chunk : size - taken;
    got.status = bh_frame_feed(&got.frame, octets + taken, chunk, &consumed);
    taken += consumed;
    chunk = step;
  }
  return got;
}

static bool same(const answer *a, const answer *b) {
  return a->status == b->status && a->frame.cs == b->frame.cs && a->frame.offset == b->frame.offset &&
         a->frame.type == b->frame.type && a->frame.id == b->frame.id && a->frame.id_read == b->frame.id_read &&
         a->frame.length == b->frame.length && a->frame.code == b->frame.code;
}

static answer run_each_way(uint64_t id, const uint8_t *octets, size_t size, uint32_t limit) {
  answer whole = run(octets, size, size, size, limit);
  answer single = run(octets, size, 1, 1, limit);
  size_t end = (size_t)whole.frame.offset + 1 < size ? (size_t)whole.frame.offset + 1 : size;

  cr_assert(same(&whole, &single), "tcId %" PRIu64 ": octet by octet it is another header", id);
  for (size_t at = 1; at < end; at++) {
    answer split = run(octets, size, at, size, limit);
    if (!same(&whole, &split)) {
      cr_assert_fail("tcId %" PRIu64 ": split at %zu it is another header", id, at);
    }
  }
  return whole;
}

static void check_header(uint64_t id, bh_node want, const bh_frame *frame) {
  bh_node type = bh_node_member(want, "type");

  cr_assert_eq(frame->id, bh_node_number(bh_node_member(want, "id")), "tcId %" PRIu64, id);
  cr_assert_eq(frame->length, bh_node_number(bh_node_member(want, "length")), "tcId %" PRIu64, id);
  cr_assert(bh_node_is(type, bh_type_name(frame->type)) || bh_node_is(bh_node_member(want, "verdict"), "unknown-type"),
            "tcId %" PRIu64, id);
}

/* What breaks behind the end of a header, its id or its body, is for others to find. */
static bool breaks_later(bh_node test, bh_node brk) {
  return !bh_node_is(bh_node_member(brk, "code"), "too-large") &&
         (bh_node_has(bh_node_member(test, "requirements"), "BH-FRAME-008") ||
          bh_node_has(bh_node_member(test, "requirements"), "BH-MSG-007"));
}

static void check_break(uint64_t id, bh_node test, size_t begin, const answer *got) {
  bh_node brk = bh_node_member(test, "break");
  bh_node answers = bh_node_member(brk, "for");

  if (breaks_later(test, brk)) {
    cr_assert_eq(got->status, BH_FRAME_HEADER, "tcId %" PRIu64, id);
    cr_assert_eq(got->frame.id, bh_node_number(answers), "tcId %" PRIu64, id);
    return;
  }
  cr_assert_eq(got->status, BH_FRAME_BROKEN, "tcId %" PRIu64 " is not broken", id);
  cr_assert_eq(begin + got->frame.offset, bh_node_number(bh_node_member(brk, "offset")),
               "tcId %" PRIu64 ": at %" PRIu64, id, begin + got->frame.offset);
  cr_assert(bh_node_is(bh_node_member(brk, "code"), bh_code_name(got->frame.code)), "tcId %" PRIu64, id);
  cr_assert_eq(got->frame.id_read, !bh_node_is_null(answers), "tcId %" PRIu64, id);
  if (got->frame.id_read) {
    cr_assert_eq(got->frame.id, bh_node_number(answers), "tcId %" PRIu64, id);
  }
}

static void check_end(uint64_t id, bh_node test, size_t begin, const answer *got) {
  bh_node end = bh_node_member(test, "end");

  if (bh_node_is(end, "break")) {
    check_break(id, test, begin, got);
  } else if (bh_node_is(end, "body")) {
    cr_assert_eq(got->status, BH_FRAME_HEADER, "tcId %" PRIu64, id);
    check_header(id, bh_node_member(test, "pending"), &got->frame);
  } else {
    cr_assert_eq(got->status, BH_FRAME_MORE, "tcId %" PRIu64, id);
    cr_assert_eq(got->frame.offset > 0, bh_node_is(end, "header"), "tcId %" PRIu64, id);
  }
}

static void try_vector(const bh_vector *vector) {
  uint64_t id = bh_node_number(bh_node_member(vector->test, "tcId"));
  bool hub = bh_node_is(bh_node_member(vector->group, "receiver"), "hub");
  uint32_t limit = hub ? BH_CLIENT_BODY_MAX : BH_BODY_MAX;
  bh_node messages = bh_node_member(vector->test, "messages");
  bh_expanded octets;
  size_t begin = 0;
  answer got;

  cr_assert(bh_node_octets(bh_node_member(vector->test, "octets"), &octets));
  for (bh_node m = bh_node_first(messages); bh_node_given(m); m = bh_node_next(messages, m)) {
    got = run_each_way(id, octets.octets + begin, octets.size - begin, limit);
    cr_assert_eq(got.status, BH_FRAME_HEADER, "tcId %" PRIu64, id);
    check_header(id, m, &got.frame);
    begin += got.frame.offset + got.frame.length;
    cr_assert_leq(begin, octets.size, "tcId %" PRIu64, id);
  }
  got = run_each_way(id, octets.octets + begin, octets.size - begin, limit);
  check_end(id, vector->test, begin, &got);
  bh_expanded_free(&octets);
}

static void try_file(const char *name) {
  bh_vectors *file = bh_vectors_open(name);
  bh_vector vector = {0};

  cr_assert_not_null(file);
  while (bh_vectors_next(file, &vector)) {
    try_vector(&vector);
  }
  bh_vectors_close(file);
}

Test(frame, headers_of_the_frame_vectors_at_every_split) {
  try_file("frame.json");
}

Test(frame, headers_of_the_message_vectors_at_every_split) {
  try_file("messages.json");
}
