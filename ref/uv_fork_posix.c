/* SPDX-License-Identifier: MIT */
#include "uv_fork.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <pthread.h>
#include <unistd.h>

/* fork() is the process's, and so is this: one bit for each descriptor. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t *bits;
static size_t word_count;

enum { WORD_BITS = 64 };

static void before_fork(void) {
  pthread_mutex_lock(&mutex);
}

static void after_fork_in_parent(void) {
  pthread_mutex_unlock(&mutex);
}

/* Only what a child of a process with threads may call. */
static void after_fork_in_child(void) {
  for (size_t i = 0; i < word_count; i++) {
    for (unsigned bit = 0; bits[i] != 0 && bit < WORD_BITS; bit++) {
      if ((bits[i] >> bit & 1u) != 0) {
        close((int)(i * WORD_BITS + bit));
      }
    }
    bits[i] = 0;
  }
  pthread_mutex_unlock(&mutex);
}

static void begin(void) {
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static bool make_room(size_t words) {
  uint64_t *more;

  if (words <= word_count) {
    return true;
  }
  more = realloc(bits, words * sizeof *bits);
  if (more == NULL) {
    return false;
  }
  for (size_t i = word_count; i < words; i++) {
    more[i] = 0;
  }
  bits = more;
  word_count = words;
  return true;
}

void bh_fork_guard(int descriptor) {
  size_t word = (size_t)descriptor / WORD_BITS;

  if (descriptor < 0) {
    return;
  }
  pthread_once(&once, begin);
  pthread_mutex_lock(&mutex);
  /* Without memory a child may keep it, which is no reason to give the connection up. */
  if (make_room(word + 1)) {
    bits[word] |= UINT64_C(1) << (unsigned)descriptor % WORD_BITS;
  }
  pthread_mutex_unlock(&mutex);
}

void bh_fork_forget(int descriptor) {
  size_t word = (size_t)descriptor / WORD_BITS;

  if (descriptor < 0) {
    return;
  }
  pthread_mutex_lock(&mutex);
  if (word < word_count) {
    bits[word] &= ~(UINT64_C(1) << (unsigned)descriptor % WORD_BITS);
  }
  pthread_mutex_unlock(&mutex);
}

void bh_fork_guard_handle(const uv_handle_t *handle) {
  uv_os_fd_t descriptor;

  if (uv_fileno(handle, &descriptor) == 0) {
    bh_fork_guard(descriptor);
  }
}

void bh_fork_close_handle(uv_handle_t *handle, uv_close_cb closed) {
  uv_os_fd_t descriptor;

  if (uv_fileno(handle, &descriptor) == 0) {
    bh_fork_forget(descriptor);
  }
  uv_close(handle, closed);
}
