/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What must hold at each step. */

void wrong(world *w, const char *format, ...) {
  char text[1024];
  va_list arguments;
  int at = snprintf(text, sizeof text, "at %llu.%03llu s: ", (unsigned long long)(w->now / (1000 * MS)),
                    (unsigned long long)(w->now / MS % 1000));

  va_start(arguments, format);
  vsnprintf(text + at, sizeof text - (size_t)at, format, arguments);
  va_end(arguments);
  report_wrong(w->seed, text);
}

static bool same(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

static value *value_in(world *w, const char *import) {
  int v = value_of(w, import);

  if (v == NOBODY) {
    wrong(w, "there is no import %s", import);
  }
  return &w->values[v];
}

static int number_of(const world *w, const value *v) {
  return (int)(v - w->values);
}

/* ---- instances */

static acquaintance *known_as(world *w, const char *instance) {
  court *c = &w->court;
  acquaintance *a;

  for (size_t i = 0; i < c->known_count; i++) {
    if (same(c->known[i].instance, instance)) {
      return &c->known[i];
    }
  }
  if (c->known_count == KNOWN_MAX) {
    wrong(w, "more than %d instances in one story", KNOWN_MAX);
  }
  a = &c->known[c->known_count++];
  *a = (acquaintance){.lost_ms = c->began_ms};
  copy_id(a->instance, instance);
  return a;
}

void judge_claimed(world *w, const char *instance) {
  court *c = &w->court;

  c->released = false; /* not for certain any more */
  for (size_t i = 0; i < c->claimed_count; i++) {
    if (same(c->claimed[i], instance)) {
      return;
    }
  }
  if (c->claimed_count < KNOWN_MAX) {
    copy_id(c->claimed[c->claimed_count++], instance);
  }
}

static bool was_claimed(const court *c, const char *instance) {
  for (size_t i = 0; i < c->claimed_count; i++) {
    if (same(c->claimed[i], instance)) {
      return true;
    }
  }
  return false;
}

/* ---- the hub's view */

void judge_hub_began(world *w, int index, const bh_state_hint *former) {
  court *c = &w->court;
  bool known = w->state_there && !c->state_spoilt;
  bh_hub_view view;

  if (known && (former->epoch != c->state_epoch || !same(former->active, c->state_active))) {
    wrong(w, "the state file says epoch %llu and '%s' and not what was written", (unsigned long long)former->epoch,
          former->active);
  }
  bh_hub_state(w->processes[index].hub, &view);
  c->epoch = view.epoch;
  c->began_ms = now_ms(w);
  c->late = false;
  c->release_asked = false;
  c->released = false;
  c->active[0] = '\0';
  memcpy(c->former, former->active, sizeof c->former);
  c->former_left = false;
  c->former_until_ms = c->began_ms + w->timeout_ms;
  c->claimed_count = 0;
  for (size_t i = 0; i < c->known_count; i++) {
    acquaintance *a = &c->known[i];
    a->present = a->left = a->gone = false;
    a->lost_ms = c->began_ms;
  }
}

static bool is_in(const bh_hub_view *view, const char *instance) {
  for (size_t i = 0; i < view->instance_count; i++) {
    if (same(view->instances[i].instance, instance)) {
      return true;
    }
  }
  return false;
}

static bool has_unregistered(const world *w, const char *instance) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    const connection *c = &w->connections[i];
    if (c->stamp != 0 && c->unregisters && same(c->instance, instance)) {
      return true;
    }
  }
  return false;
}

bool judge_is_open(const world *w, bh_type type) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    const tap *t = w->connections[i].stamp == 0 ? NULL : w->connections[i].taps[OPENER];
    for (size_t at = 0; t != NULL && at < t->count; at++) {
      if (t->types[at] == type) {
        return true;
      }
    }
  }
  return false;
}

/* A claim that was asked for and not yet answered may have been served. */
static bool is_claim_open(const world *w) {
  return judge_is_open(w, BH_CLAIM_ACTIVE);
}

