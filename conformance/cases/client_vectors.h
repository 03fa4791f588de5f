/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_VECTORS_H
#define CLIENT_VECTORS_H

/*
 * The vectors of spec/vectors whose receiver is a client, of those whose first requirement is `requirement`. What fails
 * is told with the tcId.
 */

/* Right framing: the messages go to a registered client, with the ids that are due. The client answers them as the
 * vector says, and hands up the imports among them. */
void play_to_client(const char *file, const char *requirement);
/* Breaks of the framing that name `requirement`, each sent to a client of its own, which finds it, answers and closes.
 */
void play_breaks_to_client(const char *file, const char *requirement);
/* The same of ACKs and ERRORs that answer nothing, for a client that has registered; */
void play_wrong_answers(const char *file);
/* and of ACKs for its REGISTER. */
void play_wrong_welcomes(const char *file);

#endif
