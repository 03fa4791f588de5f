/* SPDX-License-Identifier: MIT */
#ifndef BH_TEST_HUB_SUPPORT_H
#define BH_TEST_HUB_SUPPORT_H

/*
 * A hub's core on a stage: connections that talk to it, a spool in memory, and a clock that a test moves on. A test
 * reads as a transcript:
 *
 *     actor *a = registers("a");
 *     says(a, "CLAIM_ACTIVE", "{}");
 *     hears(a, "ACK", "{'for':THAT,'active':'%s'}", a->instance);
 *
 * Whatever a test is about, the stage checks with each octet what always holds: frames, ids and bodies are right, each
 * request is answered once and in order, an import lies in the spool under its holder's name before it is sent, and no
 * instance is sent more than its window.
 */

#include "test_support.h"

/* Actors answer HEARTBEAT with ACK by themselves, as every client does, unless told not to. */
typedef struct actor actor;
struct actor {
  bh_peer id;         /* 0 once the connection has ended */
  char *instance;     /* once registered */
  bool takes_nothing; /* its socket is full: what the hub sends is not read */
  bool silent;        /* it answers no HEARTBEAT */
  uint32_t last_id;
  uint32_t asked;           /* the id of its newest message that wants an answer */
  uint32_t beats;           /* HEARTBEATs heard */
  uint32_t beats_with_list; /* ... with `instances` */
  uint32_t in_hand;         /* IMPORT_DATA heard and not answered */
  uint32_t window;
};

/* The ids that the hub of the stage makes. */
#define FIRST "11223344-1"
#define SECOND "11223344-2"
#define THIRD "11223344-3"
#define IMPORT(count) "1122334455667788-" #count
enum { HEARTBEAT_MS = 1000, TIMEOUT_MS = 5000, HUB_PID = 4242 };

/* ---- the hub: for TestSuite(..., .init = hub_starts, .fini = hub_ends) */
bh_hub_config usual_hub(void);
void hub_starts(void);
void hub_starts_as(const bh_hub_config *config); /* a new one in place of the old; the spool stays */
void hub_ends(void);
bh_hub *the_hub(void);
bool hub_is_there(void); /* there may be no memory for one */
test_memory *the_memory(void);
uint64_t the_time(void);
/* Performs what the hub wants done. The functions below do so themselves. */
void hub_works(void);
/* How many octets the hub is given at once; 0: all that there are. */
void in_chunks_of(size_t size);

/* ---- time */
void time_passes(uint64_t ms);            /* timers are on time */
void process_is_stopped_for(uint64_t ms); /* no timer runs meanwhile; then they run late */

/* ---- connections. `body` is as for quoted(). */
actor *connects(void);
actor *registers(const char *name);                           /* and has heard what comes of it */
actor *registers_with(const char *name, const char *members); /* "'window':4": and these members */
#define says(who, type, ...) (AT_THIS_LINE, says_quoted(who, type, quoted(__VA_ARGS__))) /* the message's id */
uint32_t says_quoted(actor *who, const char *type, const char *body);
void says_octets(actor *who, const void *octets, size_t size);
uint32_t says_begin(actor *who, const char *type, const char *body); /* written down, and said by says_it_all() */
void says_it_all(actor *who);
void hangs_up(actor *who);
/* A connection with a client of its own: what the hub sends is handed over as it comes, and checked by nobody here. */
actor *connects_for(void (*take)(void *ctx, const uint8_t *octets, size_t size), void *ctx);
void dies(actor *who); /* the hub learns that its process is gone */
/* Its socket takes octets again: all, or so many. */
void takes(actor *who, size_t size);
void takes_all(actor *who);

/*
 * The next message but HEARTBEATs; the next message; none but HEARTBEATs; the end, and none but HEARTBEATs before.
 * 'for':THAT, and THAT for an id, is the newest request.
 */
#define THAT UINT32_MAX
#define hears(who, type, ...) (AT_THIS_LINE, hears_quoted(who, type, quoted(__VA_ARGS__), false))
#define hears_next(who, type, ...) (AT_THIS_LINE, hears_quoted(who, type, quoted(__VA_ARGS__), true))
void hears_quoted(actor *who, const char *type, const char *expected, bool next);
#define hears_error(who, answers, code) (AT_THIS_LINE, hears_code(who, answers, code))
void hears_code(actor *who, uint32_t request, const char *code); /* 0: null */
#define hears_nothing(who) (AT_THIS_LINE, hears_no_more(who, false))
#define hears_the_end(who) (AT_THIS_LINE, hears_no_more(who, true))
void hears_no_more(actor *who, bool ends);
/* IMPORT_DATA; returns its id. */
#define hears_import(who, import, attempt, assets) (AT_THIS_LINE, hears_assets(who, import, attempt, assets))
uint32_t hears_assets(actor *who, const char *import, uint32_t attempt, const char *assets);
void forgets(actor *who); /* what it has heard so far */
/* On the connection, the hub has sent messages up to this id, and so many octets wait to be sent. */
void hub_has_sent(actor *who, uint32_t last_id);
void hub_has_queued(actor *who, size_t size);
/* What HEARTBEATs have told it: "" is nobody. */
#define knows_active(who, instance) (AT_THIS_LINE, knows(who, instance, -1, -1))
#define knows_waiting(who, count) (AT_THIS_LINE, knows(who, NULL, count, -1))
#define knows_parked(who, count) (AT_THIS_LINE, knows(who, NULL, -1, count))
void knows(actor *who, const char *instance, int waiting, int parked);
const char *known_instances(actor *who); /* the array that it was told last */
/* What the state file named as active when the message that was heard last went out. */
const char *state_when_heard(void);
size_t state_writes(void);
/* The answers to IMPORT_DATA. */
void acks(actor *who, uint32_t message);
void refuses(actor *who, uint32_t message, const char *why);

/* ---- Bridge and the spool */
/* An import is complete in queue/, and the hub told. */
void bridge_sends(const char *assets);
/* A file that a former hub left; told to the hub by found_in_queue(). */
bh_import left_in_spool(const char *place, uint64_t sequence, const char *import, uint32_t attempt, uint32_t deaths,
                        const char *holder, const char *assets);
int found_in_queue(const bh_import *import);
void removed_by_hand(const char *import);
void retried_by_hand(const char *import); /* parked/ to retry/ */
#define spool_has(place, ...) (AT_THIS_LINE, spool_has_name(place, quoted(__VA_ARGS__)))
void spool_has_name(const char *place, const char *name);
size_t files_in(const char *place);
bool spool_says(const char *import, uint32_t attempt, const char *holder); /* in queue/ */
const char *why_parked(const char *import);
/* The next `times` actions of that kind end so. */
void spool_will(bh_action_kind kind, bh_spool_result result, uint32_t times);

#endif
