/* SPDX-License-Identifier: MIT */
#ifndef BRIDGEHUB_H
#define BRIDGEHUB_H

/*
 * libbridgehub: the Bridge Hub protocol (spec/protocol.md), sans I/O, and at the end instances, which do all of it.
 *
 * Octets, events and the time go in; octets, deadlines and actions come out. Nothing but an instance reads a clock,
 * opens a file or starts a thread. Times are milliseconds of any clock that never goes back. No object but an instance
 * is thread-safe: give each to one thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define BH_API __declspec(dllexport)
#else
#define BH_API __attribute__((visibility("default")))
#endif

#define BH_VERSION "0.1.0"
#define BH_PROTOCOL 1

/* Limits: sections 3, 5, 6 and 10 of the specification. */
#define BH_PORT 24981
#define BH_HEARTBEAT_MS 1000
#define BH_TIMEOUT_MS 5000
#define BH_GROUP_MAX 32
#define BH_INSTANCE_ID_MAX 64
#define BH_NAME_MAX 256
#define BH_PROGRAM_MAX 63
#define BH_CODE_MAX 64
#define BH_IMPORT_ID_MAX 64
#define BH_WINDOW_MAX 64
#define BH_BODY_MAX 67108864u
#define BH_CLIENT_BODY_MAX 65536u
#define BH_DEPTH_MAX 64
#define BH_BRIDGE_VALUE_MAX 33554432u
#define BH_BRIDGE_DEPTH_MAX 62
#define BH_BRIDGE_CONNECTIONS_MAX 16
#define BH_INSTANCES_MAX 256
#define BH_OBSERVERS_MAX 64
#define BH_UNREGISTERED_MAX 64
#define BH_QUEUE_MAX 134217728u
#define BH_DEATHS_MAX 3
#define BH_FINISHED_MAX 1024
#define BH_IMPORTS_MAX 65536u
#define BH_PROBLEM_MAX 1024

#define BH_NEVER UINT64_MAX

/*
 * What a function here returns: 0, or one of these. Negative means that the object can do no more and is to be
 * freed; positive is for the caller to handle.
 */
typedef enum {
  BH_E_NO_MEMORY = -1, /* the allocator gave nothing */
  BH_OK = 0,
  BH_E_CLOSED = 1,  /* no such peer, or it is to be closed: its octets are of no interest any more */
  BH_E_INVALID = 2, /* an argument breaks a limit that stands beside the function */
  BH_E_STATE = 3,   /* not now: the function says when */
  BH_E_FULL = 4,    /* a limit of section 10 is reached */
} bh_error;

/* Section 3.1. */
typedef enum {
  BH_TYPE_UNKNOWN = 0, /* well-framed, none of the eight */
  BH_REGISTER,
  BH_UNREGISTER,
  BH_CLAIM_ACTIVE,
  BH_RELEASE_ACTIVE,
  BH_HEARTBEAT,
  BH_IMPORT_DATA,
  BH_ACK,
  BH_ERROR,
} bh_type;

/* Section 3.3. */
typedef enum {
  BH_CODE_NONE = 0,
  BH_CODE_MALFORMED,
  BH_CODE_TOO_LARGE,
  BH_CODE_UNKNOWN_TYPE,
  BH_CODE_BAD_BODY,
  BH_CODE_UNSUPPORTED_PROTOCOL,
  BH_CODE_NOT_REGISTERED,
  BH_CODE_ALREADY_REGISTERED,
  BH_CODE_NOT_ACTIVE,
  BH_CODE_NO_SUCH_INSTANCE,
  BH_CODE_SUPERSEDED,
  BH_CODE_UNEXPECTED,
  BH_CODE_REFUSED,
  BH_CODE_OVERLOADED,
} bh_code;

typedef enum { BH_ROLE_INSTANCE = 0, BH_ROLE_OBSERVER } bh_role;

typedef enum { BH_LOG_DEBUG = 0, BH_LOG_INFO, BH_LOG_WARNING, BH_LOG_ERROR } bh_log_level;

BH_API const char *bh_version(void);
BH_API const char *bh_error_string(bh_error error);
BH_API const char *bh_type_name(bh_type type); /* "REGISTER", ..., "" for BH_TYPE_UNKNOWN */
BH_API const char *bh_code_name(bh_code code); /* "malformed", ..., "" for BH_CODE_NONE */

