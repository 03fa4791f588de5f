/* SPDX-License-Identifier: MIT */
/*
 * The hub's core. The input is a list of events, and every input is one: a byte says what happens, the next ones with
 * whom and how. The spool is in memory, and does what the hub asks of it, or fails, as the events say.
 *
 * After each event, of everything that the hub has sent and asked for:
 *  - What goes to a peer are messages, numbered and with right bodies; each request is answered once, in order
 * (BH-MSG-001).
 *  - An import is sent when it is complete, by its recorded attempt, to one holder at a time, within its window
 * (BH-ROUTE-003).
 *  - One that its holder finished is never sent again, nor one that is parked (BH-ROUTE-006, -016).
 *  - At most one instance is active, and it is a registered one (BH-ACT-001).
 */

#include "body.h"
#include "bridgehub.h"
#include "buffer.h"
#include "reader.h"
#include "target.h"

#include <string.h>

enum {
  PEERS_MAX = 8,
  ENTRIES_MAX = 24,
  ASKED_MAX = 64,
  HELD_MAX = 64,
  EVENTS_MAX = 200,
  HEARTBEAT_MS = 100,
  TIMEOUT_MS = 1000
};

/* ---------------------------------------------------------------------------------------------------- the input */

typedef struct {
  const uint8_t *octets;
  size_t size, at;
} input;

static uint8_t next(input *in) {
  return in->at < in->size ? in->octets[in->at++] : 0;
}

/* ---------------------------------------------------------------------------------------------------- the world */

typedef enum { NOWHERE, IN_QUEUE, IN_PARKED, IN_RETRY } place;

typedef struct {
  place where;
  bh_import import;
  bool finished; /* its holder's ACK was taken */
  int sent_to;   /* the peer that has it in hand; -1: none */
  uint32_t sent_id;
} entry;

typedef struct {
  bh_peer handle; /* 0: a free place */
  bool sane;      /* all that it sent is requests of its own with right ids */
  bool told_closed;
  uint32_t id; /* of the last message it sent */
  uint32_t asked[ASKED_MAX];
  size_t asked_count;
  bool asked_all;
  bool registered;
  uint32_t window, held;
  bh_reader reader;
} peer;

typedef struct {
  input in;
  bh_hub *hub;
  uint64_t now, random;
  peer peers[PEERS_MAX];
  entry entries[ENTRIES_MAX];
  bool disk_says_no, disk_lost;
} world;

static entry *find_entry(world *w, uint64_t sequence) {
  for (size_t i = 0; i < ENTRIES_MAX; i++) {
    if (w->entries[i].where != NOWHERE && w->entries[i].import.sequence == sequence) {
      return &w->entries[i];
    }
  }
  return NULL;
}

static entry *free_entry(world *w) {
  for (size_t i = 0; i < ENTRIES_MAX; i++) {
    if (w->entries[i].where == NOWHERE) {
      return &w->entries[i];
    }
  }
  return NULL;
}

static entry *find_import(world *w, const char *import) {
  for (size_t i = 0; i < ENTRIES_MAX; i++) {
    if (w->entries[i].where != NOWHERE && strcmp(w->entries[i].import.import, import) == 0) {
      return &w->entries[i];
    }
  }
  return NULL;
}

/* --------------------------------------------------------------------------------------- what goes out to a peer */

static void take_answer(peer *p, const bh_body *body) {
  if (!p->sane || body->answers == 0) {
    return;
  }
  REQUIRE(p->asked_count > 0 && p->asked[0] == body->answers, "an answer to %u, and %u is to be answered",
          (unsigned)body->answers, p->asked_count ? (unsigned)p->asked[0] : 0);
  memmove(p->asked, p->asked + 1, --p->asked_count * sizeof p->asked[0]);
}

static void take_import(world *w, peer *p, const bh_body *body, uint32_t id) {
  entry *e = find_import(w, body->import);

  REQUIRE(e, "an import that is nowhere: %s", body->import);
  REQUIRE(e->where == IN_QUEUE, "%s is sent, and lies in another place", body->import);
  REQUIRE(!e->finished, "%s is sent, and was finished", body->import);
  REQUIRE(e->sent_to < 0, "%s is sent to two", body->import);
  REQUIRE(e->import.attempt == body->attempt, "%s: attempt %u, and %u is recorded", body->import,
          (unsigned)body->attempt, (unsigned)e->import.attempt);
  e->sent_to = (int)(p - w->peers);
  e->sent_id = id;
  p->held++;
  REQUIRE(p->held <= p->window, "%u imports in a window of %u", (unsigned)p->held, (unsigned)p->window);
}

