/* SPDX-License-Identifier: MIT */
#include "election.h"

#include <string.h>

enum {
  AGAIN_MS = 120,    /* a random time up to this, of the 250 that BH-ELECT-007 allows: enough to part a few processes */
  SOON_MS = 15,      /* ... and of it no more than this while somebody else may be about to open the endpoint */
  REFUSED_MS = 1000, /* a hub that refuses the registration now may take it later */
  LOOK_EACH_MS = 1000, /* at the port, for as long as nobody is at the endpoint */
};

typedef enum {
  STEP_WAIT, /* for `due` */
  STEP_SERVE,
  STEP_SERVING, /* under way */
  STEP_CONNECT,
  STEP_CONNECTING,
  STEP_LOOK,
  STEP_LOOKING,
  STEP_CONNECTED,
} step;

void bh_election_init(bh_election *election, const bh_election_config *config, uint64_t now) {
  memset(election, 0, sizeof *election);
  election->may_serve = config->may_serve;
  election->port_known = config->port_known;
  election->timeout_ms = config->timeout_ms == 0 ? BH_TIMEOUT_MS : config->timeout_ms;
  election->random = config->random;
  election->step = STEP_WAIT;
  election->soon_ms = SOON_MS;
  election->due = now;
  bh_election_expire(election, now);
}

static void tell(bh_election *election, bh_election_news news) {
  if (!election->told || election->news != news) {
    election->told = true;
    election->news = news;
    election->news_due = true;
  }
}

/* splitmix64: all that is asked of it is that processes do not wait in step. */
static uint64_t next_random(bh_election *election) {
  uint64_t bits = election->random += 0x9e3779b97f4a7c15u;

  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
  return bits ^ bits >> 31;
}

/*
 * Who has the port and not yet the endpoint needs a few milliseconds: who has just lost to it looks again soon. Each
 * further time it may wait twice as long, because that may be no hub at all.
 */
static uint64_t longest_wait(bh_election *election) {
  uint64_t longest = election->soon_ms;

  election->soon_ms = longest >= AGAIN_MS / 2 ? AGAIN_MS : (uint16_t)(longest * 2);
  return longest;
}

static void try_again(bh_election *election, uint64_t least_ms, uint64_t now) {
  election->step = STEP_WAIT;
  election->due = now + least_ms + next_random(election) % (AGAIN_MS + 1);
}

static void try_again_soon(bh_election *election, uint64_t now) {
  election->step = STEP_WAIT;
  election->due = now + next_random(election) % (longest_wait(election) + 1);
}

/* ---- actions */

static bool begin(bh_election *election, bh_election_action *action, bh_election_kind kind, step under_way) {
  action->kind = kind;
  election->step = under_way;
  return true;
}

bool bh_election_poll(bh_election *election, bh_election_action *action) {
  memset(action, 0, sizeof *action);
  if (election->news_due) {
    election->news_due = false;
    action->kind = BH_ELECT_TELL;
    action->news = election->news;
    return true;
  }
  switch (election->step) {
  case STEP_SERVE:
    return begin(election, action, BH_ELECT_SERVE, STEP_SERVING);
  case STEP_CONNECT:
    return begin(election, action, BH_ELECT_CONNECT, STEP_CONNECTING);
  case STEP_LOOK:
    return begin(election, action, BH_ELECT_LOOK_AT_PORT, STEP_LOOKING);
  default:
    return false;
  }
}

/* ---- how they ended */

void bh_election_served(bh_election *election, bh_serve_result result, uint64_t now) {
  (void)now;
  if (election->step != STEP_SERVING) {
    return;
  }
  election->serving = result == BH_SERVE_DONE;
  election->port_held = result == BH_SERVE_PORT_HELD;
  election->step = STEP_CONNECT;
}

/* Nobody is at the endpoint. Whether the port is held tells what to say of it, once that has lasted. */
static void find_nobody(bh_election *election, uint64_t now) {
  if (!election->absent) {
    election->absent = true;
    election->absent_since = now;
    election->next_look = now + election->timeout_ms;
  }
  if (now - election->absent_since < election->timeout_ms) {
    tell(election, BH_NEWS_NO_HUB);
    try_again_soon(election, now);
  } else if (!election->may_serve && election->port_known && now >= election->next_look) {
    election->next_look = now + LOOK_EACH_MS;
    election->step = STEP_LOOK;
  } else {
    tell(election, election->port_held ? BH_NEWS_PORT_TAKEN : BH_NEWS_NO_HUB);
    try_again_soon(election, now);
  }
}

void bh_election_connected(bh_election *election, bh_connect_result result, uint64_t now) {
  if (election->step != STEP_CONNECTING) {
    return;
  }
  if (result == BH_CONNECT_NOBODY) {
    find_nobody(election, now);
    return;
  }
  election->absent = false;
  if (result == BH_CONNECT_DONE) {
    election->step = STEP_CONNECTED;
    election->soon_ms = SOON_MS;
    return;
  }
  tell(election, result == BH_CONNECT_NO_ANSWER ? BH_NEWS_NOT_RESPONDING : BH_NEWS_UNUSABLE);
  try_again(election, 0, now);
}

void bh_election_port(bh_election *election, bool held, uint64_t now) {
  if (election->step == STEP_LOOKING) {
    election->port_held = held;
    find_nobody(election, now);
  }
}

void bh_election_registered(bh_election *election, uint32_t timeout_ms) {
  election->timeout_ms = timeout_ms;
  election->told = false; /* from here on everything is news again */
  election->news_due = false;
}

void bh_election_lost(bh_election *election, bh_lost_why why, bool was_registered, uint64_t now) {
  if (election->step != STEP_CONNECTED) {
    return;
  }
  if (why == BH_LOST_SILENT) {
    tell(election, BH_NEWS_NOT_RESPONDING);
  } else if (was_registered) {
    tell(election, BH_NEWS_LOST);
  }
  try_again(election, why == BH_LOST_REFUSED ? REFUSED_MS : 0, now);
}

/* ---- time */

uint64_t bh_election_expiry(const bh_election *election) {
  return election->step == STEP_WAIT ? election->due : BH_NEVER;
}

void bh_election_expire(bh_election *election, uint64_t now) {
  if (election->step != STEP_WAIT || now < election->due) {
    return;
  }
  /* This process itself was held up: that nobody was there is old news (BH-TIME-007). */
  if (now - election->due >= LOOK_EACH_MS) {
    election->absent = false;
  }
  election->step = election->may_serve && !election->serving ? STEP_SERVE : STEP_CONNECT;
}
