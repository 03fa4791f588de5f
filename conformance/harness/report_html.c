/* SPDX-License-Identifier: MIT */
/* The page: one file that needs nothing else. Its data is the JSON report, in which no < ends the element around it. */

#include "report.h"
#include "report_page.h"

static void head(bh_buffer *out, const struct report_run *run) {
  bh_buffer_append(out, report_page_before, report_page_before_size);
  report_json.head(out, run);
}

static void tail(bh_buffer *out, const struct report_run *run) {
  report_json.tail(out, run);
  bh_buffer_append(out, report_page_behind, report_page_behind_size);
}

const struct report_format report_html = {.head = head, .add = report_json_add, .tail = tail};