static void take_message(world *w, peer *p) {
  bh_body body;
  bh_body_fault fault;
  bh_type type = p->reader.type;

  REQUIRE(bh_body_read(BH_FROM_HUB, type, p->reader.body, p->reader.body_size, &body, &fault), "the hub's own body: %s",
          fault.what);
  switch (type) {
  case BH_ACK:
    if (body.given & BH_M_INSTANCE) {
      p->registered = true;
    }
    take_answer(p, &body);
    break;
  case BH_ERROR:
    take_answer(p, &body);
    break;
  case BH_IMPORT_DATA:
    REQUIRE(p->registered, "an import for one that has not registered");
    take_import(w, p, &body, p->reader.id);
    break;
  case BH_HEARTBEAT:
    REQUIRE(p->registered, "a HEARTBEAT for one that has not registered");
    break;
  default:
    REQUIRE(false, "the hub sends %s", bh_type_name(type));
  }
}

static void take_octets(world *w, peer *p, const uint8_t *octets, size_t size) {
  while (size > 0) {
    size_t consumed;
    bh_read_status status = bh_reader_next(&p->reader, octets, size, &consumed);
    REQUIRE(status != BH_READ_BROKEN, "the hub breaks the framing: %s", p->reader.what);
    octets += consumed;
    size -= consumed;
    if (status == BH_READ_MESSAGE) {
      take_message(w, p);
    }
  }
}

static void send_some(world *w, peer *p, size_t most) {
  const uint8_t *octets;

  for (size_t size; p->handle && most > 0 && (size = bh_hub_send(w->hub, p->handle, &octets)) > 0;) {
    size_t taken = size < most ? size : most;
    take_octets(w, p, octets, taken);
    bh_hub_sent(w->hub, p->handle, taken, w->now);
    most -= taken;
  }
}

/* What it had is in nobody's hand now: the hub knows it by the same event. */
static void forget_peer(world *w, peer *p) {
  for (size_t i = 0; i < ENTRIES_MAX; i++) {
    if (w->entries[i].sent_to == p - w->peers) {
      w->entries[i].sent_to = -1;
    }
  }
  bh_reader_free(&p->reader);
  *p = (peer){0};
}

/* ---------------------------------------------------------------------------------------------------- the actions */

static bh_spool_result disk(world *w) {
  return w->disk_lost ? BH_SPOOL_GONE : w->disk_says_no ? BH_SPOOL_FAILED : BH_SPOOL_OK;
}

static bool same_record(const bh_import *a, const bh_import *b) {
  return a->sequence == b->sequence && a->attempt == b->attempt && a->deaths == b->deaths &&
         strcmp(a->import, b->import) == 0 && strcmp(a->holder, b->holder) == 0;
}

/* RECORD, LOAD, REMOVE, PARK: they are about a file that lies in queue/ under that name. */
static void act_on_spool(world *w, const bh_action *action) {
  entry *e = find_entry(w, action->before.sequence);
  bh_spool_result result = disk(w);

  REQUIRE(e && e->where == IN_QUEUE && same_record(&e->import, &action->before), "the hub speaks of another file");
  if (result == BH_SPOOL_GONE || (result == BH_SPOOL_OK && action->kind == BH_DO_REMOVE)) {
    *e = (entry){.sent_to = -1};
  } else if (result == BH_SPOOL_OK && action->kind == BH_DO_LOAD) {
    bh_hub_loaded(w->hub, action->before.sequence, (const uint8_t *)"[{}]", 4, w->now);
    return;
  } else if (result == BH_SPOOL_OK) {
    REQUIRE(action->import.sequence == e->import.sequence && strcmp(action->import.import, e->import.import) == 0,
            "a record of another import");
    REQUIRE(action->kind != BH_DO_RECORD || action->import.attempt >= e->import.attempt, "fewer attempts");
    e->import = action->import;
    e->where = action->kind == BH_DO_PARK ? IN_PARKED : IN_QUEUE;
    e->sent_to = -1;
  }
  bh_hub_spool_done(w->hub, action->before.sequence, result, w->now);
}

static void tell_parked(world *w) {
  uint64_t last = 0;
  uint32_t parked = 0;

  for (size_t i = 0; i < ENTRIES_MAX; i++) {
    const entry *e = &w->entries[i];
    if (e->where == IN_PARKED || e->where == IN_RETRY) {
      parked += e->where == IN_PARKED;
      last = e->import.sequence > last ? e->import.sequence : last;
    }
  }
  bh_hub_parked(w->hub, parked, last, w->now);
}

