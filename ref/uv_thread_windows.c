/* SPDX-License-Identifier: MIT */
#include "uv_thread.h"

/* There are no signals that a thread could get, and names not before Windows 10. */
int bh_thread_start(uv_thread_t *thread, const char *name, void (*run)(void *arg), void *arg) {
  (void)name;
  return uv_thread_create(thread, run, arg);
}
