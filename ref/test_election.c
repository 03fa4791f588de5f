/* SPDX-License-Identifier: MIT */
#include "election.h"

#include <criterion/criterion.h>

/* What a process tries next, and when: spec/protocol.md, section 7. A test tells how each attempt ended. */

enum { START = 4000, TIMEOUT = 5000 };

static bh_election election;
static uint64_t now;

static void begins(bool may_serve) {
  bh_election_config config = {.may_serve = may_serve, .port_known = true, .timeout_ms = TIMEOUT, .random = 1};

  now = START;
  bh_election_init(&election, &config, now);
}

static void tries(bh_election_kind kind) {
  bh_election_action action;

  cr_assert(bh_election_poll(&election, &action), "nothing to do");
  cr_assert_eq(action.kind, kind, "the next action is %d", (int)action.kind);
}

static void tells(bh_election_news news) {
  bh_election_action action;

  cr_assert(bh_election_poll(&election, &action), "nothing to do");
  cr_assert_eq(action.kind, BH_ELECT_TELL, "the next action is %d", (int)action.kind);
  cr_assert_eq(action.news, news, "the news is %d", (int)action.news);
}

static void does_nothing(void) {
  bh_election_action action;

  cr_assert_not(bh_election_poll(&election, &action), "does %d", (int)action.kind);
}

/* It waits for a part of the 250 ms that BH-ELECT-007 allows (and `least`), and not a moment less than it says. */
static void waits_and(uint64_t least) {
  uint64_t due = bh_election_expiry(&election);

  does_nothing();
  cr_assert(due >= now + least && due <= now + least + 250, "waits for %d ms", (int)(due - now));
  if (due > now) {
    bh_election_expire(&election, due - 1);
    does_nothing();
  }
  now = due;
  bh_election_expire(&election, now);
  cr_assert_eq(bh_election_expiry(&election), BH_NEVER);
}

static void serving_ends(bh_serve_result result) {
  bh_election_served(&election, result, now);
}

static void connecting_ends(bh_connect_result result) {
  bh_election_connected(&election, result, now);
}

static void is_registered(void) {
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_DONE);
  bh_election_registered(&election, TIMEOUT);
}

/* ---- the first attempt comes at once, and the later ones after a random time: BH-ELECT-007 */

Test(election, who_may_serve_tries_the_port_first) {
  begins(true);
  tries(BH_ELECT_SERVE);
  does_nothing();
  serving_ends(BH_SERVE_DONE);
  is_registered();
  does_nothing();
  cr_assert_eq(bh_election_expiry(&election), BH_NEVER);
}

Test(election, who_may_not_serve_only_connects) {
  begins(false);
  is_registered();
  does_nothing();
}

Test(election, without_the_port_or_the_lock_it_connects) {
  static const bh_serve_result results[] = {BH_SERVE_PORT_HELD, BH_SERVE_LOCK_HELD, BH_SERVE_IMPOSSIBLE};

  for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
    begins(true);
    tries(BH_ELECT_SERVE);
    serving_ends(results[i]);
    is_registered();
    does_nothing();
  }
}

Test(election, who_lost_its_hub_waits_and_tries_to_become_it) {
  begins(true);
  tries(BH_ELECT_SERVE);
  serving_ends(BH_SERVE_PORT_HELD);
  is_registered();
  bh_election_lost(&election, BH_LOST_CLOSED, true, now);
  tells(BH_NEWS_LOST);
  waits_and(0);
  tries(BH_ELECT_SERVE);
}

Test(election, who_is_the_hub_only_connects_to_itself) {
  begins(true);
  tries(BH_ELECT_SERVE);
  serving_ends(BH_SERVE_DONE);
  is_registered();
  bh_election_lost(&election, BH_LOST_CLOSED, true, now);
  tells(BH_NEWS_LOST);
  waits_and(0);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_NOBODY);
  tells(BH_NEWS_NO_HUB);
  waits_and(0);
  tries(BH_ELECT_CONNECT);
}

/* Another has the port, and opens its endpoint in a few milliseconds: the first looks for it are close together. */
Test(election, who_lost_the_port_looks_for_the_winner_soon) {
  uint64_t longest = 15;

  begins(true);
  for (int i = 0; i < 8; i++, longest *= 2) {
    tries(BH_ELECT_SERVE);
    serving_ends(BH_SERVE_PORT_HELD);
    tries(BH_ELECT_CONNECT);
    connecting_ends(BH_CONNECT_NOBODY);
    if (i == 0) {
      tells(BH_NEWS_NO_HUB);
    }
    cr_assert_leq(bh_election_expiry(&election) - now, longest, "look %d", i);
    waits_and(0);
  }
}

Test(election, processes_do_not_wait_alike) {
  uint64_t dues[8];
  bool differ = false;

  for (uint64_t i = 0; i < 8; i++) {
    bh_election_config config = {.random = i};
    bh_election_init(&election, &config, START);
    tries(BH_ELECT_CONNECT);
    bh_election_connected(&election, BH_CONNECT_NOBODY, START);
    dues[i] = bh_election_expiry(&election);
    differ = differ || dues[i] != dues[0];
  }
  cr_assert(differ);
}

Test(election, a_refused_registration_is_not_tried_at_once) {
  begins(false);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_DONE);
  bh_election_lost(&election, BH_LOST_REFUSED, false, now);
  waits_and(1000);
  tries(BH_ELECT_CONNECT);
}

/* ---- what is said */

