/* SPDX-License-Identifier: MIT */
#ifndef RESULT_H
#define RESULT_H

/*
 * What came of a case: its verdict, and the record that says why. Every report is made of these. All pointers live
 * until the next result is read.
 */

#include "harness.h"
#include "runner.h"

struct breach {
  const char *requirement, *text; /* the first of them */
  size_t times;
  bool known; /* to --known-failures */
};

struct result {
  const struct entry *entry;
  enum verdict verdict;
  const char *requirement; /* the one that is broken, where it is one; "" otherwise, as in the next two */
  const char *expected;
  const char *came;
  const char *again;       /* the command line that runs the case again */
  bool fails;              /* the run, */
  bool known;              /* but for --known-failures */
  uint64_t turn;           /* of --repeat, from 1 */
  struct breach *breaches; /* seen in passing, where the case does not fail by itself: one for each requirement */
  size_t breach_count;
  double seconds;     /* until the last thing that the record tells */
  struct json *lines; /* the record: internal.h says what is in it */
  size_t count;
  size_t judged; /* how many of them had come when the verdict fell */
};

/* Reads the record that the case left in the directory of the run. */
struct result result_read(const struct entry *entry, const char *run, const struct options *options);
/* The line with which a shell runs that case again as this run has it. */
char *command_again(const struct entry *entry, const struct options *options);

/* "PASS"; and as it is counted: "passed". */
const char *verdict_name(enum verdict verdict);
const char *verdict_counted(enum verdict verdict);
/* The case did not show what it is about, and not because the hub has no such thing. */
bool is_grave(enum verdict verdict);

/* A line of a record: "" where it has no such member. */
const char *line_member(const struct json *line, const char *name);
bool line_is(const struct json *line, const char *kind);
/* That line is part of the transcript. Connections that end because the case has ended tell nothing, */
bool line_is_told(const struct result *result, size_t at);
/* nor do, to people, the ACKs with which the suite answers HEARTBEATs. */
bool line_is_shown(const struct result *result, size_t at);
/* Seconds since the case began. */
double line_seconds(const struct json *line);

#endif
