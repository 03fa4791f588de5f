/* SPDX-License-Identifier: MIT */
/* Long runs of what --seed draws, held against what the specification says must be the case after each step. */
#include "harness.h"
#include "imports.h"
#include "lives.h"
#include "steps.h"

#include <string.h>

/* ---- frame: any chunking of any messages */

#define MESSAGES 60

static const char *const requests[] = {"HEARTBEAT", "CLAIM_ACTIVE", "RELEASE_ACTIVE", "REGISTER", "NO_SUCH_TYPE"};

static char *random_body(void) {
  return format("%s{%s\"x\":\"%s\"}", repeat(" ", random_below(4)), repeat("\n", random_below(3)),
                repeat("y", random_below(4) == 0 ? random_below(5000) : random_below(40)));
}

static void send_at_random(struct conn *conn, const char *octets) {
  for (size_t left = strlen(octets); left > 0;) {
    size_t piece = 1 + random_below(random_below(3) == 0 ? 3000 : 40);
    piece = piece < left ? piece : left;
    send_pieces(conn, octets, piece, piece);
    octets += piece;
    left -= piece;
  }
}

CASE(frame, any_messages_in_any_pieces, MUST, "BH-FRAME-002") {
  struct hub *hub = hub_start_with((struct hub_options){RARE_HEARTBEATS});
  struct conn *conn = join(hub, "A");
  uint32_t first;

  fence(conn);
  conn_mute(conn); /* an answer to a HEARTBEAT would take an id that is laid out here */
  first = next_id(conn);
  const char *all = "";
  for (uint32_t i = 0; i < MESSAGES; i++) {
    const char *type = requests[random_below(sizeof requests / sizeof requests[0])];
    all = format("%s%s", all, message_text(type, first + i, random_below(5) == 0 ? "" : random_body()));
  }
  send_at_random(conn, all);
  for (uint32_t i = 0; i < MESSAGES; i++) {
    find_answer(conn, first + i);
  }
  expect_goes_on(conn);
}

/* ---- active: claims, hand-overs, releases, comings and goings */

#define WINDOWS 4
#define STEPS 60

struct roles {
  struct hub *hub;
  struct conn *window[WINDOWS]; /* NULL: it is not there */
  struct conn *observer;
  const char *active; /* NULL: nobody */
  bool released;      /* BH-REL-004: until there is a claim */
};

static bool is_empty(const struct roles *roles) {
  for (size_t i = 0; i < WINDOWS; i++) {
    if (roles->window[i]) {
      return false;
    }
  }
  return true;
}

static bool is_active(const struct roles *roles, size_t i) {
  return roles->active && roles->window[i] && strcmp(roles->active, roles->window[i]->instance) == 0;
}

static void come(struct roles *roles, size_t i) {
  bool alone = is_empty(roles);

  roles->window[i] = join(roles->hub, format("window %zu", i));
  if (alone && !roles->released) {
    roles->active = roles->window[i]->instance;
  }
}

static void leave(struct roles *roles, size_t i) {
  pass_request(roles->window[i], "BH-REG-007", "UNREGISTER", "");
  if (is_active(roles, i)) {
    roles->active = NULL;
  }
  conn_close(roles->window[i]);
  roles->window[i] = NULL;
}

static void hand_over(struct roles *roles, size_t from, size_t to) {
  checking("BH-CLAIM-004");
  request(roles->window[from], "CLAIM_ACTIVE", "{'instance':'%s'}", roles->window[to]->instance);
  roles->active = roles->window[to]->instance;
  roles->released = false;
}

static void release_or_not(struct roles *roles, size_t i) {
  checking("BH-REL-001");
  bool has_it = is_active(roles, i);
  const struct message *answer = find_answer(roles->window[i], send_message(roles->window[i], "RELEASE_ACTIVE", NULL));

  EXPECT(has_it ? strcmp(answer->type, "ACK") == 0 : is_error(answer, "not-active"),
         "who is active can release, and others are not-active", "%s for %s", answer->type,
         has_it ? "the active one" : "another");
  if (has_it) {
    roles->active = NULL;
    roles->released = true;
  }
}

static void step(struct roles *roles) {
  size_t one = random_below(WINDOWS), other = random_below(WINDOWS);

  if (!roles->window[one]) {
    come(roles, one);
  } else if (random_below(6) == 0) {
    leave(roles, one);
  } else if (random_below(4) == 0) {
    release_or_not(roles, one);
  } else if (roles->window[other] && other != one) {
    hand_over(roles, one, other);
  } else {
    checking("BH-CLAIM-001");
    request(roles->window[one], "CLAIM_ACTIVE", NULL);
    roles->active = roles->window[one]->instance;
    roles->released = false;
  }
}

