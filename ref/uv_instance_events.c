/* SPDX-License-Identifier: MIT */
#include "uv_instance_events.h"

#include <stdlib.h>
#include <string.h>

void bh_instance_events_init(bh_instance_events *events) {
  events->first = NULL;
  events->last = &events->first;
  events->answers = 0;
}

void bh_instance_events_free(bh_instance_events *events) {
  bh_instance_node *node;

  while ((node = bh_instance_events_take(events)) != NULL) {
    free(node);
  }
}

static bool is_answer(bh_instance_event_kind kind) {
  return kind == BH_INSTANCE_DONE || kind == BH_INSTANCE_FAILED;
}

static bool tells_role(bh_instance_event_kind kind) {
  return kind == BH_INSTANCE_ACTIVE || kind == BH_INSTANCE_INACTIVE;
}

static bool replaces(const bh_instance_events *events, bh_instance_event_kind newer, bh_instance_event_kind older) {
  if (is_answer(newer)) {
    return is_answer(older) && events->answers >= BH_COMMANDS_MAX;
  }
  return newer != BH_INSTANCE_IMPORT && (newer == older || (tells_role(newer) && tells_role(older)));
}

static bh_instance_node *take_out(bh_instance_events *events, bh_instance_node **at) {
  bh_instance_node *node = *at;

  *at = node->next;
  if (node->next == NULL) {
    events->last = at;
  }
  events->answers -= is_answer(node->event.kind);
  return node;
}

static void replace(bh_instance_events *events, bh_instance_event_kind newer) {
  for (bh_instance_node **at = &events->first; *at != NULL; at = &(*at)->next) {
    if (replaces(events, newer, (*at)->event.kind)) {
      free(take_out(events, at));
      return;
    }
  }
}

bool bh_instance_events_add(bh_instance_events *events, const bh_instance_event *event) {
  bh_instance_node *node = malloc(sizeof *node + event->assets_size + 1);

  if (node == NULL) {
    return false;
  }
  replace(events, event->kind);
  node->next = NULL;
  node->event = *event;
  if (event->assets_size > 0) {
    memcpy(node->assets, event->assets, event->assets_size);
  }
  node->assets[event->assets_size] = '\0';
  node->event.assets = node->assets;
  *events->last = node;
  events->last = &node->next;
  events->answers += is_answer(event->kind);
  return true;
}

bh_instance_node *bh_instance_events_take(bh_instance_events *events) {
  return events->first == NULL ? NULL : take_out(events, &events->first);
}