/* Memory: resize(ctx, NULL, n) allocates, resize(ctx, p, 0) frees and returns NULL, NULL for n > 0 is "no memory". */
typedef struct {
  void *(*resize)(void *ctx, void *octets, size_t size);
  void *ctx;
} bh_allocator;

/* Lines for the log, without a line end; `line` is borrowed for the call. Every name in it is escaped. */
typedef struct {
  void (*write)(void *ctx, bh_log_level level, const char *line);
  void *ctx;
} bh_logger;

/* ------------------------------------------------------------------------------------------------------ imports */

/* An import as the spool has it (section 6.1). Everything but the octets of its assets. */
typedef struct {
  uint64_t sequence;
  char import[BH_IMPORT_ID_MAX + 1];
  uint32_t attempt;
  uint32_t deaths;
  char holder[BH_INSTANCE_ID_MAX + 1]; /* "" is nobody */
} bh_import;

/* "SEQUENCE.IMPORT.ATTEMPT.DEATHS.HOLDER.json", and a 0: 20 + 64 + 10 + 10 + 64 octets, 5 dots, "json". */
#define BH_SPOOL_NAME_MAX 192
BH_API void bh_spool_name(const bh_import *import, char name[BH_SPOOL_NAME_MAX]);
/* Strict: false unless the whole of `name` is as section 6.1 has it. */
BH_API bool bh_spool_name_parse(const char *name, bh_import *import);

/* ---------------------------------------------------------------------------------------------------------- hub */

/*
 * The hub's core (sections 3, 4, 6.2, 9 and 10). The driver's loop, after each call that takes `now`:
 *
 *     while (bh_hub_poll(hub, &action))
 *       perform(action), and tell the hub how it ended where the action says so;
 *     arm the timer for bh_hub_expiry(hub);
 *
 * Actions come in an order that keeps the promises of the specification when they are performed one by one: the
 * state file before the ACK of a claim, the spool before the sending.
 */
typedef struct bh_hub bh_hub;
typedef uint32_t bh_peer; /* a connection at the endpoint; never 0, not used again for a million others */

typedef struct {
  uint32_t hub_pid;
  uint32_t heartbeat_ms;     /* at least 10 */
  uint32_t timeout_ms;       /* at least 2 x heartbeat_ms */
  uint64_t epoch;            /* section 7: the former epoch plus 1 */
  uint64_t random;           /* 64 random bits: imports and instance ids are made from them */
  const char *former_active; /* the former hub's active instance, or NULL; copied */
  bh_allocator allocator;
  bh_logger logger;
} bh_hub_config;

/*
 * RECORD, LOAD, REMOVE and PARK are answered before anything else is told to the hub: the driver performs them at once.
 */
typedef enum {
  /* Write the state file now; read it by bh_hub_state(). A failure is the driver's to log. */
  BH_DO_WRITE_STATE,
  /* `import` is the new record, `before` the old: rename in queue/. Then bh_hub_spool_done(). */
  BH_DO_RECORD,
  /* Read `before`'s octets from queue/. Then bh_hub_loaded(), or bh_hub_spool_done() with what went wrong. */
  BH_DO_LOAD,
  /* The holder has finished with `before`: remove it from queue/. Then bh_hub_spool_done(). */
  BH_DO_REMOVE,
  /* Move `before` from queue/ to parked/ as `import`; `reason` is for its .why. Then bh_hub_spool_done(). */
  BH_DO_PARK,
  /* Move what is in retry/ to queue/ and tell it by bh_hub_import(); then bh_hub_parked(). Comes each heartbeat_ms. */
  BH_DO_RETRY,
  /* Octets wait for `peer`: take them by bh_hub_send(). Comes once until the next bh_hub_sent(). */
  BH_DO_SEND,
  /* Close the connection of `peer`, which the hub has forgotten: nothing more is to be told of it. */
  BH_DO_CLOSE,
} bh_action_kind;

typedef struct {
  bh_action_kind kind;
  bh_peer peer;       /* SEND, CLOSE */
  bh_import before;   /* RECORD, LOAD, REMOVE, PARK */
  bh_import import;   /* RECORD, PARK */
  const char *reason; /* PARK: UTF-8, borrowed until the next call */
} bh_action;

/* NULL: no memory, or a timing that the config's comments do not allow. */
BH_API bh_hub *bh_hub_new(const bh_hub_config *config, uint64_t now);
BH_API void bh_hub_free(bh_hub *hub);

