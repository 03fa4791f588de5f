/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdio.h>
#include <string.h>

/* The hub in a process, in the order that section 7 of the specification asks for, and what its core wants done. */

enum { STEP_US = 3000, SWEEP_HEARTBEATS = 2, WORK_MAX = 100000 };

static const uint64_t epoch_max = 9007199254740991;

static connection *peer_of(world *w, int index, bh_peer peer) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    connection *c = &w->connections[i];
    const net_end *end = &c->ends[SERVER];
    if (c->stamp != 0 && c->where == AT_ENDPOINT && end->owner == index && end->open && end->ready &&
        end->handle == peer) {
      return c;
    }
  }
  return NULL;
}

/* ---- lock, port, endpoint */

static void free_port(world *w, int index) {
  int port = w->processes[index].port;

  if (w->ports[port] == index) {
    net_refuse_waiting(w, index, AT_PORT);
    w->ports[port] = NOBODY;
  }
}

static void close_endpoint(world *w, int index) {
  if (w->endpoint == index) {
    net_refuse_waiting(w, index, AT_ENDPOINT);
    w->endpoint = NOBODY;
  }
}

static void free_lock(world *w, int index) {
  if (w->lock == index) {
    w->lock = NOBODY;
  }
}

void hub_let_go(world *w, int index) {
  close_endpoint(w, index);
  free_lock(w, index);
  free_port(w, index);
}

/* ---- the beginning */

void serve_begin(world *w, int index) {
  process *p = &w->processes[index];

  p->serving = SERVE_LISTEN;
  p->at_work = true;
  plan_in(w, draw_below(w, 100), STEP_SERVE, index, 0);
}

static void give_up(world *w, int index, bh_serve_result result) {
  process *p = &w->processes[index];

  trace(w, index, "is not the hub: %s", result == BH_SERVE_PORT_HELD ? "the port is held" : "the lock is held");
  p->serving = SERVE_NOT;
  process_release(w, index);
  if (p->has_client) {
    client_served(w, index, result);
  } else {
    process_exit(w, index);
  }
}

static void make_cores(world *w, int index) {
  process *p = &w->processes[index];
  bh_state_hint former = {0};
  bh_hub_config config = {.hub_pid = p->pid,
                          .heartbeat_ms = w->heartbeat_ms,
                          .timeout_ms = w->timeout_ms,
                          .random = draw_bits(w),
                          .allocator = w->allocator,
                          .logger = trace_logger(w, index)};
  const char *fault = w->state_there ? bh_state_read(w->state.octets, w->state.size, &former) : "it is missing";

  if (fault != NULL) {
    trace(w, index, "state file: %s", fault);
    memset(&former, 0, sizeof former);
  }
  config.epoch = former.epoch < epoch_max ? former.epoch + 1 : 1;
  config.former_active = former.active[0] == '\0' ? NULL : former.active;
  p->hub = bh_hub_new(&config, now_ms(w));
  p->ingest = bh_ingest_new(w->heartbeat_ms, w->timeout_ms, w->allocator);
  if (p->hub == NULL || p->ingest == NULL) {
    wrong(w, "no hub");
  }
  judge_hub_began(w, index, &former);
}

static void empty_tmp(world *w) {
  for (int i = 0; i < FILES_MAX; i++) {
    if (w->files[i].there && w->files[i].where == IN_TMP) {
      disk_drop(w, i);
    }
  }
}

static uint64_t tell_parked(world *w, int index) {
  uint64_t last = 0;

  for (int i = 0; i < FILES_MAX; i++) {
    const file *f = &w->files[i];
    if (f->there && (f->where == IN_PARKED || f->where == IN_RETRY) && disk_import(f).sequence > last) {
      last = disk_import(f).sequence;
    }
  }
  bh_hub_parked(w->processes[index].hub, (uint32_t)disk_count(w, IN_PARKED), last, now_ms(w));
  return last;
}

