/* SPDX-License-Identifier: MIT */
/* What clients say, and the answers that the hub owes them: sections 3.3 and 4. */

#include "obvious_hub_internal.h"

#include "hub_internal.h"
#include "memory.h"

#include <string.h>

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

static bool is_known(obvious_hub *o, const char *instance, const obvious_peer *but) {
  for (size_t i = 0; i < o->peer_end; i++) {
    const obvious_peer *p = &o->peers[i];
    if (p != but && p->handle && p->state == OBVIOUS_REGISTERED && same(p->instance, instance)) {
      return true;
    }
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    if (o->entries[i].state != OBVIOUS_FREE && obvious_entry_is_for(&o->entries[i], instance)) {
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
  return !older && obvious_hub_count(o, OBVIOUS_REGISTERED, body->role) >= most ? BH_CODE_OVERLOADED : BH_CODE_NONE;
}

static void on_register(obvious_hub *o, obvious_peer *p, const bh_body *body, uint64_t now) {
  bool resumes = body->given & BH_M_INSTANCE;
  obvious_peer *older = resumes ? obvious_hub_of_instance(o, body->instance) : NULL;
  bh_code fault = fault_of_register(o, p, body, older);

  if (fault) {
    answer_error(o, p, p->sends.id, fault);
    return;
  }
  if (older) {
    obvious_hub_reserve_held(o, older, BH_NEVER);
    answer_error(o, older, 0, BH_CODE_SUPERSEDED);
    obvious_hub_begin_close(o, older, now);
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
    obvious_hub_active_on_register(o, p, resumes, now);
    for (size_t i = 0; i < o->entry_end; i++) {
      if (o->entries[i].state == OBVIOUS_RESERVED && obvious_entry_is_for(&o->entries[i], p->instance)) {
        o->entries[i].until = BH_NEVER;
      }
    }
  }
  answer(o, p, ANSWER_ACK_REGISTERED, p->sends.id, BH_CODE_NONE);
}

static void on_claim(obvious_hub *o, obvious_peer *p, const bh_body *body) {
  const obvious_peer *target = body->given & BH_M_INSTANCE ? obvious_hub_of_instance(o, body->instance) : p;

  if (!target || (target != p && target->role != BH_ROLE_INSTANCE) || (body->given & BH_M_INSTANCE && target->role)) {
    answer_error(o, p, p->sends.id, BH_CODE_NO_SUCH_INSTANCE);
  } else if (target->role != BH_ROLE_INSTANCE) {
    answer_error(o, p, p->sends.id, BH_CODE_REFUSED);
  } else {
    o->released = false;
    obvious_hub_set_active(o, target->instance);
    answer(o, p, ANSWER_ACK_ACTIVE, p->sends.id, BH_CODE_NONE);
  }
}

static void on_release(obvious_hub *o, obvious_peer *p) {
  if (o->active[0] && (p->role == BH_ROLE_OBSERVER || same(o->active, p->instance))) {
    o->released = true;
    obvious_hub_set_active(o, "");
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
      obvious_entry_park(e, e->record.deaths);
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
    obvious_hub_leave(o, p, now);
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
  obvious_hub_lose(o, p, false, now);
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
  if (obvious_hub_count(o, OBVIOUS_UNREGISTERED, BH_ROLE_INSTANCE) > 64) {
    answer_error(o, p, 0, BH_CODE_OVERLOADED);
    obvious_hub_begin_close(o, p, now);
  }
  return p;
}
