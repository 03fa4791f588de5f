/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"

#include <string.h>

%%{
  machine spool_name;
  alphtype unsigned char;

  action number_of_64_bits {
    number = 0;
    most = UINT64_MAX;
  }
  action number_of_32_bits {
    number = 0;
    most = UINT32_MAX;
  }
  # As many digits as fit can still be too much: asked before the multiplication.
  action digit {
    if (number > (most - (uint64_t)(*p - '0')) / 10) {
      return false;
    }
    number = number * 10 + (uint64_t)(*p - '0');
  }
  action sequence_read { parsed.sequence = number; }
  action attempt_read { parsed.attempt = (uint32_t)number; }
  action deaths_read { parsed.deaths = (uint32_t)number; }
  action span_begins { span = p; }
  action import_read { memcpy(parsed.import, span, (size_t)(p - span)); }
  action holder_read { memcpy(parsed.holder, span, (size_t)(p - span)); }

  include spool_name_grammar "spool_name_grammar.rl";

  main := spool_name;

  write data noerror noentry;
}%%

/* The rules bound what is copied: an import has at most 37 octets, an instance id 64. */
bool bh_spool_name_parse(const char *name, bh_import *import) {
  const uint8_t *p = (const uint8_t *)name;
  const uint8_t *pe = p + strlen(name);
  const uint8_t *span = p;
  uint64_t number = 0;
  uint64_t most = 0;
  bh_import parsed;
  int cs;

  memset(&parsed, 0, sizeof parsed);
  %% write init;
  %% write exec;
  if (cs < spool_name_first_final) {
    return false;
  }
  *import = parsed;
  return true;
}
