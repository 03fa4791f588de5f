/* SPDX-License-Identifier: MIT */
/* JUnit, as conformance/schema/junit.xsd has it: one suite, the cases as they ended. */

#include <stdio.h>
#include <string.h>

#include "bridgehub.h"
#include "json_write.h"
#include "report.h"

/* The counts in the head are written over: white space after them makes it always as long. */
#define HEAD_TAG 250

static const char suite[] = "bridgehub-conformance";

static void write_attribute(bh_buffer *out, const char *name, const char *text) {
  bh_write_text(out, " ");
  bh_write_text(out, name);
  bh_write_text(out, "=\"");
  write_xml_value(out, text);
  bh_write_text(out, "\"");
}

static void write_count(bh_buffer *out, const char *name, size_t count) {
  char text[24];
  snprintf(text, sizeof text, "%zu", count);
  write_attribute(out, name, text);
}

static void write_seconds(bh_buffer *out, double seconds) {
  char text[32];
  snprintf(text, sizeof text, "%.3f", seconds);
  write_attribute(out, "time", text);
}

static void write_property(bh_buffer *out, const char *name, const char *value) {
  bh_write_text(out, "<property");
  write_attribute(out, "name", name);
  write_attribute(out, "value", value);
  bh_write_text(out, "/>\n");
}

/* What a breach seen in passing, a stale line of --known-failures or a run cut short is told as: a case of its own. */
static void begin_case(bh_buffer *out, const char *class, const char *name, double seconds) {
  bh_write_text(out, "<testcase");
  write_attribute(out, "classname", class);
  write_attribute(out, "name", name);
  write_seconds(out, seconds);
  bh_write_text(out, ">");
}

static void write_outcome(bh_buffer *out, const char *element, const char *type, const char *message,
                          const char *details) {
  bh_write_text(out, "<");
  bh_write_text(out, element);
  write_attribute(out, "type", type);
  write_attribute(out, "message", message);
  bh_write_text(out, ">");
  write_xml_text(out, details);
  bh_write_text(out, "</");
  bh_write_text(out, element);
  bh_write_text(out, ">");
}

static void write_skipped(bh_buffer *out, const char *why, const char *message) {
  bh_write_text(out, "<skipped>");
  write_xml_text(out, why);
  bh_write_text(out, ": ");
  write_xml_text(out, message);
  bh_write_text(out, "</skipped>");
}

static void write_details(bh_buffer *out, const struct result *result) {
  bh_write_text(out, "<system-out>");
  write_xml_text(out, result_details(result));
  bh_write_text(out, "</system-out>");
}

static void write_verdict(bh_buffer *out, const struct result *result) {
  const char *verdict = verdict_name(result->verdict), *message = result_message(result);
  if (result->verdict == VERDICT_BROKEN) {
    write_outcome(out, "error", verdict, message, result_details(result));
  } else if (result->fails && !result->known) {
    write_outcome(out, "failure", verdict, message, result_details(result));
  } else if (result->verdict != VERDICT_PASS) {
    write_skipped(out, result->known ? format("known failure, %s", verdict) : verdict, message);
    if (is_grave(result->verdict)) {
      write_details(out, result);
    }
  }
}

static void write_breach(bh_buffer *out, const struct result *result, const struct breach *breach) {
  const char *id = breach->requirement;
  begin_case(out, "seen-in-passing", format("%s in %s", id, result_name(result)), 0);
  if (breach->known) {
    write_skipped(out, "known failure", breach->text);
  } else {
    const char *sentence = requirement_sentence(id, strlen(id));
    write_outcome(out, "failure", "BREACH", breach->text, format("%s  %s\n%s", id, sentence, result_details(result)));
  }
  bh_write_text(out, "</testcase>\n");
}

