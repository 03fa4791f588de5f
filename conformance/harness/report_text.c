/* SPDX-License-Identifier: MIT */
/* What came of the cases, for people. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "report.h"
#include "result.h"

#define SHOWN 110
#define SHOWN_VERBOSE 2000
#define LINES_MAX 60
#define LOG_LINES_MAX 12

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

static void print_line(const struct json *line, size_t width, FILE *out) {
  const char *body = line_member(line, "body"), *text = line_member(line, "text");
  const char *arrow = line_is(line, "send")      ? "-> "
                      : line_is(line, "receive") ? "<- "
                      : line_is(line, "breach")  ? "!! "
                                                 : "";
  fprintf(out, "        %8.3f  %-9s %s%s", line_seconds(line), line_member(line, "lane"), arrow, text);
  if (*body) {
    fprintf(out, "  %.*s%s", (int)width, body, strlen(body) > width ? "..." : "");
  }
  if (line_is(line, "breach")) {
    fprintf(out, " (%s)", line_member(line, "requirement"));
  }
  fputc('\n', out);
}

static void print_transcript(const struct result *result, bool verbose, FILE *out) {
  size_t shown = 0, passed_over = 0;
  for (size_t i = 0; i < result->count; i++) {
    shown += line_is_shown(result, i);
  }
  fprintf(out, "      transcript, in seconds\n");
  for (size_t i = 0, at = 0; i < result->count; i++) {
    if (!line_is_shown(result, i)) {
      continue;
    }
    /* The first ones say how it began, the last ones what went wrong. */
    if (verbose || shown <= LINES_MAX || at < LINES_MAX / 4 || at >= shown - LINES_MAX * 3 / 4) {
      print_line(&result->lines[i], verbose ? SHOWN_VERBOSE : SHOWN, out);
    } else if (passed_over++ == 0) {
      fprintf(out, "        ... %zu more; --verbose shows them\n", shown - LINES_MAX);
    }
    at++;
  }
}

static void print_log(const struct result *result, FILE *out) {
  size_t logged = 0, at = 0;
  for (size_t i = 0; i < result->count; i++) {
    logged += line_is(&result->lines[i], "log");
  }
  fprintf(out, "      the %s's last words%s\n", result->entry->of_client ? "client" : "hub", logged ? "" : ": none");
  for (size_t i = 0; i < result->count; i++) {
    if (line_is(&result->lines[i], "log") && at++ + LOG_LINES_MAX >= logged) {
      fprintf(out, "        %s\n", line_member(&result->lines[i], "text"));
    }
  }
}

static void print_explanation(const struct result *result, FILE *out) {
  print_requirements(result->entry, result->requirement, out);
  if (*result->expected) {
    fprintf(out, "      expected  %s\n", result->expected);
  }
  if (*result->came) {
    fprintf(out, "      came      %s\n", result->came);
  }
}

static void print_breach(const struct breach *breach, bool told, FILE *out) {
  fprintf(out, "      seen in passing%s%s%s\n", breach->known ? " (known)" : "", told ? ", as before: " : "",
          told ? breach->requirement : "");
  if (!told) {
    print_requirement(breach->requirement, strlen(breach->requirement), out);
  }
  fprintf(out, "      came      %s", breach->text);
  if (breach->times > 1) {
    fprintf(out, "; and %zu times more", breach->times - 1);
  }
  fputc('\n', out);
}

/* Told at length once; the next cases break in the same way. */
static void print_breaches(const struct result *result, const struct options *options, struct tally *tally, FILE *out) {
  bool fresh = false;
  for (size_t i = 0; i < result->breach_count; i++) {
    const struct breach *breach = &result->breaches[i];
    bool *told = &tally->seen[requirement_index(breach->requirement, strlen(breach->requirement))];
    print_breach(breach, *told, out);
    fresh = fresh || !*told;
    *told = true;
  }
  if (fresh && !options->verbose) {
    print_transcript(result, false, out);
    print_log(result, out);
  }
}

void report_section(const struct section *section, size_t passed, size_t cases, FILE *out) {
  fprintf(out, "%-36s %3zu of %zu passed\n", section->title, passed, cases);
}

void report_details(const struct result *result, FILE *out) {
  print_explanation(result, out);
  print_transcript(result, false, out);
  print_log(result, out);
  fprintf(out, "      again     %s\n", result->again);
}

static bool is_told(const struct result *result, const struct options *options) {
  bool fine = result->verdict == VERDICT_PASS && result->breach_count == 0;
  bool silent = options->quiet && !result->fails && result->verdict != VERDICT_BROKEN && result->breach_count == 0;
  return options->verbose || (!fine && !silent);
}

void report_case(const struct result *result, const struct options *options, struct tally *tally, FILE *out) {
  enum verdict verdict = result->verdict;
  if (!is_told(result, options)) {
    return;
  }
  fprintf(out, "  %-13s %s%s\n", verdict_name(verdict), result->entry->slug, result->known ? "  (known)" : "");
  if (verdict == VERDICT_SKIP || verdict == VERDICT_UNIMPLEMENTED) {
    fprintf(out, "      %s\n", result_message(result));
  }
  if (is_grave(verdict)) {
    print_explanation(result, out);
  } else {
    print_breaches(result, options, tally, out);
  }
  if (is_grave(verdict) || options->verbose) {
    print_transcript(result, options->verbose, out);
    print_log(result, out);
  }
  if (is_grave(verdict) || result->breach_count) {
    fprintf(out, "      again     %s\n", result->again);
  }
}

void report_turn(const struct options *options, FILE *out) {
  if (options->repeat == 1) {
    return;
  }
  fprintf(out, "%sRun %llu of %llu", options->turn == 1 ? "" : "\n", (unsigned long long)options->turn,
          (unsigned long long)options->repeat);
  if (options->seed) {
    fprintf(out, ", seed %llu", (unsigned long long)options->seed);
  }
  fputc('\n', out);
}

static size_t kinds_of_verdict(const struct entry *entry) {
  size_t kinds = 0;
  for (int verdict = 0; verdict < VERDICTS; verdict++) {
    kinds += entry->verdicts[verdict] > 0;
  }
  return kinds;
}

void report_varied(const struct catalogue *catalogue, FILE *out) {
  bool first = true;
  for (size_t i = 0; i < catalogue->count; i++) {
    const struct entry *entry = &catalogue->entries[i];
    if (kinds_of_verdict(entry) < 2) {
      continue;
    }
    fprintf(out, "%s  %s:", first ? "\nVerdicts that varied\n" : "", entry->slug);
    first = false;
    for (int verdict = 0; verdict < VERDICTS; verdict++) {
      if (entry->verdicts[verdict]) {
        fprintf(out, " %zu %s", entry->verdicts[verdict], verdict_name(verdict));
      }
    }
    fputc('\n', out);
  }
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
      fprintf(out, "%s%zu %s", separator, tally->of[verdict], verdict_counted(verdict));
      separator = ", ";
    }
  }
  if (tally->breaches + tally->known_breaches) {
    size_t all = tally->breaches + tally->known_breaches;
    fprintf(out, "; %zu breach%s seen in passing", all, all == 1 ? "" : "es");
  }
  if (tally->known + tally->known_breaches) {
    fprintf(out, "; %zu of these known", tally->known + tally->known_breaches);
  }
  fputc('\n', out);
}