static void sort_by_sequence(world *w, int *indexes, size_t count) {
  for (size_t i = 1; i < count; i++) {
    int index = indexes[i];
    size_t at = i;
    for (; at > 0 && disk_import(&w->files[indexes[at - 1]]).sequence > disk_import(&w->files[index]).sequence; at--) {
      indexes[at] = indexes[at - 1];
    }
    indexes[at] = index;
  }
}

static void open_spool(world *w, int index) {
  process *p = &w->processes[index];

  empty_tmp(w);
  tell_parked(w, index);
  p->found_count = disk_list(w, IN_QUEUE, p->found);
  p->found_at = 0;
  sort_by_sequence(w, p->found, p->found_count);
}

/* One import; false: that was the last. */
static bool take_over_one(world *w, int index) {
  process *p = &w->processes[index];
  const file *f;
  bh_import import;

  if (p->found_at == p->found_count) {
    return false;
  }
  f = &w->files[p->found[p->found_at++]];
  if (f->there && f->where == IN_QUEUE) {
    import = disk_import(f);
    if (bh_hub_import(p->hub, &import, now_ms(w)) != BH_OK) {
      wrong(w, "the hub does not take over import %s", import.import);
    }
  }
  return true;
}

static void be_ready(world *w, int index) {
  process *p = &w->processes[index];

  w->tallies.takeovers++;
  trace(w, index, "is the hub now, epoch %llu", (unsigned long long)w->court.epoch);
  process_release(w, index);
  plan_in(w, (uint64_t)SWEEP_HEARTBEATS * w->heartbeat_ms * MS, STEP_SWEEP, index, 0);
  if (p->has_client) {
    client_served(w, index, BH_SERVE_DONE);
  }
}

/* Performs the phase, and returns the next. */
static serve_phase perform_phase(world *w, int index) {
  process *p = &w->processes[index];

  switch (p->serving) {
  case SERVE_LISTEN:
    if (w->ports[p->port] != NOBODY) {
      give_up(w, index, BH_SERVE_PORT_HELD);
      return SERVE_NOT;
    }
    w->ports[p->port] = index;
    return SERVE_LOCK;
  case SERVE_LOCK:
    if (w->lock != NOBODY) {
      free_port(w, index);
      give_up(w, index, BH_SERVE_LOCK_HELD);
      return SERVE_NOT;
    }
    w->lock = index;
    return SERVE_CLEAR_ENDPOINT;
  case SERVE_CLEAR_ENDPOINT:
    w->endpoint_file = false;
    return SERVE_READ_STATE;
  case SERVE_READ_STATE:
    make_cores(w, index);
    return SERVE_OPEN_SPOOL;
  case SERVE_OPEN_SPOOL:
    open_spool(w, index);
    return SERVE_TAKE_OVER;
  case SERVE_TAKE_OVER:
    return take_over_one(w, index) ? SERVE_TAKE_OVER : SERVE_WRITE_STATE;
  case SERVE_WRITE_STATE:
    hub_work(w, index);
    return SERVE_OPEN_ENDPOINT;
  case SERVE_OPEN_ENDPOINT:
    w->endpoint_file = true;
    w->endpoint = index;
    return SERVE_READY;
  default:
    return p->serving;
  }
}

void serve_step(world *w, int index) {
  process *p = &w->processes[index];
  serve_phase next;

  if (dies_here(w, index)) {
    return;
  }
  next = perform_phase(w, index);
  if (next == SERVE_NOT || !p->alive) {
    return;
  }
  p->serving = next;
  if (next == SERVE_READY) {
    be_ready(w, index);
  } else {
    plan_in(w, next == SERVE_TAKE_OVER ? 1 : draw_below(w, STEP_US), STEP_SERVE, index, 0);
  }
}

/* ---- the state file */

void hub_write_state(world *w, int index, bool ended) {
  bh_state_context context = {.now = now_ms(w), .unix_time = now_ms(w) / 1000, .port = BH_PORT, .ended = ended};
  bh_hub_view view;

  bh_hub_state(w->processes[index].hub, &view);
  w->court.state_spoilt = false;
  if (ended && view.instance_count == 0) {
    w->state_there = false;
    return;
  }
  bh_buffer_clear(&w->state);
  bh_state_write(&w->state, &view, &context);
  w->state_there = true;
  w->court.state_epoch = view.epoch;
  copy_id(w->court.state_active, view.active == NULL ? "" : view.active->instance);
}

