/* SPDX-License-Identifier: MIT */
#include "obvious_hub.h"

#include "check_body.h"
#include "hub_internal.h"
#include "memory.h"
#include "target.h"

#include <string.h>

/* Where it lost track it requires nothing more. */
#define EXPECT(o, condition, ...) REQUIRE((o)->lenient || (condition), __VA_ARGS__)

static bool same(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

static void copy(char *to, const char *from) {
  strcpy(to, from);
}

/* ------------------------------------------------------------------------------------- what the hub sends is read */

enum { SENT_KEPT = 64, SENT_SIZE_MAX = 32768, SENT_LEAST = 2 };

/* A message of the hub's, as its body is read. */
typedef struct {
  bh_body body;
  bh_instance_info listed[BH_INSTANCES_MAX];
  size_t listed_count;
  uint64_t checked; /* for this version the list is right; 0: it was not looked at */
} sent;

/*
 * Most of what the hub sends it has sent before in the same input, to this one or another: the same octets are read
 * once.
 */
static struct {
  bh_type type;
  size_t size; /* 0: none */
  uint8_t octets[SENT_SIZE_MAX];
  sent sent;
} known[SENT_KEPT];

static void forget_sent(void) {
  for (size_t i = 0; i < SENT_KEPT; i++) {
    known[i].size = 0;
  }
}

static void read_sent(const obvious_hub *o, bh_type type, const uint8_t *octets, size_t size, sent *into) {
  bh_body_fault fault = {0};
  bool right = o->thorough ? check_body(BH_FROM_HUB, type, octets, size, &into->body)
                           : bh_body_read(BH_FROM_HUB, type, octets, size, &into->body, &fault);

  REQUIRE(right, "the hub's own %s: %s", bh_type_name(type), fault.what ? fault.what : "wrong");
  into->checked = 0;
  into->listed_count =
      (into->body.given & BH_M_INSTANCES) ? bh_body_instances(into->body.instances, into->listed, BH_INSTANCES_MAX) : 0;
}

static sent *read_message(const obvious_hub *o, const bh_reader *r) {
  static sent other;
  size_t size = r->body_size;

  if (size < SENT_LEAST || size > SENT_SIZE_MAX) {
    read_sent(o, r->type, r->body, size, &other);
    return &other;
  }
  size_t at = (size + 3u * r->body[size - 2] + 7u * r->body[size / 2]) % SENT_KEPT;
  if (known[at].size != size || known[at].type != r->type || memcmp(known[at].octets, r->body, size) != 0) {
    memcpy(known[at].octets, r->body, size);
    known[at].size = size;
    known[at].type = r->type;
    read_sent(o, r->type, known[at].octets, size, &known[at].sent);
  }
  return &known[at].sent;
}

/* ------------------------------------------------------------------------------------------------- start and end */

void obvious_hub_start(obvious_hub *o, bh_hub *hub, const bh_hub_config *config, uint64_t now) {
  bool thorough = o->thorough, lenient = o->lenient;

  memset(o, 0, offsetof(obvious_hub, peers));
  memset(&o->peer_end, 0, sizeof *o - offsetof(obvious_hub, peer_end));
  forget_sent();
  o->hub = hub;
  o->thorough = thorough;
  o->lenient = lenient;
  o->heartbeat_ms = config->heartbeat_ms;
  o->timeout_ms = config->timeout_ms;
  o->started = now;
  o->next_beat = now + o->heartbeat_ms;
  o->instances_version = o->state_version = 1;
  if (config->former_active) {
    copy(o->former, config->former_active);
    o->former_until = now + o->timeout_ms;
  }
}

static void forget(obvious_peer *p) {
  bh_reader_free(&p->sends);
  bh_reader_free(&p->gets);
  p->handle = 0;
}

void obvious_hub_end(obvious_hub *o) {
  for (size_t i = 0; i < o->peer_end; i++) {
    if (o->peers[i].handle) {
      forget(&o->peers[i]);
    }
  }
}

/* --------------------------------------------------------------------------------------------------- who is there */

obvious_peer *obvious_hub_peer(obvious_hub *o, bh_peer handle) {
  for (size_t i = 0; handle && i < o->peer_end; i++) {
    if (o->peers[i].handle == handle) {
      return &o->peers[i];
    }
  }
  return NULL;
}

static obvious_peer *of_instance(obvious_hub *o, const char *instance) {
  for (size_t i = 0; i < o->peer_end; i++) {
    obvious_peer *p = &o->peers[i];
    if (p->handle && p->state == OBVIOUS_REGISTERED && same(p->instance, instance)) {
      return p;
    }
  }
  return NULL;
}

static size_t count(const obvious_hub *o, obvious_peer_state state, bh_role role) {
  size_t found = 0;

  for (size_t i = 0; i < o->peer_end; i++) {
    const obvious_peer *p = &o->peers[i];
    found += p->handle && p->state == state && (state != OBVIOUS_REGISTERED || p->role == role);
  }
  return found;
}

static void answer(obvious_hub *o, obvious_peer *p, obvious_answer_kind kind, uint32_t answers, bh_code code) {
  if (p->owed - p->paid == OBVIOUS_ANSWERS_MAX) {
    o->lenient = true;
    return;
  }
  obvious_answer *a = &p->answers[p->owed++ % OBVIOUS_ANSWERS_MAX];
  a->kind = kind;
  a->answers = answers;
  a->code = code;
  copy(a->active, o->active);
}

static void answer_error(obvious_hub *o, obvious_peer *p, uint32_t answers, bh_code code) {
  answer(o, p, ANSWER_ERROR, answers, code);
}

static void begin_close(obvious_hub *o, obvious_peer *p, uint64_t now) {
  if (p->state == OBVIOUS_REGISTERED && p->role == BH_ROLE_INSTANCE) {
    o->instances_version++;
    o->state_version++;
  }
  if (p->state != OBVIOUS_CLOSING) {
    p->state = OBVIOUS_CLOSING;
    p->since = now;
  }
}

/* --------------------------------------------------------------------------------------------------- the imports */

obvious_entry *obvious_hub_entry(obvious_hub *o, uint64_t sequence) {
  for (size_t i = 0; i < o->entry_end; i++) {
    if (o->entries[i].state != OBVIOUS_FREE && o->entries[i].record.sequence == sequence) {
      return &o->entries[i];
    }
  }
  return NULL;
}

static bool is_for(const obvious_entry *e, const char *instance) {
  return same(e->record.holder, instance);
}

static void wait(obvious_entry *e) {
  e->state = OBVIOUS_WAITING;
  e->failed = false;
}

static void give_back(obvious_entry *e, uint32_t deaths) {
  e->state = OBVIOUS_RETURNING;
  e->failed = false;
  e->next = e->record;
  e->next.attempt = e->sends;
  e->next.deaths = deaths;
  e->next.holder[0] = '\0';
}

static void park(obvious_entry *e, uint32_t deaths) {
  give_back(e, deaths);
  e->state = OBVIOUS_PARKING;
}

/* BH-ROUTE-013, BH-ROUTE-014 */
static void die(obvious_entry *e) {
  uint32_t deaths = e->record.deaths == UINT32_MAX ? UINT32_MAX : e->record.deaths + 1;

  if (deaths >= 3) {
    park(e, deaths);
  } else {
    give_back(e, deaths);
  }
}

static void reserve(obvious_entry *e, uint64_t until) {
  e->state = OBVIOUS_RESERVED;
  e->failed = false;
  e->until = until;
  e->lost = 0;
}

/* It was on its way, and no octet of it was queued. */
static void take_back(obvious_entry *e, uint64_t until) {
  if (e->was_reserved) {
    reserve(e, until);
  } else if (e->state == OBVIOUS_RECORDING) {
    wait(e);
  } else {
    give_back(e, e->record.deaths);
  }
}

static bool is_under_way(const obvious_entry *e) {
  return e->state == OBVIOUS_RECORDING || e->state == OBVIOUS_LOADING;
}

static void reserve_held(obvious_hub *o, obvious_peer *p, uint64_t until) {
  for (size_t i = 0; i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_IN_HAND && e->peer == p->handle) {
      reserve(e, until);
    } else if (is_under_way(e) && e->peer == p->handle) {
      take_back(e, until);
    }
  }
  p->held = 0;
  p->fetching = false;
}

