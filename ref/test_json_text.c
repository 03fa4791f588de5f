/* SPDX-License-Identifier: MIT */
#include "json_text.h"
#include "json_write.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* What stands in JSON strings, read and written: BH-BODY-006, BH-BODY-007. */

static bh_text_info decode(const char *string, char *out, size_t capacity) {
  /* In memory of just its size: nothing behind it is looked at. */
  size_t size = strlen(string);
  uint8_t *octets = malloc(size);
  bh_text_info info;

  memcpy(octets, string, size);
  info = bh_text_decode((bh_octets){octets, size}, out, capacity);
  free(octets);
  return info;
}

static void is_text(const char *string, const char *text) {
  char out[64];
  bh_text_info info = decode(string, out, sizeof out);

  cr_assert_str_eq(out, text);
  cr_assert_eq(info.size, strlen(text));
  cr_assert_not(info.nul);
  cr_assert_not(info.unpaired);
}

Test(json_text, plain_text_is_itself) {
  is_text("\"\"", "");
  is_text("\"abc\"", "abc");
  is_text("\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
}

Test(json_text, escapes_are_resolved) {
  is_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
  is_text("\"\\u0041\\u007f\\u0080\\u07FF\\u0800\\uffff\"", "A\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF");
  is_text("\"\\uD800\\uDC00\\udbff\\udfff\"", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
  is_text("\"\\uabCD\"", "\xEA\xAF\x8D");
}

static void has_unpaired(const char *string, const char *text) {
  char out[64];
  bh_text_info info = decode(string, out, sizeof out);

  cr_assert(info.unpaired, "%s", string);
  cr_assert_not(info.nul);
  cr_assert_str_eq(out, text);
  cr_assert_eq(info.size, strlen(text));
}

Test(json_text, an_unpaired_surrogate_is_found) {
  has_unpaired("\"\\ud800\"", "\xEF\xBF\xBD");
  has_unpaired("\"\\udc00\"", "\xEF\xBF\xBD");
  has_unpaired("\"\\ud800x\"", "\xEF\xBF\xBDx");
  has_unpaired("\"\\ud800\\n\"", "\xEF\xBF\xBD\n");
  has_unpaired("\"\\ud800\\u0041\"", "\xEF\xBF\xBD"
                                     "A");
  has_unpaired("\"\\ud800\\ud800\\udc00\"", "\xEF\xBF\xBD\xF0\x90\x80\x80");
  has_unpaired("\"\\udc00\\ud800\"", "\xEF\xBF\xBD\xEF\xBF\xBD");
}

Test(json_text, a_zero_is_found) {
  char out[64];
  bh_text_info info = decode("\"a\\u0000b\"", out, sizeof out);

  cr_assert(info.nul);
  cr_assert_not(info.unpaired);
  cr_assert_str_eq(out, "a\xEF\xBF\xBD"
                        "b");
}

Test(json_text, a_text_is_cut_at_a_whole_character) {
  char out[5];

  cr_assert_eq(decode("\"abcd\"", out, 5).size, 4);
  cr_assert_str_eq(out, "abcd");
  cr_assert_eq(decode("\"abcde\"", out, 5).size, 5);
  cr_assert_str_eq(out, "abcd");
  cr_assert_eq(decode("\"abc\xC3\xA4z\"", out, 5).size, 6);
  cr_assert_str_eq(out, "abc"); /* and no z in the place of what was cut */
  cr_assert_eq(decode("\"\\ud83d\\ude00\"", out, 4).size, 4);
  cr_assert_str_eq(out, "");
  cr_assert_eq(decode("\"abc\"", out, 1).size, 3);
  cr_assert_str_eq(out, "");
  cr_assert_eq(decode("\"abc\"", NULL, 0).size, 3);
}

/* ---- writing */

/* Borrowed until the next call. */
static const char *written(const char *octets, size_t size) {
  static char text[64];
  bh_buffer out;

  bh_buffer_init(&out, bh_system_allocator());
  bh_write_string(&out, octets, size);
  bh_buffer_append(&out, "", 1);
  cr_assert(!out.failed && out.size <= sizeof text);
  memcpy(text, out.octets, out.size);
  bh_buffer_free(&out);
  return text;
}

Test(json_write, strings_are_quoted_and_escaped) {
  cr_assert_str_eq(written("", 0), "\"\"");
  cr_assert_str_eq(written("abc", 3), "\"abc\"");
  cr_assert_str_eq(written("a\"b\\c", 5), "\"a\\\"b\\\\c\"");
  cr_assert_str_eq(written("\n\x1F \x7F\xC3\xA4", 6), "\"\\u000a\\u001f \\u007f\xC3\xA4\"");
  cr_assert_str_eq(written("\0", 1), "\"\\u0000\"");
  cr_assert_str_eq(written("/", 1), "\"/\"");
}

Test(json_write, what_is_written_is_read_as_it_was) {
  for (int c = 1; c < 0x80; c++) {
    char text[3] = {(char)c, (char)c, '\0'};
    is_text(written(text, 2), text);
  }
}

Test(json_write, integers_and_null) {
  bh_buffer out;

  bh_buffer_init(&out, bh_system_allocator());
  bh_write_integer(&out, 0);
  bh_write_text(&out, " ");
  bh_write_integer(&out, 10);
  bh_write_text(&out, " ");
  bh_write_integer(&out, UINT64_MAX);
  bh_write_text(&out, " ");
  bh_write_string_or_null(&out, "");
  bh_write_string_or_null(&out, "a");
  bh_buffer_append(&out, "", 1);
  cr_assert_str_eq((const char *)out.octets, "0 10 18446744073709551615 null\"a\"");
  bh_buffer_free(&out);
}