/* ---- connections at the endpoint */

static bool process_of_opener_is_gone(const world *w, const connection *c) {
  const process *p = &w->processes[c->ends[OPENER].owner];

  return w->mood.sees_processes && (!p->alive || p->life != c->opener_life);
}

static void lose(world *w, int index, connection *c) {
  bool gone = process_of_opener_is_gone(w, c);

  w->court.told_gone = gone;
  bh_hub_close(w->processes[index].hub, c->ends[SERVER].handle, gone, now_ms(w));
  judge_hub(w, index);
  w->court.told_gone = false;
  net_close(w, c, SERVER, false);
}

/* The same as the libuv driver: what the socket takes now; the rest when it takes it. False: the process is no more. */
static bool send(world *w, int index, connection *c) {
  process *p = &w->processes[index];
  net_end *end = &c->ends[SERVER];

  while (end->lent == NULL && (end->lent_size = bh_hub_send(p->hub, end->handle, &end->lent)) > 0) {
    end->lent_at = 0;
    if (dies_here(w, index)) {
      return false;
    }
    if (!net_write_lent(w, c, SERVER)) {
      return true;
    }
    end->lent = NULL;
    if (c->ways[SERVER].ended || !c->ends[OPENER].open) {
      lose(w, index, c);
      return true;
    }
    bh_hub_sent(p->hub, end->handle, end->lent_size, now_ms(w));
  }
  return true;
}

void hub_writable(world *w, connection *c) {
  int index = c->ends[SERVER].owner;
  net_end *end = &c->ends[SERVER];

  if (end->lent == NULL || !net_write_lent(w, c, SERVER)) {
    return;
  }
  end->lent = NULL;
  if (c->ways[SERVER].ended || !c->ends[OPENER].open) {
    lose(w, index, c);
  } else {
    bh_hub_sent(w->processes[index].hub, end->handle, end->lent_size, now_ms(w));
  }
  hub_work(w, index);
}

void hub_accept(world *w, connection *c) {
  int index = c->ends[SERVER].owner;
  process *p = &w->processes[index];
  net_end *end = &c->ends[SERVER];

  if (c->where == AT_PORT) {
    end->handle = bh_ingest_open(p->ingest, now_ms(w));
  } else if (bh_hub_open(p->hub, now_ms(w), &end->handle) != BH_OK) {
    end->handle = 0;
  }
  if (end->handle == 0) {
    wrong(w, "a connection is not taken, though there are few");
  }
  net_ready(w, c, SERVER);
  hub_work(w, index);
}

void hub_deliver(world *w, connection *c) {
  int index = c->ends[SERVER].owner;
  process *p = &w->processes[index];
  bool reset;
  size_t size = net_take(w, c, SERVER, w->inputs[index], &reset);

  if (size == 0) {
    lose(w, index, c);
  } else if (bh_hub_recv(p->hub, c->ends[SERVER].handle, w->inputs[index], size, now_ms(w)) != BH_OK) {
    c->ends[SERVER].deaf = true;
  }
  judge_hub(w, index);
  hub_work(w, index);
}

/* ---- what the core wants done */

static bh_spool_result result_of(disk_result result) {
  switch (result) {
  case DISK_OK:
    return BH_SPOOL_OK;
  case DISK_FAILED:
    return BH_SPOOL_FAILED;
  case DISK_GONE:
    return BH_SPOOL_GONE;
  }
  return BH_SPOOL_FAILED;
}

static void record(world *w, int index, const bh_action *action) {
  disk_result result = disk_move(w, IN_QUEUE, &action->before, IN_QUEUE, &action->import);

  if (result == DISK_OK) {
    judge_record(w, index, &action->before, &action->import);
  }
  if (!dies_here(w, index)) {
    bh_hub_spool_done(w->processes[index].hub, action->before.sequence, result_of(result), now_ms(w));
  }
}

