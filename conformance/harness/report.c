/* SPDX-License-Identifier: MIT */
/* What a case's record says, for people. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "runner.h"

#define SHOWN 110
#define SHOWN_VERBOSE 2000
#define LINES_MAX 60
#define LOG_LINES_MAX 12

static const char *const names[] = {
    [VERDICT_PASS] = "PASS",
    [VERDICT_FAIL] = "FAIL",
    [VERDICT_CRASH] = "CRASH",
    [VERDICT_TIMEOUT] = "TIMEOUT",
    [VERDICT_NON_STRICT] = "NON_STRICT",
    [VERDICT_INCONCLUSIVE] = "INCONCLUSIVE",
    [VERDICT_UNIMPLEMENTED] = "UNIMPLEMENTED",
    [VERDICT_SKIP] = "SKIP",
    [VERDICT_BROKEN] = "BROKEN",
};

static const char *const counted_as[] = {
    [VERDICT_PASS] = "passed",
    [VERDICT_FAIL] = "failed",
    [VERDICT_CRASH] = "crashed",
    [VERDICT_TIMEOUT] = "timed out",
    [VERDICT_NON_STRICT] = "not strict",
    [VERDICT_INCONCLUSIVE] = "inconclusive",
    [VERDICT_UNIMPLEMENTED] = "unimplemented",
    [VERDICT_SKIP] = "skipped",
    [VERDICT_BROKEN] = "broken in the suite itself",
};

struct record {
  struct json *lines;
  size_t count;
  const struct json *verdict; /* NULL: the worker ended before it could tell */
};

/* "" where the line has no such member. */
static const char *member(const struct json *line, const char *name) {
  return json_is_text(line, name) ? json_text(line, name) : "";
}

static bool is_kind(const struct json *line, const char *kind) {
  return strcmp(member(line, "kind"), kind) == 0;
}

static struct record read_record(const char *path) {
  struct record record = {0};
  size_t size = 0, capacity = 0;
  char *text = file_read(path, &size);
  for (char *line = text; line && *line;) {
    char *end = line + strcspn(line, "\n");
    struct json json = json_read(line, (size_t)(end - line));
    line = *end ? end + 1 : end;
    if (!json.valid) { /* cut short with its worker */
      continue;
    }
    record.lines = grow(record.lines, record.count, &capacity, sizeof *record.lines);
    record.lines[record.count++] = json;
  }
  for (size_t i = 0; i < record.count; i++) {
    if (is_kind(&record.lines[i], "verdict")) {
      record.verdict = &record.lines[i];
    }
  }
  return record;
}

static enum verdict judge(const struct entry *entry, const struct record *record) {
  if (!record->verdict && entry->signal == SIGALRM) {
    return VERDICT_TIMEOUT;
  }
  for (int verdict = 0; record->verdict && verdict < VERDICTS; verdict++) {
    if (strcmp(names[verdict], member(record->verdict, "verdict")) == 0) {
      return (enum verdict)verdict;
    }
  }
  return VERDICT_BROKEN;
}

static void print_requirement(const char *id, size_t size, FILE *out) {
  size_t index = requirement_index(id, size);
  if (index < requirement_count) {
    fprintf(out, "        %s  %s\n", requirements[index].id, requirements[index].sentence);
  }
}

static void print_requirements(const struct entry *entry, const char *broken, FILE *out) {
  if (*broken) {
    print_requirement(broken, strlen(broken), out);
    return;
  }
  for (const char *id = entry->ids; *id;) {
    size_t size = strcspn(id, " ");
    print_requirement(id, size, out);
    id += size;
    id += strspn(id, " ");
  }
}

/* The ACKs with which the suite answers HEARTBEATs tell nothing. */
static bool is_shown(const struct json *line) {
  return !is_kind(line, "verdict") && !is_kind(line, "log") && !(is_kind(line, "send") && json_has(line, "automatic"));
}

static void print_line(const struct json *line, size_t width, FILE *out) {
  const char *body = member(line, "body"), *text = member(line, "text");
  const char *arrow = is_kind(line, "send")      ? "-> "
                      : is_kind(line, "receive") ? "<- "
                      : is_kind(line, "breach")  ? "!! "
                                                 : "";
  fprintf(out, "        %8.3f  %-9s %s%s", (double)json_integer(line, "us") / 1e6, member(line, "lane"), arrow, text);
  if (*body) {
    fprintf(out, "  %.*s%s", (int)width, body, strlen(body) > width ? "..." : "");
  }
  if (is_kind(line, "breach")) {
    fprintf(out, " (%s)", member(line, "requirement"));
  }
  fputc('\n', out);
}

static void print_transcript(const struct record *record, bool verbose, FILE *out) {
  size_t shown = 0, passed_over = 0;
  for (size_t i = 0; i < record->count; i++) {
    shown += is_shown(&record->lines[i]);
  }
  fprintf(out, "      transcript, in seconds\n");
  for (size_t i = 0, at = 0; i < record->count; i++) {
    if (!is_shown(&record->lines[i])) {
      continue;
    }
    /* The first ones say how it began, the last ones what went wrong. */
    if (verbose || shown <= LINES_MAX || at < LINES_MAX / 4 || at >= shown - LINES_MAX * 3 / 4) {
      print_line(&record->lines[i], verbose ? SHOWN_VERBOSE : SHOWN, out);
    } else if (passed_over++ == 0) {
      fprintf(out, "        ... %zu more; --verbose shows them\n", shown - LINES_MAX);
    }
    at++;
  }
}

