/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_THREAD_H
#define BH_UV_THREAD_H

#include <uv.h>

/* A thread of ours in an application's process. Signals are the application's: none interrupts it, and none of its own
 * (SIGPIPE) ends the process. */
int bh_thread_start(uv_thread_t *thread, void (*run)(void *arg), void *arg);

#endif
