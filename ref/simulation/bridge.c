/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bridge: connections that bring values, each in a manner of its own. */

enum { TRIES = 3, LARGE = BRIDGE_VALUE_MAX - 200, MIDDLING = 2000 };

int value_of(const world *w, const char *import) {
  for (int i = 0; i < w->value_count; i++) {
    if (strcmp(w->values[i].import, import) == 0) {
      return i;
    }
  }
  return NOBODY;
}

/* ---- what it sends */

static void put(sender *s, const char *text, size_t size) {
  s->octets = realloc(s->octets, s->size + size + 1);
  if (s->octets == NULL) {
    abort();
  }
  memcpy(s->octets + s->size, text, size);
  s->size += size;
}

static size_t draw_padding(world *w) {
  if (one_in(w, 60)) {
    return draw_below(w, LARGE);
  }
  return one_in(w, 8) ? draw_below(w, MIDDLING) : draw_below(w, 20);
}

static int write_object(world *w, char *text, int number) {
  int size = snprintf(text, BRIDGE_VALUE_MAX,
                      "{\"id\":\"v%d\",\"n\\u0061me\":\"\xc3\xa4]}\\\"[{\",\"n\":[1.5e3,null,{}],\"x\":\"", number);
  size_t padding = draw_padding(w);

  memset(text + size, 'x', padding);
  size += (int)padding;
  return size + snprintf(text + size, 3, "\"}");
}

static void remember_text(value *v, const char *before, const char *text, int size, const char *behind) {
  v->size = (size_t)size + strlen(before) + strlen(behind);
  v->text = malloc(v->size + 1);
  if (v->text == NULL) {
    abort();
  }
  snprintf(v->text, v->size + 1, "%s%.*s%s", before, size, text, behind);
}

/* One value: an array of one or two objects, or an object, which becomes an array. */
static void put_value(world *w, sender *s) {
  char text[BRIDGE_VALUE_MAX];
  int number = w->value_count++;
  int size;

  if (one_in(w, 4)) {
    size = write_object(w, text, number);
    remember_text(&w->values[number], "[", text, size, "]");
  } else {
    text[0] = '[';
    size = 1 + write_object(w, text + 1, number);
    size += snprintf(text + size, BRIDGE_VALUE_MAX - (size_t)size, "%s", one_in(w, 4) ? " ,{ } ]" : "]");
    remember_text(&w->values[number], "", text, size, "");
  }
  put(s, text, (size_t)size);
  s->values[s->value_count] = number;
  s->value_ends[s->value_count++] = s->size;
  w->tallies.values++;
}

static void put_stream(world *w, sender *s) {
  uint32_t count = one_in(w, 3) ? 1 + draw_below(w, SENDER_VALUES_MAX) : 1;

  if (one_in(w, 10)) {
    put(s, "\xef\xbb\xbf", 3);
  }
  for (uint32_t i = 0; i < count && w->value_count < VALUES_MAX; i++) {
    if (one_in(w, 10)) {
      put(s, "[ ] ", 4);
    }
    put_value(w, s);
    if (one_in(w, 3)) {
      put(s, "\r\n", 2);
    }
  }
  if (s->manner == SENDER_ERRS) {
    put(s, "[{\"id\":}]", 9);
  } else if (s->manner == SENDER_SAYS_BYE) {
    put(s, "Bye Megascans", 13);
  }
}

static sender_manner draw_manner(world *w) {
  static const sender_manner manners[] = {SENDER_WAITS,  SENDER_WAITS,  SENDER_WAITS,   SENDER_WAITS,
                                          SENDER_LEAVES, SENDER_LEAVES, SENDER_BREAKS,  SENDER_BREAKS,
                                          SENDER_STALLS, SENDER_ERRS,   SENDER_SAYS_BYE};

  return manners[draw_below(w, sizeof manners / sizeof manners[0])];
}

/* A slot is free once its last connection is forgotten by both ends: until then the judge asks what was sent on it. */
static sender *free_sender(world *w) {
  for (int i = 0; i < SENDERS_MAX; i++) {
    sender *s = &w->senders[i];
    if (!s->active && net_find(w, s->link, s->link_stamp) == NULL) {
      return s;
    }
  }
  return NULL;
}

void bridge_begin(world *w) {
  sender *s = free_sender(w);
  uint32_t stamp;

  if (s == NULL || w->value_count == VALUES_MAX) {
    return;
  }
  stamp = s->stamp + 1;
  free(s->octets);
  memset(s, 0, sizeof *s);
  s->active = true;
  s->stamp = stamp;
  s->link = NOBODY;
  s->manner = draw_manner(w);
  put_stream(w, s);
  s->stop_at = draw_below(w, (uint32_t)s->size + 1);
  plan(w, 0, (step){.kind = STEP_BRIDGE, .process = NOBODY, .object = (int)(s - w->senders), .stamp = stamp});
}

