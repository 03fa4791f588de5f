/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdio.h>
#include <string.h>

/* What the world, Bridge and a user do to the processes, each seed with a taste of its own. */

typedef enum {
  TROUBLE_BRIDGE,
  TROUBLE_START,
  TROUBLE_KILL,
  TROUBLE_STOP,
  TROUBLE_STOP_ALL,
  TROUBLE_CUT,
  TROUBLE_SWALLOW,
  TROUBLE_TERMINATE,
  TROUBLE_CLAIM,
  TROUBLE_CLAIM_FOR,
  TROUBLE_RELEASE,
  TROUBLE_HEARTBEAT,
  TROUBLE_PARKED,
  TROUBLE_DELETE,
  TROUBLE_SPOIL_STATE,
  TROUBLE_FOREIGNER,
  TROUBLES,
} trouble;

_Static_assert((int)TROUBLES == (int)WEIGHTS_MAX, "a weight for each kind of trouble");

/* ---- the taste */

static uint32_t draw_of(world *w, const uint32_t *choices, uint32_t count) {
  return choices[draw_below(w, count)];
}

#define DRAW_OF(w, ...)                                                                                                \
  draw_of(w, (const uint32_t[]){__VA_ARGS__}, sizeof(const uint32_t[]){__VA_ARGS__} / sizeof(uint32_t))

/* The largest value must get through in much less than a time-out: its receiver can say nothing meanwhile. */
static size_t least_room(const world *w) {
  return (size_t)16 * 2 * BRIDGE_VALUE_MAX * w->mood.latency_us / (w->timeout_ms * MS);
}

static void draw_mood(world *w) {
  mood *m = &w->mood;

  m->crash = DRAW_OF(w, 0, 0, 4000, 1000, 300);
  m->pause = DRAW_OF(w, 0, 200, 20);
  m->disk = DRAW_OF(w, 0, 0, 0, 60, 8);
  m->odd_chunks = DRAW_OF(w, 0, 20, 4);
  m->slow = DRAW_OF(w, 0, 0, 200, 40);
  m->trouble_ms = w->timeout_ms / DRAW_OF(w, 4, 10, 30);
  m->latency_us = DRAW_OF(w, 100, 1000, 10000);
  m->room = DRAW_OF(w, INPUT_MAX, 4096, 300);
  if (m->room < least_room(w)) {
    m->room = least_room(w);
  }
  m->sees_processes = one_in(w, 2);
  m->doubles = one_in(w, 8);
  for (int i = 0; i < TROUBLES; i++) {
    m->weights[i] = one_in(w, 2) ? 0 : 1 + draw_below(w, 6);
  }
  m->weights[TROUBLE_BRIDGE] = 2 + draw_below(w, 8);
  m->weights[TROUBLE_START] = 1 + draw_below(w, 6);
}

static uint32_t draw_window(world *w) {
  return DRAW_OF(w, 1, 1, 1, 2, 4, 64);
}

/* Process 0 can do all that the end of the story needs: serve, claim and receive. */
static void draw_process(world *w, int index) {
  process *p = &w->processes[index];

  p->world = w;
  p->link = NOBODY;
  p->has_client = true;
  p->may_serve = index == 0 || one_in(w, 2);
  p->window = draw_window(w);
  if (index > 0) {
    p->role = one_in(w, 7) ? BH_ROLE_OBSERVER : BH_ROLE_INSTANCE;
    p->port = one_in(w, 12);
    p->has_client = !one_in(w, 8);
    p->may_serve = p->may_serve || !p->has_client;
  }
}

void trouble_draw(world *w) {
  static const uint32_t timings[][2] = {{1000, 5000}, {100, 500}, {200, 400}, {50, 500}, {20, 100}};
  const uint32_t *timing = timings[draw_below(w, sizeof timings / sizeof timings[0])];

  w->heartbeat_ms = timing[0];
  w->timeout_ms = timing[1];
  draw_mood(w);
  w->process_count = 2 + (int)draw_below(w, PROCESSES_MAX - 1);
  for (int i = 0; i < w->process_count; i++) {
    draw_process(w, i);
    plan(w, draw_below(w, w->timeout_ms) * MS, (step){.kind = STEP_START, .process = NOBODY, .object = i});
  }
}

/* ---- whom it strikes */

static int draw_process_that(world *w, bool (*fits)(const process *)) {
  int found = NOBODY;
  uint32_t count = 0;

  for (int i = 0; i < w->process_count; i++) {
    if (fits(&w->processes[i]) && one_in(w, ++count)) {
      found = i;
    }
  }
  return found;
}

