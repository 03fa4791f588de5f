/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdlib.h>
#include <string.h>

/* Connections: what goes in comes out in order, in pieces of any size, late, or not at all. */

connection *net_find(world *w, int index, uint32_t stamp) {
  return index >= 0 && stamp != 0 && w->connections[index].stamp == stamp ? &w->connections[index] : NULL;
}

int net_index(const world *w, const connection *c) {
  return (int)(c - w->connections);
}

/* ---- delivery */

static uint64_t delay(world *w) {
  uint64_t us = draw_between(w, 1, w->mood.latency_us);

  return one_in(w, w->mood.slow) ? us + draw_below(w, w->timeout_ms / 4) * MS : us;
}

static void plan_at_end(world *w, connection *c, int end, step_kind kind) {
  int process = c->where == AT_PORT && end == OPENER ? NOBODY : c->ends[end].owner;
  step s = {.kind = kind, .process = process, .object = net_index(w, c), .stamp = c->stamp, .end = end};

  if (process >= 0) {
    s.life = w->processes[process].life;
  }
  plan(w, delay(w), s);
}

static void deliver_later(world *w, connection *c, int to) {
  direction *way = &c->ways[1 - to];
  const net_end *end = &c->ends[to];

  if (!way->under_way && !way->lost && end->open && end->ready && !end->deaf && (way->size > 0 || way->ended)) {
    way->under_way = true;
    plan_at_end(w, c, to, STEP_DELIVER);
  }
}

void net_ready(world *w, connection *c, int end) {
  c->ends[end].ready = true;
  deliver_later(w, c, end);
}

static size_t draw_piece(world *w, size_t size) {
  if (size > INPUT_MAX) {
    size = INPUT_MAX;
  }
  if (!one_in(w, w->mood.odd_chunks)) {
    return size;
  }
  return size > 64 && !one_in(w, 4) ? draw_between(w, size / 8, size) : draw_between(w, 1, size < 3 ? size : 3);
}

size_t net_take(world *w, connection *c, int to, uint8_t *into, bool *reset) {
  direction *way = &c->ways[1 - to];
  size_t size;

  way->under_way = false;
  *reset = way->reset;
  if (way->size == 0) {
    return 0;
  }
  size = draw_piece(w, way->size);
  memcpy(into, way->octets, size);
  memmove(way->octets, way->octets + size, way->size - size);
  way->size -= size;
  return size;
}

static void wake_writer(world *w, connection *c, int writer) {
  direction *way = &c->ways[writer];

  if (way->wants_space && c->ends[writer].open) {
    way->wants_space = false;
    plan_at_end(w, c, writer, STEP_WRITABLE);
  }
}

void net_taken(world *w, int index, uint32_t stamp, int to) {
  connection *c = net_find(w, index, stamp);

  if (c != NULL) {
    deliver_later(w, c, to);
    wake_writer(w, c, 1 - to);
  }
}

/* ---- writing */

static void append(direction *way, const uint8_t *octets, size_t size) {
  if (way->size + size > way->capacity) {
    way->capacity = 2 * (way->size + size);
    way->octets = realloc(way->octets, way->capacity);
    if (way->octets == NULL) {
      abort();
    }
  }
  memcpy(way->octets + way->size, octets, size);
  way->size += size;
}

int64_t net_write(world *w, connection *c, int end, const uint8_t *octets, size_t size) {
  direction *way = &c->ways[end];
  size_t room = way->size < w->mood.room ? w->mood.room - way->size : 0;

  if (way->ended || !c->ends[1 - end].open) {
    return -1;
  }
  if (size > room) {
    size = room;
  }
  if (size > 1 && one_in(w, w->mood.odd_chunks)) {
    size = draw_between(w, 1, size);
  }
  if (size == 0) {
    way->wants_space = true;
    return 0;
  }
  if (c->where == AT_ENDPOINT) {
    tap_octets(w, c, end, octets, size);
  }
  append(way, octets, size);
  deliver_later(w, c, 1 - end);
  return (int64_t)size;
}

bool net_write_lent(world *w, connection *c, int end) {
  net_end *e = &c->ends[end];

  while (e->lent_at < e->lent_size) {
    int64_t written = net_write(w, c, end, e->lent + e->lent_at, e->lent_size - e->lent_at);
    if (written == 0) {
      return false;
    }
    if (written < 0) {
      break;
    }
    e->lent_at += (size_t)written;
  }
  return true;
}

/* ---- beginning and end */

connection *net_open(world *w, place where, int opener, int server) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    connection *c = &w->connections[i];
    if (c->stamp != 0) {
      continue;
    }
    memset(c, 0, sizeof *c);
    c->stamp = ++w->last_stamp;
    c->where = where;
    c->file = NOBODY;
    c->ends[OPENER] = (net_end){.open = true, .owner = opener};
    c->ends[SERVER] = (net_end){.open = true, .owner = server};
    if (where == AT_ENDPOINT) {
      c->opener_life = w->processes[opener].life;
      tap_begin(w, c);
    }
    w->tallies.connections++;
    plan_at_end(w, c, SERVER, STEP_ACCEPT);
    return c;
  }
  return NULL;
}

static void forget(connection *c) {
  for (int end = 0; end < 2; end++) {
    free(c->ways[end].octets);
  }
  tap_end(c);
  c->stamp = 0;
}

/* What is on its way when a process dies or a connection breaks may still arrive, or not. */
static void spill(world *w, direction *way) {
  if (way->size > 0 && one_in(w, 2)) {
    way->size = draw_below(w, (uint32_t)way->size);
  }
}

static void end_way(world *w, connection *c, int from, bool reset) {
  direction *way = &c->ways[from];

  if (!way->ended) {
    way->ended = true;
    way->reset = reset;
    if (reset) {
      spill(w, way);
    }
  } else if (reset && !way->reset) {
    way->reset = true; /* a half-closed connection breaks */
  }
  deliver_later(w, c, 1 - from);
}

void net_shut_down(world *w, connection *c, int end) {
  end_way(w, c, end, false);
}

void net_close(world *w, connection *c, int end, bool reset) {
  net_end *e = &c->ends[end];

  e->open = false;
  e->lent = NULL;
  if (!c->ends[1 - end].open) {
    forget(c);
    return;
  }
  end_way(w, c, end, reset);
  c->ways[1 - end].size = 0;
  wake_writer(w, c, 1 - end);
}

void net_cut(world *w, connection *c) {
  w->tallies.breaks++;
  for (int end = 0; end < 2; end++) {
    if (c->ends[1 - end].open) {
      end_way(w, c, end, true);
      wake_writer(w, c, end);
    }
  }
}

void net_swallow(world *w, connection *c, int end) {
  w->tallies.breaks++;
  c->ways[end].lost = true;
}

void net_refuse_waiting(world *w, int server, place where) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    connection *c = &w->connections[i];
    if (c->stamp != 0 && c->where == where && c->ends[SERVER].owner == server && c->ends[SERVER].open &&
        !c->ends[SERVER].ready) {
      net_close(w, c, SERVER, true);
    }
  }
}

size_t net_count_waiting(const world *w, int server) {
  size_t count = 0;

  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    const connection *c = &w->connections[i];
    count += c->stamp != 0 && c->where == AT_ENDPOINT && c->ends[SERVER].owner == server && c->ends[SERVER].open &&
             !c->ends[SERVER].ready;
  }
  return count;
}

void net_free(world *w) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    if (w->connections[i].stamp != 0) {
      forget(&w->connections[i]);
    }
  }
}