/* Tries on and on for `ms`; nothing but `last` may be news, once, and only at the end. Looks find `held`. */
static void finds_nobody_for(uint64_t ms, bool held) {
  uint64_t until = now + ms;

  while (now < until) {
    bh_election_action action;
    waits_and(0);
    while (bh_election_poll(&election, &action)) {
      switch (action.kind) {
      case BH_ELECT_SERVE:
        serving_ends(held ? BH_SERVE_PORT_HELD : BH_SERVE_LOCK_HELD);
        break;
      case BH_ELECT_CONNECT:
        connecting_ends(BH_CONNECT_NOBODY);
        break;
      case BH_ELECT_LOOK_AT_PORT:
        bh_election_port(&election, held, now);
        break;
      case BH_ELECT_TELL:
        cr_assert_fail("news %d", (int)action.news);
      }
      if (election.news_due) {
        return;
      }
    }
  }
}

/* BH-ELECT-008 */
Test(election, a_port_held_without_a_hub_for_the_time_out_is_said) {
  for (int may_serve = 0; may_serve < 2; may_serve++) {
    begins(may_serve != 0);
    if (may_serve) {
      tries(BH_ELECT_SERVE);
      serving_ends(BH_SERVE_PORT_HELD);
    }
    tries(BH_ELECT_CONNECT);
    connecting_ends(BH_CONNECT_NOBODY);
    tells(BH_NEWS_NO_HUB);
    finds_nobody_for(TIMEOUT + 1000, true);
    cr_assert(now >= START + TIMEOUT && now <= START + TIMEOUT + 500, "at %d", (int)now);
    tells(BH_NEWS_PORT_TAKEN);
    finds_nobody_for(TIMEOUT, true);
    cr_assert_not(election.news_due, "it is said once");
  }
}

Test(election, a_port_that_nobody_holds_is_not_said_to_be_taken) {
  begins(false);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_NOBODY);
  tells(BH_NEWS_NO_HUB);
  finds_nobody_for(3 * TIMEOUT, false);
  cr_assert_not(election.news_due);
}

Test(election, another_hub_that_has_the_spool_is_no_taken_port) {
  begins(true);
  tries(BH_ELECT_SERVE);
  serving_ends(BH_SERVE_LOCK_HELD);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_NOBODY);
  tells(BH_NEWS_NO_HUB);
  finds_nobody_for(3 * TIMEOUT, false);
  cr_assert_not(election.news_due);
}

Test(election, a_port_that_is_not_known_is_not_looked_at) {
  bh_election_config config = {.timeout_ms = TIMEOUT};

  now = START;
  bh_election_init(&election, &config, now);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_NOBODY);
  tells(BH_NEWS_NO_HUB);
  waits_and(0);
  tries(BH_ELECT_CONNECT);
  now += TIMEOUT;
  connecting_ends(BH_CONNECT_NOBODY);
  does_nothing();
}

/* The time runs from when it was found that nobody is there. */
Test(election, a_hub_in_between_ends_the_absence) {
  begins(false);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_NOBODY);
  tells(BH_NEWS_NO_HUB);
  waits_and(0);
  now += TIMEOUT - 1000;
  is_registered();
  bh_election_lost(&election, BH_LOST_CLOSED, true, now);
  tells(BH_NEWS_LOST);
  waits_and(0);
  now += 1000;
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_NOBODY);
  tells(BH_NEWS_NO_HUB);
  waits_and(0);
}

/* BH-TIME-007 */
Test(election, a_process_that_was_stopped_does_not_judge_by_what_it_missed) {
  begins(false);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_NOBODY);
  tells(BH_NEWS_NO_HUB);
  now += TIMEOUT * 2;
  bh_election_expire(&election, now);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_NOBODY);
  waits_and(0);
}

/* BH-ELECT-009 */
Test(election, a_hub_that_does_not_answer_is_said_once) {
  begins(true);
  tries(BH_ELECT_SERVE);
  serving_ends(BH_SERVE_PORT_HELD);
  is_registered();
  bh_election_lost(&election, BH_LOST_SILENT, true, now);
  tells(BH_NEWS_NOT_RESPONDING);
  for (int i = 0; i < 3; i++) {
    waits_and(0);
    tries(BH_ELECT_SERVE);
    serving_ends(BH_SERVE_PORT_HELD);
    tries(BH_ELECT_CONNECT);
    connecting_ends(BH_CONNECT_NO_ANSWER);
  }
  waits_and(0);
  tries(BH_ELECT_SERVE);
  serving_ends(BH_SERVE_PORT_HELD);
  is_registered();
  bh_election_lost(&election, BH_LOST_SILENT, true, now);
  tells(BH_NEWS_NOT_RESPONDING);
}

Test(election, an_endpoint_that_cannot_be_used_is_said_and_tried_again) {
  begins(false);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_UNUSABLE);
  tells(BH_NEWS_UNUSABLE);
  waits_and(0);
  tries(BH_ELECT_CONNECT);
}

/* What fits nothing that is under way changes nothing. */
Test(election, what_was_not_asked_for_is_ignored) {
  begins(false);
  serving_ends(BH_SERVE_DONE);
  bh_election_lost(&election, BH_LOST_CLOSED, true, now);
  bh_election_port(&election, true, now);
  tries(BH_ELECT_CONNECT);
  connecting_ends(BH_CONNECT_DONE);
  connecting_ends(BH_CONNECT_NOBODY);
  does_nothing();
  cr_assert_eq(bh_election_expiry(&election), BH_NEVER);
}
