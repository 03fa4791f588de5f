/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_OBVIOUS_HUB_H
#define FUZZ_OBVIOUS_HUB_H

/*
 * A second hub: sections 3.3 to 4, 6.2 and 9 of spec/protocol.md, written to be compared with. It is told the same as
 * the hub, and requires of all that the hub does that it is right, and when the hub is at rest that nothing is missing.
 *
 * It leaves to the hub in which order independent things happen, and learns from it the instance ids that it makes.
 */

#include "body.h"
#include "reader.h"

enum {
  OBVIOUS_PEERS_MAX = 512,
  OBVIOUS_ENTRIES_MAX = 48,
  OBVIOUS_ANSWERS_MAX = 64,
};

typedef enum { OBVIOUS_UNREGISTERED, OBVIOUS_REGISTERED, OBVIOUS_CLOSING } obvious_peer_state;
typedef enum { ANSWER_ACK, ANSWER_ACK_REGISTERED, ANSWER_ACK_ACTIVE, ANSWER_ERROR } obvious_answer_kind;

typedef struct {
  obvious_answer_kind kind;
  uint32_t answers;
  bh_code code;
  char active[BH_INSTANCE_ID_MAX + 1];
} obvious_answer;

typedef struct {
  bh_peer handle; /* 0: a free place */
  obvious_peer_state state;
  bool at_once;   /* CLOSING: what is queued does not go out first */
  bool reads_not; /* it has stopped reading */
  bh_role role;
  uint32_t window, pid;
  char instance[BH_INSTANCE_ID_MAX + 1];
  char name[BH_NAME_MAX + 1];
  bool early; /* it came back to a young hub */
  uint64_t heard, since;
  uint64_t seen;    /* heard, and not merely given fresh time */
  bh_reader sends;  /* to the hub */
  bh_reader gets;   /* from the hub */
  uint32_t last_id; /* from the hub */
  /* Answers that the hub owes it, a ring. */
  obvious_answer answers[OBVIOUS_ANSWERS_MAX];
  uint64_t owed, paid;
  bool told_registered;
  /* Imports. */
  uint32_t held;
  bool fetching; /* one is being recorded or loaded for it */
  bool unsent;   /* an IMPORT_DATA for it is not sent to its end */
  bool import_in_run;
  /* What HEARTBEATs have told it. */
  uint32_t beats;
  char told_active[BH_INSTANCE_ID_MAX + 1];
  char told_problem[BH_PROBLEM_MAX + 1];
  uint64_t told_instances;
} obvious_peer;

typedef enum {
  OBVIOUS_FREE,
  OBVIOUS_WAITING,
  OBVIOUS_RECORDING, /* a sending whose record failed */
  OBVIOUS_LOADING,
  OBVIOUS_IN_HAND,
  OBVIOUS_RESERVED,
  OBVIOUS_RETURNING, /* to be recorded as nobody's */
  OBVIOUS_PARKING,
  OBVIOUS_REMOVING,
} obvious_entry_state;

typedef struct {
  obvious_entry_state state;
  bh_import record; /* as the spool has it */
  bh_import next;   /* RETURNING, PARKING: as it shall have it */
  uint32_t sends;
  bh_peer peer;         /* RECORDING, LOADING, IN_HAND */
  uint32_t message;     /* IN_HAND: the id of its IMPORT_DATA; 0: not seen yet */
  uint64_t owed_before; /* IN_HAND: answers that go out before it */
  bool was_reserved;    /* RECORDING, LOADING */
  uint64_t until;       /* RESERVED: BH_NEVER while its holder is connected */
  bh_peer lost;         /* RESERVED: the connection with which its holder was lost */
  bool failed;          /* again at the next heartbeat */
  bool came_late;       /* from retry/, since the hub was at rest */
} obvious_entry;

typedef struct {
  bh_hub *hub; /* to learn the ids that it makes */
  uint32_t heartbeat_ms, timeout_ms;
  uint64_t started, next_beat;
  obvious_peer peers[OBVIOUS_PEERS_MAX];
  size_t peer_end;
  obvious_entry entries[OBVIOUS_ENTRIES_MAX];
  size_t entry_end; /* behind the last that was ever in use */
  char active[BH_INSTANCE_ID_MAX + 1], former[BH_INSTANCE_ID_MAX + 1];
  uint64_t former_until;
  bool released, lonely;
  bool retry_due;             /* retry/ is to be looked at */
  bool looks_late;            /* it was looked at since the hub was at rest */
  unsigned changes, messages; /* of the role, and from clients, since the hub was at rest */
  unsigned freed; /* who can be sent an import again since an IMPORT_DATA went out, while it is not at rest */
  uint64_t instances_version, state_version;
  uint32_t parked;
  uint64_t last_sequence;
  char problem[BH_PROBLEM_MAX + 1];
  /* What the hub has written to the state file. */
  uint64_t written_version;
  char written_active[BH_INSTANCE_ID_MAX + 1];
  bool thorough; /* look twice at what is dear */
  bool lenient;  /* it lost track: what it cannot know it does not require */
} obvious_hub;

void obvious_hub_start(obvious_hub *o, bh_hub *hub, const bh_hub_config *config, uint64_t now);
void obvious_hub_end(obvious_hub *o);

/* What is told to the hub, once it was told. */
obvious_peer *obvious_hub_open(obvious_hub *o, bh_peer handle, uint64_t now);
void obvious_hub_recv(obvious_hub *o, obvious_peer *p, const uint8_t *octets, size_t size, uint64_t now);
void obvious_hub_close(obvious_hub *o, obvious_peer *p, bool process_gone, uint64_t now);
void obvious_hub_import(obvious_hub *o, const bh_import *import, int result, uint64_t now);
void obvious_hub_parked(obvious_hub *o, uint32_t parked, uint64_t last_sequence);
void obvious_hub_problem(obvious_hub *o, const char *escaped);
bool obvious_hub_reserves(const obvious_hub *o, bh_peer lost);
void obvious_hub_gone(obvious_hub *o, bh_peer lost);
/* `expiry`: the hub's, before it was told. */
void obvious_hub_expire(obvious_hub *o, uint64_t now, uint64_t expiry);
uint64_t obvious_hub_expiry(const obvious_hub *o);

/* What the hub does. */
obvious_peer *obvious_hub_peer(obvious_hub *o, bh_peer handle);
void obvious_hub_takes_message(obvious_hub *o, obvious_peer *p, bool last, const char *assets, size_t assets_size);
void obvious_hub_run_sent(obvious_hub *o, obvious_peer *p);
void obvious_hub_acts(obvious_hub *o, const bh_action *action);
void obvious_hub_spool_done(obvious_hub *o, uint64_t sequence, bh_spool_result result, uint64_t now);
void obvious_hub_loaded(obvious_hub *o, uint64_t sequence);
void obvious_hub_next_import(obvious_hub *o, const bh_import *import);

obvious_entry *obvious_hub_entry(obvious_hub *o, uint64_t sequence);

/* Nothing is left to do. */
void obvious_hub_rests(obvious_hub *o);
/* What bh_hub_state() says. */
void obvious_hub_check_view(obvious_hub *o);

#endif
