/* SPDX-License-Identifier: MIT */
#include "uv_process.h"

#include <criterion/criterion.h>

/* What is told of a process by its pid, which another may have by now, and by when it started. */

static bh_process_state look(uint32_t pid, uint64_t start) {
  const bh_process process = {.pid = pid, .start = start};

  return bh_process_look(&process);
}

Test(process, one_whose_pid_is_anothers_by_now_is_gone) {
  uint32_t pid = (uint32_t)uv_os_getpid();

  cr_expect_eq(look(pid, 0), BH_PROCESS_LIVES);
  cr_expect_eq(look(pid, 1), BH_PROCESS_GONE);
}

Test(process, one_that_cannot_be_asked_after_lives) {
  cr_expect_eq(look(0, 0), BH_PROCESS_LIVES);
}

Test(process, one_that_nobody_is_is_gone) {
  cr_expect_eq(look(0x7ffffff0, 0), BH_PROCESS_GONE);
}
