/* SPDX-License-Identifier: MIT */
#include "report_escape.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "internal.h"
#include "json_write.h"

/* Whatever a program under test writes and sends becomes part of reports that others' programs read. */

static const char *text_of(bh_buffer *out) {
  bh_write_text(out, "");
  cr_assert(bh_buffer_append(out, "", 1));
  return (const char *)out->octets;
}

static void escapes(void (*write)(bh_buffer *out, const char *text), const char *text, const char *expected) {
  bh_buffer out;
  bh_buffer_init(&out, bh_system_allocator());
  write(&out, text);
  cr_assert_str_eq(text_of(&out), expected);
  bh_buffer_free(&out);
}

static void write_json(bh_buffer *out, const char *text) {
  write_json_string(out, text, SIZE_MAX);
}

Test(report_escape, text_is_itself) {
  escapes(write_json, "", "\"\"");
  escapes(write_json, "BH1 ACK 1 9 {'for':1} ä 岩 \xF0\x90\x80\x80", "\"BH1 ACK 1 9 {'for':1} ä 岩 \xF0\x90\x80\x80\"");
  escapes(write_xml_text, "ä 岩 'x'", "ä 岩 'x'");
  escapes(write_tap_text, "ä 岩 \"x\" <b>", "ä 岩 \"x\" <b>");
}

Test(report_escape, json_ends_neither_its_string_nor_a_script) {
  escapes(write_json, "\"\\", "\"\\\"\\\\\"");
  escapes(write_json, "</script><!--", "\"\\u003c/script>\\u003c!--\"");
  escapes(write_json, "a\nb\tc\r", "\"a\\nb\\u0009c\\u000d\"");
}

Test(report_escape, xml_ends_neither_an_element_nor_an_attribute) {
  escapes(write_xml_text, "<a b=\"c\"> & ]]>", "&lt;a b=&quot;c&quot;&gt; &amp; ]]&gt;");
  escapes(write_xml_text, "a\nb", "a\nb");
  escapes(write_xml_value, "a\nb", "a&#10;b");
}

Test(report_escape, tap_stays_on_its_line_and_begins_no_directive) {
  escapes(write_tap_text, "a\nok 2 # SKIP", "a ok 2 \\# SKIP");
  escapes(write_tap_text, "C:\\x", "C:\\\\x");
}

Test(report_escape, controls_are_shown) {
  escapes(write_json, "\x1b[31m\x7f\xc2\x9b", "\"\\u001b[31m\\u007f\\u009b\"");
  escapes(write_xml_text, "\x01\x1b[31m\x7f\xc2\x9b\r", "\\x01\\x1b[31m\\x7f\\xc2\\x9b\\x0d");
  escapes(write_tap_text, "\x1b[31m", "\\\\x1b[31m");
}

Test(report_escape, what_xml_has_no_room_for_is_shown) {
  escapes(write_xml_text, "\xef\xbf\xbe\xef\xbf\xbf", "\\xef\\xbf\\xbe\\xef\\xbf\\xbf");
  escapes(write_json, "\xef\xbf\xbe\xef\xbb\xbf\xe2\x80\xa8", "\"\\ufffe\\ufeff\\u2028\"");
}

Test(report_escape, what_is_not_utf8_is_shown) {
  /* Stray, cut short, overlong, a surrogate, above U+10FFFF. */
  escapes(write_json, "\x80|\xe5\xb2|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80",
          "\"\\\\x80|\\\\xe5\\\\xb2|\\\\xc0\\\\xaf|\\\\xed\\\\xa0\\\\x80|\\\\xf4\\\\x90\\\\x80\\\\x80\"");
  escapes(write_xml_text, "\xff\xe5\xb2", "\\xff\\xe5\\xb2");
  escapes(write_tap_text, "\xff", "\\\\xff");
}

Test(report_escape, what_is_long_is_cut_between_characters) {
  bh_buffer out;
  bh_buffer_init(&out, bh_system_allocator());
  write_json_string(&out, "aä岩b", 2);
  cr_assert_str_eq(text_of(&out), "\"aä…\"");
  bh_buffer_free(&out);
}

Test(report_escape, megabytes_are_written_whole) {
  static char text[3000001];
  bh_buffer out;
  memset(text, '"', sizeof text - 1);
  bh_buffer_init(&out, bh_system_allocator());
  write_json_string(&out, text, SIZE_MAX);
  cr_assert_eq(out.size, 2 * (sizeof text - 1) + 2);
  bh_buffer_clear(&out);
  write_xml_text(&out, text);
  cr_assert_eq(out.size, strlen("&quot;") * (sizeof text - 1));
  bh_buffer_free(&out);
}

Test(report_escape, a_character_is_utf8) {
  static const char *const whole[] = {"a",
                                      "\xc2\x80",
                                      "\xdf\xbf",
                                      "\xe0\xa0\x80",
                                      "\xed\x9f\xbf",
                                      "\xee\x80\x80",
                                      "\xef\xbf\xbf",
                                      "\xf0\x90\x80\x80",
                                      "\xf4\x8f\xbf\xbf"};
  static const char *const broken[] = {"\x80",
                                       "\xc1\xbf",
                                       "\xc2",
                                       "\xc2\x7f",
                                       "\xe0\x9f\xbf",
                                       "\xed\xa0\x80",
                                       "\xe1\x80\xc0",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff"};
  for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
    cr_assert_eq(character_size(whole[i], strlen(whole[i])), strlen(whole[i]), "%zu", i);
    cr_assert_eq(character_size(whole[i], strlen(whole[i]) - 1), 0, "%zu", i);
  }
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    cr_assert_eq(character_size(broken[i], strlen(broken[i])), 0, "%zu", i);
  }
}