static void park(world *w, int index, const bh_action *action) {
  disk_result result = disk_move(w, IN_QUEUE, &action->before, IN_PARKED, &action->import);

  if (result == DISK_OK) {
    trace(w, index, "parks v%d: %s", value_of(w, action->import.import), action->reason);
    judge_park(w, index, &action->before, &action->import);
  }
  if (!dies_here(w, index)) {
    bh_hub_spool_done(w->processes[index].hub, action->before.sequence, result_of(result), now_ms(w));
  }
}

static void load(world *w, int index, const bh_import *import) {
  process *p = &w->processes[index];
  const file *f = disk_find(w, IN_QUEUE, import);

  if (f == NULL) {
    bh_hub_spool_done(p->hub, import->sequence, BH_SPOOL_GONE, now_ms(w));
  } else if (!w->calm && one_in(w, w->mood.disk)) {
    w->court.disk_failed = true;
    bh_hub_spool_done(p->hub, import->sequence, BH_SPOOL_FAILED, now_ms(w));
  } else if (bh_hub_loaded(p->hub, import->sequence, f->octets, f->size, now_ms(w)) != BH_OK) {
    wrong(w, "the hub does not take what it wanted to load");
  }
}

static void remove_import(world *w, int index, const bh_import *import) {
  bh_spool_result result = disk_find(w, IN_QUEUE, import) == NULL ? BH_SPOOL_GONE : BH_SPOOL_OK;

  if (!w->calm && one_in(w, w->mood.disk)) {
    w->court.disk_failed = true;
    result = BH_SPOOL_FAILED;
  } else {
    if (result == BH_SPOOL_OK) {
      judge_remove(w, import);
    }
    disk_remove(w, IN_QUEUE, import);
  }
  if (!dies_here(w, index)) {
    bh_hub_spool_done(w->processes[index].hub, import->sequence, result, now_ms(w));
  }
}

static void retry_one(world *w, int index, const bh_import *import) {
  bh_import back = *import;

  back.deaths = 0;
  back.holder[0] = '\0';
  if (disk_move(w, IN_RETRY, import, IN_QUEUE, &back) != DISK_OK || dies_here(w, index)) {
    return;
  }
  if (bh_hub_import(w->processes[index].hub, &back, now_ms(w)) != BH_OK) {
    disk_move(w, IN_QUEUE, &back, IN_RETRY, import);
    return;
  }
  w->values[value_of(w, import->import)].tried_again = w->court.batch;
  trace(w, index, "tries v%d again", value_of(w, import->import));
}

static void retry(world *w, int index) {
  int indexes[FILES_MAX];
  size_t count = disk_list(w, IN_RETRY, indexes);

  sort_by_sequence(w, indexes, count);
  for (size_t i = 0; i < count && w->processes[index].alive; i++) {
    bh_import import = disk_import(&w->files[indexes[i]]);
    retry_one(w, index, &import);
  }
  if (w->processes[index].alive) {
    tell_parked(w, index);
  }
}

static void perform(world *w, int index, const bh_action *action) {
  connection *c;

  switch (action->kind) {
  case BH_DO_WRITE_STATE:
    hub_write_state(w, index, false);
    break;
  case BH_DO_RECORD:
    record(w, index, action);
    break;
  case BH_DO_LOAD:
    load(w, index, &action->before);
    break;
  case BH_DO_REMOVE:
    remove_import(w, index, &action->before);
    break;
  case BH_DO_PARK:
    park(w, index, action);
    break;
  case BH_DO_RETRY:
    retry(w, index);
    break;
  case BH_DO_SEND:
    c = peer_of(w, index, action->peer);
    if (c == NULL) {
      wrong(w, "the hub sends on a connection that is not there");
    }
    send(w, index, c);
    break;
  case BH_DO_CLOSE:
    c = peer_of(w, index, action->peer);
    if (c == NULL) {
      wrong(w, "the hub closes a connection that is not there");
    }
    net_close(w, c, SERVER, false);
    break;
  }
}