static void give_import(world *w, entry *e) {
  e->where = IN_QUEUE;
  e->finished = false;
  e->sent_to = -1;
  if (bh_hub_import(w->hub, &e->import, w->now) != BH_OK) {
    e->where = NOWHERE;
  }
}

static void retry(world *w) {
  for (size_t i = 0; i < ENTRIES_MAX; i++) {
    if (w->entries[i].where == IN_RETRY) {
      give_import(w, &w->entries[i]);
    }
  }
  tell_parked(w);
}

static peer *find_peer(world *w, bh_peer handle) {
  for (size_t i = 0; i < PEERS_MAX; i++) {
    if (w->peers[i].handle == handle) {
      return &w->peers[i];
    }
  }
  return NULL;
}

static void check_view(world *w) {
  bh_hub_view view;

  bh_hub_state(w->hub, &view);
  REQUIRE(view.instance_count <= PEERS_MAX, "%zu instances", view.instance_count);
  REQUIRE(!view.active || (view.active >= view.instances && view.active < view.instances + view.instance_count),
          "one is active that is not registered");
}

static void act(world *w, const bh_action *action) {
  peer *p;

  switch (action->kind) {
  case BH_DO_WRITE_STATE:
    check_view(w);
    break;
  case BH_DO_RECORD:
  case BH_DO_LOAD:
  case BH_DO_REMOVE:
  case BH_DO_PARK:
    act_on_spool(w, action);
    break;
  case BH_DO_RETRY:
    retry(w);
    break;
  case BH_DO_SEND:
    p = find_peer(w, action->peer);
    REQUIRE(p && p->handle, "octets for nobody");
    send_some(w, p, p->told_closed ? 0 : SIZE_MAX);
    break;
  case BH_DO_CLOSE:
    p = find_peer(w, action->peer);
    REQUIRE(p && p->handle, "the end of nobody");
    forget_peer(w, p);
    break;
  }
}

static void settle(world *w) {
  bh_action action;

  for (int i = 0; bh_hub_poll(w->hub, &action); i++) {
    REQUIRE(i < 100000, "the hub does not come to rest");
    act(w, &action);
  }
  w->disk_says_no = w->disk_lost = false;
}

/* ----------------------------------------------------------------------------------------------------- the events */

static void start_hub(world *w) {
  bh_hub_config config = {.hub_pid = 1,
                          .heartbeat_ms = HEARTBEAT_MS,
                          .timeout_ms = TIMEOUT_MS,
                          .epoch = ++w->random,
                          .random = w->random * 0x9e3779b97f4a7c15u,
                          .former_active = w->random % 2 ? NULL : "a",
                          .allocator = bh_system_allocator()};

  w->hub = bh_hub_new(&config, w->now);
  REQUIRE(w->hub, "no memory");
  tell_parked(w);
  for (size_t i = 0; i < ENTRIES_MAX; i++) {
    if (w->entries[i].where == IN_QUEUE) {
      give_import(w, &w->entries[i]);
    }
  }
}

static void end_hub(world *w) {
  for (size_t i = 0; i < PEERS_MAX; i++) {
    forget_peer(w, &w->peers[i]);
  }
  bh_hub_free(w->hub);
}

static void open_peer(world *w, peer *p) {
  if (!p->handle && bh_hub_open(w->hub, w->now, &p->handle) == BH_OK) {
    p->sane = true;
    bh_reader_init(&p->reader, BH_BODY_MAX, bh_system_allocator());
  } else if (!p->reader.frame.limit) {
    p->handle = 0;
  }
}

static void give_octets(world *w, peer *p, const void *octets, size_t size) {
  bh_hub_recv(w->hub, p->handle, octets, size, w->now);
}

static void ask(world *w, peer *p, const char *type, const char *body) {
  char octets[512];
  int size = snprintf(octets, sizeof octets, "BH1 %s %u %zu\n%s", type, (unsigned)++p->id, strlen(body), body);

  if (p->asked_count == ASKED_MAX) {
    p->sane = false;
  }
  if (p->sane) {
    p->asked[p->asked_count++] = p->id;
  }
  give_octets(w, p, octets, (size_t)size);
}