/* BH-ACT-002 to 004, BH-REL-004: who is active now, and was not before, must have a reason. */
static void check_active(world *w, const bh_hub_view *view) {
  court *c = &w->court;
  const char *active = view->active == NULL ? "" : view->active->instance;
  bool old_is_here = c->active[0] != '\0' && is_in(view, c->active);

  if (same(active, c->active)) {
    return;
  }
  if (active[0] == '\0') {
    /* Or another has claimed, and then released or left, all in one piece of what was received. */
    if (old_is_here && !c->release_asked && !is_claim_open(w)) {
      wrong(w, "%s is not active any more, and nobody has released it", c->active);
    }
    c->released = old_is_here && c->release_asked && !is_claim_open(w);
    c->former[0] = '\0';
    if (!old_is_here) {
      memcpy(c->former, c->active, sizeof c->former);
      c->former_left = known_as(w, c->active)->left;
      c->former_until_ms = now_ms(w) + w->timeout_ms;
    }
  } else {
    bool claimed = was_claimed(c, active);
    if (!claimed && (c->released || (view->instance_count != 1 && !same(c->former, active)))) {
      wrong(w, "%s is active, and nothing has made it so", active);
    }
    c->released = false;
    c->former[0] = '\0';
  }
  copy_id(c->active, active);
}

static void lose(world *w, int hub, acquaintance *a) {
  /* BH-TIME-007 */
  if (w->court.expiring && now_ms(w) < w->processes[hub].fresh_until_ms) {
    wrong(w, "%s is lost for its silence, and the hub itself was stopped", a->instance);
  }
  a->present = false;
  a->lost_ms = now_ms(w);
  a->left = has_unregistered(w, a->instance);
  a->gone = w->court.told_gone;
}

/* BH-ACT-003, BH-ACT-005: nobody has to click for these. */
static void check_newcomer(world *w, const bh_hub_view *view, acquaintance *a, bool is_new, const court *before) {
  const char *active = view->active == NULL ? "" : view->active->instance;
  bool nobody = before->active[0] == '\0' && !before->release_asked;
  bool is_former = same(before->former, a->instance) && !before->former_left && now_ms(w) <= before->former_until_ms;
  bool is_young = now_ms(w) - before->began_ms < w->timeout_ms || before->late;

  a->present = true;
  a->left = false;
  a->gone = false;
  if (nobody && is_former && !same(active, a->instance)) {
    wrong(w, "%s was active, is back in time, and is not active again", a->instance);
  }
  if (nobody && view->instance_count == 1 && (is_new || !is_young) && !same(active, a->instance)) {
    wrong(w, "%s is the only instance, and is not active", a->instance);
  }
}

void judge_hub(world *w, int index) {
  court *c = &w->court;
  court before;
  bh_hub_view view;

  bh_hub_state(w->processes[index].hub, &view);
  for (size_t i = 0; i < c->known_count; i++) {
    if (c->known[i].present && !is_in(&view, c->known[i].instance)) {
      lose(w, index, &c->known[i]);
    }
  }
  before.release_asked = c->release_asked;
  before.began_ms = c->began_ms;
  before.late = c->late;
  before.former_left = c->former_left;
  before.former_until_ms = c->former_until_ms;
  memcpy(before.active, c->active, sizeof before.active);
  memcpy(before.former, c->former, sizeof before.former);
  check_active(w, &view);
  for (size_t i = 0; i < view.instance_count; i++) {
    size_t count = c->known_count;
    acquaintance *a = known_as(w, view.instances[i].instance);
    if (!a->present) {
      check_newcomer(w, &view, a, c->known_count > count, &before);
    }
  }
}

/* ---- the spool */

/* BH-INGEST-004, BH-SPOOL-003, BH-SPOOL-006. */
void judge_commit(world *w, const connection *c, const bh_import *import, const file *f, int v) {
  value *made = &w->values[v];

  if (f->size != made->size || memcmp(f->octets, made->text, made->size) != 0) {
    wrong(w, "v%d is not what Bridge has sent: %.*s", v, (int)(f->size < 200 ? f->size : 200), (const char *)f->octets);
  }
  if (made->state != VALUE_MADE || c->committed >= SENDER_VALUES_MAX) {
    wrong(w, "v%d becomes an import twice", v);
  }
  if (import->attempt != 0 || import->deaths != 0 || import->holder[0] != '\0') {
    wrong(w, "the new import %s has a past", import->import);
  }
  if (value_of(w, import->import) != NOBODY) {
    wrong(w, "import id %s was given before", import->import);
  }
  for (int i = 0; i < FILES_MAX; i++) {
    const file *other = &w->files[i];
    if (other->there && other->where != IN_TMP && disk_import(other).sequence >= import->sequence) {
      wrong(w, "the new import %s is not the last in the spool", import->import);
    }
  }
  snprintf(made->import, sizeof made->import, "%s", import->import);
  made->sequence = import->sequence;
  made->state = VALUE_COMPLETE;
}

