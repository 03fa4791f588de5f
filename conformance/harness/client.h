/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_H
#define CLIENT_H

/*
 * What a case about a client is written with, besides harness.h: the client's process, and the hub that the suite
 * plays.
 *
 *     CASE(client_imports, one_in_hand_is_not_handed_up_twice, MUST, "BH-CLIENT-002") {
 *       struct client *client = client_start();
 *       struct conn *conn = welcome(client);
 *       send_import(conn, "00000000000000aa-1", 1, "[{}]");
 *       expect_import(client, "00000000000000aa-1");
 *       uint32_t again = send_import(conn, "00000000000000aa-1", 2, "[{}]");
 *       expect_no_import(conn);
 *       command(client, "ack 00000000000000aa-1");
 *       expect_ack(conn, again);
 *     }
 *
 * A connection that a client has opened is a `struct conn` like one that a case opens to a hub: the same functions send
 * on it and wait for what comes. HEARTBEATs of the client are answered by themselves.
 */

#include "harness.h"

/* All of it may be left 0. */
struct client_options {
  uint32_t heartbeat_ms; /* 60000: HEARTBEATs come when the case sends them, */
  uint32_t timeout_ms;   /* and 600000: and the client does not miss any */
  const char *group;
  const char *need;
  const char *name; /* another {name} */
  bool no_hub;      /* there is no endpoint yet */
};

/* Timings for cases in which the client has to find that the hub is silent. */
#define QUICK_CLIENT .heartbeat_ms = 100, .timeout_ms = 500

/* To be read only, but for what the case lets its hub tell. */
struct client {
  char *dir, *endpoint;
  const char *name; /* {name} */
  uint16_t port;
  uint32_t heartbeat_ms, timeout_ms; /* as the client was given them, and as the hub tells them */
  bool running;
  int exit_status, exit_signal;
  struct client_process *process;

  /* What the hub tells: */
  const char *active; /* NULL: nobody */
  uint64_t epoch;
  uint32_t waiting, parked;
};

/* ------------------------------------------------------------------------------------------------- the process */

/* Opens the endpoint and starts the client. */
struct client *client_start(void);
struct client *client_start_with(struct client_options options);
/* Without starting it. */
struct client *client_prepare(struct client_options options);
void client_run(struct client *client);
/* It is told to end, or has a reason to: that is no crash. */
void client_may_end(struct client *client);
void client_signal(struct client *client, int signal);
/* Waits for its end; the case fails where it runs on. */
void client_expect_end(struct client *client);
/* ... and where it does not end with status 0, nor, having been sent SIGTERM, by that. */
void client_expect_clean_end(struct client *client);
void client_close_stdin(struct client *client);
/* Ends it in whatever way: the case is done with it, and goes on with another. */
void client_dismiss(struct client *client);
/* What it has written to standard error so far, with a 0 behind. */
const char *client_log(const struct client *client);

/* --------------------------------------------------------------------------------------------- commands, events */

/* Writes a line to its standard input: "ack %s". */
void command(struct client *client, const char *pattern, ...) __attribute__((format(printf, 2, 3)));

/* A line of its standard output. */
struct client_event {
  const char *kind; /* "registered" */
  struct json json;
  uint64_t at; /* now_ms() when it came */
};

/* The next event; NULL: none has come in `ms`. */
const struct client_event *next_event_in(struct client *client, uint64_t ms);
/* What is told where none came. */
const char *no_event(const struct client *client, uint64_t ms);
/* The next event of this kind. Others are passed over, but for imports: one that is not asked for fails the case. */
const struct client_event *expect_event(struct client *client, const char *kind);
const struct client_event *expect_event_in(struct client *client, const char *kind, uint64_t ms);
/* The next import handed up must be this one. */
const struct client_event *expect_import(struct client *client, const char *import);
/* The client has seen all that came on `conn`, and hands up no import that is not taken yet: it is told first that it
 * is not active, and then that it is. */
void expect_no_import(struct conn *conn);
/* How many events of this kind have come in all. */
size_t events_of(const struct client *client, const char *kind);

/* ----------------------------------------------------------------------------------------- the hub that is played */

/* Listens at the endpoint, with the next epoch. */
void hub_play(struct client *client);
/* Nobody listens any more, and nothing is there. Connections go on. */
void hub_vanish(struct client *client);
/* As a hub that was killed leaves it: the socket is there, where the endpoint is a file, and nobody listens. */
void hub_leave_socket(struct client *client);
/* UNIMPLEMENTED where an endpoint is no file. Nobody listens at this one yet. */
void needs_socket_file(struct client *client);
/* Something that is not a hub listens on the port. */
void take_port(struct client *client);

/* The next connection of the client. */
struct conn *arrival(struct client *client);
/* The same; NULL: none has come in `ms`. */
struct conn *arrival_in(struct client *client, uint64_t ms);
/* The next message on a new connection, which has to be a REGISTER. */
const struct message *expect_register(struct conn *conn);
/* Answers it as a hub does, by ACK, and tells the instances. The id is the client's own, or `otherwise` (NULL: a new
 * one). The first client of a case is active. */
void confirm(struct conn *conn, const struct message *registration, const char *otherwise);
/* All of this, and the client says that it is registered. Judges nothing. */
struct conn *welcome(struct client *client);
/* `window` of the REGISTER with which the connection began. */
uint32_t window_of(const struct message *registration);
/* The same as welcome(), where the case needs a window of `window`: UNIMPLEMENTED where the client has a smaller one.
 */
struct conn *welcome_window(struct client *client, uint32_t window);

/* As things are. */
uint32_t send_heartbeat(struct conn *conn);
/* And tells by it that this instance is active now; NULL: nobody. */
uint32_t tell_active(struct conn *conn, const char *instance);
/* IMPORT_DATA. */
uint32_t send_import(struct conn *conn, const char *import, uint32_t attempt, const char *assets);
/* An id as hubs make them, of the n-th import of the case. */
char *import_id(unsigned n);
/* Sends an import, which is handed up, and returns the id of its message. */
uint32_t hand_over(struct conn *conn, const char *import);
/* Also has it finished, and takes the ACK. */
void let_finish(struct conn *conn, const char *import);
/* The next message of the client that is no HEARTBEAT must be this request. It is not answered yet. */
const struct message *expect_request(struct conn *conn, const char *type);
/* Answers by ACK; `pattern` are further members: ", 'active':null". */
void answer(struct conn *conn, const struct message *request, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));
void answer_error(struct conn *conn, const struct message *request, const char *code, const char *text);

#endif
