/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdlib.h>
#include <string.h>

/* A story: a time of trouble, and a time of calm in which everything must come right within a bounded time. */

enum { STEPS_MAX = 400000, TROUBLE_TIMEOUTS_MAX = 8 };

/* What the calm waits for, one after the other. */
enum {
  SCENE_RECOVER, /* every client is registered with the one hub */
  SCENE_CLAIM,   /* somebody is active */
  SCENE_DRAIN,   /* everything that waited was delivered and finished */
  SCENE_QUIET,   /* and then nothing changes any more */
  SCENE_END,
};

uint64_t now_ms(const world *w) {
  return w->now / MS;
}

void copy_id(instance_id to, const char *from) {
  size_t size = strnlen(from, BH_INSTANCE_ID_MAX);

  memmove(to, from, size);
  to[size] = '\0';
}

/* ---- memory of the core */

static void *resize(void *ctx, void *octets, size_t size) {
  world *w = ctx;
  void *result;

  if (size == 0) {
    w->blocks -= octets != NULL;
    free(octets);
    return NULL;
  }
  result = realloc(octets, size);
  if (result == NULL) {
    abort();
  }
  w->blocks += octets == NULL;
  return result;
}

/* ---- the calm */

static bool takes_part(const process *p) {
  return p->alive && p->client != NULL && !p->superseded;
}

static bool is_settled(const world *w, int index) {
  const process *p = &w->processes[index];
  bh_client_view view;

  if (p->ending != END_NOT || p->at_work) {
    return false;
  }
  if (!takes_part(p)) {
    return true;
  }
  bh_client_status(p->client, &view);
  return view.registered && view.heard && view.epoch == w->court.epoch;
}

static bool connections_are_sound(const world *w) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    const connection *c = &w->connections[i];
    if (c->stamp != 0 && c->where == AT_ENDPOINT &&
        (!c->ends[OPENER].open || !c->ends[SERVER].open || c->ways[OPENER].lost || c->ways[SERVER].lost ||
         c->ways[OPENER].ended || c->ways[SERVER].ended)) {
      return false;
    }
  }
  return true;
}

static bool has_recovered(world *w) {
  process *first = &w->processes[0];

  if (first->superseded && !first->at_work) {
    process_kill(w, 0);
  }
  if (!first->alive) {
    process_start(w, 0);
  }
  for (int i = 0; i < w->process_count; i++) {
    if (!is_settled(w, i)) {
      return false;
    }
  }
  return w->endpoint != NOBODY && connections_are_sound(w);
}

static bool has_claimed(world *w) {
  int index = (int)draw_below(w, (uint32_t)w->process_count);

  /* One of its own may be on its way to end what it has. */
  if (w->court.active[0] != '\0') {
    return !judge_is_open(w, BH_RELEASE_ACTIVE);
  }
  if (takes_part(&w->processes[index]) && !w->processes[index].at_work &&
      w->processes[index].role == BH_ROLE_INSTANCE) {
    client_ask(w, index, ASK_CLAIM, NULL);
  }
  return false;
}

static bool has_drained(const world *w) {
  for (int i = 0; i < w->process_count; i++) {
    if (w->processes[i].hand_count > 0) {
      return false;
    }
  }
  for (int i = 0; i < SENDERS_MAX; i++) {
    if (w->senders[i].active) {
      return false;
    }
  }
  return disk_count(w, IN_QUEUE) == 0 && disk_count(w, IN_RETRY) == 0 && connections_are_sound(w);
}

static bool is_over(world *w) {
  switch (w->scene) {
  case SCENE_RECOVER:
    return has_recovered(w);
  case SCENE_CLAIM:
    return has_claimed(w);
  case SCENE_DRAIN:
    return has_drained(w);
  default:
    return w->now - w->scene_since > (3 * (uint64_t)w->heartbeat_ms + 300) * MS;
  }
}

/* Longer than this nobody may wait. */
static uint64_t patience_ms(const world *w) {
  uint64_t timeouts = w->timeout_ms;

  switch (w->scene) {
  case SCENE_RECOVER:
    return 4 * timeouts + 4000;
  case SCENE_CLAIM:
    return 2 * timeouts + 2000;
  default:
    return 5 * timeouts + 5000 + 500 * (uint64_t)w->value_count;
  }
}

static void say_who_waits(world *w) {
  static const char *const waited_for[] = {"every client is registered", "somebody is active",
                                           "all imports are finished"};

  for (int i = 0; i < w->process_count; i++) {
    if (!is_settled(w, i)) {
      wrong(w, "process %d still waits in vain for: %s", i, waited_for[w->scene]);
    }
  }
  wrong(w, "%llu ms after the trouble was over, this is still waited for: %s; %zu imports are in queue/",
        (unsigned long long)((w->now - w->calm_since) / MS), waited_for[w->scene], disk_count(w, IN_QUEUE));
}

