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

size_t character_size(const void *octets, size_t size) {
  /* The second octet shuts out overlong forms, surrogates and what lies above U+10FFFF. */
  static const struct {
    uint8_t first, last, second_min, second_max;
    size_t size;
  } forms[] = {{0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
               {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
               {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
  const uint8_t *in = octets;
  size_t form = 0, count = sizeof forms / sizeof *forms;
  while (form < count && (size == 0 || in[0] < forms[form].first || in[0] > forms[form].last)) {
    form++;
  }
  if (form == count || forms[form].size > size) {
    return 0;
  }
  if (forms[form].size > 1 && (in[1] < forms[form].second_min || in[1] > forms[form].second_max)) {
    return 0;
  }
  for (size_t i = 2; i < forms[form].size; i++) {
    if ((in[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  return forms[form].size;
}

/* Whole UTF-8 characters pass, so that names stay readable. C1 controls are characters, and move cursors. */
static bool is_printable(const uint8_t *character, size_t size) {
  if (size == 1) {
    return character[0] >= 0x20 && character[0] < 0x7f;
  }
  return size > 1 && !(character[0] == 0xc2 && character[1] < 0xa0);
}

const char *printable(const void *octets, size_t size, size_t limit) {
  const uint8_t *in = octets;
  size_t shown = size > limit ? limit : size;
  char *text = allocate(4 * shown + 64), *out = text;
  for (size_t i = 0; i < shown;) {
    size_t length = character_size(in + i, size - i);
    if (is_printable(in + i, length)) {
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

void take_lines(bh_buffer *line, const char *octets, size_t size,
                void (*take)(void *owner, const char *line, size_t size), void *owner) {
  while (size) {
    const char *end = memchr(octets, '\n', size);
    size_t taken = end ? (size_t)(end - octets) : size;
    bh_buffer_append(line, octets, taken);
    if (!end) {
      return;
    }
    take(owner, (const char *)line->octets, line->size);
    bh_buffer_clear(line);
    octets += taken + 1;
    size -= taken + 1;
  }
}
