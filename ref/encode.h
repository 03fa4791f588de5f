/* SPDX-License-Identifier: MIT */
#ifndef BH_ENCODE_H
#define BH_ENCODE_H

#include "json_write.h"

/* Messages as octets (spec/protocol.md, section 3.1). Failures are latched in `out`. */

/* The header of a message whose body of `length` octets the caller appends. */
void bh_encode_header(bh_buffer *out, bh_type type, uint32_t id, size_t length);

/* Bodies, or pieces of them. */
void bh_encode_member(bh_buffer *out, const char *name, uint64_t value); /* name: `{"for":` or `,"epoch":` */
void bh_encode_error_body(bh_buffer *out, uint32_t answers, const char *code, const char *message);
void bh_encode_for_body(bh_buffer *out, uint32_t answers); /* {"for":N} */

#endif
