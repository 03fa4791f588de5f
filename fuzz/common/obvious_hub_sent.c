/* SPDX-License-Identifier: MIT */
/* What the hub sends: each message is read, and held against what it has to say. */

#include "obvious_hub_internal.h"

#include "check_body.h"
#include "hub_internal.h"

#include <string.h>

enum { SENT_KEPT = 128, SENT_SIZE_MAX = 32768 };

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
  uint32_t life; /* of which hub: the known ones of another are forgotten */
  size_t size;
  uint8_t octets[SENT_SIZE_MAX];
  sent sent;
} known[SENT_KEPT];

static uint32_t life;

void obvious_hub_forget_sent(void) {
  life++;
}

static size_t place_of(const uint8_t *octets, size_t size) {
  uint64_t hash = size, word;

  for (size_t at = 0; at < size; at += sizeof word) {
    word = 0;
    memcpy(&word, octets + at, size - at < sizeof word ? size - at : sizeof word);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  }
  return (size_t)(hash >> 32) % SENT_KEPT;
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

  if (size > SENT_SIZE_MAX) {
    read_sent(o, r->type, r->body, size, &other);
    return &other;
  }
  size_t at = place_of(r->body, size);
  if (known[at].life != life || known[at].size != size || known[at].type != r->type ||
      memcmp(known[at].octets, r->body, size) != 0) {
    known[at].life = life;
    memcpy(known[at].octets, r->body, size);
    known[at].size = size;
    known[at].type = r->type;
    read_sent(o, r->type, known[at].octets, size, &known[at].sent);
  }
  return &known[at].sent;
}

/* ---- what it has to say */

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

void obvious_hub_check_instances(obvious_hub *o, const bh_instance_info *listed, size_t listed_count) {
  EXPECT(o, listed_count == obvious_hub_count(o, OBVIOUS_REGISTERED, BH_ROLE_INSTANCE), "%zu instances are listed",
         listed_count);
  for (size_t i = 0; i < listed_count; i++) {
    const obvious_peer *p = obvious_hub_of_instance(o, listed[i].instance);
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
  uint32_t waiting = obvious_hub_count_waiting(o);
  EXPECT(o, body->waiting <= waiting && waiting - body->waiting <= o->freed, "%u wait, and not %u", (unsigned)waiting,
         (unsigned)body->waiting);
  EXPECT(o, body->parked == o->parked, "%u are parked, and not %u", (unsigned)o->parked, (unsigned)body->parked);
  EXPECT(o, same(body->problem, o->problem), "the problem is '%s'", body->problem);
  EXPECT(o, (body->given & BH_M_INSTANCES) || p->told_instances == o->instances_version, "instances are not told");
  if (body->given & BH_M_INSTANCES) {
    if (news->checked != o->instances_version) {
      obvious_hub_check_instances(o, news->listed, news->listed_count);
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