/* A connection was accepted. BH_E_FULL: close it without a word (more than the limits of section 10 are open). */
BH_API int bh_hub_open(bh_hub *hub, uint64_t now, bh_peer *peer);
/* Octets came. All are consumed. BH_E_CLOSED: read no more of this connection; a BH_DO_CLOSE follows or has come. */
BH_API int bh_hub_recv(bh_hub *hub, bh_peer peer, const uint8_t *octets, size_t size, uint64_t now);
/* The next run of octets to send, borrowed until bh_hub_sent(), bh_hub_close() or a BH_DO_CLOSE; 0: none. */
BH_API size_t bh_hub_send(bh_hub *hub, bh_peer peer, const uint8_t **octets);
/* `size` octets of it have been sent. */
BH_API void bh_hub_sent(bh_hub *hub, bh_peer peer, size_t size, uint64_t now);
/* The connection ended (end of file, or an error). `process_gone`: its process is known not to exist any more. */
BH_API void bh_hub_close(bh_hub *hub, bh_peer peer, bool process_gone, uint64_t now);

/* The record of the import that a whole value becomes: the next sequence and import id, drawn once. */
BH_API void bh_hub_next_import(bh_hub *hub, bh_import *import);
/*
 * An import is complete in queue/, either new or taken over from a former hub, or back from retry/. A holder in it
 * has timeout_ms from `now` to resume. BH_E_FULL: BH_IMPORTS_MAX are known; it stays in the spool for the next hub.
 * BH_E_INVALID: that sequence is known already, or is the last there can be.
 */
BH_API int bh_hub_import(bh_hub *hub, const bh_import *import, uint64_t now);
/*
 * What lies in parked/ and retry/: how many are parked, and the highest sequence among both (0: none). Told at the
 * start, before the first bh_hub_next_import(), and with each BH_DO_RETRY.
 */
BH_API void bh_hub_parked(bh_hub *hub, uint32_t parked, uint64_t last_sequence, uint64_t now);

typedef enum {
  BH_SPOOL_OK,
  BH_SPOOL_FAILED, /* it may go better later: the action comes again after a heartbeat_ms */
  BH_SPOOL_GONE,   /* the file is not there any more, or is no import: the hub forgets it */
} bh_spool_result;

/* How the RECORD, LOAD, REMOVE or PARK of that sequence ended. */
BH_API void bh_hub_spool_done(bh_hub *hub, uint64_t sequence, bh_spool_result result, uint64_t now);
/* LOAD is done: the array's octets, copied. */
BH_API int bh_hub_loaded(bh_hub *hub, uint64_t sequence, const uint8_t *octets, size_t size, uint64_t now);

/*
 * What the driver cannot do, for people, in octets of any kind; NULL: nothing (any more). Each client is told, of the
 * newest, in every HEARTBEAT (BH-SPOOL-012, BH-SPOOL-013).
 */
BH_API void bh_hub_problem(bh_hub *hub, const char *problem, uint64_t now);

/*
 * Whether imports are reserved for the one that was lost with the connection `peer`, which is closed. While they are,
 * the driver asks after its process, and tells by bh_hub_gone() that it is gone: BH-TIME-009.
 */
BH_API bool bh_hub_reserves(const bh_hub *hub, bh_peer peer);
BH_API void bh_hub_gone(bh_hub *hub, bh_peer peer, uint64_t now);

BH_API bool bh_hub_poll(bh_hub *hub, bh_action *action);
BH_API uint64_t bh_hub_expiry(const bh_hub *hub);
BH_API void bh_hub_expire(bh_hub *hub, uint64_t now);

/* What the state file and `status` tell. */
typedef struct {
  char instance[BH_INSTANCE_ID_MAX + 1];
  char name[BH_NAME_MAX + 1]; /* UTF-8 */
  uint32_t pid;
  uint64_t last_seen; /* in the time of `now` */
} bh_instance_info;

typedef struct {
  uint32_t hub_pid;
  uint64_t epoch;
  const bh_instance_info *active; /* NULL: nobody; points into `instances` */
  const bh_instance_info *instances;
  size_t instance_count;
  uint32_t waiting;
  uint32_t parked;
  const char *problem; /* UTF-8; "" is none */
} bh_hub_view;

/* Borrowed until the next call on this hub. */
BH_API void bh_hub_state(bh_hub *hub, bh_hub_view *view);

