/* SPDX-License-Identifier: MIT */
#include "escape.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What is printed of others' texts: BH-LIMIT-005. */

static void is_printed(const char *text, const char *expected) {
  char out[128];

  cr_assert_eq(bh_escape(text, out, sizeof out), out);
  cr_assert_str_eq(out, expected);
}

Test(escape, harmless_text_is_itself) {
  is_printed("", "");
  is_printed("Blender (1) ~ /", "Blender (1) ~ /");
  is_printed(
      "\xC2\xA0\xC3\xA4\xDF\xBF\xE0\xA0\x80\xE5\xB2\xA9\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
      "\xC2\xA0\xC3\xA4\xDF\xBF\xE0\xA0\x80\xE5\xB2\xA9\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
}

Test(escape, control_characters_are_escaped) {
  is_printed("a\n\x1B[31m\x7F", "a\\u000a\\u001b[31m\\u007f");
  is_printed("\x01\x1F", "\\u0001\\u001f");
  is_printed("\xC2\x80\xC2\x9B\xC2\x9F", "\\u0080\\u009b\\u009f");
}

Test(escape, quotation_marks_and_backslashes_are_escaped) {
  is_printed("say \"hi\" \\u0041", "say \\\"hi\\\" \\\\u0041");
}

Test(escape, octets_that_are_not_utf8_are_escaped) {
  is_printed("\x80z\xBFz\xC3", "\\x80z\\xbfz\\xc3");
  is_printed("\xC0\x80", "\\xc0\\x80");                   /* overlong */
  is_printed("\xC1\xBF", "\\xc1\\xbf");                   /* overlong */
  is_printed("\xE0\x9F\xBF", "\\xe0\\x9f\\xbf");          /* overlong */
  is_printed("\xF0\x8F\xBF\xBF", "\\xf0\\x8f\\xbf\\xbf"); /* overlong */
  is_printed("\xED\xA0\x80", "\\xed\\xa0\\x80");          /* a surrogate */
  is_printed("\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
  is_printed("\xF5\x80\x80\x80", "\\xf5\\x80\\x80\\x80");
  is_printed("\xFF", "\\xff");
  is_printed("\xE5\xB2z", "\\xe5\\xb2z");
  is_printed("\xF0\x9F\x98", "\\xf0\\x9f\\x98");
}

Test(escape, a_text_is_cut_between_characters_and_escapes) {
  static const char text[] = "a\n\xC3\xA4\"z";
  static const char *const cut[] = {"", "a", "a", "a", "a", "a", "a", "a\\u000a", "a\\u000a", "a\\u000a\xC3\xA4"};
  char untouched = '!';

  for (size_t size = 1; size <= 10; size++) {
    char *out = malloc(size);
    cr_assert_str_eq(bh_escape(text, out, size), cut[size - 1]);
    free(out);
  }
  bh_escape(text, &untouched, 0);
  cr_assert_eq(untouched, '!');
}
