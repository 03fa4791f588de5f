/* SPDX-License-Identifier: MIT */
#include "test_hub_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hub's core and clients' cores talk to each other: in any chunking, and while memory fails at every place. */

enum { PLAYERS = 3, IMPORTS = 8, ROUNDS_MAX = 1000, IN_HAND = 8 };

typedef struct {
  bh_client *client;
  actor *link;
  char *inbox; /* what the hub sent, and the client has not read */
  size_t inbox_size;
  size_t chunk;
  char instance[BH_INSTANCE_ID_MAX + 1];
  char in_hand[IN_HAND][BH_IMPORT_ID_MAX + 1];
  size_t in_hand_count;
  bool keeps; /* imports stay in hand until it is told otherwise */
  bool active;
} player;

static player players[PLAYERS];
static int handed_up[IMPORTS + 1];

static void hub_starts_again(void) {
  bh_hub_config config = usual_hub();

  do {
    hub_starts_as(&config);
  } while (!hub_is_there());
}

/* ---- a client and its driver */

static void take(void *ctx, const uint8_t *octets, size_t size) {
  player *p = ctx;

  p->inbox = realloc(p->inbox, p->inbox_size + size);
  memcpy(p->inbox + p->inbox_size, octets, size);
  p->inbox_size += size;
}

static void start(player *p, const char *name, uint32_t window, bh_role role) {
  bh_client_config config = {.pid = 31,
                             .name = name,
                             .window = window,
                             .role = role,
                             .allocator = test_allocator(the_memory()),
                             .logger = test_logger()};

  *p = (player){.chunk = p->chunk};
  do {
    p->client = bh_client_new(&config);
  } while (p->client == NULL);
}

static void lose(player *p) {
  if (p->link != NULL && p->link->id != 0) {
    hangs_up(p->link);
  }
  p->link = NULL;
  p->inbox_size = 0;
  bh_client_close(p->client, the_time());
}

static void finish(player *p, size_t which, bool refuse) {
  char import[BH_IMPORT_ID_MAX + 1];

  memcpy(import, p->in_hand[which], sizeof import);
  p->in_hand_count--;
  memcpy(p->in_hand[which], p->in_hand[p->in_hand_count], sizeof import);
  cr_assert_eq(refuse ? bh_client_refuse(p->client, import, "no") : bh_client_ack(p->client, import), BH_OK);
}

static void handle_import(player *p, const bh_event *event) {
  unsigned long number = strtoul(strchr(event->import, '-') + 1, NULL, 10);

  cr_assert(spool_says(event->import, event->attempt, p->instance), "it is not in the spool as it was sent");
  cr_assert(event->assets[0] == '[' && event->assets[event->assets_size - 1] == ']');
  handed_up[number]++;
  snprintf(p->in_hand[p->in_hand_count++], sizeof p->in_hand[0], "%s", event->import);
  if (!p->keeps) {
    finish(p, p->in_hand_count - 1, false);
  }
}

static void handle(player *p, const bh_event *event) {
  switch (event->kind) {
  case BH_EV_REGISTERED:
    cr_assert(p->instance[0] == '\0' || strcmp(p->instance, event->instance) == 0);
    memcpy(p->instance, event->instance, sizeof p->instance);
    break;
  case BH_EV_ACTIVE:
  case BH_EV_INACTIVE:
    cr_assert_neq(p->active, event->kind == BH_EV_ACTIVE);
    p->active = event->kind == BH_EV_ACTIVE;
    break;
  case BH_EV_IMPORT:
    handle_import(p, event);
    break;
  case BH_EV_CLOSE:
    lose(p);
    break;
  case BH_EV_SUPERSEDED:
    cr_assert_fail("nobody took its place");
    break;
  default:
    break;
  }
}

static void poll_events(player *p) {
  bh_event event;

  while (bh_client_poll(p->client, &event)) {
    handle(p, &event);
  }
}

