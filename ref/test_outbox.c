/* SPDX-License-Identifier: MIT */
#include "outbox.h"
#include "test_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static test_memory memory;
static bh_outbox box;
static bh_buffer body;

static void begin(void) {
  bh_outbox_init(&box, test_allocator(&memory));
  bh_buffer_init(&body, bh_system_allocator());
}

static void end(void) {
  bh_outbox_free(&box);
  bh_buffer_free(&body);
  cr_expect_eq(memory.blocks, 0);
}

TestSuite(outbox, .init = begin, .fini = end);

static uint32_t put(bh_type type, const char *text) {
  bh_buffer_clear(&body);
  bh_buffer_append(&body, text, strlen(text));
  return bh_outbox_put(&box, type, &body);
}

static void lends(const char *expected) {
  const uint8_t *octets;
  size_t size = bh_outbox_lend(&box, &octets);

  cr_assert_eq(size, strlen(expected), "%zu octets: %.*s", size, (int)size, (const char *)octets);
  cr_assert_arr_eq(octets, expected, size);
}

/* BH-FRAME-007 */
Test(outbox, messages_are_numbered_from_1) {
  cr_assert_eq(put(BH_ACK, "{\"for\":1}"), 1);
  cr_assert_eq(put(BH_ERROR, ""), 2);
  lends("BH1 ACK 1 9\n{\"for\":1}BH1 ERROR 2 0\n");
}

Test(outbox, what_is_lent_stays_and_what_comes_meanwhile_follows) {
  const uint8_t *first;
  const uint8_t *octets;

  put(BH_ACK, "{}");
  cr_assert_eq(bh_outbox_lend(&box, &first), 14);
  for (int i = 0; i < 100; i++) {
    put(BH_HEARTBEAT, "{}");
  }
  cr_assert_arr_eq(first, "BH1 ACK 1 2\n{}", 14);
  bh_outbox_sent(&box, 4);
  cr_assert_not(bh_outbox_is_idle(&box));
  cr_assert_eq(bh_outbox_lend(&box, &octets), 10);
  cr_assert_eq(octets, first + 4);
  size_t all = bh_outbox_size(&box);
  bh_outbox_sent(&box, 10);
  cr_assert(bh_outbox_is_idle(&box));
  cr_assert_eq(bh_outbox_size(&box), all - 10);
  cr_assert_eq(bh_outbox_lend(&box, &octets), all - 10);
  cr_assert_arr_eq(octets, "BH1 HEARTBEAT 2 2\n{}BH1", 23);
}

Test(outbox, nothing_is_lent_where_nothing_is) {
  const uint8_t *octets;

  cr_assert_eq(bh_outbox_lend(&box, &octets), 0);
  cr_assert_null(octets);
  put(BH_ACK, "{}");
  lends("BH1 ACK 1 2\n{}");
  bh_outbox_sent(&box, 99); /* more than there was */
  cr_assert_eq(bh_outbox_size(&box), 0);
  cr_assert_eq(bh_outbox_lend(&box, &octets), 0);
}

/* Hundreds of idle connections must not keep the memory of the largest import each. */
Test(outbox, what_a_large_message_took_is_given_back) {
  static char large[200000];

  memset(large, 'x', sizeof large - 1);
  put(BH_IMPORT_DATA, large);
  const uint8_t *octets;
  size_t size = bh_outbox_lend(&box, &octets);
  cr_assert_eq(memory.blocks, 1);
  bh_outbox_sent(&box, size);
  cr_assert_eq(memory.blocks, 0);
}

/* BH-FRAME-012 */
Test(outbox, no_message_goes_beyond_the_last_id) {
  box.last_id = UINT32_MAX - 1;
  cr_assert_eq(put(BH_ACK, "{}"), UINT32_MAX);
  cr_assert_not(box.used_up);
  cr_assert_eq(put(BH_ACK, "{}"), 0);
  cr_assert(box.used_up);
  cr_assert_eq(bh_outbox_begin(&box, BH_IMPORT_DATA, 7), 0);
  lends("BH1 ACK 4294967295 2\n{}");
}

/* What is queued behind a failure may be a part of a message: none of it goes out. */
Test(outbox, nothing_is_lent_behind_a_failure) {
  static char large[1000];
  const uint8_t *octets;

  memset(large, 'x', sizeof large - 1);
  put(BH_ACK, "{}");
  cr_assert_eq(bh_outbox_lend(&box, &octets), 14);
  put(BH_ACK, "{}");
  memory.fails_at = memory.calls + 1;
  put(BH_IMPORT_DATA, large);
  cr_assert(box.queued.failed);
  bh_outbox_sent(&box, 14);
  cr_assert_eq(bh_outbox_lend(&box, &octets), 0);
  cr_assert(box.queued.failed);
  put(BH_ACK, "{}");
  cr_assert_eq(bh_outbox_lend(&box, &octets), 0);
}

Test(outbox, a_body_that_failed_fails_its_message) {
  const uint8_t *octets;

  bh_buffer_append(&body, "{", 1);
  body.failed = true;
  bh_outbox_put(&box, BH_ACK, &body);
  cr_assert(box.queued.failed);
  cr_assert_eq(bh_outbox_lend(&box, &octets), 0);
}
