/* SPDX-License-Identifier: MIT */
/* A case from its begin to its verdict, in the worker that Criterion started for it. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "json_write.h"
#include "opener.h"
#include "program.h"

#define LOG_LINE_MAX 2000
#define BODY_SHOWN 2000
#define DESCRIPTORS 256
/* A case that waits for one thing after another, each just in time, is stopped; one that does not even wait, killed. */
#define CASE_MS 30000
#define CASE_KILLED_S 60
#define CRASH_MS 200
#define HEARTBEAT_MAX_MS 600000
#define TIMEOUT_MAX_MS 3600000

static struct {
  const char *ids; /* "MUST BH-CLAIM-001 BH-CLAIM-002" */
  const char *checking;
  FILE *record;
  uint64_t began;
  uint32_t timeout_ms; /* the shortest that a hub of the case has */
  uint64_t longer_ms;  /* than cases last otherwise */
  bool judged;
  bool hub_closed; /* a connection, at least */
  char *crash;
  const char *broken_id;
  char *broken;
} current;

const char *environment(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

double time_scale(void) {
  double scale = strtod(environment(ENV_TIME_SCALE), NULL);
  return scale > 0 ? scale : 1;
}

/* What is to last for all of a case need not last longer than a hub or a client may take. */
static uint32_t scaled(uint32_t ms, uint32_t otherwise, uint32_t longest) {
  double time = (ms ? ms : otherwise) * time_scale();
  return (uint32_t)(time < longest ? time : longest);
}

uint32_t scaled_heartbeat_ms(uint32_t ms, uint32_t otherwise) {
  return scaled(ms, otherwise, HEARTBEAT_MAX_MS);
}

uint32_t scaled_timeout_ms(uint32_t ms, uint32_t otherwise) {
  return scaled(ms, otherwise, TIMEOUT_MAX_MS);
}

bool is_of_client(const char *section) {
  return strncmp(section, "client_", strlen("client_")) == 0;
}

static const char *role(void) {
  return is_of_client(criterion_current_test->category) ? "client" : "hub";
}

/* How a hub is says nothing about a client. */
static char *learned_path(const char *what) {
  return format("%s/" LEARNED "/%s-%s", environment(ENV_RUN), role(), what);
}

void learn(const char *what) {
  if (!has_learned(what)) {
    file_write(learned_path(what), "", 0);
  }
}

bool has_learned(const char *what) {
  return access(learned_path(what), F_OK) == 0;
}

/* ------------------------------------------------------------------------------------------------------- record */

static void write_member(bh_buffer *line, const char *name, const char *text, size_t size) {
  bh_write_text(line, ",\"");
  bh_write_text(line, name);
  bh_write_text(line, "\":");
  bh_write_string(line, text, size);
}

static void write_text(bh_buffer *line, const char *name, const char *text) {
  if (text) {
    write_member(line, name, text, strlen(text));
  }
}

static bh_buffer begin_line(const char *kind) {
  bh_buffer line;
  bh_buffer_init(&line, case_allocator());
  bh_write_text(&line, "{\"us\":");
  bh_write_integer(&line, uv_hrtime() / 1000 - current.began);
  write_text(&line, "kind", kind);
  return line;
}

/* Whole at once, so that a worker that is killed leaves no half of a line. */
static void end_line(bh_buffer *line) {
  bh_write_text(line, "}\n");
  if (current.record && !line->failed) {
    fwrite(line->octets, 1, line->size, current.record);
    fflush(current.record);
  }
  bh_buffer_free(line);
}

void record_event(const char *lane, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  bh_buffer line = begin_line("event");
  write_text(&line, "lane", lane);
  write_text(&line, "text", format_list(pattern, args));
  end_line(&line);
  va_end(args);
}

void record_traffic(enum record_kind kind, const char *lane, const char *text, const void *body, size_t size,
                    bool automatic) {
  bh_buffer line = begin_line(kind == RECORD_SEND ? "send" : "receive");
  write_text(&line, "lane", lane);
  write_text(&line, "text", text);
  write_text(&line, "body", printable(body, size, BODY_SHOWN));
  bh_write_text(&line, ",\"size\":");
  bh_write_integer(&line, size);
  if (automatic) {
    bh_write_text(&line, ",\"automatic\":true");
  }
  end_line(&line);
}

void record_log(const char *lane, const char *text) {
  bh_buffer line = begin_line("log");
  write_text(&line, "lane", lane);
  write_text(&line, "text", printable(text, strlen(text), LOG_LINE_MAX));
  end_line(&line);
}

void note(const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  record_event("case", "%s", format_list(pattern, args));
  va_end(args);
}

/* ------------------------------------------------------------------------------------------------------ verdicts */

bool judges(const char *id) {
  size_t size = strlen(id);
  for (const char *at = strstr(current.ids, id); at; at = strstr(at + 1, id)) {
    if (at[size] == '\0' || at[size] == ' ') {
      return true;
    }
  }
  return false;
}

static bool is_must(void) {
  return strncmp(current.ids, MUST " ", strlen(MUST " ")) == 0;
}

static void record_verdict(const char *verdict, const char *id, const char *expected, const char *came) {
  bh_buffer line = begin_line("verdict");
  write_text(&line, "verdict", verdict);
  write_text(&line, "requirement", id);
  write_text(&line, "expected", expected);
  write_text(&line, "came", came);
  end_line(&line);
  current.judged = true;
}

static void record_breach(const char *id, const char *text) {
  bh_buffer line = begin_line("breach");
  write_text(&line, "requirement", id);
  write_text(&line, "text", text);
  end_line(&line);
}

_Noreturn static void stop_failed(const char *verdict, const char *id, const char *expected, const char *came) {
  record_verdict(verdict, id, expected, came);
  cr_assert_fail("%s: expected %s; came %s", id ? id : verdict, expected, came);
  abort();
}

_Noreturn static void stop_skipped(const char *verdict, const char *id, const char *expected, const char *came) {
  record_verdict(verdict, id, expected, came);
  cr_skip_test("%s: %s", verdict, came);
  abort();
}

/* Half of the time after which a hub takes a silent client for lost, or of that in which an answer has to come. */
static uint64_t tolerable_gap(void) {
  uint64_t shortest = deadline_ms();
  if (current.timeout_ms && current.timeout_ms < shortest) {
    shortest = current.timeout_ms;
  }
  return shortest / 2;
}

static bool has_crashed(void *arg) {
  (void)arg;
  return current.crash != NULL;
}

/* A hub that needs as long as this for a step of its own cannot be in time with all that an answer takes. */
static double intolerable_process_ms(void) {
  return (double)tolerable_gap() / 4;
}

/* What excuses the hub, or says more than what came: asked before anything is laid to a requirement. */
static void find_reason(const char *id, const char *expected, const char *came) {
  /* The end of a process is told later than the end of its connections. */
  if (current.hub_closed && wait_quietly(has_crashed, NULL, (uint64_t)(CRASH_MS * time_scale()))) {
    crashed("%s", current.crash);
  }
  if (loop_longest_gap() > tolerable_gap()) {
    stop_skipped("INCONCLUSIVE", id, expected,
                 format("%s; but this host kept the suite itself waiting for %llu ms: run it with a --time-scale", came,
                        (unsigned long long)loop_longest_gap()));
  }
  if ((double)programs_slowest_start() > intolerable_process_ms()) {
    stop_skipped(
        "INCONCLUSIVE", id, expected,
        format("%s; but a program of --connect or --listen needed %llu ms on this host to be ready: run it with a "
               "--time-scale",
               came, (unsigned long long)programs_slowest_start()));
  }
  double ms = process_ms();
  if (ms > intolerable_process_ms()) {
    stop_skipped("INCONCLUSIVE", id, expected,
                 format("%s; but a process needs %.0f ms on this host to start and to end: run it with a --time-scale",
                        came, ms));
  }
}

_Noreturn static void stop_judged(const char *id, const char *expected, const char *came) {
  find_reason(id, expected, came);
  if (!is_must()) {
    stop_skipped("NON_STRICT", id, expected, came);
  }
  stop_failed("FAIL", id, expected, came);
}

void fail(const char *expected, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  char *came = format_list(pattern, args);
  va_end(args);
  stop_judged(current.checking, expected, came);
}

void fail_as(const char *id, const char *expected, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  char *came = format_list(pattern, args);
  va_end(args);
  if (judges(id)) {
    stop_judged(id, expected, came);
  }
  find_reason(id, expected, came);
  record_breach(id, format("expected %s; came %s", expected, came));
  stop_skipped("SKIP", id, expected, format("%s: what this case is about could not be seen", came));
}

void skip(const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  stop_skipped("SKIP", NULL, NULL, format_list(pattern, args));
}

void unimplemented(const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  stop_skipped("UNIMPLEMENTED", NULL, NULL, format_list(pattern, args));
}

void crashed(const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  stop_failed("CRASH", NULL, format("the %s goes on", role()), format_list(pattern, args));
}

void suite_broke(const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  stop_failed("BROKEN", NULL, "the suite can do its work", format_list(pattern, args));
}

void breach(const char *id, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  char *text = format_list(pattern, args);
  va_end(args);
  record_breach(id, text);
  if (!judges(id) || current.broken) {
    return;
  }
  current.broken_id = id;
  current.broken = text;
}

void case_hub_closed(void) {
  current.hub_closed = true;
}

void case_crashed(const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  if (!current.crash) {
    current.crash = format_list(pattern, args);
  }
  va_end(args);
}

/* Never from a callback: the case is left by a jump, and the loop is needed afterwards. */
void raise_pending(void) {
  if (current.judged) {
    return;
  }
  if (current.crash) {
    crashed("%s", current.crash);
  }
  uint64_t ran_us = uv_hrtime() / 1000 - current.began;
  double allowed_ms = CASE_MS * time_scale() + (double)current.longer_ms;
  if ((double)ran_us > 1000 * allowed_ms) {
    stop_failed("TIMEOUT", NULL, "an end of the case", format("none in %g s", allowed_ms / 1000));
  }
  if (current.broken) {
    stop_judged(current.broken_id, "no breach of this requirement anywhere in the case", current.broken);
  }
}

void checking(const char *id) {
  if (!judges(id)) {
    suite_broke("the case judges %s and does not name it", id);
  }
  current.checking = id;
}

void case_timeout_ms(uint32_t timeout_ms) {
  if (!current.timeout_ms || timeout_ms < current.timeout_ms) {
    current.timeout_ms = timeout_ms;
  }
}

/* --------------------------------------------------------------------------------------------------- begin, end */

void case_allow_ms(uint64_t ms) {
  if (ms > 0) {
    current.longer_ms += ms;
    alarm((unsigned)(CASE_KILLED_S * time_scale() + (double)current.longer_ms / 1000) + 1);
  }
}

static FILE *open_record(void) {
  const char *run = environment(ENV_RUN);
  if (!*run) {
    return NULL;
  }
  return fopen(
      format("%s/" RESULTS "/%s.%s.jsonl", run, criterion_current_test->category, criterion_current_test->name), "w");
}

/* Neither the record nor what Criterion has open is a hub's to inherit. */
static void close_on_exec(void) {
  for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

static void begin(const char *level_and_ids) {
  signal(SIGPIPE, SIG_IGN);
  alarm((unsigned)(CASE_KILLED_S * time_scale()) + 1);
  current.ids = level_and_ids;
  current.began = uv_hrtime() / 1000;
  loop_begin();
  current.record = open_record();
  if (!current.record) {
    suite_broke("there is no directory of a run: cases are run by bridgehub-conformance");
  }
  close_on_exec();
  /* A case with one requirement needs not say which it checks. */
  const char *only = strchr(current.ids, ' ') + 1;
  current.checking = strchr(only, ' ') ? NULL : only;
}

void case_run(const char *level_and_ids, void (*body)(void)) {
  begin(level_and_ids);
  body();
  raise_pending();
  conns_part();
  processes_finish(true);
  conns_finish();
  raise_pending();
  record_verdict("PASS", NULL, NULL, NULL);
}

void case_end(void) {
  conns_part();
  processes_finish(false);
  programs_end();
  openers_kill();
  conns_forget();
  bridges_forget();
  loop_end();
  processes_forget();
  if (current.record) {
    fclose(current.record);
  }
  free_all();
}
