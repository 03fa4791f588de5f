/* SPDX-License-Identifier: MIT */
#ifndef BH_RAGEL_BRIDGE_H
#define BH_RAGEL_BRIDGE_H

/* What Bridge writes on one TCP connection (spec/protocol.md, section 5): a run of values, resumable at any octet. */

#include "json.h"

typedef enum {
  BH_STREAM_MORE,   /* right so far, and all octets are taken */
  BH_STREAM_BEGIN,  /* a value begins with the next octet; `object` says which kind */
  BH_STREAM_VALUE,  /* the last octet taken ends a value; `empty`: it is an array without elements */
  BH_STREAM_BYE,    /* "Bye Megascans" has been read whole; latched */
  BH_STREAM_BROKEN, /* latched; `offset` is the wrong octet's place */
} bh_stream_status;

typedef struct {
  int cs;
  int top;
  int stack[BH_DEPTH_MAX];
  uint64_t offset; /* octets taken on this connection; when BROKEN, the wrong octet's place */
  bool inside;     /* a value has begun and is not whole */
  bool object;     /* the value is an object, not an array */
  bool empty;
  bool bye;            /* "Bye Megascans" has been read */
  bh_json_error error; /* OK, SYNTAX, UTF8 or DEPTH */
} bh_stream;

void bh_stream_init(bh_stream *stream);
/*
 * Takes octets up to the next event or the end, and says in `consumed` how many. All octets that calls consume from
 * a BEGIN up to the following VALUE are the value's, white space inside it included, and no others are.
 */
bh_stream_status bh_stream_feed(bh_stream *stream, const uint8_t *octets, size_t size, size_t *consumed);

#endif
