/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"
#include "test_directory.h"
#include "uv_file.h"

#include <criterion/criterion.h>
#include <string.h>

/* Parked imports, by hand, in a spool of the test's own: spec/protocol.md, section 6.1. */

static const char *spool;
static char why[256];

#define FIRST "00000000000000000003.0123456789abcdef-3.1.0._"
#define SECOND "00000000000000000007.0123456789abcdef-7.3.3._"

static void begin(void) {
  spool = test_directory_make();
  bh_directory_make(test_path("parked"));
  test_put("parked/" SECOND ".json", "[{\"a\":1},{\"b\":[2]}]");
  test_put("parked/" SECOND ".why", "they died\n");
  test_put("parked/" FIRST ".json", "[{}]");
  test_put("parked/README", "no import");
}

TestSuite(parked, .init = begin, .fini = test_directory_remove);

Test(parked, imports_are_listed_by_sequence_with_what_is_known_of_them) {
  bh_parked *items;
  size_t count;

  cr_assert_eq(bh_parked_list(spool, &items, &count, why, sizeof why), BH_OK);
  cr_assert_eq(count, 2);
  cr_assert_str_eq(items[0].import.import, "0123456789abcdef-3");
  cr_assert_eq(items[0].assets, 1);
  cr_assert_str_eq(items[0].reason, "");
  cr_assert_str_eq(items[1].import.import, "0123456789abcdef-7");
  cr_assert_eq(items[1].import.deaths, 3);
  cr_assert_eq(items[1].assets, 2);
  cr_assert_eq(items[1].size, 19);
  cr_assert_gt(items[1].parked_at, 1000000000);
  cr_assert_str_eq(items[1].reason, "they died\n");
  bh_parked_free(items);
}

Test(parked, a_spool_that_is_missing_has_nothing_parked) {
  bh_parked *items;
  size_t count = 5;

  cr_assert_eq(bh_parked_list(test_path("nowhere"), &items, &count, why, sizeof why), BH_OK);
  cr_assert_eq(count, 0);
  bh_parked_free(items);
  cr_assert_eq(bh_parked_list(test_path("parked/README"), &items, &count, why, sizeof why), BH_E_STATE);
  cr_assert_not_null(strstr(why, "cannot be listed"));
}

Test(parked, a_retried_import_goes_to_retry_without_its_reason) {
  cr_assert_eq(bh_parked_retry(spool, "0123456789abcdef-7", why, sizeof why), BH_OK);
  cr_assert(test_has("retry/" SECOND ".json"));
  cr_assert_not(test_has("parked/" SECOND ".json"));
  cr_assert_not(test_has("parked/" SECOND ".why"));
  cr_assert(test_has("parked/" FIRST ".json"));
}

Test(parked, a_dropped_import_is_gone) {
  cr_assert_eq(bh_parked_drop(spool, "0123456789abcdef-7", why, sizeof why), BH_OK);
  cr_assert_not(test_has("parked/" SECOND ".json"));
  cr_assert_not(test_has("parked/" SECOND ".why"));
  cr_assert(test_has("parked/" FIRST ".json"));
}

Test(parked, one_that_is_not_parked_is_named) {
  cr_assert_eq(bh_parked_drop(spool, "0123456789abcdef-8", why, sizeof why), BH_E_INVALID);
  cr_assert_not_null(strstr(why, "0123456789abcdef-8"));
  cr_assert_not_null(strstr(why, spool));
  cr_assert_eq(bh_parked_retry(spool, "../x", why, sizeof why), BH_E_INVALID);
  cr_assert_eq(bh_parked_retry(spool, "", NULL, 0), BH_E_INVALID);
}

Test(parked, nothing_is_overwritten_in_retry) {
  bh_directory_make(test_path("retry"));
  test_put("retry/" FIRST ".json", "[{\"other\":1}]");
  cr_assert_eq(bh_parked_retry(spool, "0123456789abcdef-3", why, sizeof why), BH_E_STATE);
  cr_assert(test_has("parked/" FIRST ".json"));
}
