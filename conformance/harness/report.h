/* SPDX-License-Identifier: MIT */
#ifndef REPORT_H
#define REPORT_H

/* The reports for other programs: TAP, JUnit, JSON and the page. Whole after each case: see report_file.h. */

#include "report_escape.h"
#include "result.h"

/* Of the run so far. */
struct report_run {
  const struct options *options;
  const struct catalogue *catalogue;
  char started[32]; /* "2026-11-22T10:00:00Z" */
  size_t told;      /* cases, in all runs of --repeat */
  struct tally tally;
  double seconds;
  bool finished;
  int status;         /* of the program, once it is */
  const char **stale; /* what is told of lines of --known-failures */
  size_t stale_count;
};

/* Each appends to the buffer. A case is in `run` already when it is written. */
struct report_format {
  void (*head)(bh_buffer *out, const struct report_run *run);
  void (*add)(bh_buffer *out, const struct report_run *run, const struct result *result);
  void (*tail)(bh_buffer *out, const struct report_run *run);
  bool head_counts; /* the head tells how many cases failed, in always the same size */
};

extern const struct report_format report_tap, report_junit, report_json, report_html;

/* Of the page too. */
void report_json_add(bh_buffer *out, const struct report_run *run, const struct result *result);

/* Opens the reports that the options ask for. False: it said which cannot be written. */
bool reports_open(const struct options *options);
/* Once the options are settled. */
void reports_begin(const struct options *options, const struct catalogue *catalogue);
/* A case that is over; `tally` counts it already. */
void reports_add(const struct result *result, const struct tally *tally);
/* `stale`: a line for each of them. False: a report is not whole, and it said why. */
bool reports_end(int status, const char *stale);

/* --------------------------------------------------------------------------------------- what the formats share */

/* Calls write(out, id, size) for each of the requirements that the case is about. */
void each_requirement(const struct entry *entry, void (*write)(bh_buffer *out, const char *id, size_t size),
                      bh_buffer *out);
/* "" where there is none. */
const char *requirement_sentence(const char *id, size_t size);
/* The slug, and which run of --repeat it was, but for the first. */
const char *result_name(const struct result *result);
/* "expected ...; came ...". */
const char *result_message(const struct result *result);
/* What the text report tells of a case that failed. */
const char *result_details(const struct result *result);

#endif