/* ----------------------------------------------------------------------------------------------------- the role */

static void set_active(obvious_hub *o, const char *instance) {
  o->former[0] = '\0';
  o->lonely = false;
  if (same(o->active, instance)) {
    return;
  }
  copy(o->active, instance);
  o->changes++;
  o->state_version++;
  /* What is on its way to another than the active one goes to the active one, unless it was reserved for the other. */
  for (size_t i = 0; i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    obvious_peer *p = is_under_way(e) && !e->was_reserved ? obvious_hub_peer(o, e->peer) : NULL;
    if (p && !same(p->instance, instance)) {
      p->held--;
      p->fetching = false;
      take_back(e, BH_NEVER);
    }
  }
}

static bool is_young(const obvious_hub *o, uint64_t now) {
  return now - o->started < o->timeout_ms;
}

/* BH-ACT-003, -005, -006, BH-REL-004 */
static void active_on_register(obvious_hub *o, obvious_peer *p, bool resumes, uint64_t now) {
  if (o->active[0] || o->released) {
    return;
  }
  bool former = o->former[0] && now <= o->former_until && same(o->former, p->instance);
  if (!former && resumes && is_young(o, now)) {
    o->lonely = true;
    p->early = true;
  } else if (former || count(o, OBVIOUS_REGISTERED, BH_ROLE_INSTANCE) == 1) {
    set_active(o, p->instance);
  }
}

/* ------------------------------------------------------------------------------------------------ leaving and loss */

static void leave(obvious_hub *o, obvious_peer *p, uint64_t now) {
  if (p->role == BH_ROLE_INSTANCE) {
    reserve_held(o, p, BH_NEVER);
    for (size_t i = 0; i < o->entry_end; i++) {
      if (o->entries[i].state == OBVIOUS_RESERVED && is_for(&o->entries[i], p->instance)) {
        give_back(&o->entries[i], o->entries[i].record.deaths);
      }
    }
  }
  begin_close(o, p, now);
  if (same(o->active, p->instance)) {
    set_active(o, "");
  }
}

