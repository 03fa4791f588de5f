/* SPDX-License-Identifier: MIT */
#ifndef INTERNAL_H
#define INTERNAL_H

/* What the files of the harness share; cases include harness.h alone. */

#include <stdarg.h>
#include <uv.h>

#include "buffer.h"
#include "harness.h"

/* The runner tells its workers by the environment: Criterion starts each case in a new process. */
#define ENV_RUN "BH_SUITE_RUN"               /* the directory of the run */
#define ENV_HUB "BH_SUITE_HUB"               /* the command that starts a hub */
#define ENV_CLIENT "BH_SUITE_CLIENT"         /* the command that starts a client */
#define ENV_KILL "BH_SUITE_KILL"             /* the command that signals it; empty: kill() */
#define ENV_CONNECT "BH_SUITE_CONNECT"       /* the command that connects to an endpoint; empty: the suite does */
#define ENV_LISTEN "BH_SUITE_LISTEN"         /* the command that listens at one; empty: the suite does */
#define ENV_TIME_SCALE "BH_SUITE_TIME_SCALE" /* a number */
#define ENV_SEED "BH_SUITE_SEED"             /* a number: what random_below() makes of it */
#define ENV_STEPS "BH_SUITE_STEPS"           /* which steps of a run of --fuzz: step_list.h */
#define ENV_KEEP "BH_SUITE_KEEP"             /* "1": private directories stay */

/* Below the directory of the run. */
#define RESULTS "results" /* SECTION.NAME.jsonl: the record of a case */
#define CASES "c"         /* the private directories; short, for sun_path */
#define PIDS "pids"       /* a file for each hub that runs, named by its process group */
#define LEARNED "learned" /* an empty file for each thing that one case has learned for the others */

/*
 * What never does anything right must not cost every case its whole deadline: once a first case has waited in
 * vain for what none has seen yet, the others wait for less.
 */
#define READY "ready"         /* a hub has taken a connection, a client has come */
#define NOT_READY "not-ready" /* none has in its time */
#define HEARD "heard"         /* one has sent a message */
#define MUTE "mute"           /* one has sent none in its time */
/* A case of this section, as it is in C, has a client under test; of all others it is a hub. */
bool is_of_client(const char *section);
void learn(const char *what);
bool has_learned(const char *what);

/* --------------------------------------------------------------------------------------------------- the record */

/*
 * The record of a case: one JSON object a line, written as things happen, so that it outlives the worker. `us` is the
 * time since the case began, `lane` who it is about ("hub", "client", "conn 1", "bridge 1"), `kind` one of:
 *
 *     send, receive   from the suite to what is under test, or back: text, body, size. On the lane of a connection a
 *                     message or a run of octets; on that of a client a command or an event
 *     event           what happened to a lane: text
 *     log             a line that what is under test wrote: text
 *     breach          a requirement broken on the way: requirement, text
 *     verdict         the last of these is the case's: verdict, requirement, expected, came
 */
enum record_kind { RECORD_SEND, RECORD_RECEIVE, RECORD_EVENT, RECORD_LOG };

void record_event(const char *lane, const char *pattern, ...) __attribute__((format(printf, 2, 3)));
void record_traffic(enum record_kind kind, const char *lane, const char *text, const void *body, size_t size,
                    bool automatic);
void record_log(const char *lane, const char *text);

/* ----------------------------------------------------------------------------------------------------- the case */

const char *environment(const char *name); /* "" where it is not set */
double time_scale(void);
/* What a hub or a client is given, where `ms` (0: `otherwise`) is wanted: on a slow host too no longer than it may
 * take. */
