/* SPDX-License-Identifier: MIT */
/* The hub at rest: nothing is left to do, and what it shows is right. */

#include "obvious_hub_internal.h"

void obvious_hub_check_view(obvious_hub *o) {
  bh_hub_view view;

  bh_hub_state(o->hub, &view);
  REQUIRE(!view.active || (view.active >= view.instances && view.active < view.instances + view.instance_count),
          "one is active that is not registered");
  EXPECT(o, same(view.active ? view.active->instance : "", o->active), "'%s' is active in the state file",
         view.active ? view.active->instance : "");
  EXPECT(o, view.parked == o->parked, "%u are parked in the state file", (unsigned)view.parked);
  EXPECT(o, same(view.problem, o->problem), "the problem in the state file is '%s'", view.problem);
  obvious_hub_check_instances(o, view.instances, view.instance_count);
  for (size_t i = 0; i < view.instance_count; i++) {
    const obvious_peer *p = obvious_hub_of_instance(o, view.instances[i].instance);
    EXPECT(o, !p || view.instances[i].last_seen == p->seen, "%s was seen at another time", p->instance);
  }
}

static void peer_rests(obvious_hub *o, const obvious_peer *p) {
  if (!p->handle || p->reads_not) {
    return;
  }
  EXPECT(o, p->state != OBVIOUS_CLOSING, "the connection of '%s' is not closed", p->instance);
  EXPECT(o, p->owed == p->paid, "%u answers are owed", (unsigned)(p->owed - p->paid));
  if (p->state != OBVIOUS_REGISTERED) {
    return;
  }
  EXPECT(o, p->beats > 0, "%s was sent no HEARTBEAT", p->instance);
  EXPECT(o, p->told_instances > 0, "%s was not told the instances", p->instance);
  EXPECT(o, same(p->told_active, o->active), "%s was not told who is active", p->instance);
  EXPECT(o, same(p->told_problem, o->problem), "%s was not told the problem", p->instance);
  if (!obvious_hub_can_take(p)) {
    return;
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    const obvious_entry *e = &o->entries[i];
    EXPECT(o, (e->state != OBVIOUS_WAITING && e->state != OBVIOUS_RESERVED) || !obvious_hub_is_next(o, p, e),
           "%s is not sent to %s", e->record.import, p->instance);
  }
}

void obvious_hub_rests(obvious_hub *o) {
  o->changes = o->messages = o->freed = 0;
  o->looks_late = false;
  for (size_t i = 0; i < o->entry_end; i++) {
    o->entries[i].came_late = false;
  }
  for (size_t i = 0; i < o->peer_end; i++) {
    peer_rests(o, &o->peers[i]);
  }
  for (size_t i = 0; i < o->entry_end; i++) {
    const obvious_entry *e = &o->entries[i];
    bool rests = e->state == OBVIOUS_FREE || e->state == OBVIOUS_WAITING || e->state == OBVIOUS_RESERVED ||
                 e->state == OBVIOUS_IN_HAND;
    EXPECT(o, rests || e->failed, "what must be done with %s is not done", e->record.import);
  }
  EXPECT(o, o->written_version == o->state_version, "the state file was not written");
  EXPECT(o, !o->retry_due, "nobody looked into retry/ at the heartbeat");
  EXPECT(o, bh_hub_expiry(o->hub) <= obvious_hub_expiry(o), "the hub wants to be woken too late");
  bh_hub_view view;
  bh_hub_state(o->hub, &view);
  EXPECT(o, view.waiting == obvious_hub_count_waiting(o), "%u wait in the state file, and not %u",
         (unsigned)view.waiting, (unsigned)obvious_hub_count_waiting(o));
  obvious_hub_check_view(o);
}
