/* SPDX-License-Identifier: MIT */
#include "reader.h"
#include "test_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages out of a stream: spec/protocol.md, section 3.1. The vectors show which are right and wrong. */

static test_memory memory;
static bh_reader reader;
static char text[1024]; /* what was read so far, told */

static void begin(void) {
  bh_reader_init(&reader, BH_CLIENT_BODY_MAX, test_allocator(&memory));
}

static void end(void) {
  bh_reader_free(&reader);
  cr_expect_eq(memory.blocks, 0);
}

TestSuite(reader, .init = begin, .fini = end);

/* Reads octets that are gone afterwards, `chunk` at once, and tells what comes of them. */
static const char *reads(const char *octets, size_t size, size_t chunk) {
  text[0] = '\0';
  for (size_t taken = 0; taken < size;) {
    size_t part = size - taken < chunk ? size - taken : chunk;
    uint8_t *given = malloc(part);
    size_t consumed = 0;
    memcpy(given, octets + taken, part);
    bh_read_status status = bh_reader_next(&reader, given, part, &consumed);
    taken += consumed;
    size_t at = strlen(text);
    if (status == BH_READ_MESSAGE) {
      snprintf(text + at, sizeof text - at, "%d:%u(%.*s) ", (int)reader.type, (unsigned)reader.id,
               (int)reader.body_size, (const char *)reader.body);
    }
    free(given);
    if (status == BH_READ_BROKEN) {
      snprintf(text + at, sizeof text - at, "broken %d,%u %s", (int)reader.code, (unsigned)reader.for_id,
               reader.requirement);
      break;
    }
    cr_assert_neq(status, BH_READ_NO_MEMORY);
  }
  return text;
}

/* BH-FRAME-001, BH-FRAME-002 */
Test(reader, messages_in_any_chunking) {
  static const char octets[] = "BH1 ACK 1 9\n{\"for\":1}BH1 HEARTBEAT 2 0\nBH1 FROB_ 3 3\n{ }BH1 ERROR 4 0\n";

  for (size_t chunk = 1; chunk <= sizeof octets; chunk++) {
    end();
    begin();
    cr_assert_str_eq(reads(octets, sizeof octets - 1, chunk),
                     quoted("%d:1({'for':1}) %d:2() 0:3({ }) %d:4() ", BH_ACK, BH_HEARTBEAT, BH_ERROR));
    cr_assert_eq(reader.offset, sizeof octets - 1);
    cr_assert_eq(reader.message_offset, sizeof octets - 1 - 14);
  }
}

/* BH-FRAME-008, BH-FRAME-009 */
Test(reader, ids_count_up_by_one) {
  cr_assert_str_eq(reads("BH1 ACK 1 0\nBH1 ACK 3 0\nBH1 ACK 2 0\n", 36, 36),
                   quoted("%d:1() broken %d,3 BH-FRAME-008", BH_ACK, BH_CODE_MALFORMED));
  cr_assert_eq(reader.offset, 24);
  cr_assert_eq(reader.message_offset, 12);
}

/* BH-FRAME-008: nothing follows the last id there is. */
Test(reader, ids_do_not_wrap) {
  reader.last_id = UINT32_MAX - 1;
  cr_assert_str_eq(reads("BH1 ACK 4294967295 0\nBH1 ACK 4294967295 0\n", 42, 42),
                   quoted("%d:4294967295() broken %d,4294967295 BH-FRAME-008", BH_ACK, BH_CODE_MALFORMED));
  end();
  begin();
  reader.last_id = UINT32_MAX;
  cr_assert_str_eq(reads("BH1 ACK 1 0\n", 12, 12), quoted("broken %d,1 BH-FRAME-008", BH_CODE_MALFORMED));
}

/* BH-FRAME-003, BH-FRAME-005, BH-FRAME-006 */
Test(reader, a_break_is_latched) {
  size_t consumed;

  cr_assert_str_eq(reads("BH1 ACK 1 65537\n", 16, 16), quoted("broken %d,1 BH-FRAME-006", BH_CODE_TOO_LARGE));
  cr_assert_eq(reader.offset, 14);
  cr_assert_eq(bh_reader_next(&reader, (const uint8_t *)"BH1 ACK 1 0\n", 12, &consumed), BH_READ_BROKEN);
  cr_assert_eq(consumed, 0);
  cr_assert_eq(reader.code, BH_CODE_TOO_LARGE);
  end();
  begin();
  cr_assert_str_eq(reads("BH1 ACK 0", 9, 9), quoted("broken %d,0 BH-FRAME-001", BH_CODE_MALFORMED));
}

/* The body is lent from the octets where it lies whole in them, and copied once where it does not. */
Test(reader, a_body_is_copied_only_where_it_comes_in_pieces) {
  static char octets[3000] = "BH1 ACK 1 2900\n";
  size_t consumed;

  cr_assert_eq(bh_reader_next(&reader, (const uint8_t *)octets, 2915, &consumed), BH_READ_MESSAGE);
  cr_assert_eq(consumed, 2915);
  cr_assert_eq(reader.body, (const uint8_t *)octets + 15);
  cr_assert_eq(memory.calls, 0);
  memcpy(octets, "BH1 ACK 2 2900\n", 15);
  cr_assert_eq(bh_reader_next(&reader, (const uint8_t *)octets, 15, &consumed), BH_READ_MORE);
  cr_assert_eq(bh_reader_next(&reader, (const uint8_t *)octets + 15, 2900, &consumed), BH_READ_MESSAGE);
  cr_assert_eq(reader.body, (const uint8_t *)octets + 15);
  cr_assert_eq(memory.calls, 0);
}

/* Idle connections stay small. */
Test(reader, what_a_large_body_took_is_given_back) {
  static char octets[70000];
  size_t header;
  size_t consumed;

  end();
  bh_reader_init(&reader, BH_BODY_MAX, test_allocator(&memory));
  header = (size_t)snprintf(octets, sizeof octets, "BH1 ACK 1 66000\n");
  cr_assert_eq(bh_reader_next(&reader, (const uint8_t *)octets, header + 1000, &consumed), BH_READ_MORE);
  cr_assert_eq(bh_reader_next(&reader, (const uint8_t *)octets + header + 1000, 65000, &consumed), BH_READ_MESSAGE);
  cr_assert_eq(reader.body_size, 66000);
  cr_assert_eq(memory.blocks, 1);
  cr_assert_eq(bh_reader_next(&reader, (const uint8_t *)"B", 1, &consumed), BH_READ_MORE);
  cr_assert_eq(memory.blocks, 0);
}

Test(reader, without_memory_it_ends) {
  size_t consumed;

  memory.fails_at = 1;
  cr_assert_eq(bh_reader_next(&reader, (const uint8_t *)"BH1 ACK 1 2\n{", 13, &consumed), BH_READ_NO_MEMORY);
  cr_assert_eq(bh_reader_next(&reader, (const uint8_t *)"}", 1, &consumed), BH_READ_NO_MEMORY);
  cr_assert_eq(consumed, 0);
}