static void lose(obvious_hub *o, obvious_peer *p, bool process_gone, uint64_t now) {
  bool registered = p->state == OBVIOUS_REGISTERED;

  begin_close(o, p, now);
  if (!registered) {
    return;
  }
  if (p->role == BH_ROLE_INSTANCE) {
    reserve_held(o, p, now + o->timeout_ms);
    for (size_t i = 0; i < o->entry_end; i++) {
      obvious_entry *e = &o->entries[i];
      if (e->state != OBVIOUS_RESERVED || !is_for(e, p->instance)) {
        continue;
      }
      if (process_gone) {
        die(e);
        continue;
      }
      e->until = e->until == BH_NEVER ? now + o->timeout_ms : e->until;
      e->lost = p->handle;
    }
  }
  if (same(o->active, p->instance)) {
    set_active(o, "");
    copy(o->former, p->instance);
    o->former_until = now + o->timeout_ms;
  }
}

void obvious_hub_close(obvious_hub *o, obvious_peer *p, bool process_gone, uint64_t now) {
  lose(o, p, process_gone, now);
  forget(p);
}

bool obvious_hub_reserves(const obvious_hub *o, bh_peer lost) {
  for (size_t i = 0; lost && i < o->entry_end; i++) {
    const obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_RESERVED && e->until != BH_NEVER && e->lost == lost) {
      return true;
    }
  }
  return false;
}

void obvious_hub_gone(obvious_hub *o, bh_peer lost) {
  for (size_t i = 0; lost && i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_RESERVED && e->until != BH_NEVER && e->lost == lost) {
      die(e);
    }
  }
}

/* ------------------------------------------------------------------------------------------------------ requests */

static bool is_known(obvious_hub *o, const char *instance, const obvious_peer *but) {
  for (size_t i = 0; i < o->peer_end; i++) {
    const obvious_peer *p = &o->peers[i];
    if (p != but && p->handle && p->state == OBVIOUS_REGISTERED && same(p->instance, instance)) {
      return true;
    }
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    if (o->entries[i].state != OBVIOUS_FREE && is_for(&o->entries[i], instance)) {
      return true;
    }
  }
  return o->former[0] && same(o->former, instance);
}

/* BH-REG-004: which one, the hub decides. */
static void learn_instance(obvious_hub *o, obvious_peer *p) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  const peer *real = bh_peer_find(o->hub, p->handle);

  REQUIRE(real, "the hub does not know who registers");
  copy(p->instance, real->info.instance);
  EXPECT(o, p->instance[0] && strspn(p->instance, allowed) == strlen(p->instance), "'%s' is no id", p->instance);
  EXPECT(o, !is_known(o, p->instance, p), "the new id %s is known", p->instance);
}

static bh_code fault_of_register(obvious_hub *o, const obvious_peer *p, const bh_body *body,
                                 const obvious_peer *older) {
  size_t most = body->role == BH_ROLE_OBSERVER ? 64 : 256;

  if (p->state == OBVIOUS_REGISTERED) {
    return BH_CODE_ALREADY_REGISTERED;
  }
  if (body->protocol != 1) {
    return BH_CODE_UNSUPPORTED_PROTOCOL;
  }
  if (older && older->role != body->role) {
    return BH_CODE_REFUSED;
  }
  return !older && count(o, OBVIOUS_REGISTERED, body->role) >= most ? BH_CODE_OVERLOADED : BH_CODE_NONE;
}

static void on_register(obvious_hub *o, obvious_peer *p, const bh_body *body, uint64_t now) {
  bool resumes = body->given & BH_M_INSTANCE;
  obvious_peer *older = resumes ? of_instance(o, body->instance) : NULL;
  bh_code fault = fault_of_register(o, p, body, older);

  if (fault) {
    answer_error(o, p, p->sends.id, fault);
    return;
  }
  if (older) {
    reserve_held(o, older, BH_NEVER);
    answer_error(o, older, 0, BH_CODE_SUPERSEDED);
    begin_close(o, older, now);
  }
  if (resumes) {
    copy(p->instance, body->instance);
  } else {
    learn_instance(o, p);
  }
  p->state = OBVIOUS_REGISTERED;
  p->role = body->role;
  p->window = body->window;
  p->pid = body->pid;
  copy(p->name, body->name);
  if (p->role == BH_ROLE_INSTANCE) {
    o->instances_version++;
    o->state_version++;
    active_on_register(o, p, resumes, now);
    for (size_t i = 0; i < o->entry_end; i++) {
      if (o->entries[i].state == OBVIOUS_RESERVED && is_for(&o->entries[i], p->instance)) {
        o->entries[i].until = BH_NEVER;
      }
    }
  }
  answer(o, p, ANSWER_ACK_REGISTERED, p->sends.id, BH_CODE_NONE);
}

static void on_claim(obvious_hub *o, obvious_peer *p, const bh_body *body) {
  const obvious_peer *target = body->given & BH_M_INSTANCE ? of_instance(o, body->instance) : p;

  if (!target || (target != p && target->role != BH_ROLE_INSTANCE) || (body->given & BH_M_INSTANCE && target->role)) {
    answer_error(o, p, p->sends.id, BH_CODE_NO_SUCH_INSTANCE);
  } else if (target->role != BH_ROLE_INSTANCE) {
    answer_error(o, p, p->sends.id, BH_CODE_REFUSED);
  } else {
    o->released = false;
    set_active(o, target->instance);
    answer(o, p, ANSWER_ACK_ACTIVE, p->sends.id, BH_CODE_NONE);
  }
}

