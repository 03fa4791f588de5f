/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_STEPS_H
#define CLIENT_STEPS_H

/* Steps that several of the cases about clients take. */

#include "client.h"

/* The answer to message `id` of ours; whatever comes before it is passed over. */
const struct message *answer_for(struct conn *conn, uint32_t id);
/* ... is ACK, or ERROR with this code (NULL: any). */
void expect_taken(struct conn *conn, uint32_t id);
void expect_rejected(struct conn *conn, uint32_t id, const char *code);
/* The client answers nothing of what was sent before and was not answered yet: `id` is not among the answers so far. */
void expect_unanswered(struct conn *conn, uint32_t id);
/* A break of the framing is answered, for `id` (0: null), and the connection is closed. */
void expect_break_found(struct conn *conn, const char *code, uint32_t id);
/* The client closes the connection, whatever it has said before. */
void expect_given_up(struct conn *conn);
/* The hub dies, so that its connections end, and a new one is there. */
void hub_dies(struct conn *conn);
/* The same, and the client has registered with the new one. */
struct conn *hub_is_replaced(struct conn *conn);
/* The message as octets. */
char *message_of(const char *type, uint32_t id, const char *body);

#endif
