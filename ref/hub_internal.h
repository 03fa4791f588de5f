/* SPDX-License-Identifier: MIT */
#ifndef BH_HUB_INTERNAL_H
#define BH_HUB_INTERNAL_H

/* What the files hub*.c share. */

#include "body.h"
#include "escape.h"
#include "outbox.h"
#include "reader.h"

enum {
  /* Those that section 10 allows, and some that are being told that they are too many, or superseded. */
  BH_PEER_SLOTS = BH_INSTANCES_MAX + BH_OBSERVERS_MAX + BH_UNREGISTERED_MAX + 128,
  BH_PEER_SLOT_BITS = 9,
  BH_REASON_MAX = 512,
};

typedef enum {
  PEER_FREE,
  PEER_UNREGISTERED,
  PEER_REGISTERED,
  PEER_CLOSING, /* what is queued goes out, then the connection is closed; nothing that it sends counts any more */
} peer_state;

typedef struct {
  bh_peer id;
  uint32_t generation;
  peer_state state;
  bh_role role;
  uint32_t window;
  bh_instance_info info;
  bh_reader reader;
  uint64_t since; /* when it opened; when closing: when that began */
  uint64_t heard;
  uint64_t told_instances; /* hub.instances_version that it was last told */
  bool beat_due;
  bool close_now;
  bh_outbox out;
  bool send_told;
  bool import_unsent; /* an IMPORT_DATA is in `out` (BH-ROUTE-017) */
  bool import_lent;   /* ... in what the driver is sending */
  /* Delivery. */
  uint32_t held; /* imports on their way to it, or with it unanswered */
  bool fetching; /* one of them is being recorded or loaded */
  bool reserved; /* the spool may hold some that are reserved for it */
  bool early;    /* it came back to a young hub (BH-ACT-006) */
} peer;

typedef enum {
  ENTRY_WAITING,   /* nobody has it */
  ENTRY_RESERVED,  /* for a holder that was lost, or has come back and was not sent it again yet */
  ENTRY_RECORDING, /* its sending is being recorded in the spool */
  ENTRY_LOADING,   /* its octets are being read */
  ENTRY_IN_HAND,   /* it was queued for its holder */
  ENTRY_RETURNING, /* the spool is told that nobody has it any more */
  ENTRY_PARKING,
  ENTRY_REMOVING,
} entry_state;

typedef struct entry {
  bh_import record;      /* as the spool has it */
  bh_import next_record; /* RECORDING, RETURNING, PARKING: as it shall have it */
  entry_state state;
  bh_peer peer;                  /* RECORDING, LOADING, IN_HAND */
  uint32_t message;              /* IN_HAND: the id of its IMPORT_DATA */
  uint64_t reserved_until;       /* RESERVED: BH_NEVER while its holder is connected */
  bh_peer lost;                  /* RESERVED: the connection with which its holder was lost; 0: another hub's */
  uint32_t sends;                /* how often it was sent; record.attempt may be one more (BH-SPOOL-004) */
  bool was_reserved;             /* RECORDING, LOADING: it goes to the holder that had it before */
  bool asked;                    /* the driver is performing the action that `state` needs */
  bool failed;                   /* that went wrong: again at the next heartbeat */
  bool to_do;                    /* in the list of those whose action must be told */
  char reason[BH_REASON_MAX];    /* PARKING */
  struct entry *previous, *next; /* by sequence */
  struct entry *next_to_do;
} entry;

struct bh_hub {
  bh_allocator allocator;
  bh_logger logger;
  uint32_t hub_pid;
  uint32_t heartbeat_ms;
  uint32_t timeout_ms;
  uint64_t epoch;
  uint64_t random;
  uint64_t started;
  uint64_t now; /* of the last call that told it: bh_hub_send() is not */

  size_t peer_end;  /* no slot from here on was ever used */
  size_t poll_from; /* the slot for which something was last to be done */
  size_t counts[3]; /* unregistered, instances, observers */
  uint64_t instances_version;
  uint64_t made_instances;

  char active[BH_INSTANCE_ID_MAX + 1]; /* "" is nobody */
  char former[BH_INSTANCE_ID_MAX + 1]; /* the lost active instance that may come back (BH-ACT-005) */
  uint64_t former_until;
  bool released;         /* BH-REL-004 */
  bool lonely_may_claim; /* BH-ACT-006: who is alone at the end of that time becomes active */

  entry *first, *last;
  entry *first_to_do, *last_to_do;
  uint32_t entries;
  uint32_t waiting;
  uint32_t parked;
  uint64_t last_sequence;
  uint64_t made_imports;
  uint64_t next_reserved; /* not later than the first RESERVED entry's end */

  char problem[BH_PROBLEM_MAX + 1]; /* "": none */

  uint64_t next_beat;
  bool state_due;
  bool retry_due;

  bh_buffer scratch; /* the body that is being written */

  /* Large, and not cleared at the start. */
  peer peers[BH_PEER_SLOTS];
  bh_instance_info view[BH_INSTANCES_MAX];
  char line[1024]; /* of the log */
};