static void on_release(obvious_hub *o, obvious_peer *p) {
  if (o->active[0] && (p->role == BH_ROLE_OBSERVER || same(o->active, p->instance))) {
    o->released = true;
    set_active(o, "");
    answer(o, p, ANSWER_ACK_ACTIVE, p->sends.id, BH_CODE_NONE);
  } else {
    answer_error(o, p, p->sends.id, BH_CODE_NOT_ACTIVE);
  }
}

static void on_answer(obvious_hub *o, obvious_peer *p, uint32_t answers, bool takes) {
  if (answers > p->last_id && p->reads_not) {
    o->lenient = true; /* it guesses the id of what it has not read */
  }
  for (size_t i = 0; answers && i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    if (e->state != OBVIOUS_IN_HAND || e->peer != p->handle || e->message != answers) {
      continue;
    }
    p->held--;
    if (takes) {
      e->state = OBVIOUS_REMOVING;
      e->failed = false;
    } else {
      park(e, e->record.deaths);
    }
    return;
  }
}

static void dispatch(obvious_hub *o, obvious_peer *p, const bh_body *body, uint64_t now) {
  uint32_t id = p->sends.id;

  switch (p->sends.type) {
  case BH_REGISTER:
    on_register(o, p, body, now);
    return;
  case BH_ACK:
    on_answer(o, p, body->answers, true);
    return;
  case BH_ERROR:
    on_answer(o, p, body->answers, false);
    return;
  default:
    break;
  }
  if (p->state != OBVIOUS_REGISTERED) {
    answer_error(o, p, id, BH_CODE_NOT_REGISTERED);
    return;
  }
  switch (p->sends.type) {
  case BH_UNREGISTER:
    answer(o, p, ANSWER_ACK, id, BH_CODE_NONE);
    leave(o, p, now);
    break;
  case BH_CLAIM_ACTIVE:
    on_claim(o, p, body);
    break;
  case BH_RELEASE_ACTIVE:
    on_release(o, p);
    break;
  default:
    answer(o, p, ANSWER_ACK, id, BH_CODE_NONE);
  }
}

static void on_break(obvious_hub *o, obvious_peer *p, uint32_t answers, bh_code code, uint64_t now) {
  answer_error(o, p, answers, code);
  lose(o, p, false, now);
}

/* BH-MSG-010: framing and id were right, then the type, the body, and the rest. */
static void on_message(obvious_hub *o, obvious_peer *p, uint64_t now) {
  const bh_reader *r = &p->sends;
  bh_body body;
  bh_body_fault fault;

  o->messages++;
  if (r->type == BH_TYPE_UNKNOWN || r->type == BH_IMPORT_DATA) {
    answer_error(o, p, r->id, r->type == BH_IMPORT_DATA ? BH_CODE_UNEXPECTED : BH_CODE_UNKNOWN_TYPE);
  } else if (bh_body_read(BH_FROM_CLIENT, r->type, r->body, r->body_size, &body, &fault)) {
    dispatch(o, p, &body, now);
  } else if (r->type == BH_ACK || r->type == BH_ERROR) {
    on_break(o, p, r->id, BH_CODE_MALFORMED, now);
  } else {
    answer_error(o, p, r->id, BH_CODE_BAD_BODY);
  }
}

void obvious_hub_recv(obvious_hub *o, obvious_peer *p, const uint8_t *octets, size_t size, uint64_t now) {
  p->heard = p->seen = now;
  while (size > 0 && p->state != OBVIOUS_CLOSING) {
    size_t consumed;
    bh_read_status status = bh_reader_next(&p->sends, octets, size, &consumed);
    octets += consumed;
    size -= consumed;
    if (status == BH_READ_MESSAGE) {
      on_message(o, p, now);
    } else if (status == BH_READ_BROKEN) {
      on_break(o, p, p->sends.for_id, p->sends.code, now);
    }
  }
}

obvious_peer *obvious_hub_open(obvious_hub *o, bh_peer handle, uint64_t now) {
  size_t i = 0;

  REQUIRE(handle && !obvious_hub_peer(o, handle), "the handle %u is in use", (unsigned)handle);
  while (i < o->peer_end && o->peers[i].handle) {
    i++;
  }
  REQUIRE(i < OBVIOUS_PEERS_MAX, "so many cannot be open");
  o->peer_end = i < o->peer_end ? o->peer_end : i + 1;
  obvious_peer *p = &o->peers[i];
  memset(p, 0, offsetof(obvious_peer, answers));
  memset(&p->owed, 0, sizeof *p - offsetof(obvious_peer, owed));
  p->handle = handle;
  p->heard = p->seen = p->since = now;
  bh_reader_init(&p->sends, BH_CLIENT_BODY_MAX, memory_allocator());
  bh_reader_init(&p->gets, BH_BODY_MAX, memory_allocator());
  if (count(o, OBVIOUS_UNREGISTERED, BH_ROLE_INSTANCE) > 64) {
    answer_error(o, p, 0, BH_CODE_OVERLOADED);
    begin_close(o, p, now);
  }
  return p;
}

/* --------------------------------------------------------------------------------------------------- what is told */

