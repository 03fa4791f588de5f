/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdio.h>
#include <string.h>

/* A client in a process: the election, the connection to the hub, and the program that uses the imports. */

enum { REFUSES_ONE_IN = 12 };

static connection *link_of(world *w, int index) {
  const process *p = &w->processes[index];

  return p->alive ? net_find(w, p->link, p->link_stamp) : NULL;
}

static bool is_open(world *w, int index) {
  return link_of(w, index) != NULL && !w->processes[index].connecting;
}

bool client_is_registered(const world *w, int index) {
  const process *p = &w->processes[index];
  bh_client_view view;

  if (!p->alive || p->client == NULL) {
    return false;
  }
  bh_client_status(p->client, &view);
  return view.registered;
}

/* ---- output */

static void flush(world *w, int index) {
  process *p = &w->processes[index];
  connection *c = link_of(w, index);
  net_end *end = c == NULL ? NULL : &c->ends[OPENER];

  while (end != NULL && is_open(w, index) && end->lent == NULL &&
         (end->lent_size = bh_client_send(p->client, &end->lent)) > 0) {
    end->lent_at = 0;
    if (!net_write_lent(w, c, OPENER)) {
      return;
    }
    end->lent = NULL;
    bh_client_sent(p->client, end->lent_size);
  }
}

void client_writable(world *w, connection *c) {
  int index = c->ends[OPENER].owner;

  if (link_of(w, index) == c && c->ends[OPENER].lent != NULL && net_write_lent(w, c, OPENER)) {
    c->ends[OPENER].lent = NULL;
    bh_client_sent(w->processes[index].client, c->ends[OPENER].lent_size);
    flush(w, index);
  }
}

/* ---- the election */

static void try_to_connect(world *w, int index) {
  process *p = &w->processes[index];
  bh_connect_result result = BH_CONNECT_NOBODY;
  connection *c = NULL;

  if (w->endpoint_file && w->endpoint != NOBODY) {
    result = BH_CONNECT_NO_ANSWER;
    if (net_count_waiting(w, w->endpoint) < BACKLOG) {
      c = net_open(w, AT_ENDPOINT, index, w->endpoint);
    }
  }
  if (c != NULL) {
    result = BH_CONNECT_DONE;
    p->link = net_index(w, c);
    p->link_stamp = c->stamp;
    p->connecting = true;
  }
  plan(
      w, draw_between(w, 1, 200),
      (step){.kind = STEP_CONNECTED, .process = index, .life = p->life, .object = (int)result, .stamp = p->link_stamp});
}

static const char *news_text(bh_election_news news) {
  switch (news) {
  case BH_NEWS_NO_HUB:
    return "no hub is there";
  case BH_NEWS_PORT_TAKEN:
    return "the port is taken by something that is not a hub";
  case BH_NEWS_NOT_RESPONDING:
    return "the hub does not respond";
  case BH_NEWS_UNUSABLE:
    return "the endpoint cannot be used";
  case BH_NEWS_LOST:
    return "the hub is lost";
  }
  return "";
}

static void arm(world *w, int index) {
  process *p = &w->processes[index];
  uint64_t election = bh_election_expiry(&p->election);
  uint64_t client = bh_client_expiry(p->client);
  uint64_t due = election < client ? election : client;

  /* A timer that comes too early does nothing, and is armed again. */
  if (due >= p->client_due) {
    return;
  }
  p->client_due = due;
  plan(w, due * MS > w->now ? due * MS - w->now : 0,
       (step){.kind = STEP_CLIENT_TIMER, .process = index, .life = p->life, .stamp = ++p->client_timer});
}

static void go_on(world *w, int index) {
  process *p = &w->processes[index];
  bh_election_action action;

  while (p->alive && !p->superseded && p->ending == END_NOT && !p->at_work && bh_election_poll(&p->election, &action)) {
    switch (action.kind) {
    case BH_ELECT_SERVE:
      serve_begin(w, index);
      break;
    case BH_ELECT_CONNECT:
      try_to_connect(w, index);
      break;
    case BH_ELECT_LOOK_AT_PORT:
      plan_in(w, draw_between(w, 1, 200), STEP_LOOKED, index, w->ports[p->port] != NOBODY);
      break;
    case BH_ELECT_TELL:
      trace(w, index, "news: %s", news_text(action.news));
      p->was_told = true;
      break;
    }
  }
  if (p->alive && !p->superseded && !p->at_work) {
    arm(w, index);
  }
}

void client_served(world *w, int index, bh_serve_result result) {
  bh_election_served(&w->processes[index].election, result, now_ms(w));
  go_on(w, index);
}

void client_looked(world *w, const step *s) {
  bh_election_port(&w->processes[s->process].election, s->object != 0, now_ms(w));
  go_on(w, s->process);
}

/* ---- requests */

static open_request *find_request(process *p, uint32_t number) {
  for (int i = 0; number != 0 && i < REQUESTS_MAX; i++) {
    if (p->requests[i].number == number) {
      return &p->requests[i];
    }
  }
  return NULL;
}

