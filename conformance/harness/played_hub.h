/* SPDX-License-Identifier: MIT */
#ifndef PLAYED_HUB_H
#define PLAYED_HUB_H

/* The inside of a client under test and of the hub that is played for it, for client.c and played_hub.c. */

#include "client.h"
#include "process.h"
#include "program.h"

struct client_process {
  struct client *client;
  struct process process;
  const char *group, *need;

  /* Events. */
  bh_buffer line; /* the one that is not whole yet */
  struct client_event **events;
  size_t event_count, event_capacity;
  size_t taken; /* how many of them the case has seen */

  /* The hub. */
  uv_pipe_t *listening;     /* NULL: it does not listen at the endpoint itself */
  struct program *listener; /* of --listen; NULL: none does */
  uv_tcp_t *relay;          /* where it hands connections over */
  struct conn **arrivals;
  size_t arrival_count, arrival_capacity;
  size_t greeted; /* how many of them the case has taken */
  unsigned named; /* instances that were given an id */
};

/* It has ended and never connected: that ends the case. */
void check_came(struct client *client);

#endif
