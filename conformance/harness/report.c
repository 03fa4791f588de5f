/* SPDX-License-Identifier: MIT */
/* The reports of a run, each by its format. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "report.h"
#include "report_file.h"

#define REPORTS 4

struct report {
  const struct report_format *format;
  struct report_file file;
  bool open;
  bool failed; /* and that was said */
};

static struct {
  struct report of[REPORTS];
  struct report_run run;
  uint64_t began;
} reports;

static bh_buffer buffer(void) {
  bh_buffer empty;
  bh_buffer_init(&empty, case_allocator());
  return empty;
}

/* -------------------------------------------------------------------------------------------- to begin and to end */

/* A report has standard output for itself: what is told to people goes to standard error. */
static int take_standard_output(void) {
  fflush(stdout);
  int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  return output >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 ? output : -1;
}

static bool open_report(struct report *report, const struct report_format *format, const char *path) {
  if (!path) {
    return true;
  }
  report->format = format;
  int output = strcmp(path, "-") == 0 ? take_standard_output() : -1;
  report->open = report_file_open(&report->file, path, output);
  if (!report->open) {
    fprintf(stderr, "bridgehub-conformance: cannot write the report %s: %s\n", path, strerror(errno));
  }
  return report->open;
}

bool reports_open(const struct options *options) {
  return open_report(&reports.of[0], &report_tap, options->tap) &&
         open_report(&reports.of[1], &report_junit, options->xml) &&
         open_report(&reports.of[2], &report_json, options->json) &&
         open_report(&reports.of[3], &report_html, options->html);
}

static void tell_failure(struct report *report) {
  const struct report_file *file = &report->file;
  if (file->error && !report->failed) {
    fprintf(stderr, "bridgehub-conformance: cannot write the report %s: %s\n", file->path, strerror(file->error));
    report->failed = true;
  }
}

static void write_report(struct report *report) {
  bh_buffer head = buffer(), tail = buffer();
  report->format->tail(&tail, &reports.run);
  report_file_write(&report->file, &tail);
  if (report->format->head_counts) {
    report->format->head(&head, &reports.run);
    report_file_write_head(&report->file, &head);
  }
  bh_buffer_free(&head);
  bh_buffer_free(&tail);
  tell_failure(report);
}

void reports_begin(const struct options *options, const struct catalogue *catalogue) {
  time_t now = time(NULL);
  struct tm date;
  reports.run = (struct report_run){.options = options, .catalogue = catalogue};
  reports.began = now_ms();
  if (gmtime_r(&now, &date)) {
    strftime(reports.run.started, sizeof reports.run.started, "%Y-%m-%dT%H:%M:%SZ", &date);
  }
  for (size_t i = 0; i < REPORTS; i++) {
    if (reports.of[i].open) {
      report_file_begin(&reports.of[i].file);
      reports.of[i].format->head(&reports.of[i].file.pending, &reports.run);
      write_report(&reports.of[i]);
    }
  }
}

void reports_add(const struct result *result, const struct tally *tally) {
  reports.run.told++;
  reports.run.tally = *tally;
  reports.run.seconds = (double)(now_ms() - reports.began) / 1000;
  bh_buffer text = buffer();
  const struct report_format *told = NULL;
  for (size_t i = 0; i < REPORTS; i++) {
    struct report *report = &reports.of[i];
    if (!report->open) {
      continue;
    }
    if (!told || told->add != report->format->add) { /* the page has in it what the JSON report has */
      bh_buffer_clear(&text);
      report->format->add(&text, &reports.run, result);
      told = report->format;
    }
    bh_buffer_append(&report->file.pending, text.octets, text.size);
    report->file.pending.failed = report->file.pending.failed || text.failed;
    write_report(report);
  }
  bh_buffer_free(&text);
}

static void take_stale(const char *stale) {
  size_t capacity = 0;
  struct report_run *run = &reports.run;
  while (*stale) {
    size_t size = strcspn(stale, "\n");
    run->stale = grow(run->stale, run->stale_count, &capacity, sizeof *run->stale);
    run->stale[run->stale_count++] = format("%.*s", (int)size, stale);
    stale += size + (stale[size] == '\n');
  }
}

static bool close_report(struct report *report) {
  bh_buffer head = buffer(), tail = buffer();
  if (report->format->head_counts) {
    report->format->head(&head, &reports.run);
    report_file_write_head(&report->file, &head);
  }
  report->format->tail(&tail, &reports.run);
  bool whole = report_file_close(&report->file, &tail);
  tell_failure(report);
  bh_buffer_free(&head);
  bh_buffer_free(&tail);
  report->open = false;
  return whole;
}

bool reports_end(int status, const char *stale) {
  bool whole = true;
  reports.run.finished = true;
  reports.run.status = status;
  reports.run.seconds = (double)(now_ms() - reports.began) / 1000;
  take_stale(stale);
  for (size_t i = 0; i < REPORTS; i++) {
    if (reports.of[i].open) {
      whole = close_report(&reports.of[i]) && whole;
    }
  }
  return whole;
}

/* --------------------------------------------------------------------------------------- what the formats share */

void each_requirement(const struct entry *entry, void (*write)(bh_buffer *out, const char *id, size_t size),
                      bh_buffer *out) {
  for (const char *id = entry->ids; *id;) {
    size_t size = strcspn(id, " ");
    write(out, id, size);
    id += size;
    id += strspn(id, " ");
  }
}

const char *requirement_sentence(const char *id, size_t size) {
  size_t index = requirement_index(id, size);
  return index < requirement_count ? requirements[index].sentence : "";
}

const char *result_name(const struct result *result) {
  const char *slug = result->entry->slug;
  return result->turn > 1 ? format("%s (run %llu)", slug, (unsigned long long)result->turn) : slug;
}

const char *result_message(const struct result *result) {
  if (!*result->expected) {
    return result->came;
  }
  return format("%s%sexpected %s; came %s", result->requirement, *result->requirement ? ": " : "", result->expected,
                result->came);
}

const char *result_details(const struct result *result) {
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  if (!stream) {
    return "";
  }
  report_details(result, stream);
  fclose(stream);
  const char *details = format("%s", text);
  free(text);
  return details;
}