static bool is_alive(const process *p) {
  return p->alive;
}

static bool is_dead(const process *p) {
  return !p->alive;
}

static bool has_user(const process *p) {
  return p->alive && p->client != NULL && !p->stopped && !p->at_work && p->ending == END_NOT;
}

static connection *draw_connection(world *w) {
  connection *found = NULL;
  uint32_t count = 0;

  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    if (w->connections[i].stamp != 0 && one_in(w, ++count)) {
      found = &w->connections[i];
    }
  }
  return found;
}

static file *draw_file(world *w, directory where) {
  int indexes[FILES_MAX];

  return disk_list(w, where, indexes) == 0 ? NULL : &w->files[indexes[0]];
}

/* ---- what it does */

/* A process may be told to be an instance: the one that it was before, or, by mistake, one that another is. */
static void start(world *w, int index) {
  process *p = &w->processes[index];
  const process *other = &w->processes[draw_below(w, (uint32_t)w->process_count)];

  if (one_in(w, 4)) {
    p->window = draw_window(w);
  }
  if (one_in(w, 4) && p->instance[0] != '\0') {
    p->resumes = true;
  } else if (w->mood.doubles && one_in(w, 3) && other->instance[0] != '\0' && other->role == p->role) {
    memcpy(p->instance, other->instance, sizeof p->instance);
    p->resumes = true;
  }
  process_start(w, index);
}

static uint64_t draw_pause(world *w) {
  uint32_t most = DRAW_OF(w, w->heartbeat_ms, w->timeout_ms, w->timeout_ms * 5 / 2);

  return draw_below(w, most) * MS;
}

static void stop_all(world *w) {
  uint64_t us = draw_pause(w);

  for (int i = 0; i < w->process_count; i++) {
    process_stop(w, i, us);
  }
}

static void strike_process(world *w, trouble kind) {
  int index = draw_process_that(w, kind == TROUBLE_START ? is_dead : is_alive);

  if (index == NOBODY) {
    return;
  }
  switch (kind) {
  case TROUBLE_START:
    start(w, index);
    break;
  case TROUBLE_KILL:
    process_kill(w, index);
    break;
  case TROUBLE_STOP:
    process_stop(w, index, draw_pause(w));
    break;
  default:
    process_terminate(w, index);
    break;
  }
}

static void strike_connection(world *w, trouble kind) {
  connection *c = draw_connection(w);

  if (c == NULL) {
    return;
  }
  trace(w, NOBODY, "---- the connection of %s %d %s", c->where == AT_PORT ? "Bridge" : "process", c->ends[OPENER].owner,
        kind == TROUBLE_CUT ? "breaks" : "falls silent");
  if (kind == TROUBLE_CUT) {
    net_cut(w, c);
    return;
  }
  /* An end that comes through says that what was sent before has come through the other way: TCP keeps that. */
  if (c->where == AT_PORT || !one_in(w, 3)) {
    net_swallow(w, c, OPENER);
  }
  if (c->where == AT_PORT || !one_in(w, 3)) {
    net_swallow(w, c, SERVER);
  }
}

static void click(world *w, trouble kind) {
  int index = draw_process_that(w, has_user);
  const process *other = &w->processes[draw_below(w, (uint32_t)w->process_count)];

  if (index == NOBODY) {
    return;
  }
  switch (kind) {
  case TROUBLE_CLAIM:
    client_ask(w, index, ASK_CLAIM, NULL);
    break;
  case TROUBLE_CLAIM_FOR:
    client_ask(w, index, ASK_CLAIM_FOR, other->instance[0] == '\0' ? "nobody" : other->instance);
    break;
  case TROUBLE_RELEASE:
    client_ask(w, index, ASK_RELEASE, NULL);
    break;
  default:
    client_ask(w, index, ASK_HEARTBEAT, NULL);
    break;
  }
}

static void delete_by_hand(world *w, directory where) {
  const file *f = draw_file(w, where);
  bh_import import;

  if (f != NULL) {
    import = disk_import(f);
    trace(w, NOBODY, "---- v%d is deleted by hand", f->value);
    w->values[f->value].state = VALUE_BY_HAND;
    disk_remove(w, where, &import);
  }
}

static void see_to_parked(world *w) {
  const file *f = draw_file(w, IN_PARKED);
  bh_import import;

  if (one_in(w, 4)) {
    delete_by_hand(w, IN_PARKED);
  } else if (f != NULL) {
    import = disk_import(f);
    trace(w, NOBODY, "---- v%d is to be tried again", f->value);
    disk_move(w, IN_PARKED, &import, IN_RETRY, &import);
  }
}

