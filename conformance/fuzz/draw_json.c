/* SPDX-License-Identifier: MIT */
/* JSON by the rules of spec/messages.abnf, drawn. */

#include <string.h>

#include "draw.h"

#define MEMBERS_MAX 4
#define CHARACTERS_MAX 24

bool draw_once_in(uint32_t of) {
  return of > 0 && random_below(of) == 0;
}

bh_buffer draw_buffer(void) {
  bh_buffer buffer;
  bh_buffer_init(&buffer, case_allocator());
  return buffer;
}

void draw_text(bh_buffer *out, const char *text) {
  bh_buffer_append(out, text, strlen(text));
}

static void draw_one_of(bh_buffer *out, const char *const *texts, size_t count) {
  draw_text(out, texts[random_below((uint32_t)count)]);
}

#define DRAW_ONE_OF(out, ...)                                                                                          \
  do {                                                                                                                 \
    static const char *const texts[] = {__VA_ARGS__};                                                                  \
    draw_one_of(out, texts, sizeof texts / sizeof *texts);                                                             \
  } while (0)

void draw_space(bh_buffer *out) {
  if (draw_once_in(4)) {
    DRAW_ONE_OF(out, " ", "\n", "\t", "\r", "  \r\n", "\t \t ");
  }
}

static void draw_number(bh_buffer *out) {
  DRAW_ONE_OF(out, "0", "1", "-0", "4294967296", "18446744073709551616", "-1.5e-300", "1E400", "0.1", "1e0", "-7",
              "123456789012345678901234567890");
}

static void draw_character(bh_buffer *out) {
  DRAW_ONE_OF(out, "a", "Z", "7", " ", "/", "]", "}", "[", "{", ",", ":", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n",
              "\\r", "\\t", "\\u0000", "\\u00e9", "\\ud83d\\ude00", "\\ud800", "\\uDC00", "\x7f", "\xc2\x80",
              "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
              "\xe2\x80\xa8");
}

static void draw_string(bh_buffer *out) {
  draw_text(out, "\"");
  for (uint32_t left = random_below(CHARACTERS_MAX); left > 0; left--) {
    draw_character(out);
  }
  draw_text(out, "\"");
}

static void draw_elements(bh_buffer *out, unsigned depth, bool named) {
  for (uint32_t i = 0, count = random_below(MEMBERS_MAX); i < count; i++) {
    draw_text(out, i ? "," : "");
    draw_space(out);
    if (named) {
      draw_string(out);
      draw_space(out);
      draw_text(out, ":");
      draw_space(out);
    }
    draw_value(out, depth);
    draw_space(out);
  }
}

void draw_object(bh_buffer *out, unsigned depth) {
  draw_text(out, "{");
  if (depth > 1) {
    draw_elements(out, depth - 1, true);
  }
  draw_space(out);
  draw_text(out, "}");
}

static void draw_array(bh_buffer *out, unsigned depth) {
  draw_text(out, "[");
  if (depth > 1) {
    draw_elements(out, depth - 1, false);
  }
  draw_space(out);
  draw_text(out, "]");
}

void draw_value(bh_buffer *out, unsigned depth) {
  switch (random_below(depth > 0 ? 6 : 3)) {
  case 0:
    DRAW_ONE_OF(out, "true", "false", "null");
    break;
  case 1:
    draw_number(out);
    break;
  case 2:
    draw_string(out);
    break;
  case 3:
  case 4:
    draw_object(out, depth);
    break;
  default:
    draw_array(out, depth);
    break;
  }
}

void draw_deep(bh_buffer *out, unsigned depth) {
  draw_text(out, repeat("[", depth));
  draw_text(out, repeat("]", depth));
}
