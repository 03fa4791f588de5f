/* SPDX-License-Identifier: MIT */
#include "cmd_reader.h"

#include "uv_thread.h"

#include <stdbool.h>
#include <stdlib.h>

enum { OCTETS = 4096 };

struct cmd_reader {
  uv_async_t async;
  uv_file file;
  void (*came)(void *ctx, const char *octets, ssize_t got);
  void *ctx;
  uv_thread_t thread;
  uv_sem_t taken; /* what was read, or the reader is stopped */
  uv_mutex_t mutex;
  bool stopped;
  int owners; /* the loop and the thread: the last one frees it */
  ssize_t got;
  char octets[OCTETS];
};

static void let_go(cmd_reader *reader) {
  bool last;

  uv_mutex_lock(&reader->mutex);
  reader->owners--;
  last = reader->owners == 0;
  uv_mutex_unlock(&reader->mutex);
  if (last) {
    uv_mutex_destroy(&reader->mutex);
    uv_sem_destroy(&reader->taken);
    free(reader);
  }
}

static bool is_wanted(cmd_reader *reader) {
  bool stopped;

  uv_mutex_lock(&reader->mutex);
  stopped = reader->stopped;
  uv_mutex_unlock(&reader->mutex);
  return !stopped;
}

/* The handle is not closed while the mutex is held. */
static void hand_over(cmd_reader *reader) {
  uv_mutex_lock(&reader->mutex);
  if (!reader->stopped) {
    uv_async_send(&reader->async);
  }
  uv_mutex_unlock(&reader->mutex);
}

static void run(void *arg) {
  cmd_reader *reader = arg;
  uv_buf_t buffer = uv_buf_init(reader->octets, sizeof reader->octets);
  uv_fs_t request;
  bool goes_on = true;

  while (goes_on) {
    reader->got = uv_fs_read(NULL, &request, reader->file, &buffer, 1, -1, NULL);
    uv_fs_req_cleanup(&request);
    goes_on = reader->got > 0;
    hand_over(reader);
    if (goes_on) {
      uv_sem_wait(&reader->taken);
      goes_on = is_wanted(reader);
    }
  }
  let_go(reader);
}

static void on_async(uv_async_t *async) {
  cmd_reader *reader = async->data;
  bool goes_on = reader->got > 0;

  reader->came(reader->ctx, reader->octets, reader->got);
  if (goes_on) {
    uv_sem_post(&reader->taken);
  }
}

cmd_reader *cmd_reader_start(uv_loop_t *loop, uv_file file, void (*came)(void *ctx, const char *octets, ssize_t got),
                             void *ctx) {
  cmd_reader *reader = calloc(1, sizeof *reader);

  if (reader == NULL) {
    return NULL;
  }
  *reader = (cmd_reader){.file = file, .came = came, .ctx = ctx, .owners = 2};
  reader->async.data = reader;
  uv_mutex_init(&reader->mutex);
  uv_sem_init(&reader->taken, 0);
  uv_async_init(loop, &reader->async, on_async);
  if (bh_thread_start(&reader->thread, "bridgehub input", run, reader) != 0) {
    reader->owners--;
    cmd_reader_stop(reader);
    return NULL;
  }
  return reader;
}

static void on_closed(uv_handle_t *handle) {
  let_go(handle->data);
}

void cmd_reader_stop(cmd_reader *reader) {
  uv_mutex_lock(&reader->mutex);
  reader->stopped = true;
  uv_mutex_unlock(&reader->mutex);
  uv_sem_post(&reader->taken);
  uv_close((uv_handle_t *)&reader->async, on_closed);
}