/* An answer to the import that it was sent: to the n-th of them. */
static void answer(world *w, peer *p, bool takes, uint8_t which) {
  entry *chosen = NULL;
  char octets[256], body[128];

  for (size_t i = 0; i < ENTRIES_MAX; i++) {
    if (w->entries[i].sent_to == p - w->peers && (!chosen || which-- > 0)) {
      chosen = &w->entries[i];
    }
  }
  if (!chosen) {
    return;
  }
  snprintf(body, sizeof body, takes ? "{\"for\":%u}" : "{\"for\":%u,\"code\":\"refused\",\"message\":\"no\"}",
           (unsigned)chosen->sent_id);
  int size = snprintf(octets, sizeof octets, "BH1 %s %u %zu\n%s", takes ? "ACK" : "ERROR", (unsigned)++p->id,
                      strlen(body), body);
  if (p->sane) {
    chosen->finished = takes;
    chosen->sent_to = -1;
    p->held--;
  }
  give_octets(w, p, octets, (size_t)size);
}

static void register_peer(world *w, peer *p, uint8_t how) {
  char body[256];
  unsigned window = 1 + how % 4;

  if (!p->registered) {
    p->window = window;
  }
  snprintf(body, sizeof body, "{\"protocol\":1,\"pid\":%u,\"name\":\"n\",\"window\":%u%s%s}", how, window,
           how & 8 ? ",\"role\":\"observer\"" : "",
           how & 16   ? ",\"instance\":\"a\""
           : how & 32 ? ",\"instance\":\"b\""
                      : "");
  ask(w, p, "REGISTER", body);
}

static void new_import(world *w) {
  entry *e = free_entry(w);

  if (e) {
    bh_hub_next_import(w->hub, &e->import);
    give_import(w, e);
  }
}

static void raw(world *w, peer *p) {
  size_t size = next(&w->in);

  size = size < w->in.size - w->in.at ? size : w->in.size - w->in.at;
  p->sane = false;
  p->window = BH_WINDOW_MAX;
  give_octets(w, p, w->in.octets + w->in.at, size);
  w->in.at += size;
}

static void with_peer(world *w, peer *p, uint8_t what) {
  uint8_t how;

  switch (what) {
  case 0:
    register_peer(w, p, next(&w->in));
    break;
  case 1:
    ask(w, p, "UNREGISTER", "");
    break;
  case 2:
    how = next(&w->in);
    ask(w, p, "CLAIM_ACTIVE", how % 3 == 0 ? "" : how % 3 == 1 ? "{\"instance\":\"a\"}" : "{\"instance\":\"b\"}");
    break;
  case 3:
    ask(w, p, "RELEASE_ACTIVE", "");
    break;
  case 4:
    ask(w, p, "HEARTBEAT", "{}");
    break;
  case 5:
    answer(w, p, true, next(&w->in));
    break;
  case 6:
    answer(w, p, false, next(&w->in));
    break;
  case 7:
    raw(w, p);
    break;
  case 8:
    p->told_closed = !p->told_closed; /* it reads no more; it reads again */
    send_some(w, p, p->told_closed ? 0 : SIZE_MAX);
    break;
  default:
    bh_hub_close(w->hub, p->handle, next(&w->in) % 2, w->now);
    forget_peer(w, p);
    break;
  }
}

static void happen(world *w) {
  uint8_t what = next(&w->in);
  peer *p = &w->peers[what / 16 % PEERS_MAX];

  switch (what % 16) {
  case 10:
    new_import(w);
    break;
  case 11:
    w->now += next(&w->in) * 10u;
    bh_hub_expire(w->hub, w->now);
    break;
  case 12:
    w->disk_says_no = what & 16;
    w->disk_lost = !w->disk_says_no;
    return; /* it shows in the next event */
  case 13:
    end_hub(w);
    start_hub(w);
    break;
  case 14:
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
      w->entries[i].where = w->entries[i].where == IN_PARKED ? IN_RETRY : w->entries[i].where;
    }
    break;
  case 15:
    bh_hub_problem(w->hub, what & 16 ? "a \"problem\"\xff" : NULL, w->now);
    break;
  default:
    if (!p->handle) {
      open_peer(w, p);
    }
    if (p->handle) {
      with_peer(w, p, what % 16);
    }
  }
  settle(w);
  check_view(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size) {
  world w = {.in = {octets, size, 0}, .now = 1000};

  for (size_t i = 0; i < ENTRIES_MAX; i++) {
    w.entries[i].sent_to = -1;
  }
  start_hub(&w);
  for (size_t i = 0; i < EVENTS_MAX && w.in.at < w.in.size; i++) {
    happen(&w);
  }
  end_hub(&w);
  return 0;
}
