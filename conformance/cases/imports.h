/* SPDX-License-Identifier: MIT */
#ifndef IMPORTS_H
#define IMPORTS_H

/* Imports: how cases wait for them, answer them and find them in the spool. */

#include "harness.h"

/* A file of spec/payloads, whole. */
char *payload(const char *file, size_t *size);
/* Its size without white space at its end, which is none of the array's. */
size_t trimmed_size(const char *octets, size_t size);

/* The next message but HEARTBEATs is an IMPORT_DATA with these assets. It is not answered. */
const struct message *expect_assets(struct conn *conn, const char *assets);
const struct message *expect_assets_octets(struct conn *conn, const void *assets, size_t size);
/* ... and is answered with ACK. */
const struct message *take_assets(struct conn *conn, const char *assets);
void take_assets_octets(struct conn *conn, const void *assets, size_t size);
void ack_import(struct conn *conn, const struct message *import);
void refuse_import(struct conn *conn, const struct message *import);
const char *import_of(const struct message *import);
uint64_t attempt_of(const struct message *import);
void expect_attempt(const struct message *import, uint64_t attempt);
void expect_same_import(const struct message *first, const struct message *again);
/* Once all that this connection sent is handled, no IMPORT_DATA has come that was not taken. */
void expect_nothing_more(struct conn *conn);

/* The hub closes a connection on which this was sent, which stays open on its side. NULL: a 0 octet. */
void expect_refused(struct hub *hub, const char *octets);
bool bridge_has_ended(void *bridge);

/* An import's file in a directory of the spool, as section 6.1 names it. */
struct spool_entry {
  const char *name;
  const char *path;
  const char *sequence;
  const char *import;
  const char *attempt;
  const char *deaths;
  const char *holder;
};
/* Those whose names fit, in the order of their names. */
struct spool_entry *spool_list(struct hub *hub, const char *where, size_t *count);
size_t spool_count(struct hub *hub, const char *where);
/* Waits until there are as many. */
void expect_spool_count(struct hub *hub, const char *where, size_t count);
/* The spool's directories, and a file in one, for a hub that is started then. */
void plant_spool(struct hub *hub);
void plant_import(struct hub *hub, const char *where, const char *name, const char *octets);
/* A HEARTBEAT that says that as many wait or are parked. */
void expect_waiting(struct conn *conn, uint64_t waiting);
void expect_parked(struct conn *conn, uint64_t parked);
/* Registers with an instance id. */
const struct message *resume(struct conn *conn, const char *name, const char *instance);

#endif
