/* SPDX-License-Identifier: MIT */
#ifndef HARNESS_H
#define HARNESS_H

/*
 * What a case is written with. Every function that waits runs the event loop until what it waits for has come, and
 * fails the case at a deadline; no function sleeps. A case that fails does not return from the function that found it.
 */

#include "case.h"
#include "json_view.h"

#include "bridgehub.h"

#include <stdbool.h>
#include <stdint.h>

/* ---------------------------------------------------------------------------------------------- the hub under test */

typedef struct hub hub;
typedef struct conn conn;
typedef struct bridge bridge;

/* 0 and NULL stand for the defaults. */
typedef struct {
  uint32_t heartbeat_ms; /* 250 */
  uint32_t timeout_ms;   /* 5000: no case is to meet it by being slow */
  const char *need;      /* features that the case is about, comma-separated; a hub may exit with 89 then */
  const char *group;     /* "" */
} hub_options;

/* Starts a hub with an endpoint, port, state file and spool of its own, and waits until its endpoint takes a
 * connection. */
hub *start_hub(const hub_options *options /* or NULL */);
/* A second hub process on the same directories and port, started and not waited for. */
hub *start_rival(hub *first);
/* Again, in the same directories and with the same port, after the former process has ended. */
void restart_hub(hub *h);
void signal_hub(hub *h, int signal); /* to its process group */
/* Waits for its end; returns the exit status, or 128 + the signal. */
int expect_hub_ends(hub *h);
bool hub_is_running(hub *h);
uint16_t hub_port(const hub *h);
uint32_t hub_heartbeat_ms(const hub *h);
uint32_t hub_timeout_ms(const hub *h);
const char *hub_endpoint(const hub *h);
const char *hub_state(const hub *h);
const char *hub_spool(const hub *h);
const char *hub_directory(const hub *h); /* all of the above lie in it; it is removed with the case */
/* Waits until what the hub has written to standard error holds `text` (BH-INGEST-009 and the like). */
void expect_log(hub *h, const char *text);

/* -------------------------------------------------------------------------------------------------------- messages */

/* A message from the hub. It lives as long as the case. */
typedef struct message {
  bh_type type;
  uint32_t id;
  uint32_t answers;           /* ACK, ERROR: the member `for`; 0 for null */
  char code[BH_CODE_MAX + 1]; /* ERROR */
  octets body;                /* {} where it came empty */
  double at_ms;               /* since the case began */
} message;

/* A connection to the endpoint. It answers each HEARTBEAT of the hub with ACK by itself, unless told not to. */
conn *open_conn(hub *h);
/* ... and tries only: NULL where the endpoint takes no connection. */
conn *try_open_conn(hub *h);
void answer_heartbeats(conn *c, bool yes);
/* Stops and starts reading what the hub sends. */
void read_conn(conn *c, bool yes);
void close_conn(conn *c);

/*
 * Sends a message with the next id, which it returns. `format` is the body, as of printf. An empty format is an empty
 * body.
 */
