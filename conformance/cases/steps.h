/* SPDX-License-Identifier: MIT */
#ifndef STEPS_H
#define STEPS_H

/* Steps that several sections' cases take. Those that are tolerant say of what. */

#include "harness.h"

/* The octets of a message, as text: for what is sent in a way of its own. */
char *message_text(const char *type, uint32_t id, const char *body);

/* The ERROR's `code`, and whether the message is an ERROR with this one. */
const char *code_of(const struct message *error);
bool is_error(const struct message *message, const char *code);
/* Whether it is an ACK or ERROR, and the one for `id`. */
bool is_answer(const struct message *message);
bool is_answer_to(const struct message *message, uint32_t id);

/* Whether it is a HEARTBEAT with this `active` (NULL: null). */
bool says_active(const struct message *message, const char *instance);

/* The answer to `id`, whatever else comes before it. */
const struct message *find_answer(struct conn *conn, uint32_t id);
/* The answers to `ids`, in whichever order they come. */
void find_answers(struct conn *conn, const uint32_t *ids, size_t count, const struct message **answers);
/* A request on the way to something else. It judges nothing: where there is no ACK, `requirement` is broken. */
const struct message *pass_request(struct conn *conn, const char *requirement, const char *type, const char *body);
/* The connection takes a further message and answers it, in whichever way. */
void expect_goes_on(struct conn *conn);

/* The ERROR for a break of the framing. `pass` is for cases that are about what follows: there it judges nothing. */
const struct message *expect_break(struct conn *conn);
const struct message *pass_break(struct conn *conn);
/* Waits for it, or for whatever a hub does that finds none. */
void await_break(struct conn *conn);
/* The hub closes the connection then; judges nothing. */
void pass_end(struct conn *conn);

/* Waits until `conn` is told that `instance` is active; judges nothing: where it never is, `requirement` is broken. */
void pass_active(struct conn *conn, const char *instance, const char *requirement);
/* A HEARTBEAT that the hub sends after it has handled all that this connection sent says that `instance` is active. */
void expect_still_active(struct conn *conn, const char *instance);
/* Waits until the registered instances are told to `conn` with (or without) this one; returns that HEARTBEAT. */
const struct message *wait_for_listed(struct conn *conn, const char *instance);
const struct message *wait_for_unlisted(struct conn *conn, const char *instance);
/* The same, as what the case judges. */
void expect_unlisted(struct conn *conn, const char *instance, const char *why);

#endif
