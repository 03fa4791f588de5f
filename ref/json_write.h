/* SPDX-License-Identifier: MIT */
#ifndef BH_JSON_WRITE_H
#define BH_JSON_WRITE_H

#include "buffer.h"

/* Pieces of JSON appended to a buffer; failures are latched there. */

void bh_write_text(bh_buffer *out, const char *text); /* as it is */
void bh_write_integer(bh_buffer *out, uint64_t value);
/* Quoted and escaped; `octets` is UTF-8. Control characters, DEL included, come out as \u00XX. */
void bh_write_string(bh_buffer *out, const char *octets, size_t size);
void bh_write_string_or_null(bh_buffer *out, const char *text); /* "" is null */

#endif