static void print_log(const struct record *record, FILE *out) {
  size_t logged = 0, at = 0;
  for (size_t i = 0; i < record->count; i++) {
    logged += is_kind(&record->lines[i], "log");
  }
  fprintf(out, "      the hub's last words%s\n", logged ? "" : ": none");
  for (size_t i = 0; i < record->count; i++) {
    if (is_kind(&record->lines[i], "log") && at++ + LOG_LINES_MAX >= logged) {
      fprintf(out, "        %s\n", member(&record->lines[i], "text"));
    }
  }
}

static void print_explanation(const struct entry *entry, enum verdict verdict, const struct record *record, FILE *out) {
  const char *broken = record->verdict ? member(record->verdict, "requirement") : "";
  const char *expected = record->verdict ? member(record->verdict, "expected") : "";
  const char *came = record->verdict ? member(record->verdict, "came") : "";
  print_requirements(entry, broken, out);
  if (*expected) {
    fprintf(out, "      expected  %s\n", expected);
  }
  if (*came) {
    fprintf(out, "      came      %s\n", came);
  }
  if (verdict == VERDICT_TIMEOUT && !record->verdict) {
    fprintf(out, "      came      no end of the case in its time\n");
  } else if (!record->verdict) {
    fprintf(out, "      came      the end of the case's process, by signal %d: a fault of the suite\n", entry->signal);
  }
}

static bool is_grave(enum verdict verdict) {
  return verdict != VERDICT_PASS && verdict != VERDICT_UNIMPLEMENTED && verdict != VERDICT_SKIP;
}

static bool is_breach_of(const struct json *line, const char *id) {
  return is_kind(line, "breach") && strcmp(member(line, "requirement"), id) == 0;
}

static size_t count_breaches(const struct record *record, size_t before, const char *id) {
  size_t count = 0;
  for (size_t i = 0; i < before; i++) {
    count += is_breach_of(&record->lines[i], id);
  }
  return count;
}

/* Where the case itself does not fail by it. Told at length once; the next cases break in the same way. */
static void print_breaches(const struct record *record, const struct options *options, struct tally *tally, FILE *out) {
  bool fresh = false;
  for (size_t i = 0; i < record->count; i++) {
    const struct json *line = &record->lines[i];
    const char *id = member(line, "requirement");
    if (!is_kind(line, "breach") || count_breaches(record, i, id)) {
      continue;
    }
    bool *told = &tally->seen[requirement_index(id, strlen(id))];
    size_t times = count_breaches(record, record->count, id);
    fprintf(out, "      seen in passing%s%s\n", *told ? ", as before: " : "", *told ? id : "");
    if (!*told) {
      print_requirement(id, strlen(id), out);
    }
    fprintf(out, "      came      %s", member(line, "text"));
    if (times > 1) {
      fprintf(out, "; and %zu times more", times - 1);
    }
    fputc('\n', out);
    fresh = fresh || !*told;
    *told = true;
    tally->breaches++;
  }
  if (fresh && !options->verbose) {
    print_transcript(record, false, out);
    print_log(record, out);
  }
}

static bool has_breach(const struct record *record) {
  for (size_t i = 0; i < record->count; i++) {
    if (is_kind(&record->lines[i], "breach")) {
      return true;
    }
  }
  return false;
}

void report_section(const struct section *section, size_t passed, size_t cases, FILE *out) {
  fprintf(out, "%-36s %3zu of %zu passed\n", section->title, passed, cases);
}

enum verdict report_case(const struct entry *entry, const char *run, const struct options *options, struct tally *tally,
                         FILE *out) {
  struct record record =
      read_record(format("%s/" RESULTS "/%s.%s.jsonl", run, entry->test->category, entry->test->name));
  enum verdict verdict = judge(entry, &record);
  tally->of[verdict]++;
  if (verdict != VERDICT_PASS || options->verbose || has_breach(&record)) {
    fprintf(out, "  %-13s %s\n", names[verdict], entry->slug);
  }
  if (verdict == VERDICT_SKIP || verdict == VERDICT_UNIMPLEMENTED) {
    fprintf(out, "      %s\n", record.verdict ? member(record.verdict, "came") : "");
  }
  if (is_grave(verdict)) {
    print_explanation(entry, verdict, &record, out);
  } else {
    print_breaches(&record, options, tally, out);
  }
  if (is_grave(verdict) || options->verbose) {
    print_transcript(&record, options->verbose, out);
    print_log(&record, out);
  }
  free_all();
  return verdict;
}

void report_summary(const struct tally *tally, double seconds, FILE *out) {
  size_t cases = 0;
  for (int verdict = 0; verdict < VERDICTS; verdict++) {
    cases += tally->of[verdict];
  }
  fprintf(out, "\n%zu case%s in %.1f s:", cases, cases == 1 ? "" : "s", seconds);
  const char *separator = " ";
  for (int verdict = 0; verdict < VERDICTS; verdict++) {
    if (tally->of[verdict] || verdict == VERDICT_PASS || verdict == VERDICT_FAIL) {
      fprintf(out, "%s%zu %s", separator, tally->of[verdict], counted_as[verdict]);
      separator = ", ";
    }
  }
  if (tally->breaches) {
    fprintf(out, "; %zu breach%s seen in passing", tally->breaches, tally->breaches == 1 ? "" : "es");
  }
  fputc('\n', out);
}
