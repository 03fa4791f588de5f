/* SPDX-License-Identifier: MIT */
/* The report that programs read, and in which the page has its data: conformance/schema/report.schema.json. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bridgehub.h"
#include "internal.h"
#include "json_write.h"
#include "report.h"

#define FORMAT 1
#define BODY_MAX 600
#define TEXT_MAX 2000

/* The first lines say how it began, the last ones what went wrong. */
struct excerpt {
  size_t first, last;
};

static const struct excerpt transcript_excerpt = {100, 300}, log_excerpt = {0, 60}, nothing;

static void write_name(bh_buffer *out, const char *name) {
  bh_write_text(out, ",\"");
  bh_write_text(out, name);
  bh_write_text(out, "\":");
}

static void write_text(bh_buffer *out, const char *name, const char *text) {
  write_name(out, name);
  write_json_string(out, text, TEXT_MAX);
}

/* "" is null. */
static void write_text_or_null(bh_buffer *out, const char *name, const char *text) {
  write_name(out, name);
  if (*text) {
    write_json_string(out, text, TEXT_MAX);
  } else {
    bh_write_text(out, "null");
  }
}

static void write_count(bh_buffer *out, const char *name, size_t count) {
  write_name(out, name);
  bh_write_integer(out, count);
}

static void write_number(bh_buffer *out, const char *name, double number) {
  char text[32];
  snprintf(text, sizeof text, "%.6g", number);
  write_name(out, name);
  bh_write_text(out, text);
}

static void write_truth(bh_buffer *out, const char *name, bool truth) {
  write_name(out, name);
  bh_write_text(out, truth ? "true" : "false");
}

static void separate(bh_buffer *out) {
  if (out->size && out->octets[out->size - 1] != '[') {
    bh_write_text(out, ",");
  }
}

/* ---------------------------------------------------------------------------------------------------- the case */

static void write_requirement(bh_buffer *out, const char *id, size_t size) {
  separate(out);
  bh_write_text(out, "{\"id\":");
  write_json_string(out, format("%.*s", (int)size, id), TEXT_MAX);
  write_text(out, "sentence", requirement_sentence(id, size));
  bh_write_text(out, "}");
}

static void write_breaches(bh_buffer *out, const struct result *result) {
  write_name(out, "breaches");
  bh_write_text(out, "[");
  for (size_t i = 0; i < result->breach_count; i++) {
    const struct breach *breach = &result->breaches[i];
    separate(out);
    bh_write_text(out, "{\"id\":");
    write_json_string(out, breach->requirement, TEXT_MAX);
    write_text(out, "sentence", requirement_sentence(breach->requirement, strlen(breach->requirement)));
    write_text(out, "came", breach->text);
    write_count(out, "times", breach->times);
    write_truth(out, "known", breach->known);
    bh_write_text(out, "}");
  }
  bh_write_text(out, "]");
}

static void write_time(bh_buffer *out, const struct json *line) {
  char text[40];
  snprintf(text, sizeof text, "{\"at\":%.6f", line_seconds(line));
  bh_write_text(out, text);
}

static void write_line(bh_buffer *out, const struct json *line) {
  const char *body = line_member(line, "body");
  write_time(out, line);
  write_text(out, "kind", line_member(line, "kind"));
  if (json_has(line, "lane")) {
    write_text(out, "lane", line_member(line, "lane"));
  }
  write_text(out, "text", line_member(line, "text"));
  if (*body) {
    write_name(out, "body");
    write_json_string(out, body, BODY_MAX);
  }
  if (json_is_integer(line, "size")) {
    write_count(out, "size", json_integer(line, "size"));
  }
  if (line_is(line, "breach")) {
    write_text(out, "requirement", line_member(line, "requirement"));
  }
  if (json_has(line, "automatic")) {
    bh_write_text(out, ",\"automatic\":true");
  }
  bh_write_text(out, "}");
}

static void write_log_line(bh_buffer *out, const struct json *line) {
  write_time(out, line);
  write_text(out, "lane", line_member(line, "lane"));
  write_text(out, "text", line_member(line, "text"));
  bh_write_text(out, "}");
}

static void write_omitted(bh_buffer *out, size_t count) {
  separate(out);
  bh_write_text(out, "{\"kind\":\"omitted\"");
  write_count(out, "count", count);
  bh_write_text(out, "}");
}

/* Lines of a record. */
struct part {
  const struct json **lines;
  size_t count;
};

/* Each line is read once: a case can have thousands. */
static void divide(const struct result *result, struct part *transcript, struct part *log) {
  transcript->lines = allocate((result->count + 1) * sizeof(struct json *));
  log->lines = allocate((result->count + 1) * sizeof(struct json *));
  for (size_t i = 0; i < result->count; i++) {
    if (line_is(&result->lines[i], "log")) {
      log->lines[log->count++] = &result->lines[i];
    } else if (line_is_told(result, i)) {
      transcript->lines[transcript->count++] = &result->lines[i];
    }
  }
}

static void write_part(bh_buffer *out, const char *name, const struct part *part, struct excerpt excerpt,
                       void (*write)(bh_buffer *out, const struct json *line)) {
  size_t kept = excerpt.first + excerpt.last, omitted = part->count > kept ? part->count - kept : 0;
  write_name(out, name);
  bh_write_text(out, "[");
  for (size_t i = 0; i < part->count; i++) {
    if (i < excerpt.first || i >= excerpt.first + omitted) {
      separate(out);
      write(out, part->lines[i]);
    } else if (i == excerpt.first) {
      write_omitted(out, omitted);
    }
  }
  bh_write_text(out, "]");
}