static void spoil_state(world *w) {
  static const char original[] = "{\"hub_pid\":4711,\"last_update\":1.5,\"active_instance\":4712,"
                                 "\"registered_instances\":[4712],\"pending_import_4712\":\"[]\"}";

  w->court.state_spoilt = true;
  trace(w, NOBODY, "---- the state file is spoilt");
  if (one_in(w, 4)) {
    w->state_there = false;
  } else if (one_in(w, 3)) {
    bh_buffer_clear(&w->state);
    bh_buffer_append(&w->state, original, sizeof original - 1);
  } else if (w->state.size > 0 && one_in(w, 2)) {
    w->state.size = draw_below(w, (uint32_t)w->state.size);
  } else if (w->state.size > 0) {
    w->state.octets[draw_below(w, (uint32_t)w->state.size)] = (uint8_t)draw_bits(w);
  }
}

static void send_foreigner(world *w) {
  int port = (int)draw_below(w, PORTS);

  if (w->ports[port] == NOBODY) {
    trace(w, NOBODY, "---- something that is no hub takes port %d", port);
    w->ports[port] = FOREIGNER;
    plan(w, draw_pause(w), (step){.kind = STEP_FREE_PORT, .process = NOBODY, .object = port});
  }
}

static void strike(world *w, trouble kind) {
  switch (kind) {
  case TROUBLE_BRIDGE:
    bridge_begin(w);
    break;
  case TROUBLE_START:
  case TROUBLE_KILL:
  case TROUBLE_STOP:
  case TROUBLE_TERMINATE:
    strike_process(w, kind);
    break;
  case TROUBLE_STOP_ALL:
    stop_all(w);
    break;
  case TROUBLE_CUT:
  case TROUBLE_SWALLOW:
    strike_connection(w, kind);
    break;
  case TROUBLE_CLAIM:
  case TROUBLE_CLAIM_FOR:
  case TROUBLE_RELEASE:
  case TROUBLE_HEARTBEAT:
    click(w, kind);
    break;
  case TROUBLE_PARKED:
    see_to_parked(w);
    break;
  case TROUBLE_DELETE:
    if (one_in(w, 4)) {
      delete_by_hand(w, IN_QUEUE);
    }
    break;
  case TROUBLE_SPOIL_STATE:
    spoil_state(w);
    break;
  case TROUBLE_FOREIGNER:
    send_foreigner(w);
    break;
  case TROUBLES:
    break;
  }
}

static trouble draw_trouble(world *w) {
  uint32_t sum = 0;
  uint32_t at;
  int kind = 0;

  for (int i = 0; i < TROUBLES; i++) {
    sum += w->mood.weights[i];
  }
  at = draw_below(w, sum);
  while (at >= w->mood.weights[kind]) {
    at -= w->mood.weights[kind++];
  }
  return (trouble)kind;
}

void trouble_step(world *w) {
  if (w->calm) {
    return;
  }
  strike(w, draw_trouble(w));
  for (int i = 0; i < w->process_count; i++) {
    judge_alone(w, i);
  }
  plan(w, draw_below(w, 2 * w->mood.trouble_ms + 1) * MS, (step){.kind = STEP_TROUBLE, .process = NOBODY});
}

/* One that waits for what does not come would wait until its user ends it. */
static void end_hopeless_sender(world *w, sender *s) {
  connection *c = net_find(w, s->link, s->link_stamp);

  if (s->active && c != NULL && c->ends[OPENER].open &&
      (s->manner == SENDER_STALLS || c->ways[OPENER].lost || c->ways[SERVER].lost)) {
    net_close(w, c, OPENER, true);
    s->active = false;
  }
}

/* From here on nothing breaks any more; what is broken stays so. */
void trouble_end(world *w) {
  trace(w, NOBODY, "---- calm");
  w->calm = true;
  w->mood.slow = 0;
  for (int port = 0; port < PORTS; port++) {
    if (w->ports[port] == FOREIGNER) {
      w->ports[port] = NOBODY;
    }
  }
  for (int i = 0; i < w->process_count; i++) {
    process_continue(w, i);
    if (!w->processes[i].alive && one_in(w, 2)) {
      process_start(w, i);
    }
  }
  for (int i = 0; i < SENDERS_MAX; i++) {
    end_hopeless_sender(w, &w->senders[i]);
  }
}
