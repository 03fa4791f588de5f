/* SPDX-License-Identifier: MIT */
/* Memory of the case, and text in it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct block {
  struct block *next;
  max_align_t octets[];
};

static struct block *blocks;

void *allocate(size_t size) {
  struct block *block = calloc(1, sizeof *block + size);
  if (!block) {
    suite_broke("no memory for %zu octets", size);
  }
  block->next = blocks;
  blocks = block;
  return block->octets;
}

void free_all(void) {
  while (blocks) {
    struct block *next = blocks->next;
    free(blocks);
    blocks = next;
  }
}

void *grow(void *array, size_t count, size_t *capacity, size_t element) {
  if (count < *capacity) {
    return array;
  }
  *capacity = *capacity ? 2 * *capacity : 16;
  void *bigger = allocate(*capacity * element);
  if (count) {
    memcpy(bigger, array, count * element);
  }
  return bigger;
}

static void *resize(void *ctx, void *octets, size_t size) {
  (void)ctx;
  if (size) {
    return realloc(octets, size);
  }
  free(octets);
  return NULL;
}

bh_allocator case_allocator(void) {
  return (bh_allocator){resize, NULL};
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* To measure megabytes by printing them to nowhere, as vsnprintf() does, takes longer than to print them. */
char *format_list(const char *pattern, va_list args) {
  char *grown = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&grown, &size);
  if (!stream || vfprintf(stream, pattern, args) < 0 || fclose(stream) != 0) {
    suite_broke("cannot format \"%s\"", pattern);
  }
  char *text = allocate(size + 1);
  memcpy(text, grown, size);
  free(grown);
  return text;
}

#pragma GCC diagnostic pop

char *format_body(const char *pattern, va_list args) {
  char *quoted = allocate(strlen(pattern) + 1);
  for (size_t i = 0; pattern[i]; i++) {
    quoted[i] = pattern[i];
    if (quoted[i] == '\'') {
      quoted[i] = '"';
    }
  }
  return format_list(quoted, args);
}

char *format(const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  char *text = format_list(pattern, args);
  va_end(args);
  return text;
}

char *repeat(const char *octets, size_t count) {
  size_t size = strlen(octets), whole = size * count;
  char *text = allocate(whole + 1);
  memcpy(text, octets, whole ? size : 0);
  /* Doubled each time: a case that makes megabytes must not keep the hub waiting. */
  for (size_t done = size; done < whole; done *= 2) {
    memcpy(text + done, text, done < whole - done ? done : whole - done);
  }
  return text;
}

/* Whole UTF-8 characters pass, so that names stay readable; what is not UTF-8 is escaped octet by octet. */
static size_t character_size(const uint8_t *octets, size_t size) {
  static const uint8_t masks[] = {0x80, 0xe0, 0xf0, 0xf8}, leads[] = {0x00, 0xc0, 0xe0, 0xf0};
  for (size_t length = 2; length <= 4 && length <= size; length++) {
    if ((octets[0] & masks[length - 1]) != leads[length - 1] || octets[0] < 0xc2) {
      continue;
    }
    size_t tail = 1;
    while (tail < length && (octets[tail] & 0xc0) == 0x80) {
      tail++;
    }
    /* C1 controls are characters, and move cursors. */
    return tail == length && !(octets[0] == 0xc2 && octets[1] < 0xa0) ? length : 0;
  }
  return octets[0] >= 0x20 && octets[0] < 0x7f ? 1 : 0;
}

const char *printable(const void *octets, size_t size, size_t limit) {
  const uint8_t *in = octets;
  size_t shown = size > limit ? limit : size;
  char *text = allocate(4 * shown + 64), *out = text;
  for (size_t i = 0; i < shown;) {
    size_t length = character_size(in + i, size - i);
    if (length) {
      memcpy(out, in + i, length);
      out += length;
      i += length;
      continue;
    }
    const char *escape = in[i] == '\n' ? "\\n" : in[i] == '\r' ? "\\r" : in[i] == '\t' ? "\\t" : NULL;
    out += escape ? sprintf(out, "%s", escape) : sprintf(out, "\\x%02x", in[i]);
    i++;
  }
  if (shown < size) {
    sprintf(out, "... (%zu octets)", size);
  }
  return text;
}