void obvious_hub_import(obvious_hub *o, const bh_import *import, int result, uint64_t now) {
  bool known = obvious_hub_entry(o, import->sequence) || import->sequence == UINT64_MAX;

  EXPECT(o, result == (known ? BH_E_INVALID : BH_OK), "an import is answered by %d", result);
  if (result != BH_OK) {
    return;
  }
  o->last_sequence = import->sequence > o->last_sequence ? import->sequence : o->last_sequence;
  for (size_t i = 0; i < OBVIOUS_ENTRIES_MAX; i++) {
    obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_FREE) {
      o->entry_end = i < o->entry_end ? o->entry_end : i + 1;
      *e = (obvious_entry){.record = *import, .sends = import->attempt};
      wait(e);
      if (import->holder[0]) {
        const obvious_peer *holder = of_instance(o, import->holder);
        reserve(e, holder && holder->role == BH_ROLE_INSTANCE ? BH_NEVER : now + o->timeout_ms);
      }
      return;
    }
  }
  o->lenient = true;
}

void obvious_hub_next_import(obvious_hub *o, const bh_import *import) {
  EXPECT(o, import->sequence > o->last_sequence || import->sequence == UINT64_MAX,
         "a sequence that is not behind the others");
  EXPECT(o, import->attempt == 0 && import->deaths == 0 && import->holder[0] == '\0', "a new import is not new");
  o->last_sequence = import->sequence;
}

void obvious_hub_parked(obvious_hub *o, uint32_t parked, uint64_t last_sequence) {
  o->parked = parked;
  if (last_sequence > o->last_sequence && last_sequence != UINT64_MAX) {
    o->last_sequence = last_sequence;
  }
}

void obvious_hub_problem(obvious_hub *o, const char *escaped) {
  copy(o->problem, escaped);
}

/* ---------------------------------------------------------------------------------------------------------- time */

static uint64_t deadline(const obvious_hub *o, const obvious_peer *p) {
  return !p->handle ? BH_NEVER : (p->state == OBVIOUS_REGISTERED ? p->heard : p->since) + o->timeout_ms;
}

uint64_t obvious_hub_expiry(const obvious_hub *o) {
  uint64_t expiry = o->next_beat;

  for (size_t i = 0; i < o->peer_end; i++) {
    uint64_t d = deadline(o, &o->peers[i]);
    expiry = d < expiry ? d : expiry;
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    const obvious_entry *e = &o->entries[i];
    expiry = e->state == OBVIOUS_RESERVED && e->until < expiry ? e->until : expiry;
  }
  return o->lonely && o->started + o->timeout_ms < expiry ? o->started + o->timeout_ms : expiry;
}

/* BH-TIME-007 */
static void fresh_time(obvious_hub *o, uint64_t now) {
  for (size_t i = 0; i < o->peer_end; i++) {
    o->peers[i].heard = o->peers[i].since = now;
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    e->until = e->state == OBVIOUS_RESERVED && e->until != BH_NEVER ? now + o->timeout_ms : e->until;
  }
  o->former_until = now + o->timeout_ms;
  o->started = o->lonely ? now : o->started;
}

static void expire_lonely(obvious_hub *o, uint64_t now) {
  if (o->former[0] && now > o->former_until) {
    o->former[0] = '\0';
  }
  if (!o->lonely || is_young(o, now)) {
    return;
  }
  o->lonely = false;
  if (count(o, OBVIOUS_REGISTERED, BH_ROLE_INSTANCE) != 1 || o->active[0] || o->released) {
    return;
  }
  for (size_t i = 0; i < o->peer_end; i++) {
    const obvious_peer *p = &o->peers[i];
    if (p->handle && p->state == OBVIOUS_REGISTERED && p->role == BH_ROLE_INSTANCE && p->early) {
      set_active(o, p->instance);
      return;
    }
  }
}

void obvious_hub_expire(obvious_hub *o, uint64_t now, uint64_t expiry) {
  EXPECT(o, expiry <= obvious_hub_expiry(o), "the hub wants to be woken at %llu, which is too late",
         (unsigned long long)expiry);
  if (now < expiry) {
    return;
  }
  if (now - expiry >= o->heartbeat_ms) {
    fresh_time(o, now);
  }
  for (size_t i = 0; i < o->peer_end; i++) {
    obvious_peer *p = &o->peers[i];
    if (now >= deadline(o, p)) {
      if (p->state != OBVIOUS_CLOSING) {
        lose(o, p, false, now);
      }
      p->at_once = true;
    }
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    obvious_entry *e = &o->entries[i];
    if (e->state == OBVIOUS_RESERVED && e->until != BH_NEVER && now >= e->until) {
      die(e);
    }
  }
  expire_lonely(o, now);
  if (now < o->next_beat) {
    return;
  }
  o->next_beat = o->next_beat + o->heartbeat_ms > now ? o->next_beat + o->heartbeat_ms : now + o->heartbeat_ms;
  o->state_version++;
  for (size_t i = 0; i < o->entry_end; i++) {
    o->entries[i].failed = false; /* it is due again */
  }
  for (size_t i = 0; i < o->peer_end; i++) {
    o->peers[i].beats = 0; /* and each is due another */
  }
}

/* -------------------------------------------------------------------------------------------- what the hub sends */

