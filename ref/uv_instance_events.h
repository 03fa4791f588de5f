/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_INSTANCE_EVENTS_H
#define BH_UV_INSTANCE_EVENTS_H

#include "bridgehub.h"

/* The events that wait to be polled. Not thread-safe. */

typedef struct bh_instance_node {
  struct bh_instance_node *next;
  bh_instance_event event;
  char assets[]; /* with a 0 at the end */
} bh_instance_node;

typedef struct {
  bh_instance_node *first;
  bh_instance_node **last;
  size_t answers; /* DONE and FAILED among them */
} bh_instance_events;

void bh_instance_events_init(bh_instance_events *events);
void bh_instance_events_free(bh_instance_events *events);
/* Takes what `event` replaces out. False: no memory. */
bool bh_instance_events_add(bh_instance_events *events, const bh_instance_event *event);
/* The caller frees it. NULL: none waits. */
bh_instance_node *bh_instance_events_take(bh_instance_events *events);

#endif
