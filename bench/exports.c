/* SPDX-License-Identifier: MIT */
#include "exports.h"

#include "route.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const char *id;
  const char *what;
  const char *file;
  size_t copies;
  size_t repeats;
} kind;

static const kind kinds[EXPORT_SIZES] = {
    {"export-6k", "export: a surface", "surface.json", 1, 301},
    {"export-170k", "export: 30 surfaces", "surface.json", 30, 151},
    {"export-2900k", "export: 100 plants", "plant3d.json", 100, 51},
};

typedef struct {
  route hub;
  route relay;
  const payload *payload;
} routes;

static volatile sig_atomic_t interrupted;

/* Waiting for a server is interrupted too, and fails. */
static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

static double export_through(route *r, const payload *p) {
  if (interrupted) {
    fprintf(stderr, "bench: interrupted\n");
    return -1;
  }
  return route_export(r, p);
}

static double through_hub(void *ctx) {
  routes *r = ctx;

  return export_through(&r->hub, r->payload);
}

static double through_relay(void *ctx) {
  routes *r = ctx;

  return export_through(&r->relay, r->payload);
}

static double as_ms(double ns, double octets) {
  (void)octets;
  return ns / 1e6;
}

static bool compare_one(comparison *c, const kind *k, const payload *p, routes *r) {
  r->payload = p;
  c->id = k->id;
  c->what = k->what;
  c->ours = "hub";
  c->theirs = "bare relay";
  c->unit = "ms";
  c->figure = as_ms;
  c->octets = (double)p->size;
  return compare(c, through_hub, through_relay, r, k->repeats);
}

static bool compare_all(comparison c[EXPORT_SIZES], const payload payloads[EXPORT_SIZES], routes *r) {
  for (size_t i = 0; i < EXPORT_SIZES; i++) {
    if (!compare_one(&c[i], &kinds[i], &payloads[i], r)) {
      return false;
    }
  }
  return true;
}

/* Both servers run all the while, each idle in the other's turns. */
static bool run(comparison c[EXPORT_SIZES], const payload payloads[EXPORT_SIZES], const export_programs *programs) {
  static routes r = {.hub = {.connection = -1}, .relay = {.connection = -1}};
  char directory[PLACE_MAX];
  bool done;

  if (!place_make(directory)) {
    return false;
  }
  done = route_open_hub(&r.hub, programs->hub, directory);
  done = done && route_open_relay(&r.relay, programs->relay, directory, payloads[EXPORT_SIZES - 1].size);
  done = done && compare_all(c, payloads, &r);
  route_close(&r.relay);
  route_close(&r.hub);
  place_remove(directory);
  return done;
}

bool compare_exports(comparison c[EXPORT_SIZES], const export_programs *programs) {
  payload payloads[EXPORT_SIZES] = {{.octets = NULL}};
  struct sigaction interrupt = {.sa_handler = on_signal};
  bool done = true;

  sigaction(SIGINT, &interrupt, NULL);
  sigaction(SIGTERM, &interrupt, NULL);
  for (size_t i = 0; done && i < EXPORT_SIZES; i++) {
    done = payload_read_batch(&payloads[i], programs->payloads, kinds[i].file, kinds[i].copies);
  }
  done = done && run(c, payloads, programs);
  for (size_t i = 0; i < EXPORT_SIZES; i++) {
    payload_free(&payloads[i]);
  }
  return done;
}
