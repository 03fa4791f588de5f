/* SPDX-License-Identifier: MIT */
#include "encode.h"

#include <string.h>

void bh_encode_header(bh_buffer *out, bh_type type, uint32_t id, size_t length) {
  bh_write_text(out, "BH1 ");
  bh_write_text(out, bh_type_name(type));
  bh_write_text(out, " ");
  bh_write_integer(out, id);
  bh_write_text(out, " ");
  bh_write_integer(out, length);
  bh_write_text(out, "\n");
}

void bh_encode_member(bh_buffer *out, const char *name, uint64_t value) {
  bh_write_text(out, name);
  bh_write_integer(out, value);
}

void bh_encode_error_body(bh_buffer *out, uint32_t answers, const char *code, const char *message) {
  if (answers == 0) {
    bh_write_text(out, "{\"for\":null");
  } else {
    bh_encode_member(out, "{\"for\":", answers);
  }
  bh_write_text(out, ",\"code\":");
  bh_write_string(out, code, strlen(code));
  bh_write_text(out, ",\"message\":");
  bh_write_string(out, message, strlen(message));
  bh_write_text(out, "}");
}

void bh_encode_for_body(bh_buffer *out, uint32_t answers) {
  bh_encode_member(out, "{\"for\":", answers);
  bh_write_text(out, "}");
}