static bool reads(player *p) {
  size_t size = p->inbox_size;
  size_t taken = 0;
  uint8_t *octets = malloc(size + 1);
  actor *link = p->link;

  memcpy(octets, p->inbox, size);
  p->inbox_size = 0;
  while (taken < size && p->link == link) {
    size_t part = size - taken < p->chunk ? size - taken : p->chunk;
    size_t consumed = 0;
    bh_client_recv(p->client, octets + taken, part, &consumed, the_time());
    taken += consumed;
    poll_events(p);
  }
  free(octets);
  return size > 0;
}

static bool writes(player *p) {
  const uint8_t *octets;
  size_t size = bh_client_send(p->client, &octets);

  if (size == 0) {
    return false;
  }
  says_octets(p->link, octets, size);
  bh_client_sent(p->client, size);
  return true;
}

/* Connects where there is no connection, reads, writes. False: there was nothing to do. */
static bool works(player *p) {
  bool did = false;

  poll_events(p);
  if (p->link != NULL && p->link->id == 0 && p->inbox_size == 0) {
    lose(p);
  }
  if (p->link == NULL) {
    did = true;
    if (bh_client_open(p->client, the_time()) == BH_OK) {
      p->link = connects_for(take, p);
    }
  }
  if (p->inbox_size > 0) {
    did = reads(p) || did;
  }
  if (p->link != NULL && p->link->id != 0) {
    did = writes(p) || did;
  }
  poll_events(p);
  return did;
}

static void until_all_is_quiet(void) {
  for (int round = 0; round < ROUNDS_MAX; round++) {
    bool did = false;
    for (size_t i = 0; i < PLAYERS; i++) {
      did = works(&players[i]) || did;
    }
    if (!did) {
      return;
    }
  }
  cr_assert_fail("it never ends");
}

static void becomes_active(player *p) {
  uint32_t request;

  for (int attempt = 0; attempt < 4 && !p->active; attempt++) {
    bh_client_claim(p->client, NULL, &request);
    until_all_is_quiet();
  }
  cr_assert(p->active);
}

/* ---- the scenario */

static void scenario(size_t chunk) {
  player *a = &players[0];
  player *b = &players[1];
  player *eye = &players[2];
  static char large[3000];

  memset(handed_up, 0, sizeof handed_up);
  memset(large, ' ', sizeof large - 1);
  memcpy(large, "[{\"id\":4},", 10);
  memcpy(large + sizeof large - 4, "{}]", 4);
  in_chunks_of(chunk);
  hub_starts_again();
  for (size_t i = 0; i < PLAYERS; i++) {
    players[i].chunk = chunk;
  }
  start(a, "a", 2, BH_ROLE_INSTANCE);
  start(b, "b", 1, BH_ROLE_INSTANCE);
  start(eye, "eye", 1, BH_ROLE_OBSERVER);
  until_all_is_quiet();

  /* a has two in hand when the role moves, loses its connection, and finishes them. */
  becomes_active(a);
  a->keeps = true;
  bridge_sends("[{\"id\":1}]");
  bridge_sends("[{\"id\":2}]");
  bridge_sends("[{\"id\":3}]");
  until_all_is_quiet();
  cr_assert_eq(a->in_hand_count, 2);
  becomes_active(b);
  lose(a);
  finish(a, 1, false);
  until_all_is_quiet();
  cr_assert_eq(a->in_hand_count, 1);
  finish(a, 0, false);
  until_all_is_quiet();
  cr_assert_eq(files_in("queue"), 0);

  /* b is cut off in the middle of a large one. */
  bridge_sends(large);
  b->inbox_size -= b->inbox_size > 1500 ? 1500 : 0;
  reads(b);
  lose(b);
  until_all_is_quiet();
  cr_assert_eq(files_in("queue"), 0);

  /* What b refuses is parked; what it has when it leaves goes on to a. */
  b->keeps = true;
  becomes_active(b);
  bridge_sends("[{\"id\":5}]");
  until_all_is_quiet();
  cr_assert_eq(b->in_hand_count, 1);
  finish(b, 0, true);
  until_all_is_quiet();
  bridge_sends("[{\"id\":6}]");
  bridge_sends("[{\"id\":7}]");
  until_all_is_quiet();
  cr_assert_eq(b->in_hand_count, 1);
  a->keeps = false;
  becomes_active(a);
  until_all_is_quiet();
  cr_assert_eq(files_in("queue"), 1);
  finish(b, 0, false);
  until_all_is_quiet();

  time_passes(HEARTBEAT_MS);
  until_all_is_quiet();
}

