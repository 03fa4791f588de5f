/* SPDX-License-Identifier: MIT */
/* What Bridge writes, and what others who find the port do. */

#include <string.h>

#include "draw.h"

#define VALUES_MAX 4
#define OBJECTS_MAX 3
#define LONG_TEXT 200000

static const char *const vectors[] = {"bridge.json", "json.json", NULL};

/* An object that says whose it is, so that an import is known by its octets. */
static void draw_asset(bh_buffer *out, const char *name) {
  draw_text(out, format("{\"id\":\"%s\",\"x\":", name));
  if (draw_once_in(8)) {
    draw_deep(out, 55 + random_below(7));
  } else if (draw_once_in(12)) {
    draw_text(out, format("\"%s\"", repeat("x", random_below(LONG_TEXT))));
  } else {
    draw_value(out, 5);
  }
  draw_text(out, "}");
}

static void draw_assets(bh_buffer *out, const char *name) {
  draw_text(out, "[");
  for (uint32_t i = 0, count = 1 + random_below(OBJECTS_MAX); i < count; i++) {
    draw_text(out, i ? "," : "");
    draw_space(out);
    draw_asset(out, format("%s-%u", name, i));
    draw_space(out);
  }
  draw_text(out, "]");
}

static void draw_disorder(bh_buffer *out) {
  static const char *const texts[] = {"Bye Megascans",
                                      "Bye",
                                      "GET / HTTP/1.1\r\n\r\n",
                                      "[]",
                                      "[ ]",
                                      "\xef\xbb\xbf",
                                      "[1]",
                                      "[[{}]]",
                                      "null",
                                      ",",
                                      "]",
                                      "}",
                                      "[{}",
                                      "[{},",
                                      "{\"a\":",
                                      "\"text\"",
                                      "[{}]]",
                                      "\x16\x03\x01\x02",
                                      "[{\"a\":\"\xff\"}]",
                                      "[{}\x0b]",
                                      "{\"a\" 1}"};
  draw_text(out, texts[random_below(sizeof texts / sizeof *texts)]);
}

void draw_stream(bh_buffer *out, const char *name, uint32_t wrongness) {
  if (draw_once_in(4)) {
    draw_vector(out, vectors, wrongness);
    return;
  }
  draw_text(out, draw_once_in(6) ? "\xef\xbb\xbf" : "");
  for (uint32_t i = 0, count = 1 + random_below(VALUES_MAX); i < count; i++) {
    draw_space(out);
    if (draw_once_in(wrongness)) {
      draw_disorder(out);
    } else if (draw_once_in(3)) {
      draw_asset(out, format("%s-%u", name, i));
    } else {
      draw_assets(out, format("%s-%u", name, i));
    }
    draw_space(out);
  }
  while (draw_once_in(wrongness)) {
    damage(out);
  }
}