static void add(bh_buffer *out, const struct report_run *run, const struct result *result) {
  (void)run;
  begin_case(out, result->entry->section->name, result_name(result), result->seconds);
  write_verdict(out, result);
  bh_write_text(out, "</testcase>\n");
  for (size_t i = 0; i < result->breach_count; i++) {
    write_breach(out, result, &result->breaches[i]);
  }
}

/* ----------------------------------------------------------------------------------------------------- the run */

struct counts {
  size_t tests, failures, errors, skipped;
};

static struct counts count(const struct report_run *run) {
  const struct tally *tally = &run->tally;
  struct counts counts = {
      .tests = run->told + tally->breaches + tally->known_breaches + run->stale_count + !run->finished,
      .failures = tally->faults + tally->breaches + run->stale_count,
      .errors = tally->of[VERDICT_BROKEN] + !run->finished,
  };
  counts.skipped =
      run->told - tally->of[VERDICT_PASS] - tally->faults - tally->of[VERDICT_BROKEN] + tally->known_breaches;
  return counts;
}

static void begin_tag(bh_buffer *out, const char *tag, const struct counts *counts, double seconds) {
  bh_write_text(out, tag);
  write_attribute(out, "name", suite);
  write_count(out, "tests", counts->tests);
  write_count(out, "failures", counts->failures);
  write_count(out, "errors", counts->errors);
  write_seconds(out, seconds);
}

static void end_tag(bh_buffer *out, size_t begin) {
  while (!out->failed && out->size < begin + HEAD_TAG) {
    bh_buffer_append(out, " ", 1);
  }
  bh_write_text(out, ">\n");
}

static void write_command(bh_buffer *out, const char *role, const char *command) {
  if (command) {
    write_property(out, role, command);
  }
}

static void write_properties(bh_buffer *out, const struct report_run *run) {
  const struct options *options = run->options;
  bh_write_text(out, "<properties>\n");
  write_property(out, "version", BH_VERSION);
  write_property(out, "protocol", format("%d", BH_PROTOCOL));
  write_command(out, "hub", options->hub);
  write_command(out, "client", options->client);
  write_property(out, "seed", format("%llu", (unsigned long long)options->seed));
  write_property(out, "time-scale", format("%g", options->time_scale));
  write_property(out, "planned", format("%zu", run->catalogue->count * options->repeat));
  bh_write_text(out, "</properties>\n");
}

static void head(bh_buffer *out, const struct report_run *run) {
  struct counts counts = count(run);
  char timestamp[32];
  bh_write_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  size_t begin = out->size;
  begin_tag(out, "<testsuites", &counts, run->seconds);
  end_tag(out, begin);
  begin = out->size;
  begin_tag(out, "<testsuite", &counts, run->seconds);
  write_count(out, "skipped", counts.skipped);
  /* A date and time without a zone. */
  snprintf(timestamp, sizeof timestamp, "%.19s", run->started);
  write_attribute(out, "timestamp", timestamp);
  end_tag(out, begin);
  write_properties(out, run);
}

/* Whoever reads the report of a run that was killed sees that it is no good one. */
static void write_unfinished(bh_buffer *out, const struct report_run *run) {
  const char *message = format("the run did not come to its end: %zu of %zu cases are told", run->told,
                               run->catalogue->count * run->options->repeat);
  begin_case(out, "run", "comes-to-its-end", 0);
  write_outcome(out, "error", "UNFINISHED", message, "");
  bh_write_text(out, "</testcase>\n");
}

static void tail(bh_buffer *out, const struct report_run *run) {
  for (size_t i = 0; i < run->stale_count; i++) {
    begin_case(out, "known-failures", run->stale[i], 0);
    write_outcome(out, "failure", "STALE", run->stale[i], "");
    bh_write_text(out, "</testcase>\n");
  }
  if (!run->finished) {
    write_unfinished(out, run);
  }
  bh_write_text(out, "</testsuite>\n</testsuites>\n");
}

const struct report_format report_junit = {.head = head, .add = add, .tail = tail, .head_counts = true};
