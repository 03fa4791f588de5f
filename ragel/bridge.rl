/* SPDX-License-Identifier: MIT */
#include "bridge.h"

#include <string.h>

/* `top` is the depth: the array around the assets counts, also where Bridge left it out. */
%%{
  machine bridge;
  alphtype unsigned char;
  access stream->;

  action enter_object {
    if (stream->top >= BH_BRIDGE_DEPTH_MAX) {
      stream->error = BH_JSON_DEPTH;
      fhold;
      fbreak;
    }
    fcall object_rest;
  }
  action enter_array {
    if (stream->top >= BH_BRIDGE_DEPTH_MAX) {
      stream->error = BH_JSON_DEPTH;
      fhold;
      fbreak;
    }
    fcall array_rest;
  }
  action enter_character {
    fhold;
    fcall character;
  }
  action leave { fret; }
  action not_UTF8 { stream->error = BH_JSON_UTF8; }

  action begin_assets {
    status = begin_value(stream, false);
    fhold;
    fnext assets;
    fbreak;
  }
  action begin_asset {
    status = begin_value(stream, true);
    fhold;
    fnext asset;
    fbreak;
  }
  action empty { stream->empty = true; }
  action whole {
    status = end_value(stream);
    fnext between;
    fbreak;
  }
  action said_bye {
    stream->bye = true;
    status = BH_STREAM_BYE;
    fbreak;
  }

  include json_grammar "json_grammar.rl";
  include bridge_grammar "bridge_grammar.rl";

  main := stream;

  write data nofinal noentry;
}%%

void bh_stream_init(bh_stream *stream) {
  memset(stream, 0, sizeof *stream);
  %% write init;
}

static bh_stream_status begin_value(bh_stream *stream, bool object) {
  stream->inside = true;
  stream->object = object;
  stream->empty = false;
  stream->top = object ? 2 : 1;
  return BH_STREAM_BEGIN;
}

static bh_stream_status end_value(bh_stream *stream) {
  stream->inside = false;
  stream->top = 0;
  return BH_STREAM_VALUE;
}

bh_stream_status bh_stream_feed(bh_stream *stream, const uint8_t *octets, size_t size, size_t *consumed) {
  const uint8_t *p = octets;
  const uint8_t *pe;
  const uint8_t *eof = NULL; /* where these octets end, the text goes on */
  bh_stream_status status = BH_STREAM_MORE;

  *consumed = 0;
  if (stream->error != BH_JSON_OK) {
    return BH_STREAM_BROKEN;
  }
  if (stream->bye) {
    return BH_STREAM_BYE;
  }
  if (size == 0) {
    return BH_STREAM_MORE;
  }
  pe = octets + size;
  %% write exec;
  *consumed = (size_t)(p - octets);
  stream->offset += *consumed;
  if (stream->cs == bridge_error && stream->error == BH_JSON_OK) {
    stream->error = BH_JSON_SYNTAX;
  }
  return stream->error == BH_JSON_OK ? status : BH_STREAM_BROKEN;
}