static void takes_answer(obvious_hub *o, obvious_peer *p, const bh_body *body) {
  const bh_reader *r = &p->gets;

  EXPECT(o, p->paid < p->owed, "an answer to %u, and none is owed", (unsigned)body->answers);
  if (o->lenient) {
    return;
  }
  const obvious_answer *a = &p->answers[p->paid++ % OBVIOUS_ANSWERS_MAX];
  REQUIRE((r->type == BH_ERROR) == (a->kind == ANSWER_ERROR), "%u is answered by %s", (unsigned)a->answers,
          bh_type_name(r->type));
  REQUIRE(body->answers == a->answers, "an answer to %u, and %u is next", (unsigned)body->answers,
          (unsigned)a->answers);
  if (a->kind == ANSWER_ERROR) {
    REQUIRE(same(body->code, bh_code_name(a->code)), "ERROR %s, and %s is right", body->code, bh_code_name(a->code));
  } else if (a->kind == ANSWER_ACK_ACTIVE) {
    REQUIRE(body->given == (BH_M_FOR | BH_M_ACTIVE) && same(body->active, a->active), "'%s' is active", body->active);
    REQUIRE(same(o->written_active, o->active), "ACK of a claim, and the state file says '%s'", o->written_active);
  } else if (a->kind == ANSWER_ACK_REGISTERED) {
    REQUIRE(same(body->instance, p->instance) && same(body->active, a->active) &&
                body->heartbeat_ms == o->heartbeat_ms && body->timeout_ms == o->timeout_ms &&
                body->epoch == o->hub->epoch && body->hub_pid == o->hub->hub_pid && (body->given & BH_M_ACTIVE),
            "the ACK of REGISTER is wrong");
    p->told_registered = true;
  } else {
    REQUIRE(body->given == BH_M_FOR, "an ACK of more than it says");
  }
}

static void takes_import(obvious_hub *o, obvious_peer *p, const bh_body *body, const char *assets, size_t assets_size) {
  obvious_entry *e = NULL;

  for (size_t i = 0; i < o->entry_end; i++) {
    obvious_entry *other = &o->entries[i];
    if (other->state == OBVIOUS_IN_HAND && other->peer == p->handle && other->message == 0) {
      e = other;
    }
  }
  if (!e && (o->lenient || p->state == OBVIOUS_CLOSING)) {
    return; /* it was queued before the end began */
  }
  REQUIRE(e, "%s is sent, and nobody gave it to this one", body->import);
  REQUIRE(same(e->record.import, body->import) && body->attempt == e->record.attempt, "another import is sent: %s",
          body->import);
  REQUIRE(body->assets.size == assets_size && memcmp(body->assets.octets, assets, assets_size) == 0,
          "the assets are not those of the spool");
  EXPECT(o, p->told_registered && p->paid >= e->owed_before, "an import before an answer that goes before it");
  REQUIRE(!p->import_in_run, "an import behind another that is unsent");
  p->import_in_run = true;
  e->message = p->gets.id;
}

static uint32_t count_waiting(const obvious_hub *o) {
  uint32_t waiting = 0;

  for (size_t i = 0; i < o->entry_end; i++) {
    waiting += o->entries[i].state == OBVIOUS_WAITING || o->entries[i].state == OBVIOUS_RETURNING;
  }
  return waiting;
}

static void check_instances(obvious_hub *o, const bh_instance_info *listed, size_t listed_count) {
  EXPECT(o, listed_count == count(o, OBVIOUS_REGISTERED, BH_ROLE_INSTANCE), "%zu instances are listed", listed_count);
  for (size_t i = 0; i < listed_count; i++) {
    const obvious_peer *p = of_instance(o, listed[i].instance);
    EXPECT(o, p && p->role == BH_ROLE_INSTANCE, "%s is listed", listed[i].instance);
    EXPECT(o, !p || (same(p->name, listed[i].name) && p->pid == listed[i].pid), "%s is listed wrongly", p->instance);
    for (size_t j = 0; j < i && listed_count <= 16; j++) {
      EXPECT(o, !same(listed[j].instance, listed[i].instance), "%s is listed twice", listed[i].instance);
    }
  }
}

static void check_news(obvious_hub *o, obvious_peer *p, sent *news) {
  const bh_body *body = &news->body;

  EXPECT(o, same(body->active, o->active), "'%s' is told to be active, and '%s' is", body->active, o->active);
  /* What goes next to one that has just been sent another waits no more once the hub has chosen it. */
  uint32_t waiting = count_waiting(o);
  EXPECT(o, body->waiting <= waiting && waiting - body->waiting <= o->freed, "%u wait, and not %u", (unsigned)waiting,
         (unsigned)body->waiting);
  EXPECT(o, body->parked == o->parked, "%u are parked, and not %u", (unsigned)o->parked, (unsigned)body->parked);
  EXPECT(o, same(body->problem, o->problem), "the problem is '%s'", body->problem);
  EXPECT(o, (body->given & BH_M_INSTANCES) || p->told_instances == o->instances_version, "instances are not told");
  if (body->given & BH_M_INSTANCES) {
    if (news->checked != o->instances_version) {
      check_instances(o, news->listed, news->listed_count);
      news->checked = o->instances_version;
    }
    p->told_instances = o->instances_version;
  }
}

/* One that stands last was written just now, and what it tells is how things are. */
static void takes_beat(obvious_hub *o, obvious_peer *p, sent *news, bool last) {
  const bh_body *body = &news->body;

  EXPECT(o, p->told_registered, "a HEARTBEAT before the ACK of REGISTER");
  if (last) {
    check_news(o, p, news);
  } else if (body->given & BH_M_INSTANCES) {
    p->told_instances = o->instances_version; /* at the latest; what changed since makes another due */
  }
  p->beats++;
  copy(p->told_active, body->active);
  copy(p->told_problem, body->problem);
}

