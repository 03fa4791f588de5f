/* SPDX-License-Identifier: MIT */
#include "json_text.h"

#include <string.h>

static const uint32_t replacement = 0xFFFD;

typedef struct {
  char *out;
  size_t capacity;
  size_t written;
  bool full; /* a character did not fit: later, shorter ones must not slip in behind it */
  bh_text_info info;
} sink;

static void put(sink *to, const void *octets, size_t size) {
  to->info.size += size;
  if (to->full || to->capacity == 0 || size > to->capacity - 1 - to->written) {
    to->full = true;
    return;
  }
  memcpy(to->out + to->written, octets, size);
  to->written += size;
}

/* Characters of one octet each: as many as fit. */
static void put_plain(sink *to, const void *octets, size_t size) {
  size_t room = to->full || to->capacity == 0 ? 0 : to->capacity - 1 - to->written;
  size_t taken = size < room ? size : room;

  to->info.size += size;
  to->full = to->full || taken < size;
  if (taken > 0) {
    memcpy(to->out + to->written, octets, taken);
    to->written += taken;
  }
}

static void put_code_point(sink *to, uint32_t c) {
  uint8_t utf8[4];

  if (c < 0x80) {
    utf8[0] = (uint8_t)c;
    put(to, utf8, 1);
  } else if (c < 0x800) {
    utf8[0] = (uint8_t)(0xC0 | c >> 6);
    utf8[1] = (uint8_t)(0x80 | (c & 0x3F));
    put(to, utf8, 2);
  } else if (c < 0x10000) {
    utf8[0] = (uint8_t)(0xE0 | c >> 12);
    utf8[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    utf8[2] = (uint8_t)(0x80 | (c & 0x3F));
    put(to, utf8, 3);
  } else {
    utf8[0] = (uint8_t)(0xF0 | c >> 18);
    utf8[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    utf8[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    utf8[3] = (uint8_t)(0x80 | (c & 0x3F));
    put(to, utf8, 4);
  }
}

static uint32_t hex4(const uint8_t *digits) {
  uint32_t value = 0;

  for (int i = 0; i < 4; i++) {
    uint32_t digit = digits[i];
    value = value << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
  }
  return value;
}

static bool is_high(uint32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(uint32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* The escape \uXXXX whose digits begin at `p`; returns what follows it, and its other half where it has one. */
static const uint8_t *unicode_escape(sink *to, const uint8_t *p, const uint8_t *end) {
  uint32_t unit = hex4(p);

  p += 4;
  if (is_high(unit) && end - p >= 6 && p[0] == '\\' && p[1] == 'u' && is_low(hex4(p + 2))) {
    put_code_point(to, 0x10000 + ((unit - 0xD800) << 10) + (hex4(p + 2) - 0xDC00));
    return p + 6;
  }
  if (is_high(unit) || is_low(unit)) {
    to->info.unpaired = true;
    unit = replacement;
  } else if (unit == 0) {
    to->info.nul = true;
    unit = replacement;
  }
  put_code_point(to, unit);
  return p;
}

static char simple_escape(uint8_t letter) {
  switch (letter) {
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return (char)letter; /* the quotation mark and both slashes stand for themselves */
  }
}

/* How many octets the character has that begins with `lead`, in right UTF-8. */
static size_t character_size(uint8_t lead) {
  return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* How many of the octets stand for themselves, each a character. */
static size_t plain_octets(const uint8_t *p, const uint8_t *end) {
  const uint8_t *begin = p;

  while (p < end && *p != '\\' && *p < 0x80) {
    p++;
  }
  return (size_t)(p - begin);
}

bh_text_info bh_text_decode(bh_octets string, char *out, size_t capacity) {
  sink to = {.out = out, .capacity = capacity};
  const uint8_t *p = string.octets + 1;
  const uint8_t *end = string.octets + string.size - 1;

  while (p < end) {
    size_t plain = plain_octets(p, end);
    if (plain > 0) {
      put_plain(&to, p, plain);
      p += plain;
    } else if (*p != '\\') {
      size_t size = character_size(*p);
      put(&to, p, size);
      p += size;
    } else if (p[1] == 'u') {
      p = unicode_escape(&to, p + 2, end);
    } else {
      char c = simple_escape(p[1]);
      put(&to, &c, 1);
      p += 2;
    }
  }
  if (capacity > 0) {
    out[to.written] = '\0';
  }
  return to.info;
}
