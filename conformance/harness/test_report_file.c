/* SPDX-License-Identifier: MIT */
#include "report_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "json_write.h"

/* A report is whole after each write, also where one fails. */

static char path[] = "/tmp/bridgehub-report-XXXXXX";
static struct report_file file;

static void begin(void) {
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  close(fd);
  cr_assert(report_file_open(&file, path, -1));
  report_file_begin(&file);
}

static void end(void) {
  unlink(path);
}

TestSuite(report_file, .init = begin, .fini = end);

static void holds(const char *expected) {
  char text[4096] = "";
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  cr_assert_eq(size, (ssize_t)strlen(expected), "%s", text);
  cr_assert_str_eq(text, expected);
}

static bh_buffer tail_of(const char *text) {
  bh_buffer tail;
  bh_buffer_init(&tail, bh_system_allocator());
  bh_write_text(&tail, text);
  return tail;
}

static void add(const char *text, const char *tail_text) {
  bh_buffer tail = tail_of(tail_text);
  bh_write_text(&file.pending, text);
  report_file_write(&file, &tail);
  bh_buffer_free(&tail);
}

static bool finish(const char *tail_text) {
  bh_buffer tail = tail_of(tail_text);
  bool whole = report_file_close(&file, &tail);
  bh_buffer_free(&tail);
  return whole;
}

Test(report_file, each_case_stands_before_the_tail) {
  add("[", "] unfinished");
  holds("[] unfinished");
  add("1", "] unfinished");
  holds("[1] unfinished");
  add(",2", "] unfinished");
  holds("[1,2] unfinished");
  cr_assert(finish("]"));
  holds("[1,2]");
}

Test(report_file, a_case_shorter_than_the_tail_leaves_nothing_of_it) {
  add("[", "] a long tail");
  add("1", "]");
  holds("[1]");
  cr_assert(finish("]"));
}

Test(report_file, the_head_is_written_over) {
  add("<0>", "</>");
  bh_buffer head = tail_of("<1>");
  report_file_write_head(&file, &head);
  bh_buffer_free(&head);
  holds("<1></>");
  cr_assert(finish("</>"));
}

Test(report_file, a_former_report_stays_until_the_run_begins) {
  add("old, and longer than the new one", "");
  cr_assert(finish(""));
  cr_assert(report_file_open(&file, path, -1));
  holds("old, and longer than the new one");
  report_file_begin(&file);
  add("new", "");
  holds("new");
  cr_assert(finish(""));
}

/* From 100 octets on, as on a disk that is full. */
static void limit(rlim_t octets) {
  struct rlimit size;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &size);
  size.rlim_cur = octets;
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &size), 0);
}

Test(report_file, on_a_full_disk_what_was_there_stays) {
  static const char more[] = "01234567890123456789012345678901234567890123456789012345678901234567890123456789"
                             "01234567890123456789";
  add("[", "]");
  add("1", "]");
  limit(100);
  add(more, "]");
  int error = file.error;
  limit(RLIM_INFINITY);
  cr_assert_eq(error, EFBIG);
  holds("[1]");
}

Test(report_file, what_waits_is_written_once_there_is_room) {
  static const char more[] = ",2345678901234567890123456789012345678901234567890123456789012345678901234567890"
                             "01234567890123456789";
  add("[", "]");
  add("1", "]");
  limit(100);
  add(more, "]");
  limit(RLIM_INFINITY);
  add(",3", "]");
  char expected[256];
  snprintf(expected, sizeof expected, "[1%s,3]", more);
  holds(expected);
  cr_assert_eq(file.error, 0);
  cr_assert(finish("]"));
}

Test(report_file, a_report_that_is_not_whole_is_told) {
  add("[", "]");
  limit(1);
  bh_write_text(&file.pending, "12345");
  cr_assert_not(finish("]"));
  limit(RLIM_INFINITY);
  cr_assert_eq(file.error, EFBIG);
}

Test(report_file, there_may_be_no_such_directory) {
  struct report_file other;
  cr_assert_not(report_file_open(&other, "/no/such/directory/report", -1));
  cr_assert_eq(errno, ENOENT);
}

Test(report_file, a_pipe_gets_the_tail_at_the_end_alone) {
  int ends[2];
  char text[64] = "";
  struct report_file piped;
  cr_assert_eq(pipe(ends), 0);
  cr_assert(report_file_open(&piped, "-", ends[1]));
  report_file_begin(&piped);
  bh_buffer tail = tail_of("]");
  bh_write_text(&piped.pending, "[");
  report_file_write(&piped, &tail);
  bh_write_text(&piped.pending, "1");
  report_file_write(&piped, &tail);
  cr_assert(report_file_close(&piped, &tail));
  bh_buffer_free(&tail);
  cr_assert_eq(read(ends[0], text, sizeof text - 1), 3);
  cr_assert_str_eq(text, "[1]");
  close(ends[0]);
}
