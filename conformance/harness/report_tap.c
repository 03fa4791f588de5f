/* SPDX-License-Identifier: MIT */
/* TAP 13. The plan comes first: a run that was killed has told fewer tests than it planned. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bridgehub.h"
#include "json_write.h"
#include "report.h"

static void write_command(bh_buffer *out, const char *role, const char *command) {
  if (command) {
    bh_write_text(out, "# ");
    bh_write_text(out, role);
    bh_write_text(out, ": ");
    write_tap_text(out, command);
    bh_write_text(out, "\n");
  }
}

static void head(bh_buffer *out, const struct report_run *run) {
  bh_write_text(out, "TAP version 13\n1..");
  bh_write_integer(out, run->catalogue->count * run->options->repeat);
  bh_write_text(out, "\n# bridgehub-conformance " BH_VERSION "\n");
  write_command(out, "hub", run->options->hub);
  write_command(out, "client", run->options->client);
}

static bool is_ok(const struct result *result) {
  return !result->fails && result->verdict != VERDICT_BROKEN && result->verdict != VERDICT_NON_STRICT;
}

static void write_directive(bh_buffer *out, const struct result *result) {
  const char *directive = NULL;
  if (result->known) {
    directive = " # TODO known failure: ";
  } else if (result->verdict == VERDICT_NON_STRICT && !result->fails) {
    directive = " # TODO NON_STRICT: ";
  } else if (result->verdict != VERDICT_PASS && is_ok(result)) {
    directive = " # SKIP ";
  }
  if (directive) {
    bh_write_text(out, directive);
    if (is_ok(result)) {
      bh_write_text(out, verdict_name(result->verdict));
      bh_write_text(out, ": ");
    }
    write_tap_text(out, result_message(result));
  }
}

/* A JSON string is a YAML one. */
static void write_value(bh_buffer *out, const char *name, const char *text) {
  if (*text) {
    bh_write_text(out, "  ");
    bh_write_text(out, name);
    bh_write_text(out, ": ");
    write_json_string(out, text, SIZE_MAX);
    bh_write_text(out, "\n");
  }
}

static void write_requirement(bh_buffer *out, const char *id, size_t size) {
  const char *sentence = requirement_sentence(id, size);
  bh_write_text(out, "    ");
  bh_buffer_append(out, id, size);
  bh_write_text(out, ": ");
  write_json_string(out, sentence, SIZE_MAX);
  bh_write_text(out, "\n");
}

static void write_breaches(bh_buffer *out, const struct result *result) {
  if (result->breach_count) {
    bh_write_text(out, "  seen_in_passing:\n");
  }
  for (size_t i = 0; i < result->breach_count; i++) {
    bh_write_text(out, "    ");
    bh_write_text(out, result->breaches[i].requirement);
    bh_write_text(out, ": ");
    write_json_string(out, result->breaches[i].text, SIZE_MAX);
    bh_write_text(out, "\n");
  }
}

static void write_details(bh_buffer *out, const struct result *result) {
  bh_write_text(out, "  details:\n");
  for (const char *line = result_details(result); *line;) {
    size_t size = strcspn(line, "\n");
    bh_write_text(out, "    - ");
    write_json_string(out, format("%.*s", (int)size, line), SIZE_MAX);
    bh_write_text(out, "\n");
    line += size + (line[size] == '\n');
  }
}

static void write_diagnostics(bh_buffer *out, const struct result *result) {
  char seconds[32];
  snprintf(seconds, sizeof seconds, "  seconds: %.3f\n", result->seconds);
  bh_write_text(out, "  ---\n");
  write_value(out, "verdict", verdict_name(result->verdict));
  write_value(out, "level", result->entry->level);
  bh_write_text(out, "  requirements:\n");
  each_requirement(result->entry, write_requirement, out);
  bh_write_text(out, seconds);
  write_value(out, "broken", result->requirement);
  write_value(out, "expected", result->expected);
  write_value(out, "came", result->came);
  write_breaches(out, result);
  write_value(out, "again", result->again);
  if (is_grave(result->verdict)) {
    write_details(out, result);
  }
  bh_write_text(out, "  ...\n");
}

static void add(bh_buffer *out, const struct report_run *run, const struct result *result) {
  bh_write_text(out, is_ok(result) ? "ok " : "not ok ");
  bh_write_integer(out, run->told);
  bh_write_text(out, " - ");
  write_tap_text(out, result_name(result));
  write_directive(out, result);
  bh_write_text(out, "\n");
  if (result->verdict != VERDICT_PASS || result->breach_count) {
    write_diagnostics(out, result);
  }
}

static void tail(bh_buffer *out, const struct report_run *run) {
  for (size_t i = 0; i < run->stale_count; i++) {
    bh_write_text(out, "# ");
    write_tap_text(out, run->stale[i]);
    bh_write_text(out, "\n");
  }
}

const struct report_format report_tap = {.head = head, .add = add, .tail = tail};
