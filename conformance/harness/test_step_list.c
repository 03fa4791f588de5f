/* SPDX-License-Identifier: MIT */
#include "step_list.h"

#include <criterion/criterion.h>

#include "internal.h"

TestSuite(step_list, .fini = free_all);

Test(step_list, all_of_them) {
  struct step_list all = step_list_read("all"), none_given = step_list_read("");
  cr_assert(all.valid && step_list_has(&all, 1) && step_list_has(&all, UINT32_MAX));
  cr_assert(none_given.valid && step_list_has(&none_given, 5));
}

Test(step_list, some_of_them) {
  struct step_list list = step_list_read("3,8-9");
  cr_assert(list.valid);
  for (uint32_t step = 1; step < 20; step++) {
    cr_assert_eq(step_list_has(&list, step), step == 3 || step == 8 || step == 9, "%u", step);
  }
}

Test(step_list, none_of_them) {
  struct step_list list = step_list_read(NO_STEP);
  cr_assert(list.valid && !step_list_has(&list, 1));
}

Test(step_list, what_is_no_list) {
  static const char *const texts[] = {"x", "3,", ",3", "3-", "-3", "9-8", "3 4", "3;4", "4294967296", "3-4-5", "alle"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cr_assert_not(step_list_read(texts[i]).valid, "%s", texts[i]);
  }
}

Test(step_list, written_as_it_is_read) {
  static const uint32_t steps[] = {1, 2, 3, 5, 8, 9};
  cr_assert_str_eq(step_list_write(steps, 6), "1-3,5,8-9");
  cr_assert_str_eq(step_list_write(steps, 0), NO_STEP);
}