void obvious_hub_takes_message(obvious_hub *o, obvious_peer *p, bool last, const char *assets, size_t assets_size) {
  const bh_reader *r = &p->gets;
  sent *message = read_message(o, r);

  p->last_id = r->id;
  switch (r->type) {
  case BH_ACK:
  case BH_ERROR:
    takes_answer(o, p, &message->body);
    break;
  case BH_IMPORT_DATA:
    takes_import(o, p, &message->body, assets, assets_size);
    break;
  case BH_HEARTBEAT:
    takes_beat(o, p, message, last);
    break;
  default:
    REQUIRE(false, "the hub sends %s", bh_type_name(r->type));
  }
}

void obvious_hub_run_sent(obvious_hub *o, obvious_peer *p) {
  if (p->import_in_run) {
    p->import_in_run = false;
    p->unsent = false;
    o->freed++;
  }
}

/* -------------------------------------------------------------------------------------------- what the hub wants */

static bool same_record(const bh_import *a, const bh_import *b) {
  return a->sequence == b->sequence && a->attempt == b->attempt && a->deaths == b->deaths &&
         same(a->import, b->import) && same(a->holder, b->holder);
}

/* BH-ROUTE-002, -007, -012: whether `e` is the first that `p` may be sent. */
static bool is_next(const obvious_hub *o, const obvious_peer *p, const obvious_entry *e) {
  bool active = same(o->active, p->instance);

  for (size_t i = 0; i < o->entry_end; i++) {
    const obvious_entry *other = &o->entries[i];
    if (other->record.sequence >= e->record.sequence) {
      continue;
    }
    if ((other->state == OBVIOUS_RESERVED && is_for(other, p->instance)) ||
        (active && (other->state == OBVIOUS_WAITING || other->state == OBVIOUS_RETURNING))) {
      return false;
    }
  }
  return e->state == OBVIOUS_RESERVED ? is_for(e, p->instance) : e->state == OBVIOUS_WAITING && active;
}

static bool can_take(const obvious_peer *p) {
  return p->handle && p->state == OBVIOUS_REGISTERED && p->role == BH_ROLE_INSTANCE && !p->fetching && !p->unsent &&
         p->held < p->window;
}

static void records_sending(obvious_hub *o, obvious_entry *e, const bh_import *next) {
  obvious_peer *p = of_instance(o, next->holder);
  bh_import expected = e->record;

  if (e->state == OBVIOUS_RECORDING) { /* once more */
    EXPECT(o, p && e->peer == p->handle, "its record is for another");
  } else {
    EXPECT(o, p && can_take(p), "%s cannot be sent another import", next->holder);
    /* What was next before the role moved, between two messages that came together, may still be on its way. */
    EXPECT(o, (o->changes > 0 && o->messages > 1) || (p && is_next(o, p, e)), "%s is not the next for %s",
           e->record.import, next->holder);
  }
  if (o->lenient || !p) {
    return;
  }
  expected.attempt = e->sends == UINT32_MAX ? UINT32_MAX : e->sends + 1;
  copy(expected.holder, p->instance);
  REQUIRE(same_record(&expected, next), "its record: attempt %u, %u deaths, '%s'", (unsigned)next->attempt,
          (unsigned)next->deaths, next->holder);
  if (e->state != OBVIOUS_RECORDING) {
    e->was_reserved = e->state == OBVIOUS_RESERVED;
    p->held++;
  }
  e->next = *next;
  e->peer = p->handle;
  e->state = OBVIOUS_RECORDING;
  p->fetching = true;
}

static void wants_of_spool(obvious_hub *o, const bh_action *action) {
  obvious_entry *e = obvious_hub_entry(o, action->before.sequence);

  EXPECT(o, e && same_record(&e->record, &action->before), "an action on another import");
  if (o->lenient) {
    return;
  }
  EXPECT(o, !e->failed, "%s is tried again too soon", e->record.import);
  switch (action->kind) {
  case BH_DO_RECORD:
    if (action->import.holder[0]) {
      records_sending(o, e, &action->import);
    } else {
      REQUIRE(e->state == OBVIOUS_RETURNING && same_record(&e->next, &action->import), "%s is given back wrongly",
              e->record.import);
    }
    break;
  case BH_DO_LOAD:
    REQUIRE(e->state == OBVIOUS_LOADING, "%s is read, and its sending is not recorded", e->record.import);
    break;
  case BH_DO_REMOVE:
    REQUIRE(e->state == OBVIOUS_REMOVING, "%s is removed, and nobody has finished it", e->record.import);
    break;
  default:
    REQUIRE(e->state == OBVIOUS_PARKING && same_record(&e->next, &action->import), "%s is parked wrongly",
            e->record.import);
    REQUIRE(action->reason && action->reason[0], "%s is parked without a reason", e->record.import);
  }
}

void obvious_hub_acts(obvious_hub *o, const bh_action *action) {
  obvious_peer *p;

  switch (action->kind) {
  case BH_DO_WRITE_STATE:
    obvious_hub_check_view(o);
    o->written_version = o->state_version;
    copy(o->written_active, o->active);
    break;
  case BH_DO_RECORD:
  case BH_DO_LOAD:
  case BH_DO_REMOVE:
  case BH_DO_PARK:
    wants_of_spool(o, action);
    break;
  case BH_DO_CLOSE:
    p = obvious_hub_peer(o, action->peer);
    REQUIRE(p, "the end of nobody");
    EXPECT(o, p->state == OBVIOUS_CLOSING, "%s is closed without a reason", p->instance);
    EXPECT(o, p->at_once || p->owed == p->paid, "it is closed, and an answer is owed");
    forget(p);
    break;
  default:
    break;
  }
}

