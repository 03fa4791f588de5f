/* SPDX-License-Identifier: MIT */
#include "json_write.h"

#include <string.h>

void bh_write_text(bh_buffer *out, const char *text) {
  bh_buffer_append(out, text, strlen(text));
}

void bh_write_integer(bh_buffer *out, uint64_t value) {
  char digits[20];
  size_t at = sizeof digits;

  do {
    digits[--at] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  bh_buffer_append(out, digits + at, sizeof digits - at);
}

static void write_escape(bh_buffer *out, unsigned char octet) {
  static const char hex[] = "0123456789abcdef";
  char escape[6] = {'\\', 'u', '0', '0', hex[octet >> 4], hex[octet & 15]};

  bh_buffer_append(out, escape, sizeof escape);
}

void bh_write_string(bh_buffer *out, const char *octets, size_t size) {
  size_t plain = 0; /* where the run begins that needs no escape */

  bh_buffer_append(out, "\"", 1);
  for (size_t i = 0; i < size; i++) {
    unsigned char octet = (unsigned char)octets[i];
    if (octet >= 0x20 && octet != '"' && octet != '\\' && octet != 0x7f) {
      continue;
    }
    bh_buffer_append(out, octets + plain, i - plain);
    if (octet == '"' || octet == '\\') {
      char pair[2] = {'\\', (char)octet};
      bh_buffer_append(out, pair, sizeof pair);
    } else {
      write_escape(out, octet);
    }
    plain = i + 1;
  }
  bh_buffer_append(out, octets + plain, size - plain);
  bh_buffer_append(out, "\"", 1);
}

void bh_write_string_or_null(bh_buffer *out, const char *text) {
  if (text[0] == '\0') {
    bh_write_text(out, "null");
  } else {
    bh_write_string(out, text, strlen(text));
  }
}
