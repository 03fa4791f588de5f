/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What goes over the endpoint's connections, read along as it is written. */

void tap_begin(world *w, connection *c) {
  for (int from = 0; from < 2; from++) {
    tap *t = calloc(1, sizeof *t);
    if (t == NULL) {
      abort();
    }
    bh_reader_init(&t->reader, from == OPENER ? BH_CLIENT_BODY_MAX : BH_BODY_MAX, w->allocator);
    c->taps[from] = t;
  }
}

void tap_end(connection *c) {
  for (int from = 0; from < 2; from++) {
    if (c->taps[from] != NULL) {
      bh_reader_free(&c->taps[from]->reader);
      free(c->taps[from]);
      c->taps[from] = NULL;
    }
  }
}

/* ---- questions and answers */

static void ask(world *w, tap *t) {
  if (t->count == ASKED_MAX) {
    wrong(w, "%d messages on a connection are not answered", ASKED_MAX);
  }
  t->asked[t->count] = t->reader.id;
  t->times_ms[t->count] = now_ms(w);
  t->types[t->count++] = t->reader.type;
  t->imports += t->reader.type == BH_IMPORT_DATA;
}

static bh_type take_question(tap *t, size_t at) {
  bh_type type = t->types[at];

  t->count--;
  memmove(t->asked + at, t->asked + at + 1, (t->count - at) * sizeof t->asked[0]);
  memmove(t->times_ms + at, t->times_ms + at + 1, (t->count - at) * sizeof t->times_ms[0]);
  memmove(t->types + at, t->types + at + 1, (t->count - at) * sizeof t->types[0]);
  t->imports -= type == BH_IMPORT_DATA;
  return type;
}

/* BH-MSG-001, BH-MSG-002, BH-MSG-004: each once, and by the hub in order. */
static bh_type answer(world *w, const connection *c, int from, const bh_body *body) {
  tap *t = c->taps[1 - from];

  for (size_t i = 0; i < t->count; i++) {
    if (t->asked[i] != body->answers) {
      continue;
    }
    if (from == SERVER && i > 0) {
      wrong(w, "the hub answers message %u before message %u", (unsigned)body->answers, (unsigned)t->asked[0]);
    }
    return take_question(t, i);
  }
  wrong(w, "%s answers message %u, which was not sent, or was answered before", from == SERVER ? "the hub" : "a client",
        (unsigned)body->answers);
}

/* ---- from a client */

static void from_client(world *w, connection *c, const bh_body *body) {
  tap *t = c->taps[OPENER];

  switch (t->reader.type) {
  case BH_ACK:
  case BH_ERROR:
    answer(w, c, OPENER, body);
    return;
  case BH_REGISTER:
    c->window = body->window;
    break;
  case BH_CLAIM_ACTIVE:
    judge_claimed(w, (body->given & BH_M_INSTANCE) != 0 ? body->instance : c->instance);
    break;
  case BH_RELEASE_ACTIVE:
    w->court.release_asked = true;
    break;
  case BH_UNREGISTER:
    c->unregisters = true;
    break;
  default:
    break;
  }
  ask(w, t);
}

/* ---- from the hub */

/* BH-CLAIM-003. */
static void check_state_names_active(world *w) {
  if (!w->court.state_spoilt && strcmp(w->court.state_active, w->court.active) != 0) {
    wrong(w, "the ACK of a claim goes out, and the state file still names '%s' and not '%s'", w->court.state_active,
          w->court.active);
  }
}

static void from_hub_ack(world *w, connection *c, const bh_body *body) {
  switch (answer(w, c, SERVER, body)) {
  case BH_REGISTER:
    copy_id(c->instance, body->instance);
    break;
  case BH_CLAIM_ACTIVE:
    check_state_names_active(w);
    /* Any claim ends the wait for the former one, also one whose instance has left by now. */
    w->court.former[0] = '\0';
    break;
  default:
    break;
  }
}

/* Has this instance come back on another connection, or has it left? What is still on its way here counts no more. */
static bool is_past(const world *w, const connection *c) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    const connection *other = &w->connections[i];
    if (other != c && other->stamp != 0 && strcmp(other->instance, c->instance) == 0) {
      return true;
    }
  }
  return c->unregisters || !c->ends[OPENER].open;
}

/* BH-SPOOL-001, BH-SPOOL-004, BH-ROUTE-003. */
static void from_hub_import(world *w, connection *c, const bh_body *body) {
  int v = value_of(w, body->import);
  bh_import import = {.attempt = body->attempt};
  bool recorded = false;

  if (v == NOBODY) {
    wrong(w, "import %s was never complete", body->import);
  }
  if (c->taps[SERVER]->imports > c->window) {
    wrong(w, "%u imports are sent to %s, whose window is %u", (unsigned)c->taps[SERVER]->imports, c->instance,
          (unsigned)c->window);
  }
  w->values[v].attempt = body->attempt;
  if (body->attempt < w->values[v].recorded || is_past(w, c) || w->values[v].state == VALUE_BY_HAND) {
    return;
  }
  import.sequence = w->values[v].sequence;
  snprintf(import.import, sizeof import.import, "%s", body->import);
  copy_id(import.holder, c->instance);
  for (; import.deaths < BH_DEATHS_MAX && !recorded; import.deaths++) {
    recorded = disk_find(w, IN_QUEUE, &import) != NULL;
  }
  if (!recorded) {
    wrong(w, "v%d is sent to %s, attempt %u, and the spool does not say so", v, c->instance, (unsigned)body->attempt);
  }
}

static void from_hub(world *w, connection *c, const bh_body *body) {
  tap *t = c->taps[SERVER];

  switch (t->reader.type) {
  case BH_ACK:
    from_hub_ack(w, c, body);
    return;
  case BH_ERROR:
    if (body->answers != 0) {
      answer(w, c, SERVER, body);
    }
    return;
  case BH_IMPORT_DATA:
    ask(w, t);
    from_hub_import(w, c, body);
    break;
  default:
    ask(w, t);
    break;
  }
  if (c->instance[0] == '\0') {
    wrong(w, "the hub sends %s before the ACK of REGISTER", bh_type_name(t->reader.type));
  }
}

/* ---- octets */

static void on_message(world *w, connection *c, int from) {
  const bh_reader *reader = &c->taps[from]->reader;
  bh_body body;
  bh_body_fault fault;

  w->tallies.messages++;
  trace(w, c->ends[from].owner, "%s %s %u %.*s", from == OPENER ? ">" : "<", bh_type_name(reader->type),
        (unsigned)reader->id, (int)(reader->body_size < 160 ? reader->body_size : 160), (const char *)reader->body);
  if (!bh_body_read(from == OPENER ? BH_FROM_CLIENT : BH_FROM_HUB, reader->type, reader->body, reader->body_size, &body,
                    &fault)) {
    wrong(w, "%s %u has a wrong body: %s", bh_type_name(reader->type), (unsigned)reader->id, fault.what);
  }
  (from == OPENER ? from_client : from_hub)(w, c, &body);
}

void tap_octets(world *w, connection *c, int from, const uint8_t *octets, size_t size) {
  bh_reader *reader = &c->taps[from]->reader;

  while (size > 0) {
    size_t consumed = 0;
    bh_read_status status = bh_reader_next(reader, octets, size, &consumed);
    octets += consumed;
    size -= consumed;
    if (status == BH_READ_MESSAGE) {
      on_message(w, c, from);
    } else if (status != BH_READ_MORE) {
      wrong(w, "%s breaks the framing: %s", from == OPENER ? "a client" : "the hub", reader->what);
    }
  }
}
