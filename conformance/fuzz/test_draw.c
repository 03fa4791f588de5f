/* SPDX-License-Identifier: MIT */
#include "draw.h"

#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "words.h"
#include "world.h"

/* What is drawn: always the same, right where nothing is to be wrong, and wrong in many ways otherwise. */

#define RUNS 300
#define BODY_MAX_AT_HUB 65536

static void begin(void) {
  setenv(ENV_SEED, "7", 1);
  setenv("BH_VECTORS", "spec/vectors", 0);
}

TestSuite(draw, .init = begin, .fini = free_all);

static bh_buffer conversation(uint32_t number, uint32_t wrongness) {
  bh_buffer octets = draw_buffer();
  random_restart(number);
  draw_conversation(&octets, wrongness);
  return octets;
}

Test(draw, the_same_number_draws_the_same_octets) {
  for (uint32_t i = 0; i < RUNS; i++) {
    bh_buffer one = conversation(i, 5), other = conversation(i, 5);
    cr_assert_eq(one.size, other.size);
    cr_assert_arr_eq(one.octets, other.octets, one.size);
    bh_buffer_free(&one);
    bh_buffer_free(&other);
  }
}

Test(draw, another_seed_draws_other_octets) {
  bh_buffer one = conversation(1, 5);
  setenv(ENV_SEED, "8", 1);
  bh_buffer other = conversation(1, 5);
  cr_assert(one.size != other.size || memcmp(one.octets, other.octets, one.size) != 0);
  bh_buffer_free(&one);
  bh_buffer_free(&other);
}

/* How the octets end; the messages that are whole are counted. */
static bh_read_status read_all(const bh_buffer *octets, size_t *messages, bh_code *code) {
  bh_reader reader;
  bh_reader_init(&reader, BODY_MAX_AT_HUB, bh_system_allocator());
  bh_read_status status = BH_READ_MESSAGE;
  for (size_t at = 0, consumed; status == BH_READ_MESSAGE; at += consumed) {
    status = bh_reader_next(&reader, octets->octets + at, octets->size - at, &consumed);
    *messages += status == BH_READ_MESSAGE;
  }
  *code = reader.code;
  bh_reader_free(&reader);
  return status;
}

Test(draw, nothing_is_wrong_where_nothing_is_to_be) {
  size_t messages = 0;
  bh_code code;
  for (uint32_t i = 0; i < RUNS; i++) {
    bh_buffer octets = conversation(i, 0);
    cr_assert_eq(read_all(&octets, &messages, &code), BH_READ_MORE, "%u: %.*s", i, (int)octets.size,
                 (char *)octets.octets);
    bh_buffer_free(&octets);
  }
  cr_assert_geq(messages, RUNS);
}

Test(draw, much_is_wrong_where_it_is_to_be) {
  size_t messages = 0, malformed = 0, too_large = 0;
  for (uint32_t i = 0; i < RUNS; i++) {
    bh_code code;
    bh_buffer octets = conversation(i, 5);
    bool broken = read_all(&octets, &messages, &code) == BH_READ_BROKEN;
    malformed += broken && code == BH_CODE_MALFORMED;
    too_large += broken && code == BH_CODE_TOO_LARGE;
    bh_buffer_free(&octets);
  }
  cr_assert_geq(messages, RUNS, "%zu messages", messages);
  cr_assert_geq(malformed, RUNS / 10, "%zu malformed", malformed);
  cr_assert_geq(too_large, 3, "%zu too large", too_large);
}

Test(draw, streams_have_values_and_ends_of_every_kind) {
  size_t imports = 0, broken = 0, orderly = 0, partial = 0;
  for (uint32_t i = 0; i < RUNS; i++) {
    bh_buffer octets = draw_buffer();
    random_restart(i);
    draw_stream(&octets, "x", 5);
    struct stream_outlook outlook = stream_judge(octets.octets, octets.size);
    imports += outlook.count;
    broken += outlook.closes && !outlook.orderly;
    orderly += outlook.closes && outlook.orderly;
    partial += outlook.partial;
    bh_buffer_free(&octets);
  }
  cr_assert(imports >= RUNS && broken >= RUNS / 10 && orderly >= 2 && partial >= RUNS / 30,
            "%zu imports, %zu broken, %zu ended by Bye, %zu cut short", imports, broken, orderly, partial);
}

Test(draw, damage_has_the_words_of_the_grammar) {
  bool found = false;
  for (size_t i = 0; i < word_count; i++) {
    found = found || (words[i].size == 13 && memcmp(words[i].octets, "Bye Megascans", 13) == 0);
  }
  cr_assert(found);
}
