/* SPDX-License-Identifier: MIT */
#include "bridge.h"
#include "vectors.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VALUES_MAX = 128 };

typedef struct {
  size_t begin, end; /* in the octets of the connection */
  bool object;
} value;

typedef struct {
  value values[VALUES_MAX]; /* without the empty arrays */
  size_t count;
  const char *ending; /* as in the vectors */
  const char *error;
  uint64_t offset;
} answer;

static const char *error_name(bh_json_error error) {
  static const char *const names[] = {"", "syntax", "utf8", "depth", "short"};
  return names[error];
}

static void end_with(answer *got, const char *ending, const char *error, uint64_t offset) {
  got->ending = ending;
  got->error = error;
  got->offset = offset;
}

/* What a hub does with one event; the size of a value is the caller's to count. */
static void take(answer *got, const bh_stream *stream, bh_stream_status status, value *current) {
  size_t place = (size_t)stream->offset;

  if (stream->inside && place - current->begin > BH_BRIDGE_VALUE_MAX && status != BH_STREAM_BEGIN) {
    end_with(got, "broken", "size", current->begin + BH_BRIDGE_VALUE_MAX);
    return;
  }
  switch (status) {
  case BH_STREAM_MORE:
    break;
  case BH_STREAM_BEGIN:
    *current = (value){.begin = place, .object = stream->object};
    break;
  case BH_STREAM_VALUE:
    if (place - current->begin > BH_BRIDGE_VALUE_MAX) {
      end_with(got, "broken", "size", current->begin + BH_BRIDGE_VALUE_MAX);
    } else if (!stream->empty && got->count < VALUES_MAX) {
      current->end = place;
      got->values[got->count++] = *current;
    }
    break;
  case BH_STREAM_BYE:
    end_with(got, "bye", "", 0);
    break;
  case BH_STREAM_BROKEN:
    end_with(got, "broken", error_name(stream->error), place);
    break;
  }
}

/* One chunk of `first` octets, and then chunks of `step`. */
static answer run(const bh_expanded *octets, size_t first, size_t step) {
  size_t taken = 0;
  size_t end = first < octets->size ? first : octets->size;
  answer got = {.ending = NULL};
  value current = {0};
  bh_stream stream;

  bh_stream_init(&stream);
  while (got.ending == NULL && taken < octets->size) {
    size_t consumed;
    bh_stream_status status = bh_stream_feed(&stream, octets->octets + taken, end - taken, &consumed);
    taken += consumed;
    take(&got, &stream, status, &current);
    if (status == BH_STREAM_MORE) {
      end = step < octets->size - end ? end + step : octets->size;
    }
  }
  if (got.ending == NULL) {
    end_with(&got, stream.inside ? "inside" : "between", "", 0);
  }
  return got;
}

static bool same(const answer *a, const answer *b) {
  if (a->count != b->count || strcmp(a->ending, b->ending) != 0 || strcmp(a->error, b->error) != 0 ||
      a->offset != b->offset) {
    return false;
  }
  for (size_t i = 0; i < a->count; i++) {
    if (a->values[i].begin != b->values[i].begin || a->values[i].end != b->values[i].end ||
        a->values[i].object != b->values[i].object) {
      return false;
    }
  }
  return true;
}

static bool is_import(const bh_expanded *octets, const value *v, const bh_expanded *want) {
  size_t brackets = v->object ? 2 : 0;
  size_t size = v->end - v->begin;

  return want->size == size + brackets && memcmp(want->octets + brackets / 2, octets->octets + v->begin, size) == 0 &&
         want->octets[0] == '[' && want->octets[want->size - 1] == ']';
}

static void check_imports(uint64_t id, const bh_expanded *octets, const answer *got, bh_node imports) {
  size_t i = 0;

  cr_assert_eq(got->count, bh_node_count(imports), "tcId %" PRIu64 ": %zu imports", id, got->count);
  for (bh_node node = bh_node_first(imports); bh_node_given(node); node = bh_node_next(imports, node)) {
    bh_expanded want;
    cr_assert(bh_node_octets(node, &want));
    cr_assert(is_import(octets, &got->values[i], &want), "tcId %" PRIu64 ": import %zu is another", id, i);
    bh_expanded_free(&want);
    i++;
  }
}

static void check_whole(uint64_t id, bh_node test, const bh_expanded *octets, const answer *got) {
  bh_node error = bh_node_member(test, "error");

  cr_assert(bh_node_is(bh_node_member(test, "ending"), got->ending), "tcId %" PRIu64 ": it ends %s", id, got->ending);
  check_imports(id, octets, got, bh_node_member(test, "imports"));
  if (bh_node_given(error)) {
    cr_assert(bh_node_is(error, got->error), "tcId %" PRIu64 ": the error is %s", id, got->error);
    cr_assert_eq(got->offset, bh_node_number(bh_node_member(test, "offset")), "tcId %" PRIu64 ": wrong at %" PRIu64, id,
                 got->offset);
  }
}