/* ---------------------------------------------------------------------------------------------- Bridge's octets */

/*
 * The connections that Bridge opens (section 5). Feed octets, then take events until none is left:
 *
 *     bh_ingest_recv(in, conn, octets, size, now);
 *     while (bh_ingest_poll(in, &event)) ...
 */
typedef struct bh_ingest bh_ingest;
typedef uint32_t bh_bridge; /* a connection from Bridge; never 0 */

typedef enum {
  BH_INGEST_BEGIN,  /* a value begins: open a file in tmp/ */
  BH_INGEST_OCTETS, /* append `octets`, `size` of them: borrowed until the next bh_ingest_recv() */
  BH_INGEST_COMMIT, /* the value is whole: make it complete */
  BH_INGEST_DROP,   /* the value is not to be an import: remove the file; `reason` says why, NULL for an empty array */
  BH_INGEST_CLOSE,  /* close the connection, forgotten here; with a reset unless `orderly`; `reason` is for the log */
} bh_ingest_kind;

typedef struct {
  bh_ingest_kind kind;
  bh_bridge bridge;
  const uint8_t *octets;
  size_t size;
  bool orderly;
  const char *reason; /* static text */
  uint64_t offset;    /* CLOSE and DROP: octets into the connection where it went wrong */
} bh_ingest_event;

/* NULL: no memory. The timings are the hub's. */
BH_API bh_ingest *bh_ingest_new(uint32_t heartbeat_ms, uint32_t timeout_ms, bh_allocator allocator);
BH_API void bh_ingest_free(bh_ingest *ingest);
/* Always taken; a BH_INGEST_CLOSE of another may follow (BH-INGEST-014). 0: no memory. */
BH_API bh_bridge bh_ingest_open(bh_ingest *ingest, uint64_t now);
/* All events of an earlier call must have been taken: BH_E_STATE otherwise. `octets` must outlive the polling. */
BH_API int bh_ingest_recv(bh_ingest *ingest, bh_bridge bridge, const uint8_t *octets, size_t size, uint64_t now);
/* The sender half-closed (`failed` false) or the connection broke. A CLOSE event follows, which tells how to close. */
BH_API void bh_ingest_end(bh_ingest *ingest, bh_bridge bridge, bool failed, uint64_t now);
/* The driver could not write: drops the value in hand and closes with a reset. No event but CLOSE follows. */
BH_API void bh_ingest_abort(bh_ingest *ingest, bh_bridge bridge, const char *reason);
BH_API bool bh_ingest_poll(bh_ingest *ingest, bh_ingest_event *event);
BH_API uint64_t bh_ingest_expiry(const bh_ingest *ingest);
BH_API void bh_ingest_expire(bh_ingest *ingest, uint64_t now);

/* ------------------------------------------------------------------------------------------------------- client */

/*
 * A client's core (sections 3, 4 and 6.3). It outlives its connections: bh_client_open() for each new one, which
 * registers, resuming the instance id that the client has by then.
 */
typedef struct bh_client bh_client;

typedef struct {
  uint32_t pid;
  const char *name;     /* 1-256 octets of UTF-8; copied */
  const char *instance; /* to resume, or NULL; copied */
  uint32_t window;      /* 1-64 */
  bh_role role;
  uint32_t timeout_ms; /* until the first ACK tells the hub's; 0 means BH_TIMEOUT_MS */
  bh_allocator allocator;
  bh_logger logger;
} bh_client_config;

typedef enum {
  BH_EV_REGISTERED, /* `instance`, `hub_pid`, `epoch`, `active` */
  BH_EV_ACTIVE,     /* this instance is active now */
  BH_EV_INACTIVE,   /* ... is not any more */
  BH_EV_STATUS,     /* a HEARTBEAT changed something: see bh_client_status() */
  BH_EV_IMPORT,     /* `import`, `attempt`, `assets`: to be answered by bh_client_ack() or bh_client_refuse() */
  BH_EV_DONE,       /* `request` was answered with ACK */
  BH_EV_FAILED,     /* `request` was answered with ERROR: `code`, `message`; 0: an ERROR that answers no request */
  BH_EV_CLOSE,      /* close the connection: `message` says why; bh_client_close() has been done */
  BH_EV_SUPERSEDED, /* as CLOSE, and this instance id must not be registered again: the client is at its end */
} bh_event_kind;

