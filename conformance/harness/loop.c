/* SPDX-License-Identifier: MIT */
/* One loop for a case: everything that the harness waits for comes through it. */

#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

#define TICK_MS 5
#define ANSWER_MS 1500
#define MUTE_ANSWER_MS 150

static uv_loop_t the_loop;
static uv_timer_t tick; /* so that conditions on files are looked at again */
static pid_t runner;
static uint64_t last_ran, longest_gap, extension;

uv_loop_t *loop(void) {
  return &the_loop;
}

uint64_t now_ms(void) {
  return uv_hrtime() / 1000000;
}

uint64_t deadline_ms(void) {
  static bool heard; /* once and for all */
  heard = heard || has_learned(HEARD);
  bool mute = !heard && has_learned(MUTE);
  return (uint64_t)(((mute ? MUTE_ANSWER_MS : ANSWER_MS) + (double)extension) * time_scale());
}

void extend_deadline(uint64_t ms) {
  extension += ms;
}

static void ticked(uv_timer_t *timer) {
  (void)timer;
}

void loop_begin(void) {
  runner = getppid();
  uv_loop_init(&the_loop);
  uv_timer_init(&the_loop, &tick);
  uv_timer_start(&tick, ticked, TICK_MS, TICK_MS);
  last_ran = now_ms();
  longest_gap = 0;
}

static void close_handle(uv_handle_t *handle, void *arg) {
  (void)arg;
  if (!uv_is_closing(handle)) {
    uv_close(handle, NULL);
  }
}

void loop_end(void) {
  uv_walk(&the_loop, close_handle, NULL);
  uv_run(&the_loop, UV_RUN_DEFAULT);
  uv_loop_close(&the_loop);
}

uint64_t loop_longest_gap(void) {
  return longest_gap;
}

/* A worker whose runner was killed has nobody to tell. The guard ends what has started before it looked. */
static void end_with_runner(void) {
  if (getppid() != runner) {
    processes_kill();
    _exit(EXIT_FAILURE);
  }
}

static void run_once(void) {
  end_with_runner();
  uv_run(&the_loop, UV_RUN_ONCE);
  uint64_t now = now_ms();
  if (now - last_ran > longest_gap) {
    longest_gap = now - last_ran;
  }
  last_ran = now;
}

bool wait_quietly(bool (*condition)(void *arg), void *arg, uint64_t ms) {
  uint64_t end = now_ms() + ms;
  while (!condition(arg)) {
    if (now_ms() >= end) {
      return false;
    }
    run_once();
  }
  return true;
}

bool wait_patiently(bool (*condition)(void *arg), void *arg, uint64_t ms) {
  uint64_t end = now_ms() + ms;
  for (;;) {
    raise_pending();
    if (condition(arg)) {
      return true;
    }
    if (now_ms() >= end) {
      return false;
    }
    run_once();
  }
}

bool wait_until(bool (*condition)(void *arg), void *arg, uint64_t ms) {
  end_patience();
  return wait_patiently(condition, arg, ms);
}
