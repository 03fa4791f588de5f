/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "report_file.h"

bool report_file_open(struct report_file *file, const char *path, int standard_output) {
  struct stat status;
  bool is_output = strcmp(path, "-") == 0;
  *file = (struct report_file){.path = path};
  bh_buffer_init(&file->pending, case_allocator());
  bh_buffer_init(&file->tail, case_allocator());
  file->fd = is_output ? standard_output : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file->fd < 0 || fstat(file->fd, &status) != 0) {
    return false;
  }
  /* Standard output can be a file that others append to. */
  file->is_file = !is_output && S_ISREG(status.st_mode);
  return true;
}

void report_file_begin(struct report_file *file) {
  if (file->is_file && ftruncate(file->fd, 0) != 0) {
    file->error = errno;
  }
}

/* At `at`, or wherever a pipe is. */
static bool write_all(struct report_file *file, const void *octets, size_t size, off_t at) {
  const uint8_t *from = octets;
  while (size) {
    ssize_t written = file->is_file ? pwrite(file->fd, from, size, at) : write(file->fd, from, size);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      file->error = written < 0 ? errno : ENOSPC;
      return false;
    }
    from += written;
    at += written;
    size -= (size_t)written;
  }
  return true;
}

/* Of the old tail nothing may stick out behind the new one, not even until the file is cut: white space is no harm. */
static void pad(bh_buffer *octets, size_t size) {
  while (octets->size < size && bh_buffer_append(octets, "\n", 1)) {
  }
}

static void undo(struct report_file *file) {
  int error = file->error;
  if (write_all(file, file->tail.octets, file->tail.size, file->tail_at) &&
      ftruncate(file->fd, file->tail_at + (off_t)file->tail.size) != 0) {
    error = errno;
  }
  file->error = error;
}

static void keep_tail(struct report_file *file, const bh_buffer *tail) {
  if (tail->size < file->tail.size && ftruncate(file->fd, file->tail_at + (off_t)tail->size) != 0) {
    file->error = errno;
  }
  bh_buffer_clear(&file->tail);
  bh_buffer_append(&file->tail, tail->octets, tail->size);
  bh_buffer_clear(&file->pending);
}

static void write_over(struct report_file *file, const bh_buffer *tail) {
  size_t more = file->pending.size;
  bh_buffer_append(&file->pending, tail->octets, tail->size);
  pad(&file->pending, file->tail.size);
  file->error = 0;
  if (file->pending.failed || file->tail.failed) {
    file->error = ENOMEM;
  } else if (write_all(file, file->pending.octets, file->pending.size, file->tail_at)) {
    file->tail_at += (off_t)more;
    keep_tail(file, tail);
    return;
  } else {
    undo(file);
  }
  file->pending.size = more;
}

static void write_on(struct report_file *file) {
  file->error = 0;
  if (file->pending.failed) {
    file->error = ENOMEM;
  } else if (write_all(file, file->pending.octets, file->pending.size, 0)) {
    bh_buffer_clear(&file->pending);
  }
}

void report_file_write(struct report_file *file, const bh_buffer *tail) {
  if (file->is_file) {
    write_over(file, tail);
  } else if (!file->error) { /* how much of it a pipe took cannot be taken back */
    write_on(file);
  }
}

void report_file_write_head(struct report_file *file, const bh_buffer *head) {
  if (file->is_file && !head->failed && !file->error) {
    write_all(file, head->octets, head->size, 0);
  }
}

bool report_file_close(struct report_file *file, const bh_buffer *tail) {
  if (!file->is_file) {
    bh_buffer_append(&file->pending, tail->octets, tail->size);
  }
  report_file_write(file, tail);
  if (close(file->fd) != 0 && !file->error) {
    file->error = errno;
  }
  bh_buffer_free(&file->pending);
  bh_buffer_free(&file->tail);
  return file->error == 0;
}