typedef struct {
  bh_event_kind kind;
  uint32_t request;
  char instance[BH_INSTANCE_ID_MAX + 1];
  char active[BH_INSTANCE_ID_MAX + 1]; /* "" is nobody */
  uint32_t hub_pid;
  uint64_t epoch;
  char import[BH_IMPORT_ID_MAX + 1];
  uint32_t attempt;
  const uint8_t *assets; /* the array, octet for octet; borrowed until the next call on this client */
  size_t assets_size;
  char code[BH_CODE_MAX + 1];
  const char *message; /* UTF-8, as it came: escape it before printing; borrowed until the next call */
} bh_event;

/* What the hub told last. */
typedef struct {
  bool registered;
  char active[BH_INSTANCE_ID_MAX + 1];
  uint32_t hub_pid;
  uint64_t epoch;
  uint32_t heartbeat_ms, timeout_ms;
  uint32_t waiting;
  uint32_t parked;
  bool heard;                        /* a HEARTBEAT has come on this connection */
  const bh_instance_info *instances; /* last_seen is 0; borrowed until the next call */
  size_t instance_count;
  char problem[BH_PROBLEM_MAX + 1]; /* what the hub cannot do, for people; UTF-8; "" is nothing */
} bh_client_view;

BH_API bh_client *bh_client_new(const bh_client_config *config);
BH_API void bh_client_free(bh_client *client);

/* The connection is there: REGISTER is queued. BH_E_STATE after SUPERSEDED or while one is open. */
BH_API int bh_client_open(bh_client *client, uint64_t now);
/*
 * Consumes octets up to the end of one message, says how many, and stops there as long as events wait: poll, then
 * call again with the rest. BH_E_CLOSED: a CLOSE event waits or has been taken.
 */
BH_API int bh_client_recv(bh_client *client, const uint8_t *octets, size_t size, size_t *consumed, uint64_t now);
BH_API size_t bh_client_send(bh_client *client, const uint8_t **octets); /* borrowed until bh_client_sent(), _close() */
BH_API void bh_client_sent(bh_client *client, size_t size);
/* The connection ended. Requests that waited for an answer end in FAILED events. */
BH_API void bh_client_close(bh_client *client, uint64_t now);
BH_API bool bh_client_poll(bh_client *client, bh_event *event);
BH_API uint64_t bh_client_expiry(const bh_client *client);
BH_API void bh_client_expire(bh_client *client, uint64_t now);

/*
 * Requests: BH_E_STATE unless registered, BH_E_FULL while 32 wait for their answers, BH_E_CLOSED where that has ended
 * the connection (no memory, no id left). `request` identifies the DONE or FAILED event that answers.
 */
BH_API int bh_client_claim(bh_client *client, const char *instance /* or NULL */, uint32_t *request);
BH_API int bh_client_release(bh_client *client, uint32_t *request);
BH_API int bh_client_unregister(bh_client *client, uint32_t *request);
BH_API int bh_client_heartbeat(bh_client *client, uint32_t *request);
/* The import is finished. Without a connection it is remembered and answered when it comes again. BH_E_INVALID: not in
 * hand. */
BH_API int bh_client_ack(bh_client *client, const char *import);
/* The import is refused: `message` is for people. Without a connection it is forgotten and handed up when it comes
 * again. */
BH_API int bh_client_refuse(bh_client *client, const char *import, const char *message);

/* The name with which it registers from now on. BH_E_INVALID: it has not 1-256 octets. */
BH_API int bh_client_rename(bh_client *client, const char *name);

BH_API void bh_client_status(const bh_client *client, bh_client_view *view);

/* ------------------------------------------------------------------------------------------------ parked imports */

/*
 * What was given up, and is decided on by hand (section 6.1). Unlike all above these look into the spool, `spool` being
 * its directory, at once. They need no hub and disturb none: an import that a hub or somebody else has moved meanwhile
 * is not parked any more. What goes wrong is said in `why`, in at most `why_size` octets and a 0.
 */
enum { BH_REASON_OCTETS_MAX = 1023 };

typedef struct {
  bh_import import;
  uint64_t parked_at;                    /* Unix seconds */
  uint64_t size;                         /* octets of the array */
  uint32_t assets;                       /* its elements; 0: it is no array */
  char reason[BH_REASON_OCTETS_MAX + 1]; /* as it was written, "" where it was not: escape it before printing */
} bh_parked;

