/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <string.h>

/*
 * The outermost object or array is no called machine but part of main, so that its members cost the nested ones
 * nothing. It counts in `top` all the same, which is the depth.
 */
%%{
  machine json;
  alphtype unsigned char;
  access json->;

  action enter_outermost {
    if (json->top >= json->max_depth) {
      json->error = BH_JSON_DEPTH;
      fhold;
      fbreak;
    }
    json->top++;
  }
  action enter_object {
    if (json->top >= json->max_depth) {
      json->error = BH_JSON_DEPTH;
      fhold;
      fbreak;
    }
    fcall object_rest;
  }
  action enter_array {
    if (json->top >= json->max_depth) {
      json->error = BH_JSON_DEPTH;
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
  action not_UTF8 { json->error = BH_JSON_UTF8; }

  action key_begins { json->key.begin = PLACE; }
  action key_ends { json->key.end = PLACE + 1; }
  action value_begins { json->value.begin = PLACE; }

  # On the octet behind the value, which a number needs in order to end: it is taken with the value.
  action value_ends {
    json->value.end = PLACE;
    if (json->outline) {
      member = true;
      fbreak;
    }
  }

  include json_grammar "json_grammar.rl";

  outermost_value  = value >value_begins %value_ends;
  outermost_member = string >key_begins @key_ends ws name_separator ws outermost_value;
  outermost_object =
      begin_object @enter_outermost ws
      ( outermost_member ws ( value_separator ws outermost_member ws )* )? end_object;
  outermost_array =
      begin_array @enter_outermost ws
      ( outermost_value ws ( value_separator ws outermost_value ws )* )? end_array;

  JSON_text = ws ( literal | outermost_object | outermost_array | number | string ) ws;

  main := JSON_text;

  write data noentry;
}%%

#define PLACE (json->offset + (uint64_t)(p - octets))

void bh_json_init(bh_json *json, int max_depth, bool outline) {
  memset(json, 0, sizeof *json);
  json->max_depth = max_depth;
  json->outline = outline;
  %% write init;
}

bh_json_status bh_json_feed(bh_json *json, const uint8_t *octets, size_t size, size_t *consumed) {
  const uint8_t *p = octets;
  const uint8_t *pe;
  const uint8_t *eof = NULL; /* where these octets end, the text goes on */
  bool member = false;

  *consumed = 0;
  if (json->error != BH_JSON_OK) {
    return BH_JSON_BROKEN;
  }
  if (size == 0) {
    return BH_JSON_MORE;
  }
  pe = octets + size;
  %% write exec;
  *consumed = (size_t)(p - octets);
  json->offset += *consumed;
  if (json->cs == json_error && json->error == BH_JSON_OK) {
    json->error = BH_JSON_SYNTAX;
  }
  if (json->error != BH_JSON_OK) {
    return BH_JSON_BROKEN;
  }
  return member ? BH_JSON_MEMBER : BH_JSON_MORE;
}

bh_json_status bh_json_end(bh_json *json) {
  if (json->error == BH_JSON_OK && json->cs < json_first_final) {
    json->error = BH_JSON_SHORT;
  }
  return json->error == BH_JSON_OK ? BH_JSON_DONE : BH_JSON_BROKEN;
}

const char *bh_json_error_string(bh_json_error error) {
  switch (error) {
  case BH_JSON_OK:
    return "nothing is wrong";
  case BH_JSON_SYNTAX:
    return "not JSON: no JSON text has this octet here";
  case BH_JSON_UTF8:
    return "not UTF-8";
  case BH_JSON_DEPTH:
    return "too deep";
  case BH_JSON_SHORT:
    return "the JSON text ends too early";
  }
  return "unknown";
}