CASE(active, any_run_of_claims_and_releases, MUST, "BH-ACT-001 BH-ACT-004 BH-CLAIM-001 BH-CLAIM-004 BH-REL-001") {
  struct roles roles = {.hub = hub_start()};

  roles.observer = conn_open(roles.hub);
  register_observer(roles.observer, "observer");
  for (unsigned i = 0; i < STEPS; i++) {
    const char *before = roles.active;
    step(&roles);
    checking("BH-ACT-001");
    if (before != roles.active) {
      expect_active(roles.observer, roles.active);
    }
    fence(roles.observer);
  }
  expect_still_active(roles.observer, roles.active);
}

/* ---- ingest: any values in any pieces, on connections that take turns */

#define BRIDGES 3
#define VALUES 8

static char *random_value(unsigned connection, unsigned number) {
  const char *name = repeat("\\u00e9\xc3\xa9[{", random_below(random_below(4) == 0 ? 3000 : 20));

  return format("[%s{\"connection\":%u,\"number\":%u,\"deep\":%s%s,\"name\":\"%s\"}%s]", repeat(" ", random_below(3)),
                connection, number, repeat("[", 20), repeat("]", 20), name, repeat("\n", random_below(3)));
}

struct sender {
  struct bridge *bridge;
  char *values[VALUES];
  const char *rest; /* of them all, one behind the other */
  unsigned taken;
};

static struct sender make_sender(struct hub *hub, unsigned connection) {
  struct sender sender = {.bridge = bridge_open(hub), .rest = ""};

  for (unsigned i = 0; i < VALUES; i++) {
    sender.values[i] = random_value(connection, i);
    sender.rest = format("%s%s%s", sender.rest, repeat("\r\n\t ", random_below(2)), sender.values[i]);
  }
  return sender;
}

static bool send_some(struct sender *sender) {
  size_t left = strlen(sender->rest), piece = 1 + random_below(random_below(3) == 0 ? 6000 : 90);

  if (left == 0) {
    return false;
  }
  piece = piece < left ? piece : left;
  bridge_send(sender->bridge, sender->rest, piece);
  sender->rest += piece;
  if (piece == left) {
    bridge_half_close(sender->bridge);
  }
  return true;
}

/* Of several connections' imports any can be next; of one it is the one behind the last. */
static void expect_next_of_any(struct conn *conn, struct sender *senders) {
  const struct message *import = expect_message(conn, "IMPORT_DATA");
  size_t size;
  const char *assets = json_octets(&import->json, "assets", &size);

  for (size_t i = 0; i < BRIDGES; i++) {
    struct sender *sender = &senders[i];
    const char *next = sender->taken < VALUES ? sender->values[sender->taken] : "";
    if (strlen(next) == size && memcmp(next, assets, size) == 0) {
      sender->taken++;
      ack_import(conn, import);
      return;
    }
  }
  fail("the next value of one of the connections, octet for octet", "%.200s", assets);
}

CASE(ingest, any_values_in_any_pieces, MUST, "BH-INGEST-003") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct sender senders[BRIDGES];

  for (unsigned i = 0; i < BRIDGES; i++) {
    senders[i] = make_sender(hub, i);
  }
  for (unsigned idle = 0; idle < 40;) {
    idle = send_some(&senders[random_below(BRIDGES)]) ? 0 : idle + 1;
  }
  for (unsigned i = 0; i < BRIDGES; i++) {
    while (send_some(&senders[i])) {
    }
  }
  for (unsigned i = 0; i < BRIDGES * VALUES; i++) {
    expect_next_of_any(conn, senders);
  }
  expect_nothing_more(conn);
}

/* ---- delivery: any window, answers in any order */

#define EXPORTS 30

/* Takes what has come; the window is never passed. */
static size_t take_some(struct conn *conn, const struct message **held, size_t count, unsigned *next, unsigned window) {
  while (*next <= EXPORTS && count < window) {
    checking("BH-ROUTE-002");
    held[count++] = expect_assets(conn, numbered((*next)++));
  }
  checking("BH-ROUTE-003");
  EXPECT(pending(conn, "IMPORT_DATA") == 0, "no more imports unanswered than the window has", "one more");
  return count;
}

CASE(delivery, any_window_answered_in_any_order, MUST, "BH-ROUTE-002 BH-ROUTE-003") {
  unsigned window = 1 + random_below(8);
  struct hub *hub = hub_start();
  struct conn *conn = join_active(hub, "A", window);
  const struct message *held[8];
  size_t count = 0;
  unsigned next = 1;

  note("the window is %u", window);
  export_numbered(hub, 1, EXPORTS);
  while ((count = take_some(conn, held, count, &next, window)) > 0) {
    for (size_t answers = 1 + random_below((uint32_t)count); answers > 0; answers--) {
      size_t chosen = random_below((uint32_t)count);
      ack_import(conn, held[chosen]);
      held[chosen] = held[--count];
    }
  }
  expect_nothing_more(conn);
}
