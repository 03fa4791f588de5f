/* SPDX-License-Identifier: MIT */
#include "escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Octets of the UTF-8 character at `p`, or 0. Texts come from the recogniser, or from a user's command line. */
static size_t character(const unsigned char *p) {
  size_t size = *p < 0x80 ? 1 : *p >= 0xC2 && *p < 0xE0 ? 2 : (*p & 0xF0) == 0xE0 ? 3 : *p >= 0xF0 && *p < 0xF5 ? 4 : 0;
  /* Overlong forms, surrogates and what lies above U+10FFFF show in the second octet. */
  unsigned least = *p == 0xE0 ? 0xA0 : *p == 0xF0 ? 0x90 : 0x80;
  unsigned most = *p == 0xED ? 0x9F : *p == 0xF4 ? 0x8F : 0xBF;

  for (size_t i = 1; i < size; i++) {
    if (p[i] < least || p[i] > most) {
      return 0;
    }
    least = 0x80;
    most = 0xBF;
  }
  return size;
}

static size_t escaped(const unsigned char *p, size_t size, char out[8]) {
  if (size == 0) {
    return (size_t)snprintf(out, 8, "\\x%02x", *p);
  }
  if (*p == '"' || *p == '\\') {
    return (size_t)snprintf(out, 8, "\\%c", *p);
  }
  if (size == 1 && (*p < 0x20 || *p == 0x7F)) {
    return (size_t)snprintf(out, 8, "\\u%04x", *p);
  }
  if (size == 2 && p[0] == 0xC2 && p[1] < 0xA0) {
    return (size_t)snprintf(out, 8, "\\u%04x", p[1]);
  }
  memcpy(out, p, size);
  return size;
}

char *bh_escape(const char *text, char *out, size_t size) {
  const unsigned char *p = (const unsigned char *)text;
  size_t at = 0;
  char piece[8];

  while (*p != '\0') {
    size_t taken = character(p);
    size_t length = escaped(p, taken, piece);
    if (at + length >= size) {
      break;
    }
    memcpy(out + at, piece, length);
    at += length;
    p += taken == 0 ? 1 : taken;
  }
  if (size > 0) {
    out[at] = '\0';
  }
  return out;
}

void bh_copy_text(char *to, size_t room, const char *from) {
  const char *end = memchr(from, '\0', room);
  size_t size = end == NULL ? room : (size_t)(end - from);

  if (size == room) {
    size--;
    while (size > 0 && ((unsigned char)from[size] & 0xC0u) == 0x80u) {
      size--;
    }
  }
  memcpy(to, from, size);
  to[size] = '\0';
}
