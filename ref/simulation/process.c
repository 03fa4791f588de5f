/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Processes: they start, are stopped, go on, end, and are killed. */

enum { PATIENCE_MS = 1000 };

/* ---- steps that wait while the process is stopped or at work */

static void defer(process *p, const step *s) {
  if (p->deferred_count == p->deferred_capacity) {
    p->deferred_capacity = p->deferred_capacity == 0 ? 16 : 2 * p->deferred_capacity;
    p->deferred = realloc(p->deferred, p->deferred_capacity * sizeof *p->deferred);
    if (p->deferred == NULL) {
      abort();
    }
  }
  p->deferred[p->deferred_count++] = *s;
}

/* They come in an order of chance: which of the things that are ready a loop sees first is not for us to say. */
void process_release(world *w, int index) {
  process *p = &w->processes[index];
  size_t count = p->deferred_count;

  p->at_work = false;
  p->deferred_count = 0;
  for (size_t i = 0; i < count; i++) {
    plan(w, draw_below(w, 20), p->deferred[i]);
  }
}

/* ---- beginning and end */

void process_start(world *w, int index) {
  process *p = &w->processes[index];

  if (p->alive) {
    return;
  }
  w->tallies.starts++;
  p->alive = true;
  p->life++;
  p->pid = ++w->last_pid;
  p->link = NOBODY;
  p->client_due = BH_NEVER;
  p->hub_due = BH_NEVER;
  p->alone_since = w->now;
  trace(w, index, "---- starts as process %u%s%s%s", (unsigned)p->pid, p->may_serve ? ", may serve" : "",
        p->has_client ? "" : " alone", p->role == BH_ROLE_OBSERVER ? ", an observer" : "");
  if (p->has_client) {
    client_begin(w, index);
  } else {
    serve_begin(w, index);
  }
}

/* What is left of a life: nothing but what it is. */
void process_free(world *w, int index) {
  process *p = &w->processes[index];
  process next = {.world = w,
                  .has_client = p->has_client,
                  .may_serve = p->may_serve,
                  .role = p->role,
                  .window = p->window,
                  .port = p->port,
                  .link = NOBODY,
                  .life = p->life};

  memcpy(next.instance, p->instance, sizeof next.instance);
  bh_client_free(p->client);
  bh_hub_free(p->hub);
  bh_ingest_free(p->ingest);
  free(p->deferred);
  *p = next;
}

static void drop_connections(world *w, int index, bool killed) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    connection *c = &w->connections[i];
    for (int end = 0; end < 2 && c->stamp != 0; end++) {
      bool is_bridge = c->where == AT_PORT && end == OPENER;
      if (is_bridge || !c->ends[end].open || c->ends[end].owner != index) {
        continue;
      }
      if (c->where == AT_PORT) {
        c->file = NOBODY; /* what lies in tmp/ is the next hub's to remove */
      }
      /* Linger 0 at a port; at the endpoint, what was written may come through or not. */
      net_close(w, c, end, c->where == AT_PORT || (killed && one_in(w, 2)));
    }
  }
}

static void vanish(world *w, int index, bool killed) {
  hub_let_go(w, index);
  drop_connections(w, index, killed);
  process_free(w, index);
}

void process_kill(world *w, int index) {
  w->tallies.kills++;
  trace(w, index, "---- kill -9");
  vanish(w, index, true);
}

void process_exit(world *w, int index) {
  trace(w, index, "---- exits");
  vanish(w, index, false);
}

bool dies_here(world *w, int index) {
  if (w->calm || !one_in(w, w->mood.crash)) {
    return false;
  }
  process_kill(w, index);
  return true;
}

/* ---- signals */

