/* SPDX-License-Identifier: MIT */
#include "uv_thread.h"

/* There are no signals that a thread could get. */
int bh_thread_start(uv_thread_t *thread, void (*run)(void *arg), void *arg) {
  return uv_thread_create(thread, run, arg);
}