/* BH-ROUTE-011, BH-ROUTE-013: whether the holder was away for long enough. */
static void check_death(world *w, int hub, const bh_import *before) {
  const acquaintance *a = known_as(w, before->holder);

  if (before->holder[0] == '\0') {
    wrong(w, "nobody held import %s, and somebody has died of it", before->import);
  }
  if (w->court.disk_failed) {
    return; /* it may have been decided long ago */
  }
  if (a->present) {
    wrong(w, "import %s counts a death, and %s is here", before->import, before->holder);
  }
  if (!a->gone && now_ms(w) < w->processes[hub].fresh_until_ms) {
    wrong(w, "import %s counts a death, and the hub itself was stopped", before->import);
  }
  if (!a->gone && now_ms(w) - a->lost_ms < w->timeout_ms) {
    wrong(w, "import %s counts a death, and %s was lost only %llu ms ago", before->import, before->holder,
          (unsigned long long)(now_ms(w) - a->lost_ms));
  }
}

static void check_return(world *w, int index, const bh_import *before, const bh_import *import) {
  const value *v = value_in(w, before->import);

  if (import->deaths == before->deaths + 1) {
    check_death(w, index, before);
    if (import->deaths >= BH_DEATHS_MAX) {
      wrong(w, "v%d has had %u deaths, and is not parked", number_of(w, v), (unsigned)import->deaths);
    }
  } else if (import->deaths != before->deaths) {
    wrong(w, "v%d had %u deaths, and now has %u", number_of(w, v), (unsigned)before->deaths, (unsigned)import->deaths);
  } else if (!known_as(w, before->holder)->left && v->attempt >= before->attempt && !w->court.disk_failed) {
    wrong(w, "v%d is taken away from %s, which has neither left nor died", number_of(w, v), before->holder);
  }
}

/* BH-ROUTE-002, BH-ROUTE-007: nothing that waits is overtaken, unless it came back when this had been decided. */
static void check_order(world *w, const bh_import *import) {
  for (int i = 0; i < FILES_MAX; i++) {
    const file *f = &w->files[i];
    if (f->there && f->where == IN_QUEUE && w->values[f->value].tried_again != w->court.batch) {
      bh_import other = disk_import(f);
      if (other.sequence < import->sequence && other.holder[0] == '\0') {
        wrong(w, "import %s is sent, and %s, which comes before it, waits", import->import, other.import);
      }
    }
  }
}

static void check_sending(world *w, int index, const bh_import *before, const bh_import *import) {
  uint32_t attempt = before->attempt + 1;
  bh_hub_view view;
  bool active;

  /* What was recorded and then could not be read was not sent. */
  if (w->court.disk_failed && import->attempt == before->attempt) {
    attempt = before->attempt;
  }
  bh_hub_state(w->processes[index].hub, &view);
  active = view.active != NULL && same(view.active->instance, import->holder);
  if (import->attempt != attempt || import->deaths != before->deaths) {
    wrong(w, "import %s, attempt %u, %u deaths, is sent as attempt %u, %u deaths", import->import,
          (unsigned)before->attempt, (unsigned)before->deaths, (unsigned)import->attempt, (unsigned)import->deaths);
  }
  if (!is_in(&view, import->holder)) {
    wrong(w, "import %s is sent to %s, which is not registered", import->import, import->holder);
  }
  if (before->holder[0] == '\0' && !active) {
    wrong(w, "import %s is sent to %s, which is not active", import->import, import->holder);
  }
  if (before->holder[0] != '\0' && !same(before->holder, import->holder)) {
    wrong(w, "import %s is %s's, and is sent to %s", import->import, before->holder, import->holder);
  }
  /* One that failed goes on where it was, though others may have been given back since. */
  if (before->holder[0] == '\0' && !w->court.disk_failed) {
    check_order(w, import);
  }
}

void judge_record(world *w, int index, const bh_import *before, const bh_import *import) {
  if (before->sequence != import->sequence || !same(before->import, import->import)) {
    wrong(w, "import %s becomes %s", before->import, import->import);
  }
  value_in(w, import->import)->recorded = import->attempt;
  if (import->holder[0] == '\0') {
    check_return(w, index, before, import);
  } else {
    check_sending(w, index, before, import);
  }
}

