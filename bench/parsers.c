/* SPDX-License-Identifier: MIT */
#include "parsers.h"

#include "frame.h"
#include "json.h"

#define JSMN_STATIC
#include <http_parser.h>
#include <jsmn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A repeat takes a fraction of a millisecond: one that has to share its processor must be the exception, whichever of
 * the two takes longer.
 */

/* ---- headers of messages, and request lines of the same lengths */

enum {
  LINES = 1024, /* different ones, so that no branch predictor learns them by heart */
  LINE_MAX = 64,
};

typedef struct {
  size_t size;
  char text[LINE_MAX];
} line;

typedef struct {
  line headers[LINES];
  line requests[LINES];
  uint64_t sum; /* of what was read, so that reading it cannot be left out */
} lines;

static void make_header(line *header, size_t i) {
  static const bh_type types[] = {BH_HEARTBEAT, BH_IMPORT_DATA, BH_ACK, BH_CLAIM_ACTIVE, BH_ACK, BH_REGISTER, BH_ERROR};
  const char *type = bh_type_name(types[i * 5 % (sizeof types / sizeof types[0])]);
  unsigned length = (unsigned)i * 2654435761U >> (12 + i % 14);

  header->size =
      (size_t)snprintf(header->text, LINE_MAX, "BH1 %s %u %u\n", type, 1000 + (unsigned)(i * i), length & 0xFFFFFF);
}

/* As long as the header: the path takes what the rest leaves. */
static void make_request(line *request, size_t size, size_t i) {
  static const char *const methods[] = {"GET", "PUT", "POST", "HEAD"};
  const char *method = methods[i * 3 % (sizeof methods / sizeof methods[0])];
  const char *letters = "assets/plants/birch/textures/albedo/4096";
  int path = (int)(size - strlen(method) - strlen(" / HTTP/1.1\r\n"));

  request->size = (size_t)snprintf(request->text, LINE_MAX, "%s /%.*s HTTP/1.1\r\n", method, path, letters);
}

static double read_headers(void *ctx) {
  lines *l = ctx;
  double start = clock_ns();

  for (size_t i = 0; i < LINES; i++) {
    const line *header = &l->headers[i];
    size_t consumed;
    bh_frame frame;

    bh_frame_init(&frame, BH_BODY_MAX);
    if (bh_frame_feed(&frame, (const uint8_t *)header->text, header->size, &consumed) != BH_FRAME_HEADER) {
      fprintf(stderr, "bench: the frame parser does not take %s", header->text);
      return -1;
    }
    l->sum += frame.type + frame.id + frame.length;
  }
  return (clock_ns() - start) / LINES;
}

static int on_url(http_parser *parser, const char *at, size_t length) {
  lines *l = parser->data;

  l->sum += (uint8_t)at[0] + length;
  return 0;
}

static double read_requests(void *ctx) {
  lines *l = ctx;
  http_parser_settings settings;
  double start = clock_ns();

  http_parser_settings_init(&settings);
  settings.on_url = on_url;
  for (size_t i = 0; i < LINES; i++) {
    const line *request = &l->requests[i];
    http_parser parser;

    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = l;
    if (http_parser_execute(&parser, &settings, request->text, request->size) != request->size) {
      fprintf(stderr, "bench: http-parser does not take %s", request->text);
      return -1;
    }
    l->sum += parser.method + parser.http_minor;
  }
  return (clock_ns() - start) / LINES;
}

static double as_ns(double ns, double octets) {
  (void)octets;
  return ns;
}

bool compare_frame(comparison *c, size_t repeats) {
  static lines l;

  for (size_t i = 0; i < LINES; i++) {
    make_header(&l.headers[i], i);
    make_request(&l.requests[i], l.headers[i].size, i);
    c->octets += (double)l.headers[i].size / LINES;
  }
  c->id = "frame";
  c->what = "header of a message";
  c->ours = "frame machine";
  c->theirs = "http-parser";
  c->unit = "ns";
  c->figure = as_ns;
  return compare(c, read_headers, read_requests, &l, repeats);
}

/* ---- a batch as Bridge sends it */

enum { TOKENS = 65536 };

typedef struct {
  const payload *text;
  jsmntok_t *tokens;
} text;

static double recognise(void *ctx) {
  text *t = ctx;
  double start = clock_ns();
  size_t consumed;
  bh_json json;

  bh_json_init(&json, BH_DEPTH_MAX, false);
  if (bh_json_feed(&json, t->text->octets, t->text->size, &consumed) != BH_JSON_MORE ||
      bh_json_end(&json) != BH_JSON_DONE) {
    fprintf(stderr, "bench: the JSON machine does not take the payload\n");
    return -1;
  }
  return clock_ns() - start;
}

static double tokenise(void *ctx) {
  text *t = ctx;
  double start = clock_ns();
  jsmn_parser parser;

  jsmn_init(&parser);
  if (jsmn_parse(&parser, (const char *)t->text->octets, t->text->size, t->tokens, TOKENS) <= 0) {
    fprintf(stderr, "bench: jsmn does not take the payload\n");
    return -1;
  }
  return clock_ns() - start;
}

static double as_mb_per_s(double ns, double octets) {
  return octets * 1e3 / ns;
}

bool compare_json(comparison *c, const payload *payload, size_t repeats) {
  text t = {.text = payload, .tokens = malloc(TOKENS * sizeof *t.tokens)};
  bool done;

  if (t.tokens == NULL) {
    fprintf(stderr, "bench: no memory\n");
    return false;
  }
  c->id = "json";
  c->what = "JSON text";
  c->ours = "JSON machine";
  c->theirs = "jsmn";
  c->unit = "MB/s";
  c->figure = as_mb_per_s;
  c->octets = (double)payload->size;
  done = compare(c, recognise, tokenise, &t, repeats);
  free(t.tokens);
  return done;
}
