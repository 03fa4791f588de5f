/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_OBVIOUS_H
#define FUZZ_OBVIOUS_H

/*
 * A second reading of spec/messages.abnf, slow and obvious: each rule is a function that follows the text, without
 * tables and without state between octets. It exists to be compared with the grammar in ragel/, here and nowhere else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBVIOUS_WHOLE SIZE_MAX

/*
 * How far octets go as the start of a JSON-text of at most `max_depth`: OBVIOUS_WHOLE where they are one, `size` where
 * they could still become one, else the place of the first wrong octet.
 */
size_t obvious_json(const uint8_t *octets, size_t size, int max_depth);

typedef enum { OBVIOUS_STREAM_END, OBVIOUS_STREAM_VALUE, OBVIOUS_STREAM_BYE, OBVIOUS_STREAM_WRONG } obvious_stream_kind;

typedef struct {
  obvious_stream_kind kind;
  size_t begin,
      end; /* VALUE; else `end` is how far the octets are taken, and `begin` less where that is inside a value */
  bool empty;
} obvious_stream;

/* What comes next from `at` on of what Bridge writes on one connection. */
obvious_stream obvious_stream_next(const uint8_t *octets, size_t size, size_t at);

typedef enum { OBVIOUS_MORE, OBVIOUS_MESSAGE, OBVIOUS_MALFORMED, OBVIOUS_TOO_LARGE } obvious_kind;

typedef struct {
  obvious_kind kind;
  char type[33];
  uint32_t id;   /* MESSAGE; what `for` is otherwise: 0 for null */
  size_t body;   /* where it begins, MESSAGE */
  size_t length; /* of the body */
  size_t wrong;  /* the octet's place, MALFORMED and TOO_LARGE: those before it are taken */
} obvious_message;

/* The message at the beginning of the octets, in a direction whose last id was `last_id`. */
obvious_message obvious_read(const uint8_t *octets, size_t size, uint32_t limit, uint32_t last_id);

#endif
