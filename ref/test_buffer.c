/* SPDX-License-Identifier: MIT */
#include "buffer.h"
#include "test_support.h"

#include <criterion/criterion.h>

static test_memory memory;
static bh_buffer buffer;

static void begin(void) {
  bh_buffer_init(&buffer, test_allocator(&memory));
}

static void end(void) {
  bh_buffer_free(&buffer);
  cr_expect_eq(memory.blocks, 0);
}

TestSuite(buffer, .init = begin, .fini = end);

Test(buffer, it_grows_and_keeps_what_it_has) {
  for (int i = 0; i < 1000; i++) {
    cr_assert(bh_buffer_append(&buffer, "abcdefg", 7));
  }
  cr_assert_eq(buffer.size, 7000);
  cr_assert_geq(buffer.capacity, 7000);
  for (size_t i = 0; i < buffer.size; i++) {
    cr_assert_eq(buffer.octets[i], "abcdefg"[i % 7]);
  }
  cr_assert_leq(memory.calls, 8); /* by doubling */
}

Test(buffer, nothing_is_allocated_for_nothing) {
  cr_assert(bh_buffer_append(&buffer, NULL, 0));
  cr_assert_eq(memory.calls, 0);
  cr_assert_null(buffer.octets);
}

Test(buffer, clearing_keeps_the_memory_and_freeing_does_not) {
  bh_buffer_append(&buffer, "abc", 3);
  size_t capacity = buffer.capacity;
  bh_buffer_clear(&buffer);
  cr_assert_eq(buffer.size, 0);
  cr_assert_eq(buffer.capacity, capacity);
  cr_assert_eq(memory.blocks, 1);
  bh_buffer_free(&buffer);
  cr_assert_eq(memory.blocks, 0);
  cr_assert(bh_buffer_append(&buffer, "abc", 3));
}

Test(buffer, what_was_reserved_needs_no_memory) {
  cr_assert(bh_buffer_reserve(&buffer, 5000));
  memory.fails_at = memory.calls + 1;
  for (int i = 0; i < 5000; i++) {
    cr_assert(bh_buffer_append(&buffer, "a", 1));
  }
}

Test(buffer, a_failure_is_latched_until_it_is_cleared) {
  memory.fails_at = 2;
  cr_assert(bh_buffer_append(&buffer, "abc", 3));
  cr_assert_not(bh_buffer_reserve(&buffer, 1000));
  cr_assert(buffer.failed);
  cr_assert_not(bh_buffer_append(&buffer, "d", 1));
  cr_assert_eq(buffer.size, 3);
  bh_buffer_clear(&buffer);
  cr_assert(bh_buffer_append(&buffer, "d", 1));
  cr_assert_eq(buffer.octets[0], 'd');
}

Test(buffer, a_size_that_cannot_be_is_refused) {
  bh_buffer_append(&buffer, "abc", 3);
  cr_assert_not(bh_buffer_reserve(&buffer, SIZE_MAX));
  bh_buffer_clear(&buffer);
  bh_buffer_append(&buffer, "abc", 3);
  cr_assert_not(bh_buffer_reserve(&buffer, SIZE_MAX - 2));
  cr_assert_eq(memory.calls, 1);
}

Test(buffer, the_systems_allocator_allocates_resizes_and_frees) {
  bh_allocator system = bh_system_allocator();
  char *octets = system.resize(system.ctx, NULL, 4);

  cr_assert_not_null(octets);
  octets[3] = 'x';
  octets = system.resize(system.ctx, octets, 4000);
  cr_assert_eq(octets[3], 'x');
  cr_assert_null(system.resize(system.ctx, octets, 0));
}
