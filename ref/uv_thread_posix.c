/* SPDX-License-Identifier: MIT */
/* pthread_setname_np() */
#define _GNU_SOURCE
#include "uv_thread.h"

#include <pthread.h>
#include <signal.h>

static void set_name(uv_thread_t thread, const char *name) {
#ifdef __linux__
  pthread_setname_np(thread, name);
#else
  (void)thread; /* macOS lets a thread name itself alone */
  (void)name;
#endif
}

int bh_thread_start(uv_thread_t *thread, const char *name, void (*run)(void *arg), void *arg) {
  sigset_t all;
  sigset_t former;
  int error;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  error = uv_thread_create(thread, run, arg);
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  if (error == 0) {
    set_name(*thread, name);
  }
  return error;
}
