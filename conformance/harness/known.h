/* SPDX-License-Identifier: MIT */
#ifndef KNOWN_H
#define KNOWN_H

/*
 * The known failures of an implementation: a file that a CI keeps beside it. A line is
 *
 *     GLOB            # what the failure has to say
 *
 * and takes the failures of the cases that GLOB fits, where their message has that text in it, or fits it as a glob. An
 * empty line, or one that begins with #, says nothing.
 */

#include <stdio.h>

#include "result.h"

struct known;

/* NULL: it said what is wrong. Ended by known_free(). */
struct known *known_read(const char *path);
void known_free(struct known *known);

/* There is such a case, and it is among those to be run. `known` may be NULL in all of these. */
void known_meet(struct known *known, const char *slug, bool selected);
/* A failure, or a breach seen in passing, is known: the run does not fail by it. */
bool known_takes(struct known *known, const char *slug, const char *message);
/* The case was run; `shown`: what it is about was seen to be right. */
void known_saw(struct known *known, const char *slug, bool shown);
/* Tells of the lines that no failure needs any more, or that fit no case, and returns how many there are. */
size_t known_stale(const struct known *known, FILE *out);

#endif
