/* SPDX-License-Identifier: MIT */
/* A case's record, read. */

#include <signal.h>
#include <string.h>

#include "internal.h"
#include "known.h"
#include "result.h"

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

const char *verdict_name(enum verdict verdict) {
  return names[verdict];
}

const char *verdict_counted(enum verdict verdict) {
  return counted_as[verdict];
}

bool is_grave(enum verdict verdict) {
  return verdict != VERDICT_PASS && verdict != VERDICT_UNIMPLEMENTED && verdict != VERDICT_SKIP;
}

const char *line_member(const struct json *line, const char *name) {
  return json_is_text(line, name) ? json_text(line, name) : "";
}

bool line_is(const struct json *line, const char *kind) {
  return strcmp(line_member(line, "kind"), kind) == 0;
}

static bool is_of_connection(const struct json *line) {
  const char *lane = line_member(line, "lane");
  return strncmp(lane, "conn ", 5) == 0 || strncmp(lane, "bridge ", 7) == 0;
}

bool line_is_told(const struct result *result, size_t at) {
  const struct json *line = &result->lines[at];
  return !line_is(line, "verdict") && !line_is(line, "log") &&
         !(at > result->judged && line_is(line, "event") && is_of_connection(line));
}

bool line_is_shown(const struct result *result, size_t at) {
  const struct json *line = &result->lines[at];
  return line_is_told(result, at) && !(line_is(line, "send") && json_has(line, "automatic"));
}

double line_seconds(const struct json *line) {
  return (double)json_integer(line, "us") / 1e6;
}

static void read_lines(struct result *result, const char *path) {
  size_t size = 0, capacity = 0;
  char *text = file_read(path, &size);
  for (char *line = text; line && *line;) {
    char *end = line + strcspn(line, "\n");
    struct json json = json_read(line, (size_t)(end - line));
    line = *end ? end + 1 : end;
    if (!json.valid) { /* cut short with its worker */
      continue;
    }
    result->lines = grow(result->lines, result->count, &capacity, sizeof *result->lines);
    result->lines[result->count++] = json;
  }
}

static const struct json *find_verdict(const struct result *result) {
  const struct json *found = NULL;
  for (size_t i = 0; i < result->count; i++) {
    if (line_is(&result->lines[i], "verdict")) {
      found = &result->lines[i];
    }
  }
  return found;
}

static enum verdict verdict_of(const struct json *line) {
  enum verdict verdict = VERDICT_PASS;
  while (verdict < VERDICT_BROKEN && strcmp(names[verdict], line_member(line, "verdict")) != 0) {
    verdict++;
  }
  return verdict;
}

/* The worker ended before it could tell. */
static void judge_by_end(struct result *result, int signal) {
  result->verdict = signal == SIGALRM ? VERDICT_TIMEOUT : VERDICT_BROKEN;
  if (signal == SIGALRM) {
    result->came = "no end of the case in its time";
  } else if (signal) {
    result->came = format("the end of the case's process, by signal %d: a fault of the suite", signal);
  } else {
    result->came =
        "the end of the case's process before its record was whole: a fault of the suite, or no room in TMPDIR";
  }
}

static struct breach *breach_of(struct result *result, const char *id, size_t *capacity) {
  for (size_t i = 0; i < result->breach_count; i++) {
    if (strcmp(result->breaches[i].requirement, id) == 0) {
      return &result->breaches[i];
    }
  }
  result->breaches = grow(result->breaches, result->breach_count, capacity, sizeof *result->breaches);
  struct breach *breach = &result->breaches[result->breach_count++];
  *breach = (struct breach){.requirement = id};
  return breach;
}

static void collect_breaches(struct result *result) {
  size_t capacity = 0;
  for (size_t i = 0; i < result->count; i++) {
    if (line_is(&result->lines[i], "breach")) {
      struct breach *breach = breach_of(result, line_member(&result->lines[i], "requirement"), &capacity);
      breach->text = breach->times ? breach->text : line_member(&result->lines[i], "text");
      breach->times++;
    }
  }
}

static bool fails(enum verdict verdict, const struct options *options) {
  return verdict == VERDICT_FAIL || verdict == VERDICT_CRASH || verdict == VERDICT_TIMEOUT ||
         (verdict == VERDICT_NON_STRICT && options->strict);
}

static void find_known(struct result *result, struct known *known) {
  const char *slug = result->entry->slug;
  if (result->fails) {
    const char *message = format("%s %s: expected %s; came %s", verdict_name(result->verdict), result->requirement,
                                 result->expected, result->came);
    result->known = known_takes(known, slug, message);
  }
  for (size_t i = 0; i < result->breach_count; i++) {
    struct breach *breach = &result->breaches[i];
    breach->known = known_takes(known, slug, format("%s: %s", breach->requirement, breach->text));
  }
}

struct result result_read(const struct entry *entry, const char *run, const struct options *options) {
  struct result result = {.entry = entry, .requirement = "", .expected = "", .came = ""};
  read_lines(&result, format("%s/" RESULTS "/%s.%s.jsonl", run, entry->test->category, entry->test->name));
  const struct json *verdict = find_verdict(&result);
  result.judged = verdict ? (size_t)(verdict - result.lines) : result.count;
  if (verdict) {
    result.verdict = verdict_of(verdict);
    result.requirement = line_member(verdict, "requirement");
    result.expected = line_member(verdict, "expected");
    result.came = line_member(verdict, "came");
  } else {
    judge_by_end(&result, entry->signal);
  }
  result.fails = fails(result.verdict, options);
  result.turn = options->turn;
  result.again = command_again(entry, options);
  if (!is_grave(result.verdict)) {
    collect_breaches(&result);
  }
  find_known(&result, options->known);
  if (result.count) {
    result.seconds = line_seconds(&result.lines[result.count - 1]);
  }
  return result;
}