static open_request *free_request(process *p) {
  for (int i = 0; i < REQUESTS_MAX - 1; i++) {
    if (p->requests[i].number == 0) {
      return &p->requests[i];
    }
  }
  return NULL;
}

uint32_t client_ask(world *w, int index, ask_kind kind, const char *instance) {
  process *p = &w->processes[index];
  open_request *r = free_request(p);
  uint32_t number = 0;
  int error;

  if (p->client == NULL || r == NULL) {
    return 0;
  }
  switch (kind) {
  case ASK_CLAIM:
  case ASK_CLAIM_FOR:
    error = bh_client_claim(p->client, instance, &number);
    break;
  case ASK_RELEASE:
    error = bh_client_release(p->client, &number);
    break;
  case ASK_HEARTBEAT:
    error = bh_client_heartbeat(p->client, &number);
    break;
  default:
    error = bh_client_unregister(p->client, &number);
    break;
  }
  if (error != BH_OK) {
    return 0;
  }
  *r = (open_request){.number = number, .kind = kind};
  flush(w, index);
  return number;
}

/* ---- events */

static void on_import(world *w, int index, const bh_event *event) {
  process *p = &w->processes[index];
  int v = value_of(w, event->import);

  judge_handed_up(w, index, event);
  p->hands[p->hand_count++] = v;
  trace(w, index, "v%d is handed up, attempt %u", v, (unsigned)event->attempt);
  plan_in(w, draw_below(w, one_in(w, 6) && !w->calm ? 2 * w->timeout_ms : 50) * MS, STEP_FINISH, index, v);
}

static void on_registered(world *w, int index, const bh_event *event) {
  process *p = &w->processes[index];

  judge_registered(w, index, event);
  copy_id(p->instance, event->instance);
  p->resumes = true;
  p->was_told = false;
  trace(w, index, "is registered as %s, epoch %llu", event->instance, (unsigned long long)event->epoch);
  bh_election_registered(&p->election, w->timeout_ms);
}

/* What a hub that keeps to the protocol never tells a client that does. */
static void check_failure(world *w, int index, const bh_event *event) {
  static const char *const fine[] = {"", "not-active", "no-such-instance", "refused"};

  for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
    if (strcmp(event->code, fine[i]) == 0) {
      return;
    }
  }
  wrong(w, "process %d gets ERROR %s: %s", index, event->code, event->message);
}

static void on_answer(world *w, int index, const bh_event *event) {
  process *p = &w->processes[index];
  open_request *r;

  if (event->kind == BH_EV_FAILED) {
    check_failure(w, index, event);
    if (event->request == 0 && event->code[0] != '\0' && !client_is_registered(w, index)) {
      return; /* the registration was refused: CLOSE follows */
    }
  }
  r = find_request(p, event->request);
  if (r == NULL) {
    wrong(w, "process %d gets an answer to a request that it did not make, or for the second time", index);
  }
  trace(w, index, "its request is %s %s", event->kind == BH_EV_DONE ? "done" : "not done:", event->code);
  r->number = 0;
  if (r->kind == ASK_UNREGISTER) {
    plan_in(w, 0, STEP_PATIENCE, index, 0);
  }
}

static void on_active(world *w, int index, bool active) {
  process *p = &w->processes[index];

  if (p->told_active == active) {
    wrong(w, "process %d is told twice that it is %s", index, active ? "active" : "not active");
  }
  p->told_active = active;
}

/* The connection is at its end: nothing that was asked on it may stay open. */
static void lose(world *w, int index, bh_lost_why why, bool was_registered) {
  process *p = &w->processes[index];
  connection *c = link_of(w, index);

  for (int i = 0; i < REQUESTS_MAX; i++) {
    if (p->requests[i].number != 0) {
      wrong(w, "process %d lost its connection, and a request of it was not answered", index);
    }
  }
  if (c != NULL) {
    net_close(w, c, OPENER, false);
  }
  p->link = NOBODY;
  p->alone_since = w->now;
  if (p->ending == END_UNREGISTER) {
    plan_in(w, 0, STEP_PATIENCE, index, 0);
    return;
  }
  bh_election_lost(&p->election, why, was_registered, now_ms(w));
}

static void on_close(world *w, int index, const bh_event *event, bool was_registered, bool silent) {
  process *p = &w->processes[index];

  trace(w, index, "gives its connection up: %s", event->message);
  if (strstr(event->message, "broke") != NULL || strstr(event->message, "memory") != NULL) {
    wrong(w, "process %d gives its connection up: %s", index, event->message);
  }
  flush(w, index); /* an ERROR may wait that says why */
  p->superseded = event->kind == BH_EV_SUPERSEDED;
  lose(w, index, silent ? BH_LOST_SILENT : was_registered ? BH_LOST_CLOSED : BH_LOST_REFUSED, was_registered);
}

