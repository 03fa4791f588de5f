/* SPDX-License-Identifier: MIT */
#include "obvious_client.h"

#include "check_body.h"
#include "memory.h"
#include "obvious_body.h"
#include "target.h"

#include <string.h>

#define EXPECT(o, condition, ...) REQUIRE((o)->lenient || (condition), __VA_ARGS__)

static bool same(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

uint64_t obvious_octets(const uint8_t *octets, size_t size) {
  return fuzz_draw(octets, size) + size;
}

void obvious_client_start(obvious_client *o, const bh_client_config *config) {
  bool lenient = o->lenient;

  memset(o, 0, offsetof(obvious_client, instances));
  o->lenient = lenient;
  o->role = config->role;
  o->pid = config->pid;
  o->window = config->window;
  strcpy(o->name, config->name);
  o->heartbeat_ms = BH_HEARTBEAT_MS;
  o->timeout_ms = config->timeout_ms ? config->timeout_ms : BH_TIMEOUT_MS;
  if (config->instance) {
    strcpy(o->instance, config->instance);
  }
  bh_reader_init(&o->gets, BH_BODY_MAX, memory_allocator());
}

void obvious_client_end(obvious_client *o) {
  bh_reader_free(&o->gets);
}

/* ------------------------------------------------------------------------------------------------ what is to come */

static expected_event *expect_event(obvious_client *o, bh_event_kind kind) {
  expected_event *e = &o->events[o->event_end++ % EXPECTED_MAX];

  memset(e, 0, sizeof *e);
  e->kind = kind;
  return e;
}

/* What does not fit is cut by the client, and not looked at. */
static void expect_text(expected_event *e, bh_octets message) {
  char text[REASON_MAX + 1];
  size_t size = obvious_string(message.octets, 0, message.size, text, sizeof text).size;

  if (size < sizeof text) {
    e->said_size = size;
    e->said = obvious_octets((const uint8_t *)text, size);
  }
}

static expected_message *expect_message(obvious_client *o, bh_type type, uint32_t answers) {
  expected_message *m = &o->messages[o->message_end++ % EXPECTED_MAX];

  REQUIRE(o->message_end - o->message_first <= EXPECTED_MAX, "so much is never queued here");
  memset(m, 0, sizeof *m);
  m->type = type;
  m->answers = answers;
  o->last_id++;
  return m;
}

static expected_message *expect_error(obvious_client *o, uint32_t answers, bh_code code) {
  expected_message *m = expect_message(o, BH_ERROR, answers);

  strcpy(m->code, bh_code_name(code));
  return m;
}

static void set_active(obvious_client *o, const char *active) {
  bool self = o->role == BH_ROLE_INSTANCE && active[0] && same(active, o->instance);

  strcpy(o->view.active, active);
  if (self != o->told_active) {
    strcpy(expect_event(o, self ? BH_EV_ACTIVE : BH_EV_INACTIVE)->active, active);
    o->told_active = self;
  }
}

static obvious_in_hand *in_hand(obvious_client *o, const char *import) {
  for (size_t i = 0; i < o->hand_count; i++) {
    if (same(o->hand[i].import, import)) {
      return &o->hand[i];
    }
  }
  return NULL;
}

/* ------------------------------------------------------------------------------------------------- connections */

/* BH-CLIENT-005. An import that was not handed up yet is not handed up any more. */
static void withdraw(obvious_client *o) {
  size_t end = o->event_end;

  for (size_t i = o->event_first; i < end; i++) {
    expected_event e = o->events[i % EXPECTED_MAX];
    if (e.kind == BH_EV_IMPORT) {
      obvious_in_hand *h = in_hand(o, e.import);
      if (h) {
        *h = o->hand[--o->hand_count];
      }
    } else {
      o->events[o->event_end++ % EXPECTED_MAX] = e;
    }
  }
  o->event_first = end;
}

static void leave(obvious_client *o) {
  for (size_t i = 0; i < o->hand_count; i++) {
    o->hand[i].message = 0;
  }
  withdraw(o);
  for (size_t i = 0; i < REQUESTS_SLOTS; i++) {
    if (o->requests[i].message && o->requests[i].number) {
      expect_event(o, BH_EV_FAILED)->request = o->requests[i].number;
    }
    o->requests[i].message = 0;
  }
  set_active(o, "");
  o->view.registered = o->view.heard = false;
  o->view.waiting = o->view.parked = 0;
  o->view.problem[0] = '\0';
  o->view.instance_count = 0;
}

static void end(obvious_client *o, bh_event_kind kind) {
  leave(o);
  o->state = kind == BH_EV_SUPERSEDED ? SUPERSEDED : CLOSED;
  expect_event(o, kind);
}

static bool is_open(const obvious_client *o) {
  return o->state == REGISTERING || o->state == REGISTERED;
}

static void note_request(obvious_client *o, bh_type type, uint32_t number) {
  for (size_t i = 0; i < REQUESTS_SLOTS; i++) {
    if (!o->requests[i].message) {
      o->requests[i] = (obvious_request){o->last_id, number, type};
      return;
    }
  }
}

void obvious_client_open(obvious_client *o, uint64_t now) {
  bh_reader_free(&o->gets);
  bh_reader_init(&o->gets, BH_BODY_MAX, memory_allocator());
  o->state = REGISTERING;
  o->heard = now;
  o->last_id = 0;
  o->message_first = o->message_end; /* what was queued goes nowhere */
  strcpy(expect_message(o, BH_REGISTER, 0)->instance, o->instance);
  note_request(o, BH_REGISTER, 0);
}

void obvious_client_close(obvious_client *o) {
  if (is_open(o)) {
    leave(o);
    o->state = CLOSED;
  }
}

/* ---------------------------------------------------------------------------------------------------- messages */

static obvious_request *request_of(obvious_client *o, uint32_t message) {
  for (size_t i = 0; message && i < REQUESTS_SLOTS; i++) {
    if (o->requests[i].message == message) {
      return &o->requests[i];
    }
  }
  return NULL;
}

static void on_heartbeat(obvious_client *o, const bh_body *body) {
  bool listed = body->given & BH_M_INSTANCES;
  bool changed = !o->view.heard || o->view.waiting != body->waiting || o->view.parked != body->parked || listed ||
                 !same(o->view.active, body->active) || !same(o->view.problem, body->problem);

  expect_message(o, BH_ACK, o->gets.id);
  if (listed) {
    o->view.instance_count = bh_body_instances(body->instances, o->instances, 64);
  }
  o->view.heard = true;
  o->view.waiting = body->waiting;
  o->view.parked = body->parked;
  strcpy(o->view.problem, body->problem);
  set_active(o, body->active);
  if (changed) {
    expect_event(o, BH_EV_STATUS);
  }
}

static bool is_finished(const obvious_client *o, const char *import) {
  size_t from = o->finished_count > FINISHED_MAX ? o->finished_count - FINISHED_MAX : 0;

  for (size_t i = from; i < o->finished_count; i++) {
    if (same(o->finished[i % FINISHED_MAX], import)) {
      return true;
    }
  }
  return false;
}

static bool is_leaving(const obvious_client *o) {
  for (size_t i = 0; i < REQUESTS_SLOTS; i++) {
    if (o->requests[i].message && o->requests[i].type == BH_UNREGISTER) {
      return true;
    }
  }
  return false;
}

static void on_import(obvious_client *o, const bh_body *body) {
  obvious_in_hand *known = in_hand(o, body->import);

  if (known) {
    known->message = o->gets.id;
  } else if (is_finished(o, body->import)) {
    expect_message(o, BH_ACK, o->gets.id);
  } else if (is_leaving(o)) {
    return;
  } else if (o->hand_count == HAND_MAX) {
    expect_error(o, o->gets.id, BH_CODE_OVERLOADED);
  } else {
    known = &o->hand[o->hand_count++];
    strcpy(known->import, body->import);
    known->message = o->gets.id;
    expected_event *e = expect_event(o, BH_EV_IMPORT);
    strcpy(e->import, body->import);
    e->attempt = body->attempt;
    e->assets = obvious_octets(body->assets.octets, body->assets.size);
  }
}

static void break_up(obvious_client *o, uint32_t answers, bh_code code) {
  expect_error(o, answers, code);
  end(o, BH_EV_CLOSE);
}

static void on_registered(obvious_client *o, const bh_body *body) {
  expected_event *e = expect_event(o, BH_EV_REGISTERED);

  strcpy(e->instance, body->instance);
  strcpy(e->active, body->active);
  e->hub_pid = body->hub_pid;
  e->epoch = body->epoch;
  strcpy(o->instance, body->instance);
  o->state = REGISTERED;
  o->heartbeat_ms = body->heartbeat_ms ? body->heartbeat_ms : BH_HEARTBEAT_MS;
  o->timeout_ms = body->timeout_ms ? body->timeout_ms : BH_TIMEOUT_MS;
  o->view.registered = true;
  o->view.hub_pid = body->hub_pid;
  o->view.epoch = body->epoch;
}

static void on_ack(obvious_client *o, const bh_body *body) {
  const uint32_t all = BH_M_INSTANCE | BH_M_HUB_PID | BH_M_EPOCH | BH_M_HEARTBEAT_MS | BH_M_TIMEOUT_MS | BH_M_ACTIVE;
  obvious_request *r = request_of(o, body->answers);

  if (!r) {
    return;
  }
  bool role = r->type == BH_CLAIM_ACTIVE || r->type == BH_RELEASE_ACTIVE;
  uint32_t wanted = r->type == BH_REGISTER ? all : role ? (uint32_t)BH_M_ACTIVE : 0;
  if ((body->given & wanted) != wanted || (r->type == BH_RELEASE_ACTIVE && body->active[0])) {
    break_up(o, o->gets.id, BH_CODE_MALFORMED);
    return;
  }
  r->message = 0;
  if (r->type == BH_REGISTER) {
    on_registered(o, body);
  } else {
    expect_event(o, BH_EV_DONE)->request = r->number;
  }
  if (wanted & BH_M_ACTIVE) {
    set_active(o, body->active);
  }
}

static void on_error(obvious_client *o, const bh_body *body) {
  obvious_request *r = request_of(o, body->answers);
  bool registers = r && r->type == BH_REGISTER;

  if (body->answers && !r) {
    return;
  }
  if (r) {
    r->message = 0;
  }
  if (same(body->code, "superseded") && (!r || registers)) {
    end(o, BH_EV_SUPERSEDED);
    return;
  }
  expected_event *e = expect_event(o, BH_EV_FAILED);
  e->request = r ? r->number : 0;
  strcpy(e->code, body->code);
  expect_text(e, body->message);
  if (registers) {
    end(o, BH_EV_CLOSE);
  }
}

static void on_message(obvious_client *o) {
  static bh_body body;
  const bh_reader *r = &o->gets;
  bh_body_fault fault;

  switch (r->type) {
  case BH_TYPE_UNKNOWN:
    expect_error(o, r->id, BH_CODE_UNKNOWN_TYPE);
    return;
  case BH_REGISTER:
  case BH_UNREGISTER:
  case BH_CLAIM_ACTIVE:
  case BH_RELEASE_ACTIVE:
    expect_error(o, r->id, BH_CODE_UNEXPECTED);
    return;
  default:
    break;
  }
  bool right = bh_body_read(BH_FROM_HUB, r->type, r->body, r->body_size, &body, &fault);
  if (!right && (r->type == BH_ACK || r->type == BH_ERROR)) {
    break_up(o, r->id, BH_CODE_MALFORMED);
  } else if (!right) {
    expect_error(o, r->id, BH_CODE_BAD_BODY);
  } else if (r->type == BH_HEARTBEAT) {
    on_heartbeat(o, &body);
  } else if (r->type == BH_IMPORT_DATA) {
    on_import(o, &body);
  } else if (r->type == BH_ACK) {
    on_ack(o, &body);
  } else {
    on_error(o, &body);
  }
}

void obvious_client_recv(obvious_client *o, const uint8_t *octets, size_t size, uint64_t now) {
  o->heard = now;
  while (size > 0 && is_open(o)) {
    size_t consumed;
    bh_read_status status = bh_reader_next(&o->gets, octets, size, &consumed);
    octets += consumed;
    size -= consumed;
    if (status == BH_READ_MESSAGE) {
      on_message(o);
    } else if (status == BH_READ_BROKEN) {
      break_up(o, o->gets.for_id, o->gets.code);
    }
  }
}

/* ---------------------------------------------------------------------------------------------------------- time */

uint64_t obvious_client_expiry(const obvious_client *o) {
  return is_open(o) ? o->heard + o->timeout_ms : BH_NEVER;
}

void obvious_client_expire(obvious_client *o, uint64_t now) {
  uint64_t expiry = obvious_client_expiry(o);

  if (now >= expiry && now - expiry >= o->heartbeat_ms) {
    o->heard = now;
  } else if (now >= expiry) {
    end(o, BH_EV_CLOSE);
  }
}

/* -------------------------------------------------------------------------------------------------- its own doing */

int obvious_client_rename(obvious_client *o, const char *name) {
  if (strlen(name) > BH_NAME_MAX) {
    return BH_E_INVALID;
  }
  strcpy(o->name, name);
  return BH_OK;
}

int obvious_client_ask(obvious_client *o, bh_type type, const char *instance, uint32_t *number) {
  size_t waiting = 0;

  if (o->state != REGISTERED) {
    return BH_E_STATE;
  }
  for (size_t i = 0; i < REQUESTS_SLOTS; i++) {
    waiting += o->requests[i].message != 0;
  }
  if (waiting == REQUESTS_SLOTS) {
    return BH_E_FULL;
  }
  expected_message *m = expect_message(o, type, 0);
  if (instance) {
    strcpy(m->instance, instance);
  }
  *number = ++o->last_number;
  note_request(o, type, *number);
  return BH_OK;
}

int obvious_client_answer(obvious_client *o, const char *import, const char *reason) {
  obvious_in_hand *h = in_hand(o, import);

  if (!h) {
    return BH_E_INVALID;
  }
  uint32_t message = h->message;
  *h = o->hand[--o->hand_count];
  if (!reason) {
    strcpy(o->finished[o->finished_count++ % FINISHED_MAX], import);
  }
  if (message && !reason) {
    expect_message(o, BH_ACK, message);
  } else if (message) {
    expect_error(o, message, BH_CODE_REFUSED)->reason = reason;
  }
  return BH_OK;
}

/* ------------------------------------------------------------------------------------------- what the client does */

void obvious_client_event(obvious_client *o, const bh_event *event) {
  if (o->lenient) {
    return;
  }
  REQUIRE(o->event_first < o->event_end, "event %d, and none is due", (int)event->kind);
  const expected_event *e = &o->events[o->event_first++ % EXPECTED_MAX];
  REQUIRE(event->kind == e->kind, "event %d, and %d is due", (int)event->kind, (int)e->kind);
  REQUIRE(event->request == e->request, "request %u, and %u is due", (unsigned)event->request, (unsigned)e->request);
  REQUIRE(same(event->instance, e->instance) && same(event->active, e->active) && same(event->code, e->code),
          "event %d: '%s', '%s', '%s'", (int)e->kind, event->instance, event->active, event->code);
  REQUIRE(event->hub_pid == e->hub_pid && event->epoch == e->epoch, "event %d: another hub", (int)e->kind);
  REQUIRE(same(event->import, e->import) && event->attempt == e->attempt, "another import: %s", event->import);
  REQUIRE(e->kind != BH_EV_IMPORT || o->assets_ended || obvious_octets(event->assets, event->assets_size) == e->assets,
          "the assets of %s are others", event->import);
  REQUIRE(event->message, "no message");
  REQUIRE(e->said_size == 0 || obvious_octets((const uint8_t *)event->message, e->said_size) == e->said,
          "the hub has said something else: %s", event->message);
}

/* What a user says, in whole characters of at most REASON_MAX octets. */
static void check_reason(bh_octets said, const char *reason) {
  char text[REASON_MAX + 2];
  size_t size = obvious_string(said.octets, 0, said.size, text, sizeof text).size;
  size_t whole = 0;

  for (size_t i = 0; i <= REASON_MAX && i <= strlen(reason); i++) {
    whole = (reason[i] & 0xC0) != 0x80 ? i : whole; /* a character begins here, so all before it are whole */
  }
  REQUIRE(size == whole && memcmp(text, reason, whole) == 0, "the reason is another: %s", text);
}

void obvious_client_message(obvious_client *o, const bh_reader *r) {
  static bh_body body;

  REQUIRE(check_body(BH_FROM_CLIENT, r->type, r->body, r->body_size, &body), "the client's own body is wrong");
  if (o->lenient) {
    return;
  }
  REQUIRE(o->message_first < o->message_end, "%s, and nothing is due", bh_type_name(r->type));
  const expected_message *m = &o->messages[o->message_first++ % EXPECTED_MAX];
  REQUIRE(r->type == m->type, "%s, and %s is due", bh_type_name(r->type), bh_type_name(m->type));
  REQUIRE(body.answers == m->answers && same(body.code, m->code), "an answer to %u: '%s'", (unsigned)body.answers,
          body.code);
  REQUIRE(same(body.instance, m->instance), "'%s', and not '%s'", body.instance, m->instance);
  REQUIRE(r->type != BH_REGISTER || (body.protocol == BH_PROTOCOL && body.pid == o->pid && body.window == o->window &&
                                     body.role == o->role && same(body.name, o->name)),
          "it registers as another: '%s', pid %u", body.name, (unsigned)body.pid);
  if (m->reason) {
    check_reason(body.message, m->reason);
  }
}

void obvious_client_check_view(const obvious_client *o, const bh_client_view *view) {
  const bh_client_view *e = &o->view;

  if (o->lenient) {
    return;
  }
  REQUIRE(view->registered == e->registered && view->heard == e->heard && same(view->active, e->active) &&
              view->waiting == e->waiting && view->parked == e->parked && view->hub_pid == e->hub_pid &&
              view->epoch == e->epoch && same(view->problem, e->problem),
          "it says of the hub what the hub did not say");
  REQUIRE(!e->registered || (view->heartbeat_ms == o->heartbeat_ms && view->timeout_ms == o->timeout_ms), "the timing");
  REQUIRE(view->instance_count == e->instance_count, "%zu instances", view->instance_count);
  for (size_t i = 0; i < view->instance_count && i < 64; i++) {
    REQUIRE(same(view->instances[i].instance, o->instances[i].instance) &&
                same(view->instances[i].name, o->instances[i].name) && view->instances[i].pid == o->instances[i].pid,
            "instance %zu is another", i);
  }
}
