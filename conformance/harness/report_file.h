/* SPDX-License-Identifier: MIT */
#ifndef REPORT_FILE_H
#define REPORT_FILE_H

/*
 * A report on disk: a head, the cases so far, and a tail that makes the file whole. Each case is written over the tail,
 * with a new tail behind it in the same write, so that a run that is killed leaves a whole report, at the cost of the
 * case alone.
 */

#include <sys/types.h>

#include "buffer.h"

struct report_file {
  const char *path; /* "-": standard output, as `fd` */
  int fd;
  bool is_file;      /* what is written can be written over; otherwise (a pipe) the tail comes once, at the end */
  off_t tail_at;     /* where the next case goes */
  bh_buffer pending; /* what is still to be written there */
  bh_buffer tail;    /* as it is on disk */
  int error;         /* errno of a write that failed and was not made good yet; 0 */
};

/* False: errno says why it cannot be written. `standard_output` is written to for "-". */
bool report_file_open(struct report_file *file, const char *path, int standard_output);
/* Of a former report nothing is left from here on. */
void report_file_begin(struct report_file *file);
/* Writes what `pending` holds, and the tail; where that fails, the file stays as it was, and pending waits. */
void report_file_write(struct report_file *file, const bh_buffer *tail);
/* The head again, of the same size. */
void report_file_write_head(struct report_file *file, const bh_buffer *head);
/* The last tail. False: the report is not whole; `error` says why. */
bool report_file_close(struct report_file *file, const bh_buffer *tail);

#endif