/* False: the process is no more. */
static bool take_events(world *w, int index, bool was_registered, bool silent) {
  process *p = &w->processes[index];
  bh_event event;

  while (bh_client_poll(p->client, &event)) {
    switch (event.kind) {
    case BH_EV_REGISTERED:
      was_registered = true;
      on_registered(w, index, &event);
      break;
    case BH_EV_ACTIVE:
    case BH_EV_INACTIVE:
      on_active(w, index, event.kind == BH_EV_ACTIVE);
      break;
    case BH_EV_STATUS:
      break;
    case BH_EV_IMPORT:
      on_import(w, index, &event);
      break;
    case BH_EV_DONE:
    case BH_EV_FAILED:
      on_answer(w, index, &event);
      break;
    case BH_EV_CLOSE:
    case BH_EV_SUPERSEDED:
      on_close(w, index, &event, was_registered, silent);
      break;
    }
    if (dies_here(w, index)) {
      return false;
    }
  }
  return true;
}

/* ---- input */

static bool receive(world *w, int index, size_t size) {
  process *p = &w->processes[index];
  const uint8_t *octets = w->inputs[index];

  while (size > 0 && is_open(w, index)) {
    bool was_registered = client_is_registered(w, index);
    size_t consumed = 0;

    bh_client_recv(p->client, octets, size, &consumed, now_ms(w));
    octets += consumed;
    size -= consumed;
    if (!take_events(w, index, was_registered, false)) {
      return false;
    }
  }
  return true;
}

static bool connection_ended(world *w, int index) {
  bool was_registered = client_is_registered(w, index);

  trace(w, index, "its connection has ended");
  bh_client_close(w->processes[index].client, now_ms(w));
  if (!take_events(w, index, was_registered, false)) {
    return false;
  }
  lose(w, index, BH_LOST_CLOSED, was_registered);
  return true;
}

void client_deliver(world *w, connection *c) {
  int index = c->ends[OPENER].owner;
  bool reset;
  size_t size = net_take(w, c, OPENER, w->inputs[index], &reset);
  bool lives = size == 0 ? connection_ended(w, index) : receive(w, index, size);

  if (lives) {
    flush(w, index);
    go_on(w, index);
  }
}

/* ---- connections */

void client_connected(world *w, const step *s) {
  int index = s->process;
  process *p = &w->processes[index];
  connection *c = net_find(w, p->link, s->stamp);
  bool made = s->object == BH_CONNECT_DONE;

  p->connecting = false;
  if (p->ending != END_NOT) {
    return;
  }
  if (made && bh_client_open(p->client, now_ms(w)) != BH_OK) {
    wrong(w, "process %d cannot begin to register", index);
  }
  bh_election_connected(&p->election, (bh_connect_result)s->object, now_ms(w));
  if (made && c != NULL) {
    net_ready(w, c, OPENER);
    flush(w, index);
  } else if (made) {
    wrong(w, "a connection has vanished under process %d", index);
  }
  go_on(w, index);
}

void client_timer(world *w, int index) {
  process *p = &w->processes[index];
  bool was_registered = client_is_registered(w, index);

  p->client_due = BH_NEVER;
  bh_client_expire(p->client, now_ms(w));
  if (!take_events(w, index, was_registered, true)) {
    return;
  }
  if (p->ending == END_NOT) {
    bh_election_expire(&p->election, now_ms(w));
  }
  flush(w, index);
  go_on(w, index);
}

void client_begin(world *w, int index) {
  process *p = &w->processes[index];
  char name[32];
  bh_client_config config = {.pid = p->pid,
                             .name = name,
                             .instance = p->resumes ? p->instance : NULL,
                             .window = p->window,
                             .role = p->role,
                             .timeout_ms = w->timeout_ms,
                             .allocator = w->allocator,
                             .logger = trace_logger(w, index)};
  bh_election_config election = {
      .may_serve = p->may_serve, .port_known = !one_in(w, 8), .timeout_ms = w->timeout_ms, .random = draw_bits(w)};

  snprintf(name, sizeof name, "Blender %d \"\xc3\xa4\"", index);
  p->client = bh_client_new(&config);
  if (p->client == NULL) {
    wrong(w, "no client");
  }
  bh_election_init(&p->election, &election, now_ms(w));
  go_on(w, index);
}

/* ---- the program */

static bool take_from_hands(process *p, int v) {
  for (size_t i = 0; i < p->hand_count; i++) {
    if (p->hands[i] == v) {
      p->hands[i] = p->hands[--p->hand_count];
      return true;
    }
  }
  return false;
}

void client_finish(world *w, const step *s) {
  int index = s->process;
  process *p = &w->processes[index];
  value *v = &w->values[s->object];
  bool refuses = !w->calm && one_in(w, REFUSES_ONE_IN);
  int error;

  if (!take_from_hands(p, s->object)) {
    wrong(w, "v%d is in no hand", s->object);
  }
  trace(w, index, "%s v%d", refuses ? "refuses" : "has finished", s->object);
  if (refuses) {
    copy_id(v->refused, p->instance);
    error = bh_client_refuse(p->client, v->import, "it does not like it");
  } else {
    copy_id(v->acked[v->acks++ % ACKS_MAX], p->instance);
    p->finished[s->object] = true;
    error = bh_client_ack(p->client, v->import);
  }
  if (error != BH_OK) {
    wrong(w, "process %d cannot answer for v%d, which it was handed", index, s->object);
  }
  if (!dies_here(w, index)) {
    flush(w, index);
  }
}
