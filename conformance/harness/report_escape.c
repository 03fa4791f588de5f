/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "json_write.h"
#include "report_escape.h"

/* The code point of a whole character. */
static uint32_t code_point(const uint8_t *octets, size_t size) {
  static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t code = octets[0] & masks[size];
  for (size_t i = 1; i < size; i++) {
    code = code << 6 | (octets[i] & 0x3f);
  }
  return code;
}

/* Controls, what ends a line, and what a JSON or YAML string has no room for. */
static bool is_plain(uint32_t code) {
  bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  bool ends_line = code == 0x2028 || code == 0x2029;
  return !is_control && !ends_line && code != '"' && code != '\\' && code != '<' && code != 0xfeff && code != 0xfffe &&
         code != 0xffff;
}

/* Strings are full of these: nothing is allocated for them. */
static void write_escaped(bh_buffer *out, uint32_t character) {
  const char text[] = {'\\', (char)character};
  bh_buffer_append(out, text, sizeof text);
}

static void write_hex(bh_buffer *out, const char *before, int digits, uint32_t value) {
  char text[16];
  snprintf(text, sizeof text, "%s%0*x", before, digits, (unsigned)value);
  bh_write_text(out, text);
}

/* No characters: each octet as \xNN. */
static void write_octets(bh_buffer *out, const char *before, const uint8_t *octets, size_t size) {
  for (size_t i = 0; i < size; i++) {
    write_hex(out, before, 2, octets[i]);
  }
}

static void write_json_character(bh_buffer *out, const uint8_t *octets, size_t size, uint32_t code) {
  if (is_plain(code)) {
    bh_buffer_append(out, octets, size);
  } else if (code == '"' || code == '\\') {
    write_escaped(out, code);
  } else if (code == '\n') {
    bh_write_text(out, "\\n");
  } else {
    write_hex(out, "\\u", 4, code);
  }
}

void write_json_string(bh_buffer *out, const char *text, size_t limit) {
  const uint8_t *in = (const uint8_t *)text;
  size_t whole = strlen(text), size = whole < limit ? whole : limit;
  bh_write_text(out, "\"");
  for (size_t i = 0, length; i < size; i += length) {
    length = character_size(in + i, whole - i);
    if (length) {
      write_json_character(out, in + i, length, code_point(in + i, length));
    } else {
      length = 1;
      write_octets(out, "\\\\x", in + i, length);
    }
  }
  bh_write_text(out, size < whole ? "\xe2\x80\xa6\"" : "\"");
}

static const char *xml_entity(uint32_t code) {
  switch (code) {
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '&':
    return "&amp;";
  case '"':
    return "&quot;";
  default:
    return NULL;
  }
}

static bool is_xml(uint32_t code) {
  return (code >= 0x20 || code == '\n' || code == '\t') && code != 0xfffe && code != 0xffff &&
         !(code >= 0x7f && code < 0xa0);
}

static void write_xml(bh_buffer *out, const char *text, bool is_value) {
  const uint8_t *in = (const uint8_t *)text;
  size_t size = strlen(text);
  for (size_t i = 0, length; i < size; i += length) {
    length = character_size(in + i, size - i);
    uint32_t code = length ? code_point(in + i, length) : 0;
    const char *entity = xml_entity(code);
    if (entity) {
      bh_write_text(out, entity);
    } else if (is_value && code == '\n') { /* a reader of XML makes a space of it */
      bh_write_text(out, "&#10;");
    } else if (length && is_xml(code)) {
      bh_buffer_append(out, in + i, length);
    } else {
      length = length ? length : 1;
      write_octets(out, "\\x", in + i, length);
    }
  }
}

void write_xml_text(bh_buffer *out, const char *text) {
  write_xml(out, text, false);
}

void write_xml_value(bh_buffer *out, const char *text) {
  write_xml(out, text, true);
}

void write_tap_text(bh_buffer *out, const char *text) {
  const uint8_t *in = (const uint8_t *)text;
  size_t size = strlen(text);
  for (size_t i = 0, length; i < size; i += length) {
    length = character_size(in + i, size - i);
    uint32_t code = length ? code_point(in + i, length) : 0;
    if (code == '#' || code == '\\') {
      write_escaped(out, code);
    } else if (length && (is_plain(code) || code == '"' || code == '<')) {
      bh_buffer_append(out, in + i, length);
    } else if (code == '\n' || code == '\t') {
      bh_write_text(out, " ");
    } else {
      length = length ? length : 1;
      write_octets(out, "\\\\x", in + i, length);
    }
  }
}