uint32_t scaled_heartbeat_ms(uint32_t ms, uint32_t otherwise);
uint32_t scaled_timeout_ms(uint32_t ms, uint32_t otherwise);
/* Why the case must end although nothing was expected of it yet: found in a callback, raised by the next wait. */
void case_crashed(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
void case_hub_closed(void); /* one of its connections: perhaps because it has crashed */
void raise_pending(void);
_Noreturn void crashed(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
/* The suite itself cannot go on. */
_Noreturn void suite_broke(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
/* The case has lost so much time to the host that a hub may have given it up: see INCONCLUSIVE. */
void case_timeout_ms(uint32_t timeout_ms);
/* How long a process takes to start and to end on this host just now, in milliseconds. */
double process_ms(void);

/* From here on random_below() draws what the seed, the case and this number alone decide. */
void random_restart(uint32_t number);

/* ----------------------------------------------------------------------------------------------------- the loop */

uv_loop_t *loop(void);
void loop_begin(void);
/* Closes every handle and forgets them. */
void loop_end(void);
/* For the rest of the case: what it moves takes this much time. */
void extend_deadline(uint64_t ms);
/* The longest time that the loop was kept from running. */
uint64_t loop_longest_gap(void);
/*
 * Periodic HEARTBEATs must not keep a case waiting for ever for something else: while a case takes one after another
 * off a connection and does nothing else, the deadline of the first counts. Any other wait, and sending, ends that.
 */
void end_patience(void);
bool wait_patiently(bool (*condition)(void *arg), void *arg, uint64_t ms);
/* Without raising: for clean-up. */
bool wait_quietly(bool (*condition)(void *arg), void *arg, uint64_t ms);

/* ------------------------------------------------------------------------------------------------------- memory */

char *format_list(const char *pattern, va_list args);
/* The same, with every ' of the format made ". */
char *format_body(const char *pattern, va_list args);
void free_all(void);
/* Calls take() for each whole line of what comes in pieces; `line` keeps what is not whole yet. */
void take_lines(bh_buffer *line, const char *octets, size_t size,
                void (*take)(void *owner, const char *line, size_t size), void *owner);
/* Of the UTF-8 character that `octets` begin with; 0: they begin with none. */
size_t character_size(const void *octets, size_t size);
/* An array that grows, of the case's memory. */
void *grow(void *array, size_t count, size_t *capacity, size_t element);
bh_allocator case_allocator(void);

/* --------------------------------------------------------------------------------------------------- connections */

enum conn_stage { CONN_CONNECTING, CONN_CONNECTED, CONN_FAILED };
/* Begins to connect; conn_stage() tells how it went. */
struct conn *conn_begin(struct hub *hub);
enum conn_stage conn_stage(const struct conn *conn);
/* What the program of --connect says: ": text", or "". */
const char *conn_excuse(const struct conn *conn);
/* Gives an attempt or a probe up. */
void conn_abandon(struct conn *conn);
/* Accepts the connection of a client that waits at the endpoint of the played hub, or was handed over from there. */
struct conn *conn_take(struct client *client, uv_stream_t *endpoint);
/* From here on a client that leaves is answered. */
void conns_part(void);
/* What can be told of requests only when the case is over. */
void conns_finish(void);
void conns_forget(void);
void bridges_forget(void);

/* ---------------------------------------------------------------------------------------------------------- hubs */

/* The connection with which the hub was found ready, once: NULL where it was taken or has ended. */
struct conn *hub_take_probe(struct hub *hub);
/* By SIGSTOP. */
bool hub_is_stopped(const struct hub *hub);
/* A hub that keeps other timings than it was given says so in the ACK of a REGISTER; the case that is about that fails.
 */
void hub_follow(struct hub *hub, const struct message *ack);

/* ----------------------------------------------------------------------------------------------------- processes */

/* Ends everything that runs. `judge`: what ends badly fails the case. */
void processes_finish(bool judge);
/* At once, and without a word. */
void processes_kill(void);
/* Runs the command by /bin/sh, in a process group of its own that the guard knows of, with `dir` for XDG_RUNTIME_DIR.
 */
uv_process_t *shell_spawn(const char *command, const char *dir, uv_stdio_container_t stdio[3], uv_exit_cb ended,
                          void *data);
/* And removes their directories. */
void processes_forget(void);

/* The command with its placeholders filled in, quoted for a shell. */
struct placeholder {
  const char *name; /* "endpoint" */
  const char *value;
};
char *fill_in(const char *command, const struct placeholder *placeholders, size_t count);
/* What /bin/sh is given to run it. */
char *shell_script(const char *command);
/* Whether the shell waits for it, and tells a signal that ended it by an exit status above 128. */
bool shell_stays(const char *command);

/* With all that is in it. */
void remove_directory(const char *path);

uint16_t free_port(void);
bool port_is_free(uint16_t port);

#endif
