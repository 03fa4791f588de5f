/* SPDX-License-Identifier: MIT */
#include "json.h"
#include "vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  bh_json_status status;
  bh_json_error error;
  uint64_t offset;
  uint64_t spans; /* a sum over the members told with `outline` */
} answer;

static uint64_t add_spans(uint64_t sum, const bh_json *json) {
  uint64_t places[] = {json->key.begin, json->key.end, json->value.begin, json->value.end};

  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    sum = sum * 1000003 + places[i] + 1;
  }
  return sum;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* One chunk of `first` octets, and then chunks of `step`. */
static answer run(const uint8_t *octets, size_t size, size_t first, size_t step, int max_depth, bool outline) {
  size_t taken = 0;
  size_t end = smaller(first, size);
  answer got = {0};
  bh_json json;

  bh_json_init(&json, max_depth, outline);
  do {
    size_t consumed = 0;
    got.status = bh_json_feed(&json, octets + taken, end - taken, &consumed);
    taken += consumed;
    if (got.status == BH_JSON_MEMBER) {
      got.spans = add_spans(got.spans, &json);
    } else if (got.status == BH_JSON_MORE && end < size) {
      end += smaller(step, size - end);
    } else if (got.status == BH_JSON_MORE) {
      got.status = bh_json_end(&json);
    }
  } while (got.status == BH_JSON_MORE || got.status == BH_JSON_MEMBER);
  got.error = json.error;
  got.offset = json.offset;
  return got;
}

static bool same(answer a, answer b) {
  return a.status == b.status && a.error == b.error && a.offset == b.offset && a.spans == b.spans;
}

static answer expected(bh_node test, size_t size) {
  static const char *const errors[] = {"", "syntax", "utf8", "depth", "short"};
  answer want = {BH_JSON_DONE, BH_JSON_OK, size, 0};
  bh_node error = bh_node_member(test, "error");

  if (bh_node_given(error)) {
    want.status = BH_JSON_BROKEN;
    want.offset = bh_node_number(bh_node_member(test, "offset"));
    while (!bh_node_is(error, errors[want.error])) {
      want.error++;
    }
  }
  return want;
}

static void check(const bh_vector *vector, answer want, answer got, const char *how, size_t at) {
  if (!same(want, got)) {
    cr_assert_fail("tcId %llu, %s %zu: error %d at %llu, not %d at %llu",
                   (unsigned long long)bh_node_number(bh_node_member(vector->test, "tcId")), how, at, got.error,
                   (unsigned long long)got.offset, want.error, (unsigned long long)want.offset);
  }
}

static void try_vector(const bh_vector *vector) {
  int depth = (int)bh_node_number(bh_node_member(vector->group, "maxDepth"));
  bh_expanded text;
  answer want;

  cr_assert(bh_node_octets(bh_node_member(vector->test, "octets"), &text));
  want = expected(vector->test, text.size);
  check(vector, want, run(text.octets, text.size, text.size, 0, depth, false), "whole", 0);
  check(vector, want, run(text.octets, text.size, 1, 1, depth, false), "in chunks of", 1);
  for (size_t at = bh_expanded_split(&text, 0); at != 0; at = bh_expanded_split(&text, at)) {
    check(vector, want, run(text.octets, text.size, at, text.size, depth, false), "split at", at);
  }

  want.spans = run(text.octets, text.size, text.size, 0, depth, true).spans;
  check(vector, want, run(text.octets, text.size, 1, 1, depth, true), "outline in chunks of", 1);
  for (size_t at = bh_expanded_split(&text, 0); at != 0; at = bh_expanded_split(&text, at)) {
    check(vector, want, run(text.octets, text.size, at, text.size, depth, true), "outline split at", at);
  }
  bh_expanded_free(&text);
}

Test(json, vectors_at_every_split) {
  bh_vectors *file = bh_vectors_open("json.json");
  bh_vector vector = {0};

  cr_assert_not_null(file);
  while (bh_vectors_next(file, &vector)) {
    try_vector(&vector);
  }
  bh_vectors_close(file);
}

static answer run_text(const char *text, int max_depth) {
  return run((const uint8_t *)text, strlen(text), strlen(text), 0, max_depth, false);
}

Test(json, depth_is_the_callers_to_choose) {
  cr_assert_eq(run_text("1", 0).status, BH_JSON_DONE);
  cr_assert_eq(run_text(" []", 0).error, BH_JSON_DEPTH);
  cr_assert_eq(run_text(" {}", 0).offset, 1);
  cr_assert_eq(run_text("[1]", 1).status, BH_JSON_DONE);
  cr_assert_eq(run_text("[[]]", 1).error, BH_JSON_DEPTH);
  cr_assert_eq(run_text("[[]]", 1).offset, 1);
  cr_assert_eq(run_text("{\"a\":{}}", 1).offset, 5);
  cr_assert_eq(run_text("{\"a\":[{}]}", 3).status, BH_JSON_DONE);
}

/* It is read one machine deeper than the value that it stands in, which must not count. */
Test(json, a_character_of_several_octets_takes_no_depth) {
  char text[BH_DEPTH_MAX + 16];

  memset(text, '[', BH_DEPTH_MAX);
  snprintf(text + BH_DEPTH_MAX, 16, "\"\xC3\xA9\",[");
  cr_assert_eq(run_text(text, BH_DEPTH_MAX).error, BH_JSON_DEPTH);
  cr_assert_eq(run_text(text, BH_DEPTH_MAX).offset, BH_DEPTH_MAX + strlen("\"\xC3\xA9\","));
  cr_assert_eq(run_text("\"\xC3\xA9\"", 0).status, BH_JSON_DONE);
  cr_assert_eq(run_text("[[\"\xC3\xA9\",[]]]", 2).offset, 7);
}

