/* SPDX-License-Identifier: MIT */
#include "test_support.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *test_file = "";
int test_line;

/* ---- memory */

/* What stands before each block; as large as any alignment asks for. */
typedef union {
  size_t size;
  max_align_t aligned;
} block_head;

static void *resize(void *ctx, void *octets, size_t size) {
  test_memory *memory = ctx;
  block_head *before = octets == NULL ? NULL : (block_head *)octets - 1;
  block_head *block;

  if (size == 0) {
    memory->blocks -= octets != NULL;
    free(before);
    return NULL;
  }
  memory->calls++;
  if (memory->fails_at != 0 && memory->calls >= memory->fails_at && memory->calls - memory->fails_at <= memory->more) {
    memory->failed++;
    return NULL;
  }
  /* A block that grows moves: whoever keeps a pointer into the old one is found out. */
  block = malloc(sizeof *block + size);
  if (block == NULL) {
    return NULL;
  }
  block->size = size;
  if (before == NULL) {
    memory->blocks++;
  } else {
    memcpy(block + 1, octets, before->size < size ? before->size : size);
    free(before);
  }
  return block + 1;
}

bh_allocator test_allocator(test_memory *memory) {
  return (bh_allocator){.resize = resize, .ctx = memory};
}

/* ---- text */

enum { QUOTED_MAX = 32, QUOTED_SIZE = 4096 };

const char *quoted(const char *format, ...) {
  static char texts[QUOTED_MAX][QUOTED_SIZE];
  static size_t next;
  char *text = texts[next++ % QUOTED_MAX];
  va_list arguments;
  int size;

  va_start(arguments, format);
  size = vsnprintf(text, QUOTED_SIZE, format, arguments);
  va_end(arguments);
  if (size < 0 || size >= QUOTED_SIZE) {
    test_fail("the text is too long for quoted()");
  }
  for (char *c = strchr(text, '\''); c != NULL; c = strchr(c, '\'')) {
    *c = '"';
  }
  return text;
}

/* ---- log */

enum { LOG_SIZE = 64 * 1024 };

static char log_text[LOG_SIZE];
static size_t log_size;

static void write_log(void *ctx, bh_log_level level, const char *line) {
  size_t size = strlen(line);

  (void)ctx;
  (void)level;
  if (log_size + size + 2 > LOG_SIZE) {
    log_size = 0;
  }
  memcpy(log_text + log_size, line, size);
  log_size += size;
  log_text[log_size++] = '\n';
  log_text[log_size] = '\0';
}

bh_logger test_logger(void) {
  return (bh_logger){.write = write_log};
}

bool log_says(const char *part) {
  return strstr(log_text, part) != NULL;
}

void log_clear(void) {
  log_size = 0;
  log_text[0] = '\0';
}

/* ---- failing */

void test_fail(const char *format, ...) {
  char text[3 * QUOTED_SIZE];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  cr_assert_fail("%s:%d: %s", test_file, test_line, text);
  abort();
}