static void check_outcome(void) {
  bh_client_view view;

  cr_assert_eq(files_in("queue"), 0);
  cr_assert_eq(files_in("parked"), 1);
  for (int i = 1; i <= 7; i++) {
    cr_assert_eq(handed_up[i], 1, "import %d was handed up %d times", i, handed_up[i]);
  }
  for (size_t i = 0; i < PLAYERS; i++) {
    bh_client_status(players[i].client, &view);
    cr_assert(view.registered && view.heard);
    cr_assert_str_eq(view.active, players[0].instance);
    cr_assert_eq(view.instance_count, 2);
    cr_assert_eq(view.parked, 1);
  }
}

static void players_leave(void) {
  for (size_t i = 0; i < PLAYERS; i++) {
    bh_client_free(players[i].client);
    free(players[i].inbox);
    players[i] = (player){0};
  }
  hub_ends();
}

/* BH-FRAME-002, BH-ROUTE-006, BH-CLIENT-001, BH-CLIENT-002 */
Test(hub_and_clients, every_import_arrives_once_in_any_chunking) {
  for (size_t chunk = 1; chunk < 4000; chunk += chunk < 200 ? 1 : 100 + chunk / 3) {
    scenario(chunk);
    check_outcome();
    players_leave();
  }
}

/* Runs the scenario with each allocation failing in its turn, and so many more behind it. */
static size_t fail_in_turn(size_t more) {
  size_t call = 0;
  bool failed;

  do {
    *the_memory() = (test_memory){.fails_at = ++call, .more = more};
    scenario(4000);
    check_outcome();
    failed = the_memory()->failed > 0;
    players_leave();
    cr_assert_eq(the_memory()->blocks, 0);
  } while (failed && call < 10000);
  return call;
}

/* Whichever allocation fails, nobody crashes, nothing is lost or handed up twice, and no memory is left behind. */
Test(hub_and_clients, every_import_arrives_once_whichever_allocation_fails) {
  for (size_t more = 0; more < 4; more++) {
    size_t calls = fail_in_turn(more);
    cr_assert_gt(calls, 30); /* so many can fail */
    cr_assert_lt(calls, 10000);
  }
}

/* Without any memory from some point on, nothing is done, and nothing is done wrong. */
Test(hub_and_clients, without_memory_for_good_everybody_is_let_go) {
  bh_hub_config config = usual_hub();

  for (size_t call = 1; call < 40; call++) {
    *the_memory() = (test_memory){.fails_at = call, .more = SIZE_MAX};
    hub_starts_as(&config);
    in_chunks_of(call % 2 == 0 ? 0 : 7);
    if (hub_is_there()) {
      static const char octets[] = "BH1 REGISTER 1 37\n{\"protocol\":1,\"pid\":1,\"name\":\"large\"}BH1 HEARTBEAT 2 0\n"
                                   "BH1 CLAIM_ACTIVE 3 0\n";
      bh_import left = left_in_spool("queue", 1, IMPORT(1), 0, 0, "", "[1]");
      for (int i = 0; i < 8; i++) {
        actor *a = connects_for(take, &players[0]);
        says_octets(a, octets, sizeof octets - 1);
        found_in_queue(&left);
        time_passes(HEARTBEAT_MS);
      }
    }
    free(players[0].inbox);
    players[0] = (player){0};
    hub_ends();
  }
}
