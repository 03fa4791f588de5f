/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"

#include <criterion/criterion.h>
#include <string.h>

/* The names of the spool's files, written: section 6.1. How they are read is tested beside the grammar. */

Test(spool_name_written, as_the_specification_has_it) {
  bh_import import = {.sequence = 7, .import = "0123456789abcdef-12", .attempt = 2, .deaths = 1, .holder = "a-1"};
  char name[BH_SPOOL_NAME_MAX];

  bh_spool_name(&import, name);
  cr_assert_str_eq(name, "00000000000000000007.0123456789abcdef-12.2.1.a-1.json");
  import.holder[0] = '\0';
  bh_spool_name(&import, name);
  cr_assert_str_eq(name, "00000000000000000007.0123456789abcdef-12.2.1._.json");
}

Test(spool_name_written, the_longest_fits_and_is_read_back) {
  bh_import import = {.sequence = UINT64_MAX,
                      .import = "ffffffffffffffff-18446744073709551615",
                      .attempt = UINT32_MAX,
                      .deaths = UINT32_MAX};
  bh_import again;
  char name[BH_SPOOL_NAME_MAX];

  memset(import.holder, 'h', BH_INSTANCE_ID_MAX);
  bh_spool_name(&import, name);
  cr_assert_eq(strlen(name), 20 + 37 + 10 + 10 + 64 + 9);
  cr_assert(bh_spool_name_parse(name, &again));
  cr_assert_eq(again.sequence, import.sequence);
  cr_assert_str_eq(again.import, import.import);
  cr_assert_eq(again.attempt, import.attempt);
  cr_assert_eq(again.deaths, import.deaths);
  cr_assert_str_eq(again.holder, import.holder);
}
