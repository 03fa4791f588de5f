/* SPDX-License-Identifier: MIT */
#include "uv_thread.h"

#include <pthread.h>
#include <signal.h>

int bh_thread_start(uv_thread_t *thread, void (*run)(void *arg), void *arg) {
  sigset_t all;
  sigset_t former;
  int error;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  error = uv_thread_create(thread, run, arg);
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  return error;
}
