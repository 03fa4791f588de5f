/* SPDX-License-Identifier: MIT */
#ifndef BH_RAGEL_JSON_H
#define BH_RAGEL_JSON_H

/* A strict recogniser of one JSON text (RFC 8259, UTF-8, BH-BODY-001), resumable at any octet. */

#include "bridgehub.h"

typedef enum {
  BH_JSON_MORE,   /* right so far, and all octets are taken */
  BH_JSON_MEMBER, /* only with `outline`: a member of the outermost object, or an element of the outermost array, has
                     been read, and the octet behind it: `value` is set, and `key` for a member */
  BH_JSON_DONE,   /* only from bh_json_end(): one whole text */
  BH_JSON_BROKEN, /* latched; `offset` is the wrong octet's place, `error` what is wrong */
} bh_json_status;

typedef enum {
  BH_JSON_OK,
  BH_JSON_SYNTAX,
  BH_JSON_UTF8,  /* not UTF-8: a stray or missing octet, an overlong form, a surrogate, above U+10FFFF */
  BH_JSON_DEPTH, /* deeper than `max_depth` */
  BH_JSON_SHORT, /* the text ends too early */
} bh_json_error;

/* Octets [begin, end) of the text, from its first octet. */
typedef struct {
  uint64_t begin, end;
} bh_span;

typedef struct {
  int cs;
  int top;
  /* A character of several octets takes a place too, also at the greatest depth. */
  int stack[BH_DEPTH_MAX + 1];
  int max_depth;   /* at most BH_DEPTH_MAX; an array or object with nothing around it is depth 1 */
  bool outline;    /* stop after each member of the outermost object or element of the outermost array */
  uint64_t offset; /* octets taken; when BROKEN, the wrong octet's place */
  bh_json_error error;
  bh_span key;   /* with its quotation marks; empty for an element */
  bh_span value; /* without white space around it */
} bh_json;

void bh_json_init(bh_json *json, int max_depth, bool outline);
/* Takes octets up to the end, a member or the wrong octet, and says in `consumed` how many. */
bh_json_status bh_json_feed(bh_json *json, const uint8_t *octets, size_t size, size_t *consumed);
/* No more octets: DONE or BROKEN. */
bh_json_status bh_json_end(bh_json *json);
/* "what is wrong", for people. */
const char *bh_json_error_string(bh_json_error error);

#endif