static void look(world *w) {
  for (int i = 0; i < w->process_count; i++) {
    judge_alone(w, i);
  }
  if (is_over(w)) {
    w->scene++;
    w->scene_since = w->now;
  } else if (w->scene < SCENE_QUIET && w->now - w->scene_since > patience_ms(w) * MS) {
    say_who_waits(w);
  }
  if (w->scene == SCENE_END) {
    judge_quiet(w);
  } else {
    plan(w, w->heartbeat_ms * MS / 5, (step){.kind = STEP_LOOK, .process = NOBODY});
  }
}

/* ---- steps */

static void bridge_end_step(world *w, const step *s) {
  connection *c = net_find(w, s->object, s->stamp);

  if (c == NULL || !c->ends[OPENER].open) {
    return;
  }
  if (s->kind == STEP_DELIVER) {
    bridge_deliver(w, c);
  } else {
    bridge_writable(w, c);
  }
}

static void world_step(world *w, const step *s) {
  switch (s->kind) {
  case STEP_START:
    if (!w->processes[s->object].alive) {
      process_start(w, s->object);
    }
    break;
  case STEP_BRIDGE:
    bridge_step(w, s);
    break;
  case STEP_FREE_PORT:
    if (w->ports[s->object] == FOREIGNER) {
      w->ports[s->object] = NOBODY;
    }
    break;
  case STEP_TROUBLE:
    trouble_step(w);
    break;
  case STEP_CALM:
    w->calm_since = w->now;
    w->scene_since = w->now;
    trouble_end(w);
    look(w);
    break;
  case STEP_LOOK:
    look(w);
    break;
  case STEP_DELIVER:
  case STEP_WRITABLE:
    bridge_end_step(w, s);
    break;
  default:
    break;
  }
}

static void take_step(world *w, const step *s) {
  w->now = s->time;
  w->tallies.steps++;
  if (s->kind == STEP_CONTINUE) {
    if (w->processes[s->process].life == s->life) {
      process_continue(w, s->process);
    }
  } else if (s->process == NOBODY) {
    world_step(w, s);
  } else {
    process_step(w, s);
  }
}

/* ---- beginning and end */

static void begin(world *w, uint64_t seed, bool tracing) {
  uint8_t(*inputs)[INPUT_MAX] = w->inputs;
  tallies tallies = w->tallies;

  memset(w, 0, sizeof *w);
  w->inputs = inputs;
  w->tallies = tallies;
  w->seed = seed;
  w->random = seed;
  w->random = draw_bits(w); /* neighbours must not tell neighbouring stories */
  w->tracing = tracing;
  w->allocator = (bh_allocator){.resize = resize, .ctx = w};
  w->now = one_in(w, 2) ? 0 : draw_bits(w) >> 16;
  w->lock = NOBODY;
  w->endpoint = NOBODY;
  for (int i = 0; i < PORTS; i++) {
    w->ports[i] = NOBODY;
  }
  for (int i = 0; i < SENDERS_MAX; i++) {
    w->senders[i].link = NOBODY;
  }
  w->court.batch = 1;
  bh_buffer_init(&w->state, w->allocator);
  trouble_draw(w);
  plan(w, 0, (step){.kind = STEP_TROUBLE, .process = NOBODY});
  plan(w, (w->timeout_ms + draw_below(w, TROUBLE_TIMEOUTS_MAX * w->timeout_ms)) * MS,
       (step){.kind = STEP_CALM, .process = NOBODY});
}

static void end(world *w) {
  for (int i = 0; i < w->process_count; i++) {
    process_free(w, i);
  }
  net_free(w);
  disk_free(w);
  bridge_free(w);
  agenda_free(w);
  if (w->blocks != 0) {
    wrong(w, "%zu blocks of memory were not given back", w->blocks);
  }
}

void story(world *w, uint64_t seed, bool tracing) {
  uint64_t before = w->tallies.steps;
  step s;

  begin(w, seed, tracing);
  trace(w, NOBODY, "seed %llu: heartbeat_ms %u, timeout_ms %u, %d processes", (unsigned long long)seed,
        (unsigned)w->heartbeat_ms, (unsigned)w->timeout_ms, w->process_count);
  while (w->scene != SCENE_END && agenda_next(w, &s)) {
    take_step(w, &s);
    if (w->tallies.steps - before > STEPS_MAX) {
      wrong(w, "no rest after %d steps", STEPS_MAX);
    }
  }
  end(w);
}