/* ---- how it sends */

static void go_on(world *w, sender *s, uint64_t delay_us) {
  plan(w, delay_us, (step){.kind = STEP_BRIDGE, .process = NOBODY, .object = (int)(s - w->senders), .stamp = s->stamp});
}

static int draw_port(world *w) {
  for (int i = 0; i < w->process_count; i++) {
    if (w->processes[i].port != 0) {
      return (int)draw_below(w, PORTS);
    }
  }
  return 0;
}

static void connect(world *w, sender *s) {
  int port = draw_port(w);
  connection *c = w->ports[port] < 0 ? NULL : net_open(w, AT_PORT, (int)(s - w->senders), w->ports[port]);

  if (c != NULL) {
    c->port = port;
    s->link = net_index(w, c);
    s->link_stamp = c->stamp;
    net_ready(w, c, OPENER);
    trace(w, NOBODY, "Bridge %d connects to port %d", (int)(s - w->senders), port);
    go_on(w, s, draw_between(w, 1, w->mood.latency_us));
  } else if (++s->tries < TRIES) {
    go_on(w, s, draw_below(w, w->timeout_ms) * MS);
  } else {
    trace(w, NOBODY, "Bridge %d gives up: nobody takes its connection", (int)(s - w->senders));
    s->active = false;
  }
}

static void leave(world *w, sender *s, connection *c, bool reset) {
  trace(w, NOBODY, "Bridge %d %s its connection after octet %zu of %zu", (int)(s - w->senders),
        reset ? "resets" : "closes", s->at, s->size);
  net_close(w, c, OPENER, reset);
  s->active = false;
}

static void finish(world *w, sender *s, connection *c) {
  if (s->manner == SENDER_LEAVES) {
    leave(w, s, c, false);
  } else {
    trace(w, NOBODY, "Bridge %d has sent all, and waits for the end", (int)(s - w->senders));
    net_shut_down(w, c, OPENER);
  }
}

static bool stops_early(const sender *s) {
  return s->manner == SENDER_BREAKS || s->manner == SENDER_STALLS;
}

static void write_on(world *w, sender *s, connection *c) {
  size_t until = stops_early(s) ? s->stop_at : s->size;
  size_t piece = one_in(w, 3) ? 1 + draw_below(w, 60) : draw_between(w, 1, s->size);
  int64_t written;

  if (s->at == until) {
    if (s->manner == SENDER_BREAKS || (s->manner == SENDER_STALLS && w->calm)) {
      leave(w, s, c, one_in(w, 2));
    } else if (s->manner != SENDER_STALLS) {
      finish(w, s, c);
    }
    return;
  }
  if (piece > until - s->at) {
    piece = until - s->at;
  }
  written = net_write(w, c, OPENER, s->octets + s->at, piece);
  if (written <= 0) {
    return; /* it waits for space, or what reading says of the end is on its way */
  }
  s->at += (size_t)written;
  go_on(w, s, draw_between(w, 1, w->mood.latency_us));
}

void bridge_step(world *w, const step *step_now) {
  sender *s = &w->senders[step_now->object];
  connection *c;

  if (!s->active || s->stamp != step_now->stamp) {
    return;
  }
  if (s->link == NOBODY) {
    connect(w, s);
    return;
  }
  c = net_find(w, s->link, s->link_stamp);
  if (c != NULL && c->ends[OPENER].open) {
    write_on(w, s, c);
  }
}

void bridge_writable(world *w, const connection *c) {
  sender *s = &w->senders[c->ends[OPENER].owner];

  if (s->active) {
    go_on(w, s, 0);
  }
}

/* The hub never writes: what arrives is the end. */
void bridge_deliver(world *w, connection *c) {
  sender *s = &w->senders[c->ends[OPENER].owner];
  uint8_t octets[INPUT_MAX];
  bool reset;

  if (net_take(w, c, OPENER, octets, &reset) != 0) {
    wrong(w, "the hub writes to Bridge");
  }
  trace(w, NOBODY, "Bridge %d reads %s", (int)(s - w->senders), reset ? "a reset" : "the end");
  judge_sender_end(w, s, reset);
  net_close(w, c, OPENER, false);
  s->active = false;
}

void bridge_free(world *w) {
  for (int i = 0; i < SENDERS_MAX; i++) {
    free(w->senders[i].octets);
  }
  for (int i = 0; i < w->value_count; i++) {
    free(w->values[i].text);
  }
}