static void try_vector(const bh_vector *vector) {
  uint64_t id = bh_node_number(bh_node_member(vector->test, "tcId"));
  bh_expanded octets;
  answer whole;
  answer got;

  cr_assert(bh_node_octets(bh_node_member(vector->test, "octets"), &octets));
  whole = run(&octets, octets.size, octets.size);
  check_whole(id, vector->test, &octets, &whole);
  got = run(&octets, 1, octets.size > (1U << 20) ? 8191 : 1);
  cr_assert(same(&whole, &got), "tcId %" PRIu64 ": in small chunks it is another", id);
  for (size_t at = bh_expanded_split(&octets, 0); at != 0; at = bh_expanded_split(&octets, at)) {
    got = run(&octets, at, octets.size);
    if (!same(&whole, &got)) {
      cr_assert_fail("tcId %" PRIu64 ": split at %zu it is another", id, at);
    }
  }
  bh_expanded_free(&octets);
}

Test(bridge, vectors_at_every_split) {
  bh_vectors *file = bh_vectors_open("bridge.json");
  bh_vector vector = {0};

  cr_assert_not_null(file);
  while (bh_vectors_next(file, &vector)) {
    try_vector(&vector);
  }
  bh_vectors_close(file);
}

/* ---- the order of events */

static const char *events(const char *text) {
  static char line[256];
  size_t size = strlen(text);
  size_t taken = 0;
  size_t consumed;
  bh_stream stream;
  bh_stream_status status;

  line[0] = '\0';
  bh_stream_init(&stream);
  do {
    status = bh_stream_feed(&stream, (const uint8_t *)text + taken, size - taken, &consumed);
    taken += consumed;
    snprintf(line + strlen(line), sizeof line - strlen(line), "%c%zu%s%s ", "mbvyx"[status], taken,
             stream.inside ? "i" : "", status == BH_STREAM_BEGIN && stream.object ? "o" : "");
  } while (status == BH_STREAM_BEGIN || status == BH_STREAM_VALUE);
  return line;
}

Test(bridge, a_value_begins_before_its_first_octet_and_ends_behind_its_last) {
  cr_assert_str_eq(events(" [{}] "), "b1i v5 m6 ");
  cr_assert_str_eq(events("{\"a\":{}}[]"), "b0io v8 b8i v10 m10 ");
  cr_assert_str_eq(events("[{}"), "b0i m3i ");
  cr_assert_str_eq(events("[{}]x"), "b0i v4 x4 ");
  cr_assert_str_eq(events("[{}x"), "b0i x3i ");
  cr_assert_str_eq(events("[{}]Bye Megascans[]"), "b0i v4 y17 ");
}

Test(bridge, only_an_array_without_elements_is_empty) {
  bh_stream stream;
  size_t consumed;

  bh_stream_init(&stream);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"[ ]", 3, &consumed), BH_STREAM_BEGIN);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"[ ]", 3, &consumed), BH_STREAM_VALUE);
  cr_assert(stream.empty);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"{}", 2, &consumed), BH_STREAM_BEGIN);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"{}", 2, &consumed), BH_STREAM_VALUE);
  cr_assert_not(stream.empty);
}

Test(bridge, a_value_too_deep_is_latched) {
  static const uint8_t opened[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";
  bh_stream stream;
  size_t consumed;

  bh_stream_init(&stream);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"{\"a\":", 5, &consumed), BH_STREAM_BEGIN);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"{\"a\":", 5, &consumed), BH_STREAM_MORE);
  cr_assert_eq(bh_stream_feed(&stream, opened, sizeof opened - 1, &consumed), BH_STREAM_BROKEN);
  cr_assert_eq(consumed, BH_BRIDGE_DEPTH_MAX - 2, "the array around the object counts, and so does the object");
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"]", 1, &consumed), BH_STREAM_BROKEN);
  cr_assert_eq(consumed, 0);
  cr_assert_eq(stream.error, BH_JSON_DEPTH);
}

Test(bridge, a_wrong_octet_and_the_shutdown_word_are_latched) {
  bh_stream stream;
  size_t consumed;

  bh_stream_init(&stream);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"GET", 3, &consumed), BH_STREAM_BROKEN);
  cr_assert_eq(consumed, 0);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"[{}]", 4, &consumed), BH_STREAM_BROKEN);
  cr_assert_eq(stream.offset, 0);

  bh_stream_init(&stream);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"Bye Megascans", 13, &consumed), BH_STREAM_BYE);
  cr_assert_eq(bh_stream_feed(&stream, (const uint8_t *)"[{}]", 4, &consumed), BH_STREAM_BYE);
  cr_assert_eq(consumed, 0);
  cr_assert_not(stream.inside);
}
