/* SPDX-License-Identifier: MIT */
#ifndef LIVES_H
#define LIVES_H

/* Hubs and clients that die and come back: the steps that cases about them share. */

#include "harness.h"
#include "imports.h"

/* No time-out of these comes in the time of a case. The next hub is started by the same command, with the same paths.
 */
#define LONG_LIVES .need = "spool,takeover,resume", .heartbeat_ms = 100, .timeout_ms = 60000
/* For cases that wait for one. */
#define SHORT_LIVES .need = "spool,takeover,resume", QUICK_TIMEOUTS

/* The hub dies by SIGKILL, and the next is started in its place. */
void crash_and_restart(struct hub *hub);
/* SIGSTOP: what is sent to it from here on waits for SIGCONT. */
void hub_stop(struct hub *hub);
/* A further hub for the same paths; 0: a port of its own. It is not started yet. */
struct hub *rival_of(struct hub *hub, uint16_t port);
/* Starts it while the other has what both need: it must end, and not as if all were well. */
void expect_rival_ends(struct hub *rival);
/* The same of one that is launched. */
void expect_does_not_serve(struct hub *rival);
/* `hub` goes on as if nothing had happened; `conn` is its active instance with a free window. */
void expect_unharmed(struct hub *hub, struct conn *conn);

/* The assets of export `number`, and exports first to last, one after the other. */
char *numbered(unsigned number);
void export_numbered(struct hub *hub, unsigned first, unsigned last);
/* IMPORT_DATA with the assets of export `number`, on the way to something else. It is not answered. */
const struct message *hold(struct conn *conn, unsigned number);
/* ... and is the one that `conn` or another had before, at its `attempt`-th sending. */
const struct message *expect_again(struct conn *conn, const struct message *before, uint64_t attempt);

/* On a new connection, as the instance that `former` was. */
struct conn *come_back(struct hub *hub, const struct conn *former);
struct conn *come_back_with(struct hub *hub, const struct conn *former, unsigned window);
/* A new instance with such a window that is active. */
struct conn *join_active(struct hub *hub, const char *name, unsigned window);
/* Waits until the queue's first import was sent `attempt` times, has as many deaths and this holder ("_": nobody). */
void expect_entry(struct hub *hub, const char *attempt, const char *deaths, const char *holder);
/* The same on the way to something else: where it is not so, `requirement` is broken. */
void pass_entry(struct hub *hub, const char *requirement, const char *attempt, const char *deaths, const char *holder);

/* Lets time pass where the time itself is what a case is about. */
void pass_time(uint64_t ms);

#endif
