/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_THREAD_H
#define BH_UV_THREAD_H

#include <uv.h>

/* A thread of ours in an application's process. Signals are the application's: none interrupts it, and none of its own
 * (SIGPIPE) ends the process. On Linux
 * a debugger, and whoever lists the process's threads, sees the name: at most 15 octets. */
int bh_thread_start(uv_thread_t *thread, const char *name, void (*run)(void *arg), void *arg);

#endif