static void arm(world *w, int index) {
  process *p = &w->processes[index];
  uint64_t hub = bh_hub_expiry(p->hub);
  uint64_t bridge = bh_ingest_expiry(p->ingest);
  uint64_t due = hub < bridge ? hub : bridge;

  if (due >= p->hub_due) {
    return;
  }
  p->hub_due = due;
  plan(w, due * MS > w->now ? due * MS - w->now : 0,
       (step){.kind = STEP_HUB_TIMER, .process = index, .life = p->life, .stamp = ++p->hub_timer});
}

/* Everything that the cores have to do, one by one. kill -9 can come between any two, and so can the rest of the world.
 */
void hub_work(world *w, int index) {
  process *p = &w->processes[index];
  bh_ingest_event event;
  bh_action action;

  for (int done = 0; p->alive; done++) {
    if (done > WORK_MAX) {
      wrong(w, "the hub never comes to the end of its work");
    }
    if (dies_here(w, index)) {
      return;
    }
    if (p->serving == SERVE_READY && one_in(w, w->mood.pause)) {
      p->at_work = true;
      plan_in(w, draw_below(w, STEP_US), STEP_WORK, index, 0);
      return;
    }
    if (bh_ingest_poll(p->ingest, &event)) {
      hub_bridge_event(w, index, &event);
    } else if (bh_hub_poll(p->hub, &action)) {
      perform(w, index, &action);
    } else {
      judge_hub(w, index);
      w->court.batch++;
      arm(w, index);
      return;
    }
  }
}

/* ---- time */

void hub_timer(world *w, int index) {
  process *p = &w->processes[index];

  p->hub_due = BH_NEVER;
  w->court.expiring = true;
  bh_hub_expire(p->hub, now_ms(w));
  judge_hub(w, index);
  w->court.expiring = false;
  bh_ingest_expire(p->ingest, now_ms(w));
  hub_work(w, index);
}

void hub_sweep(world *w, int index) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    connection *c = &w->connections[i];
    if (c->stamp != 0 && c->where == AT_ENDPOINT && c->ends[SERVER].owner == index && c->ends[SERVER].open &&
        c->ends[SERVER].ready && process_of_opener_is_gone(w, c)) {
      lose(w, index, c);
    }
  }
  plan_in(w, (uint64_t)SWEEP_HEARTBEATS * w->heartbeat_ms * MS, STEP_SWEEP, index, 0);
  judge_hub(w, index);
  hub_work(w, index);
}

/* ---- a clean end (BH-ELECT-010) */

static void close_all(world *w, int index, place where) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    connection *c = &w->connections[i];
    if (c->stamp == 0 || c->where != where || c->ends[SERVER].owner != index || !c->ends[SERVER].open) {
      continue;
    }
    if (where == AT_PORT) {
      hub_bridge_gone(w, c);
    }
    net_close(w, c, SERVER, where == AT_PORT);
  }
}

static void perform_end(world *w, int index) {
  switch (w->processes[index].ending) {
  case END_BRIDGES:
    close_all(w, index, AT_PORT);
    break;
  case END_ENDPOINT:
    if (w->endpoint == index) {
      w->endpoint_file = false;
    }
    close_endpoint(w, index);
    break;
  case END_STATE:
    hub_write_state(w, index, true);
    break;
  case END_PEERS:
    close_all(w, index, AT_ENDPOINT);
    break;
  case END_LOCK:
    free_lock(w, index);
    break;
  case END_PORT:
    free_port(w, index);
    break;
  default:
    break;
  }
}

void hub_end_step(world *w, int index) {
  process *p = &w->processes[index];

  if (dies_here(w, index)) {
    return;
  }
  if (p->serving != SERVE_READY || p->ending == END_EXIT) {
    process_exit(w, index);
    return;
  }
  perform_end(w, index);
  p->ending++;
  plan_in(w, draw_below(w, STEP_US), STEP_END, index, 0);
}