static void is_gone(obvious_hub *o, obvious_entry *e) {
  obvious_peer *p = is_under_way(e) ? obvious_hub_peer(o, e->peer) : NULL;

  if (p) {
    p->held--;
    p->fetching = false;
  }
  e->state = OBVIOUS_FREE;
}

void obvious_hub_spool_done(obvious_hub *o, uint64_t sequence, bh_spool_result result, uint64_t now) {
  obvious_entry *e = obvious_hub_entry(o, sequence);

  (void)now;
  if (!e || o->lenient) {
    return;
  }
  if (result == BH_SPOOL_FAILED) {
    e->failed = true;
    return;
  }
  if (result == BH_SPOOL_GONE) {
    is_gone(o, e);
    return;
  }
  switch (e->state) {
  case OBVIOUS_RECORDING:
    e->record = e->next;
    e->state = OBVIOUS_LOADING;
    break;
  case OBVIOUS_RETURNING:
    e->record = e->next;
    wait(e);
    break;
  case OBVIOUS_PARKING:
    o->parked++;
    e->state = OBVIOUS_FREE;
    break;
  case OBVIOUS_REMOVING:
    e->state = OBVIOUS_FREE;
    break;
  default:
    break;
  }
}

void obvious_hub_loaded(obvious_hub *o, uint64_t sequence) {
  obvious_entry *e = obvious_hub_entry(o, sequence);
  obvious_peer *p = e ? obvious_hub_peer(o, e->peer) : NULL;

  if (!p || o->lenient) {
    return;
  }
  e->state = OBVIOUS_IN_HAND;
  e->sends = e->record.attempt;
  e->message = 0;
  e->owed_before = p->owed;
  p->fetching = false;
  p->unsent = true;
}

/* ------------------------------------------------------------------------------------------------------- at rest */

void obvious_hub_check_view(obvious_hub *o) {
  bh_hub_view view;

  bh_hub_state(o->hub, &view);
  REQUIRE(!view.active || (view.active >= view.instances && view.active < view.instances + view.instance_count),
          "one is active that is not registered");
  EXPECT(o, same(view.active ? view.active->instance : "", o->active), "'%s' is active in the state file",
         view.active ? view.active->instance : "");
  EXPECT(o, view.parked == o->parked, "%u are parked in the state file", (unsigned)view.parked);
  EXPECT(o, same(view.problem, o->problem), "the problem in the state file is '%s'", view.problem);
  check_instances(o, view.instances, view.instance_count);
  for (size_t i = 0; i < view.instance_count; i++) {
    const obvious_peer *p = of_instance(o, view.instances[i].instance);
    EXPECT(o, !p || view.instances[i].last_seen == p->seen, "%s was seen at another time", p->instance);
  }
}

static void peer_rests(obvious_hub *o, const obvious_peer *p) {
  if (!p->handle || p->reads_not) {
    return;
  }
  EXPECT(o, p->state != OBVIOUS_CLOSING, "the connection of '%s' is not closed", p->instance);
  EXPECT(o, p->owed == p->paid, "%u answers are owed", (unsigned)(p->owed - p->paid));
  if (p->state != OBVIOUS_REGISTERED) {
    return;
  }
  EXPECT(o, p->beats > 0, "%s was sent no HEARTBEAT", p->instance);
  EXPECT(o, p->told_instances > 0, "%s was not told the instances", p->instance);
  EXPECT(o, same(p->told_active, o->active), "%s was not told who is active", p->instance);
  EXPECT(o, same(p->told_problem, o->problem), "%s was not told the problem", p->instance);
  if (!can_take(p)) {
    return;
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    const obvious_entry *e = &o->entries[i];
    EXPECT(o, (e->state != OBVIOUS_WAITING && e->state != OBVIOUS_RESERVED) || !is_next(o, p, e),
           "%s is not sent to %s", e->record.import, p->instance);
  }
}

void obvious_hub_rests(obvious_hub *o) {
  o->changes = o->messages = o->freed = 0;
  for (size_t i = 0; i < o->peer_end; i++) {
    peer_rests(o, &o->peers[i]);
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    const obvious_entry *e = &o->entries[i];
    bool rests = e->state == OBVIOUS_FREE || e->state == OBVIOUS_WAITING || e->state == OBVIOUS_RESERVED ||
                 e->state == OBVIOUS_IN_HAND;
    EXPECT(o, rests || e->failed, "what must be done with %s is not done", e->record.import);
  }
  EXPECT(o, o->written_version == o->state_version, "the state file was not written");
  EXPECT(o, bh_hub_expiry(o->hub) <= obvious_hub_expiry(o), "the hub wants to be woken too late");
  bh_hub_view view;
  bh_hub_state(o->hub, &view);
  EXPECT(o, view.waiting == count_waiting(o), "%u wait in the state file, and not %u", (unsigned)view.waiting,
         (unsigned)count_waiting(o));
  obvious_hub_check_view(o);
}
