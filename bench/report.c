/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <unistd.h>

/* ---- figures */

/* A figure may be a speed: what took less time is then the higher one. */
static spread figures_of(const comparison *c, const double *ns) {
  spread time = spread_of(ns, c->repeats);
  spread s = {c->figure(time.low, c->octets), c->figure(time.median, c->octets), c->figure(time.high, c->octets)};

  return s.low <= s.high ? s : (spread){s.high, s.median, s.low};
}

/* Of the two repeats that were side by side: what slowed down both drops out. */
static spread ratios_of(const comparison *c) {
  double ratios[REPEATS_MAX];

  for (size_t i = 0; i < c->repeats; i++) {
    ratios[i] = c->ours_ns[i] / c->theirs_ns[i];
  }
  return spread_of(ratios, c->repeats);
}

/* ---- for people */

enum { RANGE_WIDTH = 16 };

static void print_spread(FILE *out, spread s, int width) {
  int digits = s.median < 10 ? 2 : s.median < 100 ? 1 : 0;
  char range[64];

  snprintf(range, sizeof range, "[%.*f..%.*f]", digits, s.low, digits, s.high);
  fprintf(out, "  %7.*f %-*s", digits, s.median, width, range);
}

static void print_row(FILE *out, const comparison *c) {
  char what[64];

  snprintf(what, sizeof what, "%s (%s)", c->what, c->theirs);
  fprintf(out, "%-34s %8.0f  %-5s", what, c->octets, c->unit);
  print_spread(out, figures_of(c, c->ours_ns), RANGE_WIDTH);
  print_spread(out, figures_of(c, c->theirs_ns), RANGE_WIDTH);
  print_spread(out, ratios_of(c), 0);
  fprintf(out, "\n");
}

bool report_table(FILE *out, const comparison *comparisons, size_t count, const char *place) {
  fprintf(out, "\n%-34s %8s  %-5s  %-24s  %-24s  %s\n", "what (beside what)", "octets", "", "Bridge Hub", "beside it",
          "ratio of the times");
  for (size_t i = 0; i < count; i++) {
    print_row(out, &comparisons[i]);
  }
  fprintf(
      out,
      "\n"
      "Medians of repeats in turns, and the middle half of them in brackets. A ratio is our time over the other's:\n"
      "below 1 Bridge Hub takes less time, above 1 more.\n"
      "  header  read into type, id and length; http-parser reads a request line of the same length\n"
      "  JSON    checked by RFC 8259 in full; jsmn finds the tokens, and takes much that is no JSON\n"
      "  export  from before Bridge writes its first octet until the client has the whole import. The hub checks it,\n"
      "          has it whole in the spool (here below %s) before it sends, and the client checks the message;\n"
      "          the relay passes octets on as they come, and what it has is lost when anything fails\n",
      place);
  return fflush(out) == 0 && !ferror(out);
}

/* ---- for programs */

static void write_spread(FILE *out, const char *name, spread s) {
  fprintf(out, "\"%s\": {\"median\": %.6g, \"low\": %.6g, \"high\": %.6g}", name, s.median, s.low, s.high);
}

static void write_series(FILE *out, const char *name, const double *ns, size_t count) {
  fprintf(out, "     \"%s\": [", name);
  for (size_t i = 0; i < count; i++) {
    fprintf(out, "%s%.6g", i == 0 ? "" : ", ", ns[i]);
  }
  fprintf(out, "]");
}

static void write_comparison(FILE *out, const comparison *c) {
  fprintf(out, "    {\"id\": \"%s\", \"octets\": %.6g, \"unit\": \"%s\", \"ours\": \"%s\", \"theirs\": \"%s\",\n     ",
          c->id, c->octets, c->unit, c->ours, c->theirs);
  write_spread(out, "ours_figure", figures_of(c, c->ours_ns));
  fprintf(out, ",\n     ");
  write_spread(out, "theirs_figure", figures_of(c, c->theirs_ns));
  fprintf(out, ",\n     ");
  write_spread(out, "ratio", ratios_of(c));
  fprintf(out, ",\n");
  write_series(out, "ours_ns", c->ours_ns, c->repeats);
  fprintf(out, ",\n");
  write_series(out, "theirs_ns", c->theirs_ns, c->repeats);
  fprintf(out, "}");
}

bool report_json(FILE *out, const comparison *comparisons, size_t count) {
  fprintf(out, "{\n  \"version\": 1,\n  \"cpus\": %ld,\n  \"comparisons\": [\n", sysconf(_SC_NPROCESSORS_ONLN));
  for (size_t i = 0; i < count; i++) {
    write_comparison(out, &comparisons[i]);
    fprintf(out, i + 1 < count ? ",\n" : "\n");
  }
  fprintf(out, "  ]\n}\n");
  return fflush(out) == 0 && !ferror(out);
}
