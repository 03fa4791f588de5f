/* SPDX-License-Identifier: MIT */
#ifndef DRAW_H
#define DRAW_H

/*
 * Octets by the grammar, right and wrong, of what random_below() draws: always the same from one seed. All of it is
 * appended to a buffer. `wrongness` says of how many draws one is wrong, about; 0: none is.
 */

#include "internal.h"

/* True once in `of` times; 0: never. */
bool draw_once_in(uint32_t of);
bh_buffer draw_buffer(void);
/* `count` octets "x" as text, and other texts. */
void draw_text(bh_buffer *out, const char *text);

/* ------------------------------------------------------------------------------------------------------------ JSON */

void draw_space(bh_buffer *out);
/* Any value, at most `depth` deep. */
void draw_value(bh_buffer *out, unsigned depth);
void draw_object(bh_buffer *out, unsigned depth);
/* `depth` arrays, one in another. */
void draw_deep(bh_buffer *out, unsigned depth);

/* ------------------------------------------------------------------------------------------------------ the endpoint
 */

/* The body of a message of this type, for a client that wants to have the instance id `instance`. */
void draw_body(bh_buffer *out, const char *type, const char *instance, uint32_t wrongness);
/* A run of messages as a client sends them on a new connection. */
void draw_conversation(bh_buffer *out, uint32_t wrongness);
/* The octets of a vector for a hub, damaged here and there. */
void draw_vector(bh_buffer *out, const char *const *files, uint32_t wrongness);

/* ------------------------------------------------------------------------------------------------------------ Bridge
 */

/* What somebody writes on one connection to the port; `name` makes its values unlike those of others. */
void draw_stream(bh_buffer *out, const char *name, uint32_t wrongness);

/* ------------------------------------------------------------------------------------------------------------ octets
 */

/* Words of the grammar, single octets and whole pieces: inserted, left out, changed, repeated. */
void damage(bh_buffer *octets);

#endif