/* hub_peers.c: who is connected. */
peer *bh_peer_find(bh_hub *hub, bh_peer id);
peer *bh_peer_open(bh_hub *hub, uint64_t now);
void bh_peer_forget(bh_hub *hub, peer *p);
peer *bh_peer_of_instance(bh_hub *hub, const char *instance); /* registered, of either role */
void bh_peer_register(bh_hub *hub, peer *p, const bh_body *body, const char *instance);
/* Takes the peer out of the counts and begins to close its connection; what is queued for it goes out first. */
void bh_peer_begin_close(bh_hub *hub, peer *p, uint64_t now);
size_t bh_count_unregistered(const bh_hub *hub);
size_t bh_count_instances(const bh_hub *hub);
size_t bh_count_observers(const bh_hub *hub);
void bh_new_instance_id(bh_hub *hub, char out[BH_INSTANCE_ID_MAX + 1]);

/* hub_output.c: what goes out. What could not be queued is found by bh_check_output(). */
void bh_send_ack(bh_hub *hub, peer *p, uint32_t answers);
void bh_send_ack_active(bh_hub *hub, peer *p, uint32_t answers); /* with `active` */
void bh_send_ack_registered(bh_hub *hub, peer *p, uint32_t answers);
void bh_send_error(bh_hub *hub, peer *p, uint32_t answers, bh_code code, const char *message);
/* Its message's id; 0: it could not be queued. */
uint32_t bh_send_import(bh_hub *hub, peer *p, const bh_import *import, const uint8_t *octets, size_t size);
void bh_beat_all(bh_hub *hub);

/* hub_<message type>.c: what a message does. The body was read and is right. */
void bh_on_register(bh_hub *hub, peer *p, const bh_body *body, uint64_t now);
void bh_on_unregister(bh_hub *hub, peer *p, uint64_t now);
void bh_on_claim_active(bh_hub *hub, peer *p, const bh_body *body);
void bh_on_release_active(bh_hub *hub, peer *p);
void bh_on_heartbeat(bh_hub *hub, peer *p);
void bh_on_ack(bh_hub *hub, peer *p, const bh_body *body);
void bh_on_error(bh_hub *hub, peer *p, const bh_body *body);

/* hub_active.c: who is active (section 4). */
void bh_set_active(bh_hub *hub, const char *instance, const char *why); /* "": nobody */
void bh_active_on_register(bh_hub *hub, peer *p, bool resumes, uint64_t now);
void bh_active_on_leave(bh_hub *hub, const peer *p);
void bh_active_on_loss(bh_hub *hub, const peer *p, uint64_t now);
void bh_active_expire(bh_hub *hub, uint64_t now);
uint64_t bh_active_expiry(const bh_hub *hub);

/* hub_delivery.c: which import goes where (section 6.2). */
void bh_deliver(bh_hub *hub, peer *p);
void bh_deliver_active(bh_hub *hub);
void bh_delivery_on_role(bh_hub *hub, peer *before); /* `before`: who had it and is still there, or NULL */
void bh_delivery_on_register(bh_hub *hub, peer *p);
void bh_delivery_on_leave(bh_hub *hub, peer *p);
void bh_delivery_on_loss(bh_hub *hub, peer *p, bool process_gone, uint64_t now);
void bh_delivery_on_supersede(bh_hub *hub, peer *older);
void bh_delivery_on_recorded(bh_hub *hub, entry *e);
void bh_delivery_expire(bh_hub *hub, uint64_t now);
void bh_reserve(bh_hub *hub, entry *e, uint64_t until);
/* What the holder answered: ACK, or ERROR. */
entry *bh_entry_in_hand(bh_hub *hub, const peer *p, uint32_t message);
void bh_finish(bh_hub *hub, peer *p, entry *e);
void bh_refuse(bh_hub *hub, peer *p, entry *e, const char *code, const char *message);

/* hub_spool.c: the imports of the spool, and what must be done to them. */
entry *bh_entry_find(bh_hub *hub, uint64_t sequence);
void bh_entry_forget(bh_hub *hub, entry *e); /* which waits for no action */
/* Enters the state, queues the action that it needs, and keeps hub->waiting right. */
void bh_entry_enter(bh_hub *hub, entry *e, entry_state state);
bool bh_entry_poll(bh_hub *hub, bh_action *action);
/* The actions that went wrong are to be told again. */
void bh_entries_again(bh_hub *hub);
void bh_entries_free(bh_hub *hub);

/* hub_timeout.c: clients that are lost. */
void bh_lost(bh_hub *hub, peer *p, bool process_gone, const char *why, uint64_t now);
/* The same, but what is queued for it goes out first. */
void bh_turn_out(bh_hub *hub, peer *p, const char *why, uint64_t now);
/* Loses a client for which too much is queued, or nothing more can be: BH-LIMIT-004, BH-FRAME-012, no memory. */
void bh_check_output(bh_hub *hub, peer *p, uint64_t now);

/* hub_log.c. `who` and every other text of a peer's is escaped there. */
void bh_log(bh_hub *hub, bh_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The instance id and the name, escaped; returns out. */
const char *bh_who(const peer *p, char *out, size_t size);

#endif
