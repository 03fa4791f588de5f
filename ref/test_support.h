/* SPDX-License-Identifier: MIT */
#ifndef BH_TEST_SUPPORT_H
#define BH_TEST_SUPPORT_H

/* What all unit tests of the core share. */

#include "bridgehub.h"

/* Memory that counts the blocks that are out, and that can run out. */
typedef struct {
  size_t blocks;
  size_t calls;
  size_t fails_at; /* this call gets nothing, and so do `more` after it; 0: none */
  size_t more;
  size_t failed;
} test_memory;

bh_allocator test_allocator(test_memory *memory);

/* printf with ' for ", so that JSON can be read in a test. Valid until 32 more were made. */
const char *quoted(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A logger that keeps its last lines. */
bh_logger test_logger(void);
bool log_says(const char *part);
void log_clear(void);

/* Where the running test stands, for what helpers have to say when they fail. */
extern const char *test_file;
extern int test_line;
#define AT_THIS_LINE (test_file = __FILE__, test_line = __LINE__)

void test_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