/* BH-ROUTE-014, BH-ROUTE-015. */
void judge_park(world *w, int index, const bh_import *before, const bh_import *import) {
  const value *v = value_in(w, before->import);

  w->tallies.parked++;
  if (import->deaths == before->deaths + 1 && import->deaths == BH_DEATHS_MAX) {
    check_death(w, index, before);
  } else if (import->deaths != before->deaths || !same(v->refused, before->holder)) {
    wrong(w, "v%d is parked after %u deaths, and %s has not refused it", number_of(w, v), (unsigned)import->deaths,
          before->holder);
  }
}

/* BH-SPOOL-005. */
void judge_remove(world *w, const bh_import *import) {
  value *v = value_in(w, import->import);

  for (size_t i = 0; i < v->acks && i < ACKS_MAX; i++) {
    if (same(v->acked[i], import->holder)) {
      v->state = VALUE_DONE;
      w->tallies.finished++;
      return;
    }
  }
  wrong(w, "v%d leaves the spool, and its holder '%s' has not finished it", number_of(w, v), import->holder);
}

/* ---- clients */

static void check_arrival_order(world *w, process *p, const value *v, const bh_event *event) {
  bh_client_view view;

  bh_client_status(p->client, &view);
  if (view.hub_pid != p->hub_of_order) {
    p->hub_of_order = view.hub_pid;
    p->last_sequence = 0;
  }
  if (event->attempt != 1 || w->court.disk_failed) {
    return;
  }
  if (v->sequence <= p->last_sequence) {
    wrong(w, "v%d arrives behind one that came later from Bridge", number_of(w, v));
  }
  p->last_sequence = v->sequence;
}

/* BH-CLIENT-001, BH-CLIENT-002, BH-INGEST-004. */
void judge_handed_up(world *w, int index, const bh_event *event) {
  process *p = &w->processes[index];
  value *v = value_in(w, event->import);
  const connection *c = net_find(w, p->link, p->link_stamp);

  w->tallies.handed_up++;
  w->tallies.repeats += event->attempt > 1;
  if (p->finished[number_of(w, v)]) {
    wrong(w, "v%d is handed up to process %d, which has finished it", number_of(w, v), index);
  }
  for (size_t i = 0; i < p->hand_count; i++) {
    if (p->hands[i] == number_of(w, v)) {
      wrong(w, "v%d is handed up to process %d, which has it in hand", number_of(w, v), index);
    }
  }
  if (event->assets_size != v->size || memcmp(event->assets, v->text, v->size) != 0) {
    wrong(w, "v%d arrives as %.*s", number_of(w, v), (int)(event->assets_size < 200 ? event->assets_size : 200),
          (const char *)event->assets);
  }
  if (v->state != VALUE_COMPLETE && v->state != VALUE_BY_HAND && c != NULL && c->ends[SERVER].open) {
    wrong(w, "v%d is handed up, and is not in the spool", number_of(w, v));
  }
  check_arrival_order(w, p, v, event);
}

/* BH-REG-005: it comes back as itself. */
void judge_registered(world *w, int index, const bh_event *event) {
  const process *p = &w->processes[index];

  if (p->resumes && !same(p->instance, event->instance)) {
    wrong(w, "process %d was %s, and comes back as %s", index, p->instance, event->instance);
  }
}

/* BH-ELECT-008, BH-ELECT-009: who is without a hub for long knows it. */
void judge_alone(world *w, int index) {
  const process *p = &w->processes[index];
  uint64_t patience = (2 * (uint64_t)w->timeout_ms + 2000) * MS;

  if (p->alive && p->client != NULL && !p->stopped && !p->superseded && p->ending == END_NOT && !p->was_told &&
      !client_is_registered(w, index) && w->now - p->alone_since > patience) {
    wrong(w, "process %d has had no hub for %llu ms, and was not told", index,
          (unsigned long long)((w->now - p->alone_since) / MS));
  }
}

/* ---- Bridge */

/* BH-INGEST-017: an orderly end says that all is safe. */
void judge_sender_end(world *w, const sender *s, bool reset) {
  if (reset || s->at < s->size) {
    return;
  }
  if (s->manner == SENDER_ERRS) {
    wrong(w, "Bridge has sent something wrong, and reads an orderly end");
  }
  for (size_t i = 0; i < s->value_count; i++) {
    if (w->values[s->values[i]].state == VALUE_MADE) {
      wrong(w, "Bridge reads an orderly end, and v%d is not complete", s->values[i]);
    }
  }
}

