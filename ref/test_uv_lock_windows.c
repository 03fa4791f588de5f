/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"
#include "test_directory.h"
#include "uv_lock.h"

#include <criterion/criterion.h>
#include <uv.h>

/* Windows locks for a handle: a second hub in this very process is kept out, and is seen, like any other. */
Test(lock, a_hub_that_runs_is_seen_by_its_lock_and_keeps_others_out) {
  const char *spool = test_directory_make();
  bh_why why = {""};
  bh_lock ours;
  bh_lock another;

  cr_assert_not(bh_parked_hub_runs(spool));
  cr_assert_eq(bh_lock_take(&ours, spool, &why), 0, "%s", why.text);
  cr_expect(bh_parked_hub_runs(spool));
  cr_expect_eq(bh_lock_take(&another, spool, &why), UV_EBUSY);
  bh_lock_release(&ours);
  cr_expect_not(bh_parked_hub_runs(spool));
  cr_assert_eq(bh_lock_take(&another, spool, &why), 0, "%s", why.text);
  bh_lock_release(&another);
  test_directory_remove();
}