uint32_t say(conn *c, const char *type, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Sends octets as they are. Ids that they use up are told by skip_ids(). */
void say_octets(conn *c, const void *octets_, size_t size);
void say_text(conn *c, const char *text);
/* The same in pieces of `piece` octets, each sent before the next. */
void say_in_pieces(conn *c, const void *octets_, size_t size, size_t piece);
/* The octets of a message, without sending them. Free by free(). */
uint8_t *make_message(const char *type, uint32_t id, const char *body, size_t body_size, size_t *size);
void skip_ids(conn *c, uint32_t count);
uint32_t next_id(const conn *c);

/* The answer to `id`, ACK or ERROR. */
const message *expect_answer(conn *c, uint32_t id);
const message *expect_ack(conn *c, uint32_t id);
const message *expect_error(conn *c, uint32_t id, const char *code);
/* An ERROR that came unasked, with `for` 0 meaning null: a break of the framing, `superseded`, `overloaded`. */
const message *expect_unasked_error(conn *c, uint32_t answers, const char *code);
/* The connection ends, in an orderly way or by a reset; what came before it is read first. */
void expect_closed(conn *c);
bool is_closed(const conn *c);
/* A HEARTBEAT that came after `after` (NULL: the connection's first). */
const message *expect_heartbeat(conn *c, const message *after);
/* A HEARTBEAT with this `active` (NULL: null), none of them before `after`. */
const message *expect_heartbeat_active(conn *c, const message *after, const char *active);
/* ... with `instances` in it. */
const message *expect_heartbeat_instances(conn *c, const message *after);
/* The next IMPORT_DATA that this function has not returned for this connection. */
const message *expect_import(conn *c);
/* Everything that the hub sent before it answered this: sends HEARTBEAT (the connection must be registered), waits for
 * its ACK. */
void fence(conn *c);
/* After a fence: no IMPORT_DATA has come that expect_import() has not returned. */
void expect_no_import(conn *c);
/* The newest message from the hub, or NULL. */
const message *newest(const conn *c);
/* The message after `m` (NULL: the first) that has come so far, or NULL. Waits for nothing. */
const message *next_message(const conn *c, const message *m);

/* Members of a message's body. They fail the case where the member is missing or of another type. */
const char *text_of(const message *m, const char *member); /* NULL for null; lives as long as the case */
uint64_t integer_of(const message *m, const char *member);
octets member_of(const message *m, const char *member); /* octets.size 0: not there */

/* Registers and returns the instance id. `more` is more members: ",\"window\":2", or "". */
const char *register_instance(conn *c, const char *name, const char *more);
const char *register_observer(conn *c, const char *name);
/* Opens, registers: the usual beginning. */
conn *open_instance(hub *h, const char *name, const char **instance /* or NULL */);
conn *open_observer(hub *h, const char *name);
void claim(conn *c);
void ack_import(conn *c, const message *import);
void refuse_import(conn *c, const message *import);

/* ---------------------------------------------------------------------------------------------------------- Bridge */

bridge *open_bridge(hub *h);
bridge *try_open_bridge_at(const char *address, uint16_t port); /* NULL: refused */
void write_bridge(bridge *b, const void *octets_, size_t size);
void write_bridge_text(bridge *b, const char *text);
void end_bridge(bridge *b);   /* half-close: no more is to come */
void reset_bridge(bridge *b); /* abort with RST */
void close_bridge(bridge *b); /* at once, without waiting */
typedef enum { BRIDGE_ORDERLY, BRIDGE_RESET } bridge_end;
/* Waits until the hub has closed it; reads and drops what the hub writes, which is nothing. */
bridge_end expect_bridge_ends(bridge *b);
bool bridge_has_ended(bridge *b);
/* Opens, writes, half-closes and waits for the orderly end: all is complete then. */
void export_text(hub *h, const char *text);
void export_octets(hub *h, const void *octets_, size_t size);
/* A payload of spec/payloads/, whole. Free by free(). */
uint8_t *payload(const char *file, size_t *size);
/* An array with one asset of this name, of about `size` octets (at least what the name needs). Free by free(). */
char *make_export(const char *name, size_t size);
/* The import's assets are these octets. */
void check_assets(const message *import, const void *octets_, size_t size);
void check_assets_text(const message *import, const char *text);

/* ------------------------------------------------------------------------------------------------------ state file */

/* Reads the file whole; octets.size 0: it is not there. Lives as long as the case. */
octets read_file(const char *path);
bool file_exists(const char *path);
/* How many regular files lie in `directory` of the spool ("queue"). */
size_t count_spool(hub *h, const char *directory);
/* The `instance` of the state file's active_instance; NULL: nobody. Fails where the file is not right. */
const char *state_active(hub *h);
/* Waits until `condition(h, argument)` holds; `what` says what was waited for. */
void wait_until(bool (*condition)(void *argument), void *argument, const char *what);
/* Runs the loop for a while that is part of the case's meaning (silence, for one), never instead of a condition. */
void let_pass(uint32_t ms);
double now_ms(void); /* since the case began */

#endif