/* A run that is repeated often would make pages that no browser opens. */
static bool is_told_again(const struct result *result) {
  return result->turn > 1 && result->verdict == VERDICT_PASS && result->breach_count == 0;
}

void report_json_add(bh_buffer *out, const struct report_run *run, const struct result *result) {
  const struct entry *entry = result->entry;
  bh_write_text(out, run->told > 1 ? ",\n{\"slug\":" : "\n{\"slug\":");
  write_json_string(out, entry->slug, TEXT_MAX);
  write_count(out, "number", (size_t)(entry - run->catalogue->entries) + 1);
  write_text(out, "section", entry->section->name);
  write_text(out, "role", entry->of_client ? "client" : "hub");
  write_text(out, "level", entry->level);
  write_name(out, "requirements");
  bh_write_text(out, "[");
  each_requirement(entry, write_requirement, out);
  bh_write_text(out, "]");
  write_text(out, "verdict", verdict_name(result->verdict));
  write_text_or_null(out, "requirement", result->requirement);
  write_text_or_null(out, "expected", result->expected);
  write_text_or_null(out, "came", result->came);
  write_number(out, "seconds", result->seconds);
  write_truth(out, "fails", result->fails && !result->known);
  write_truth(out, "known", result->known);
  write_count(out, "turn", result->turn);
  write_text(out, "again", result->again);
  write_breaches(out, result);
  struct part transcript = {0}, log = {0};
  bool is_short = is_told_again(result);
  divide(result, &transcript, &log);
  write_part(out, "transcript", &transcript, is_short ? nothing : transcript_excerpt, write_line);
  write_part(out, "log", &log, is_short ? nothing : log_excerpt, write_log_line);
  bh_write_text(out, "}");
}

/* ----------------------------------------------------------------------------------------------------- the run */

static void write_sections(bh_buffer *out, const struct catalogue *catalogue) {
  write_name(out, "sections");
  bh_write_text(out, "[");
  for (size_t i = 0; i < catalogue->count; i++) {
    const struct section *section = catalogue->entries[i].section;
    if (i && section == catalogue->entries[i - 1].section) {
      continue;
    }
    separate(out);
    bh_write_text(out, "{\"name\":");
    write_json_string(out, section->name, TEXT_MAX);
    write_text(out, "title", section->title);
    bh_write_text(out, "}");
  }
  bh_write_text(out, "]");
}

static void write_array(bh_buffer *out, const char *name, const char *const *texts, size_t count) {
  write_name(out, name);
  bh_write_text(out, "[");
  for (size_t i = 0; i < count; i++) {
    separate(out);
    write_json_string(out, texts[i], TEXT_MAX);
  }
  bh_write_text(out, "]");
}

static void write_options(bh_buffer *out, const struct options *options) {
  write_name(out, "options");
  bh_write_text(out, "{\"jobs\":");
  bh_write_integer(out, options->jobs);
  write_number(out, "time_scale", options->time_scale);
  write_count(out, "repeat", options->repeat);
  write_count(out, "seed", options->seed);
  write_truth(out, "strict", options->strict);
  write_text_or_null(out, "known_failures", options->known_failures ? options->known_failures : "");
  write_text_or_null(out, "kill", options->kill ? options->kill : "");
  write_text_or_null(out, "connect", options->connect ? options->connect : "");
  write_text_or_null(out, "listen", options->listen ? options->listen : "");
  write_array(out, "cases", options->globs, options->glob_count);
  bh_write_text(out, "}");
}

/* What is under test; null: none of these. */
static void write_command(bh_buffer *out, const char *name, const char *command) {
  write_text_or_null(out, name, command ? command : "");
}

static void head(bh_buffer *out, const struct report_run *run) {
  bh_write_text(out, "{\"format\":");
  bh_write_integer(out, FORMAT);
  write_text(out, "suite", "bridgehub-conformance");
  write_text(out, "version", BH_VERSION);
  write_count(out, "protocol", BH_PROTOCOL);
  write_text(out, "started", run->started);
  write_command(out, "hub", run->options->hub);
  write_command(out, "client", run->options->client);
  write_options(out, run->options);
  write_sections(out, run->catalogue);
  write_count(out, "planned", run->catalogue->count * run->options->repeat);
  write_name(out, "cases");
  bh_write_text(out, "[");
}

static void write_totals(bh_buffer *out, const struct tally *tally) {
  write_name(out, "totals");
  for (int verdict = 0; verdict < VERDICTS; verdict++) {
    bh_write_text(out, verdict ? ",\"" : "{\"");
    bh_write_text(out, verdict_name(verdict));
    bh_write_text(out, "\":");
    bh_write_integer(out, tally->of[verdict]);
  }
  bh_write_text(out, "}");
  write_count(out, "faults", tally->faults);
  write_count(out, "known", tally->known);
  write_count(out, "breaches", tally->breaches);
  write_count(out, "known_breaches", tally->known_breaches);
}

static void tail(bh_buffer *out, const struct report_run *run) {
  bh_write_text(out, "\n]");
  write_truth(out, "finished", run->finished);
  if (run->finished) {
    write_count(out, "exit_status", (size_t)run->status);
  }
  write_number(out, "seconds", run->seconds);
  write_totals(out, &run->tally);
  write_array(out, "stale", run->stale, run->stale_count);
  bh_write_text(out, "}\n");
}

const struct report_format report_json = {.head = head, .add = report_json_add, .tail = tail};