/* Those in parked/, by sequence; to be freed. BH_E_STATE: the spool cannot be read. One that is missing is empty. */
BH_API int bh_parked_list(const char *spool, bh_parked **items, size_t *count, char *why, size_t why_size);
BH_API void bh_parked_free(bh_parked *items);
/* To be tried again, by the hub at its next heartbeat. BH_E_INVALID: not parked. BH_E_STATE: it cannot be moved. */
BH_API int bh_parked_retry(const char *spool, const char *import, char *why, size_t why_size);
/* Removed for good. BH_E_INVALID, BH_E_STATE: as above. */
BH_API int bh_parked_drop(const char *spool, const char *import, char *why, size_t why_size);
/* Whether a hub of another process has the spool. */
BH_API bool bh_parked_hub_runs(const char *spool);

/* ----------------------------------------------------------------------------------------------------- instances */

/*
 * An instance is a client with all that belongs to it, and the hub too where there is no other: a thread of its own
 * connects, serves, takes over and resumes. These functions may be called from any thread and do not block, but for
 * bh_instance_start() and bh_instance_stop(). docs/library.md shows how an application uses them.
 */
typedef struct bh_instance bh_instance;

#define BH_TEXT_MAX 1024
#define BH_COMMANDS_MAX 256
#define BH_ALSO_PORTS_MAX 16

/* NULL and 0 stand for what is in brackets. All texts are copied. */
typedef struct {
  const char *group;    /* [the default group] */
  const char *endpoint; /* [the group's] */
  const char *state;    /* [the group's] of the hub, as the next four */
  const char *spool;    /* [the group's] */
  uint16_t port;        /* [BH_PORT; a group of another name needs its own if it may serve] */
  const uint16_t *also_ports;
  size_t also_port_count; /* at most BH_ALSO_PORTS_MAX */
  uint32_t heartbeat_ms;  /* [BH_HEARTBEAT_MS] */
  uint32_t timeout_ms;    /* [BH_TIMEOUT_MS] at least twice heartbeat_ms */
  const char *name;       /* 1-256 octets of UTF-8 */
  const char *instance;   /* to resume [a new one] */
  uint32_t window;        /* 1-64 [1] */
  bh_role role;
  bool may_serve;
  /* Both are called on the instance's thread, which must not call bh_instance_stop(). */
  bh_logger logger;
  void (*notify)(void *ctx); /* there is something to poll; may be NULL */
  void *notify_ctx;
} bh_instance_config;

typedef enum {
  BH_MODE_CONNECTING = 0,
  BH_MODE_HUB,            /* registered with the hub in this process */
  BH_MODE_CLIENT,         /* registered with another process's */
  BH_MODE_PORT_TAKEN,     /* by something that is not a hub (BH-ELECT-008) */
  BH_MODE_NOT_RESPONDING, /* a hub is there and does not answer (BH-ELECT-009) */
  BH_MODE_UNUSABLE,       /* the endpoint cannot be used */
  BH_MODE_SUPERSEDED,     /* another client has this instance id: for good */
} bh_mode;

typedef enum {
  BH_INSTANCE_REGISTERED = 1, /* `instance`, `hub_pid`, `epoch`, `active` */
  BH_INSTANCE_HUB_LOST,
  BH_INSTANCE_ACTIVE,
  BH_INSTANCE_INACTIVE,   /* `active` */
  BH_INSTANCE_STATUS,     /* see bh_instance_status() */
  BH_INSTANCE_IMPORT,     /* `import`, `attempt`, `assets`: answer it by bh_instance_ack() or bh_instance_refuse() */
  BH_INSTANCE_DONE,       /* `command` was done */
  BH_INSTANCE_FAILED,     /* `command` failed, or the hub complains (BH_COMMAND_NONE): `code` and `message` */
  BH_INSTANCE_SUPERSEDED, /* `message`; nothing more comes */
  BH_INSTANCE_MODE,       /* `mode`, and `message` for people */
} bh_instance_event_kind;

typedef enum {
  BH_COMMAND_NONE = 0,
  BH_COMMAND_CLAIM,
  BH_COMMAND_RELEASE,
  BH_COMMAND_ACK,
  BH_COMMAND_REFUSE,
  BH_COMMAND_RENAME,
} bh_command;