void process_stop(world *w, int index, uint64_t us) {
  process *p = &w->processes[index];

  if (p->alive && !p->stopped) {
    trace(w, index, "---- SIGSTOP, for %llu ms", (unsigned long long)(us / MS));
    w->court.late = w->court.late || p->hub != NULL;
    w->tallies.stops++;
    p->stopped = true;
    p->stopped_at = w->now;
    plan_in(w, us, STEP_CONTINUE, index, 0);
  }
}

void process_continue(world *w, int index) {
  process *p = &w->processes[index];
  bool at_work = p->at_work;

  if (p->alive && p->stopped) {
    trace(w, index, "---- SIGCONT");
    p->stopped = false;
    p->alone_since = w->now;
    /* What it was at was decided before. */
    if (!at_work && w->now - p->stopped_at >= 2 * (uint64_t)w->heartbeat_ms * MS) {
      p->fresh_until_ms = now_ms(w) + w->timeout_ms;
    }
    process_release(w, index);
    p->at_work = at_work;
  }
}

static void begin_end(world *w, int index) {
  process *p = &w->processes[index];

  p->ending = END_BRIDGES;
  p->at_work = true;
  plan_in(w, 0, STEP_END, index, 0);
}

void process_terminate(world *w, int index) {
  process *p = &w->processes[index];

  if (!p->alive || p->stopped || p->at_work || p->ending != END_NOT) {
    return;
  }
  trace(w, index, "---- SIGTERM");
  w->tallies.clean_ends++;
  p->ending = END_UNREGISTER;
  if (p->client != NULL && client_ask(w, index, ASK_UNREGISTER, NULL) != 0) {
    plan_in(w, PATIENCE_MS * MS, STEP_PATIENCE, index, 0);
  } else if (p->alive) {
    begin_end(w, index);
  }
}

/* ---- steps */

static bool goes_on_with_its_work(const step *s) {
  return s->kind == STEP_SERVE || s->kind == STEP_WORK || s->kind == STEP_END;
}

static void connection_step(world *w, const step *s) {
  connection *c = net_find(w, s->object, s->stamp);
  bool serves = s->end == SERVER;

  if (c == NULL || !c->ends[s->end].open) {
    return;
  }
  switch (s->kind) {
  case STEP_ACCEPT:
    hub_accept(w, c);
    break;
  case STEP_WRITABLE:
    (serves ? hub_writable : client_writable)(w, c);
    break;
  default:
    if (c->where == AT_PORT) {
      hub_bridge_deliver(w, c);
    } else {
      (serves ? hub_deliver : client_deliver)(w, c);
    }
    net_taken(w, s->object, s->stamp, s->end);
    break;
  }
}

static void perform(world *w, const step *s) {
  process *p = &w->processes[s->process];

  switch (s->kind) {
  case STEP_CLIENT_TIMER:
    if (s->stamp == p->client_timer) {
      client_timer(w, s->process);
    }
    break;
  case STEP_HUB_TIMER:
    if (s->stamp == p->hub_timer) {
      hub_timer(w, s->process);
    }
    break;
  case STEP_SWEEP:
    hub_sweep(w, s->process);
    break;
  case STEP_SERVE:
    serve_step(w, s->process);
    break;
  case STEP_WORK:
    process_release(w, s->process);
    hub_work(w, s->process);
    break;
  case STEP_PATIENCE:
    if (p->ending == END_UNREGISTER) {
      begin_end(w, s->process);
    }
    break;
  case STEP_END:
    hub_end_step(w, s->process);
    break;
  case STEP_CONNECTED:
    client_connected(w, s);
    break;
  case STEP_LOOKED:
    client_looked(w, s);
    break;
  case STEP_FINISH:
    client_finish(w, s);
    break;
  default:
    connection_step(w, s);
    break;
  }
}

void process_step(world *w, const step *s) {
  process *p = &w->processes[s->process];

  if (!p->alive || p->life != s->life) {
    return;
  }
  if (p->stopped || (p->at_work && !goes_on_with_its_work(s))) {
    defer(p, s);
    return;
  }
  perform(w, s);
}