Test(json, an_error_is_latched) {
  bh_json json;
  size_t consumed = 7;

  bh_json_init(&json, BH_DEPTH_MAX, false);
  cr_assert_eq(bh_json_feed(&json, (const uint8_t *)"[}", 2, &consumed), BH_JSON_BROKEN);
  cr_assert_eq(consumed, 1);
  cr_assert_eq(bh_json_feed(&json, (const uint8_t *)"]", 1, &consumed), BH_JSON_BROKEN);
  cr_assert_eq(consumed, 0);
  cr_assert_eq(bh_json_end(&json), BH_JSON_BROKEN);
  cr_assert_eq(json.error, BH_JSON_SYNTAX);
  cr_assert_eq(json.offset, 1);
}

Test(json, an_error_that_no_grammar_knows_is_latched_too) {
  bh_json json;
  size_t consumed = 7;

  bh_json_init(&json, 1, false);
  cr_assert_eq(bh_json_feed(&json, (const uint8_t *)"[[", 2, &consumed), BH_JSON_BROKEN);
  cr_assert_eq(consumed, 1);
  cr_assert_eq(bh_json_feed(&json, (const uint8_t *)"]", 1, &consumed), BH_JSON_BROKEN);
  cr_assert_eq(consumed, 0);
  cr_assert_eq(bh_json_end(&json), BH_JSON_BROKEN);
  cr_assert_eq(json.error, BH_JSON_DEPTH);
  cr_assert_eq(json.offset, 1);
}

Test(json, no_octets_change_nothing) {
  bh_json json;
  size_t consumed = 7;

  bh_json_init(&json, BH_DEPTH_MAX, false);
  cr_assert_eq(bh_json_feed(&json, NULL, 0, &consumed), BH_JSON_MORE);
  cr_assert_eq(consumed, 0);
  cr_assert_eq(bh_json_feed(&json, (const uint8_t *)"1", 1, &consumed), BH_JSON_MORE);
  cr_assert_eq(bh_json_feed(&json, NULL, 0, &consumed), BH_JSON_MORE);
  cr_assert_eq(bh_json_end(&json), BH_JSON_DONE);
}

static void add_piece(char line[256], const char *text, bh_span span, const char *behind) {
  size_t size = strlen(line);

  snprintf(line + size, 256 - size, "%.*s%s", (int)(span.end - span.begin), text + span.begin, behind);
}

/* Tells the members of `text` as one line: KEY=VALUE; or VALUE; each. */
static const char *outline(const char *text) {
  static char line[256];
  size_t size = strlen(text);
  size_t taken = 0;
  size_t consumed;
  bh_json json;

  line[0] = '\0';
  bh_json_init(&json, BH_DEPTH_MAX, true);
  while (bh_json_feed(&json, (const uint8_t *)text + taken, size - taken, &consumed) == BH_JSON_MEMBER) {
    taken += consumed;
    if (json.key.end > json.key.begin) {
      add_piece(line, text, json.key, "=");
    }
    add_piece(line, text, json.value, ";");
  }
  return bh_json_end(&json) == BH_JSON_DONE ? line : "broken";
}

Test(json, outline_tells_members_without_white_space_around_them) {
  cr_assert_str_eq(outline("{\"a\":1}"), "\"a\"=1;");
  cr_assert_str_eq(outline(" { \"a\\\"\" : -1.5e3 ,\n\"b\"\t:\"x\\\\\" , \"\":null } "),
                   "\"a\\\"\"=-1.5e3;\"b\"=\"x\\\\\";\"\"=null;");
  cr_assert_str_eq(outline("{\"a\":{\"b\":[1,{}]},\"c\":[ ]}"), "\"a\"={\"b\":[1,{}]};\"c\"=[ ];");
  cr_assert_str_eq(outline("{ }"), "");
}

Test(json, outline_tells_elements) {
  cr_assert_str_eq(outline("[1,[2,{\"a\":3}] , \"x\",{},true]"), "1;[2,{\"a\":3}];\"x\";{};true;");
  cr_assert_str_eq(outline("[]"), "");
  cr_assert_str_eq(outline("[[]]"), "[];");
}

Test(json, outline_of_a_value_that_is_neither) {
  cr_assert_str_eq(outline("12"), "");
  cr_assert_str_eq(outline("\"x\""), "");
}

Test(json, an_element_has_no_key_even_behind_a_member) {
  bh_json json;
  size_t consumed;

  bh_json_init(&json, BH_DEPTH_MAX, true);
  cr_assert_eq(bh_json_feed(&json, (const uint8_t *)"[{\"a\":1},2]", 11, &consumed), BH_JSON_MEMBER);
  cr_assert_eq(json.key.end, json.key.begin);
  cr_assert_eq(consumed, 9, "the octet that ends the value is taken with it");
}

Test(json, each_error_has_its_words) {
  const char *words[BH_JSON_SHORT + 1];

  for (int error = BH_JSON_OK; error <= BH_JSON_SHORT; error++) {
    words[error] = bh_json_error_string((bh_json_error)error);
    cr_assert_gt(strlen(words[error]), 0);
    for (int other = BH_JSON_OK; other < error; other++) {
      cr_assert_str_neq(words[error], words[other]);
    }
  }
}
