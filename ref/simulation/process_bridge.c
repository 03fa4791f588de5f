/* SPDX-License-Identifier: MIT */
#include "simulation.h"

/* The hub's side of Bridge's connections: octets to the core, values to the spool. */

static connection *find(world *w, int index, bh_bridge bridge) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    connection *c = &w->connections[i];
    const net_end *end = &c->ends[SERVER];
    if (c->stamp != 0 && c->where == AT_PORT && end->owner == index && end->open && end->ready &&
        end->handle == bridge) {
      return c;
    }
  }
  return NULL;
}

void hub_bridge_gone(world *w, connection *c) {
  if (c->file != NOBODY) {
    disk_drop(w, c->file);
    c->file = NOBODY;
  }
}

static void give_up(world *w, int index, connection *c) {
  trace(w, index, "the spool takes no value of Bridge %d", c->ends[OPENER].owner);
  hub_bridge_gone(w, c);
  bh_ingest_abort(w->processes[index].ingest, c->ends[SERVER].handle, "the spool cannot be written");
}

/* Its place in the order is that of its completion. */
static void commit(world *w, int index, connection *c) {
  process *p = &w->processes[index];
  const sender *s = &w->senders[c->ends[OPENER].owner];
  int v = c->committed < s->value_count ? s->values[c->committed] : NOBODY;
  int made = c->file;
  bh_import import;

  bh_hub_next_import(p->hub, &import);
  if (v == NOBODY) {
    wrong(w, "an import is made of what Bridge did not send");
  }
  judge_commit(w, c, &import, &w->files[made], v);
  c->file = NOBODY;
  if (disk_commit(w, made, &import, v) != DISK_OK) {
    w->values[v].state = VALUE_MADE;
    give_up(w, index, c);
    return;
  }
  trace(w, index, "v%d is complete: import %s", v, import.import);
  w->tallies.complete++;
  c->committed++;
  if (dies_here(w, index)) {
    return;
  }
  if (bh_hub_import(p->hub, &import, now_ms(w)) != BH_OK) {
    wrong(w, "the hub does not take import %s", import.import);
  }
}

static void close(world *w, int index, connection *c, const bh_ingest_event *event) {
  trace(w, index, "closes Bridge %d after octet %llu, %s: %s", c->ends[OPENER].owner, (unsigned long long)event->offset,
        event->orderly ? "orderly" : "by a reset", event->reason);
  judge_bridge_closed(w, c, event->orderly);
  net_close(w, c, SERVER, !event->orderly);
}

void hub_bridge_event(world *w, int index, const bh_ingest_event *event) {
  connection *c = find(w, index, event->bridge);

  if (c == NULL) {
    wrong(w, "an event of a connection from Bridge that is not there");
  }
  switch (event->kind) {
  case BH_INGEST_BEGIN:
    c->file = disk_create(w);
    if (c->file == NOBODY) {
      give_up(w, index, c);
    }
    break;
  case BH_INGEST_OCTETS:
    if (!disk_append(w, c->file, event->octets, event->size)) {
      give_up(w, index, c);
    }
    break;
  case BH_INGEST_COMMIT:
    commit(w, index, c);
    break;
  case BH_INGEST_DROP:
    hub_bridge_gone(w, c);
    break;
  case BH_INGEST_CLOSE:
    close(w, index, c, event);
    break;
  }
}

void hub_bridge_deliver(world *w, connection *c) {
  int index = c->ends[SERVER].owner;
  process *p = &w->processes[index];
  bh_bridge bridge = c->ends[SERVER].handle;
  bool reset;
  size_t size = net_take(w, c, SERVER, w->inputs[index], &reset);

  if (size == 0) {
    c->ends[SERVER].deaf = true;
    bh_ingest_end(p->ingest, bridge, reset, now_ms(w));
  } else if (bh_ingest_recv(p->ingest, bridge, w->inputs[index], size, now_ms(w)) == BH_OK) {
    c->received += size;
  }
  hub_work(w, index);
}
