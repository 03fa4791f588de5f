/* SPDX-License-Identifier: MIT */
#ifndef VECTOR_PLAYER_H
#define VECTOR_PLAYER_H

/*
 * The vectors of spec/vectors whose receiver is a hub, each on a connection of its own. What fails is told with the
 * tcId.
 */

#include "harness.h"

/*
 * Right framing, of those whose first requirement is `requirement`: the hub answers the first message as the vector
 * says, and the others where that is about these. What is not about registering goes to a registered connection.
 */
void play_messages(const char *file, const char *requirement);
/* The octets as they are, on a connection that has not registered; what is judged is the frames alone. */
void play_octets(const char *file, const char *requirement);
/* A break of the framing, of those that name `requirement` and have `flag` (NULL: all). Found at its octet and not
 * before. */
void play_breaks(const char *file, const char *requirement, const char *flag);
/* ... with the code that the vector says. */
void play_codes_of_breaks(const char *file, const char *requirement);
/* All breaks, and more octets behind them: the ERROR's `for` is what the vector says. */
void play_for_of_breaks(const char *file);
/* All of right framing: the answers to pieces are those to the same octets in one run. */
void play_in_pieces(const char *file);

#endif