typedef struct {
  bh_instance_event_kind kind;
  bh_mode mode;
  bh_command command;
  uint32_t hub_pid;
  uint64_t epoch;
  char instance[BH_INSTANCE_ID_MAX + 1];
  char active[BH_INSTANCE_ID_MAX + 1]; /* "" is nobody */
  char import[BH_IMPORT_ID_MAX + 1];   /* of an import, and of a command that has one */
  uint32_t attempt;
  const char *assets; /* the array, octet for octet, and a 0; borrowed until the next bh_instance_poll() or _stop() */
  size_t assets_size;
  char code[BH_CODE_MAX + 1];
  char message[BH_TEXT_MAX]; /* UTF-8, cut short at need; what came from others is as it came */
} bh_instance_event;

typedef struct {
  bh_mode mode;
  char mode_text[BH_TEXT_MAX];
  bool registered;
  bool active;
  char instance[BH_INSTANCE_ID_MAX + 1]; /* its own; "" before it was first registered */
  char active_instance[BH_INSTANCE_ID_MAX + 1];
  uint32_t hub_pid;
  uint64_t epoch;
  uint32_t waiting;
  uint32_t parked;
  char problem[BH_TEXT_MAX]; /* what a user should be told of; "" where all is well */
  /* PORT_TAKEN: by which process, 0 where that is not known, and by which program, "" likewise. */
  uint32_t port_holder_pid;
  char port_holder[BH_PROGRAM_MAX + 1];
  size_t instance_count;
  bh_instance_info instances[BH_INSTANCES_MAX];
} bh_instance_view;

/* BH_OK, BH_E_NO_MEMORY or BH_E_INVALID; `why` then says what is wrong, where, and what to do. */
BH_API int bh_instance_start(const bh_instance_config *config, bh_instance **instance, char *why, size_t why_size);
/*
 * Leaves the hub, ends the one in this process cleanly, and frees everything: within 100 ms, whatever the state. NULL
 * is allowed. A process must not fork() and use the instance in the child: its descriptors are closed there.
 */
BH_API void bh_instance_stop(bh_instance *instance);

/*
 * The next event. Imports wait for as long as it takes, as many as the window allows; of the others only the latest
 * that matter are kept: of each kind one, of ACTIVE and INACTIVE the later one, of DONE and FAILED BH_COMMANDS_MAX.
 */
BH_API bool bh_instance_poll(bh_instance *instance, bh_instance_event *event);

/*
 * Commands: BH_E_INVALID for an id that cannot be one, BH_E_FULL while BH_COMMANDS_MAX wait. How they ended is told by
 * an event; a claim or a release waits for a registration. ACK, REFUSE and RENAME are told only where they failed.
 */
BH_API int bh_instance_claim(bh_instance *instance, const char *id /* NULL: itself */);
BH_API int bh_instance_release(bh_instance *instance);
BH_API int bh_instance_ack(bh_instance *instance, const char *import);
BH_API int bh_instance_refuse(bh_instance *instance, const char *import, const char *message);

/*
 * From now on it is called `name`, 1-256 octets of UTF-8. The hub learns a name when one registers: the instance
 * does so again, by a new connection, and keeps its id, its role and what it has in hand.
 */
BH_API int bh_instance_rename(bh_instance *instance, const char *name);

/* How things are, copied. */
BH_API void bh_instance_status(bh_instance *instance, bh_instance_view *view);

/* Where its group's things lie. `state` and `spool` are "" where it may not serve and was told none. */
typedef struct {
  const char *endpoint;
  const char *state;
  const char *spool;
} bh_instance_paths;

/* Borrowed until bh_instance_stop(). */
BH_API void bh_instance_locate(const bh_instance *instance, bh_instance_paths *paths);

/* -------------------------------------------------------------------------------------------------------- log */

/*
 * A log in a file, for a bh_logger: {bh_log_write, log}. A line is one write at the end of the file, so that several
 * processes can share one. It may be written to from any thread.
 */
typedef struct bh_log_file bh_log_file;

/* `least`: of what is written. A file that has grown beyond 1 MiB becomes PATH.old. BH_E_STATE: `why` says why not. */
BH_API int bh_log_open(const char *path, bh_log_level least, bh_log_file **log, char *why, size_t why_size);
/* `ctx` is the bh_log_file. The line begins with time, level and process id; control characters in it are escaped. */
BH_API void bh_log_write(void *ctx, bh_log_level level, const char *line);
/* Nobody may write to it any more: stop the instance first. NULL is allowed. */
BH_API void bh_log_close(bh_log_file *log);

#ifdef __cplusplus
}
#endif

#endif