/* BH-INGEST-002, BH-INGEST-008: what was whole was taken, whatever came then. */
void judge_bridge_closed(world *w, const connection *c, bool orderly) {
  const sender *s = &w->senders[c->ends[OPENER].owner];
  size_t whole = 0;

  while (whole < s->value_count && s->value_ends[whole] <= c->received) {
    whole++;
  }
  if (c->committed != whole && (orderly || !w->court.disk_failed)) {
    wrong(w, "%zu values of Bridge's connection were whole, and %zu became imports", whole, c->committed);
  }
}

/* ---- when all is quiet */

static int the_hub(world *w) {
  int hub = NOBODY;

  for (int i = 0; i < w->process_count; i++) {
    if (w->processes[i].serving != SERVE_READY) {
      continue;
    }
    if (hub != NOBODY) {
      wrong(w, "processes %d and %d are the hub", hub, i);
    }
    hub = i;
  }
  if (hub == NOBODY || w->endpoint != hub || w->lock != hub || w->ports[w->processes[hub].port] != hub) {
    wrong(w, "all is quiet, and there is no hub");
  }
  return hub;
}

/* BH-ACT-001, BH-ACT-002: everybody agrees. */
static void check_client(world *w, int index, const bh_hub_view *hub) {
  const process *p = &w->processes[index];
  const char *active = hub->active == NULL ? "" : hub->active->instance;
  bh_client_view view;

  bh_client_status(p->client, &view);
  if (!view.registered || view.epoch != hub->epoch) {
    wrong(w, "process %d is not registered with the hub", index);
  }
  if (!same(view.active, active) || p->told_active != (same(active, p->instance) && p->role == BH_ROLE_INSTANCE)) {
    wrong(w, "process %d takes '%s' for active, and it is '%s'", index, view.active, active);
  }
  if (view.waiting != 0 || view.parked != disk_count(w, IN_PARKED)) {
    wrong(w, "process %d was told that %u wait and %u are parked; 0 and %zu are", index, (unsigned)view.waiting,
          (unsigned)view.parked, disk_count(w, IN_PARKED));
  }
  if (view.instance_count != hub->instance_count) {
    wrong(w, "process %d knows %zu instances of %zu", index, view.instance_count, hub->instance_count);
  }
  if (p->hand_count != 0) {
    wrong(w, "process %d has an import in hand that it has finished", index);
  }
  for (int i = 0; i < REQUESTS_MAX; i++) {
    if (p->requests[i].number != 0) {
      wrong(w, "a request of process %d was never answered", index);
    }
  }
}

/* The newest HEARTBEAT, and its answer, may still be on their way. */
static void check_answers(world *w, const tap *t) {
  uint64_t patience_ms = 2 * (uint64_t)w->heartbeat_ms + 300;

  if (t->count > 0 && now_ms(w) - t->times_ms[0] > patience_ms) {
    wrong(w, "%s %u was never answered", bh_type_name(t->types[0]), (unsigned)t->asked[0]);
  }
}

static void check_connections(world *w) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    const connection *c = &w->connections[i];
    if (c->stamp == 0 || c->where != AT_ENDPOINT) {
      continue;
    }
    if (!c->ends[OPENER].open || !c->ends[SERVER].open) {
      wrong(w, "a connection whose other end is gone was not closed");
    }
    check_answers(w, c->taps[OPENER]);
    check_answers(w, c->taps[SERVER]);
  }
}

static void check_values(world *w) {
  size_t in_files[VALUES_MAX] = {0};

  for (int i = 0; i < FILES_MAX; i++) {
    if (w->files[i].there && w->files[i].where != IN_TMP) {
      in_files[w->files[i].value]++;
    }
  }
  for (int i = 0; i < w->value_count; i++) {
    bool complete = w->values[i].state == VALUE_COMPLETE;
    if (in_files[i] != complete) {
      wrong(w, "v%d %s the spool", i, complete ? "is lost from" : "is more than once in");
    }
  }
}

void judge_quiet(world *w) {
  bh_hub_view view;

  bh_hub_state(w->processes[the_hub(w)].hub, &view);
  for (int i = 0; i < w->process_count; i++) {
    const process *p = &w->processes[i];
    if (p->alive && p->client != NULL && !p->superseded) {
      check_client(w, i, &view);
    }
  }
  if (view.active == NULL || !same(view.active->instance, w->court.state_active) ||
      w->court.state_epoch != view.epoch) {
    wrong(w, "the state file does not name the active instance");
  }
  check_connections(w);
  check_values(w);
}
