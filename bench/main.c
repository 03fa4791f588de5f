/* SPDX-License-Identifier: MIT */

/*
 * bridgehub-bench --hub PROGRAM --relay PROGRAM --payloads DIRECTORY [--json FILE]
 *
 * Measures Bridge Hub beside what one would take instead, and prints a table. A time never makes it fail: only that
 * something does not work.
 */

#include "exports.h"
#include "parsers.h"
#include "place.h"
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARSER_REPEATS = 1001, COMPARISONS = 2 + EXPORT_SIZES };

typedef struct {
  export_programs programs;
  const char *json; /* NULL: no file */
} options;

static void usage(FILE *out) {
  fprintf(out, "Usage: bridgehub-bench --hub PROGRAM --relay PROGRAM --payloads DIRECTORY [--json FILE]\n"
               "\n"
               "  --hub PROGRAM         bridgehub\n"
               "  --relay PROGRAM       bridgehub-bench-relay\n"
               "  --payloads DIRECTORY  spec/payloads\n"
               "  --json FILE           writes all measurements there too\n");
}

static bool read_options(options *o, int argc, char **argv) {
  static const struct option known[] = {
      {"hub", required_argument, NULL, 'h'},      {"relay", required_argument, NULL, 'r'},
      {"payloads", required_argument, NULL, 'p'}, {"json", required_argument, NULL, 'j'},
      {"help", no_argument, NULL, 'u'},           {NULL, 0, NULL, 0}};
  int option;

  *o = (options){.json = NULL};
  while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
    switch (option) {
    case 'h':
      o->programs.hub = optarg;
      break;
    case 'r':
      o->programs.relay = optarg;
      break;
    case 'p':
      o->programs.payloads = optarg;
      break;
    case 'j':
      o->json = optarg;
      break;
    case 'u':
      usage(stdout);
      exit(EXIT_SUCCESS);
    default:
      return false;
    }
  }
  return optind == argc && o->programs.hub != NULL && o->programs.relay != NULL && o->programs.payloads != NULL;
}

static bool compare_parsers(comparison *frame, comparison *json, const char *payloads) {
  payload text;
  bool done = compare_frame(frame, PARSER_REPEATS) && payload_read(&text, payloads, "batch_mixed8.json");

  if (!done) {
    return false;
  }
  done = compare_json(json, &text, PARSER_REPEATS);
  payload_free(&text);
  return done;
}

static bool write_json(const char *path, const comparison *comparisons) {
  FILE *file = fopen(path, "w");
  bool done = file != NULL && report_json(file, comparisons, COMPARISONS);

  if (file != NULL && fclose(file) != 0) {
    done = false;
  }
  if (!done) {
    fprintf(stderr, "bench: %s cannot be written: %s\n", path, strerror(errno));
  }
  return done;
}

int main(int argc, char **argv) {
  static comparison comparisons[COMPARISONS];
  options o;
  bool done;

  if (!read_options(&o, argc, argv)) {
    usage(stderr);
    return EXIT_FAILURE;
  }
  done = compare_parsers(&comparisons[0], &comparisons[1], o.programs.payloads) &&
         compare_exports(&comparisons[2], &o.programs) &&
         report_table(stdout, comparisons, COMPARISONS, place_parent()) &&
         (o.json == NULL || write_json(o.json, comparisons));
  return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
