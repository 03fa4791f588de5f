/* SPDX-License-Identifier: MIT */
#ifndef REPORT_ESCAPE_H
#define REPORT_ESCAPE_H

/*
 * Any octets, made part of a report. What is no character (of UTF-8, and in XML of XML 1.0) is shown as \xNN. Failures
 * are latched in the buffer.
 */

#include "buffer.h"

/* In quotes: a JSON string, which is a YAML one too, and which ends no <script>. At most `limit` octets of `text`. */
void write_json_string(bh_buffer *out, const char *text, size_t limit);
/* Of an element; and of an attribute, between quotation marks. */
void write_xml_text(bh_buffer *out, const char *text);
void write_xml_value(bh_buffer *out, const char *text);
/* On one line of TAP, where # begins a directive. */
void write_tap_text(bh_buffer *out, const char *text);

#endif
