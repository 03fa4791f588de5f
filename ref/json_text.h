/* SPDX-License-Identifier: MIT */
#ifndef BH_JSON_TEXT_H
#define BH_JSON_TEXT_H

#include "body.h"

/* What a JSON string holds, once its escapes are resolved. */
typedef struct {
  size_t size;   /* octets of UTF-8 that the whole text has */
  bool nul;      /* \u0000 is in it; it comes out as U+FFFD */
  bool unpaired; /* an unpaired surrogate is in it; it comes out as U+FFFD */
} bh_text_info;

/*
 * `string` stands with its quotation marks and was found right by the recogniser. Writes at most `capacity` - 1 octets,
 * whole characters only, and a 0; `capacity` may be 0.
 */
bh_text_info bh_text_decode(bh_octets string, char *out, size_t capacity);

#endif
