/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_OBVIOUS_HUB_INTERNAL_H
#define FUZZ_OBVIOUS_HUB_INTERNAL_H

/* What the parts of the second hub share. */

#include "obvious_hub.h"
#include "target.h"

#include <string.h>

/* Where it lost track it requires nothing more. */
#define EXPECT(o, condition, ...) REQUIRE((o)->lenient || (condition), __VA_ARGS__)

static inline bool same(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

static inline void copy(char *to, const char *from) {
  strcpy(to, from);
}

/* obvious_hub.c: who is there */
obvious_peer *obvious_hub_of_instance(obvious_hub *o, const char *instance);
size_t obvious_hub_count(const obvious_hub *o, obvious_peer_state state, bh_role role);
void obvious_hub_begin_close(obvious_hub *o, obvious_peer *p, uint64_t now);
void obvious_hub_forget(obvious_peer *p);

/* obvious_hub_role.c */
void obvious_hub_set_active(obvious_hub *o, const char *instance);
bool obvious_hub_is_young(const obvious_hub *o, uint64_t now);
void obvious_hub_active_on_register(obvious_hub *o, obvious_peer *p, bool resumes, uint64_t now);
void obvious_hub_leave(obvious_hub *o, obvious_peer *p, uint64_t now);
void obvious_hub_lose(obvious_hub *o, obvious_peer *p, bool process_gone, uint64_t now);

/* obvious_hub_imports.c */
bool obvious_entry_is_for(const obvious_entry *e, const char *instance);
bool obvious_entry_is_under_way(const obvious_entry *e);
void obvious_entry_give_back(obvious_entry *e, uint32_t deaths);
void obvious_entry_park(obvious_entry *e, uint32_t deaths);
void obvious_entry_die(obvious_entry *e);
void obvious_entry_reserve(obvious_entry *e, uint64_t until);
void obvious_entry_take_back(obvious_entry *e, uint64_t until);
void obvious_hub_reserve_held(obvious_hub *o, obvious_peer *p, uint64_t until);
uint32_t obvious_hub_count_waiting(const obvious_hub *o);
bool obvious_hub_is_next(const obvious_hub *o, const obvious_peer *p, const obvious_entry *e);
bool obvious_hub_can_take(const obvious_peer *p);

/* obvious_hub_sent.c */
void obvious_hub_forget_sent(void);
void obvious_hub_check_instances(obvious_hub *o, const bh_instance_info *listed, size_t listed_count);

#endif
