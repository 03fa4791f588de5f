/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <string.h>

%%{
  machine frame;
  alphtype unsigned char;
  access frame->;

  action is_register { frame->type = BH_REGISTER; }
  action is_unregister { frame->type = BH_UNREGISTER; }
  action is_claim_active { frame->type = BH_CLAIM_ACTIVE; }
  action is_release_active { frame->type = BH_RELEASE_ACTIVE; }
  action is_heartbeat { frame->type = BH_HEARTBEAT; }
  action is_import_data { frame->type = BH_IMPORT_DATA; }
  action is_ack { frame->type = BH_ACK; }
  action is_error { frame->type = BH_ERROR; }
  action is_unknown { frame->type = BH_TYPE_UNKNOWN; }

  # Ten digits can be too many for 32 bits: asked before the multiplication.
  action id_digit {
    if (frame->id > (UINT32_MAX - (uint32_t)(*p - '0')) / 10) {
      frame->code = BH_CODE_MALFORMED;
      fhold;
      fbreak;
    }
    frame->id = frame->id * 10 + (uint32_t)(*p - '0');
  }

  action id_read { frame->id_read = true; }

  # The length so far is at most BH_BODY_MAX, so that another digit fits.
  action length_digit {
    uint32_t longer = frame->length * 10 + (uint32_t)(*p - '0');
    if (longer > frame->limit) {
      frame->code = BH_CODE_TOO_LARGE;
      fhold;
      fbreak;
    }
    frame->length = longer;
  }

  action whole { fbreak; }

  include frame_grammar "frame_grammar.rl";

  main := header @whole;

  write data noentry;
}%%

void bh_frame_init(bh_frame *frame, uint32_t limit) {
  memset(frame, 0, sizeof *frame);
  frame->limit = limit;
  %% write init;
}

bh_frame_status bh_frame_feed(bh_frame *frame, const uint8_t *octets, size_t size, size_t *consumed) {
  const uint8_t *p = octets;
  const uint8_t *pe;

  *consumed = 0;
  if (frame->code != BH_CODE_NONE) {
    return BH_FRAME_BROKEN;
  }
  if (size > 0) { /* without octets there may be no pointer to count from */
    pe = octets + size;
    %% write exec;
  }
  *consumed = (size_t)(p - octets);
  frame->offset += *consumed;
  if (frame->cs == frame_error && frame->code == BH_CODE_NONE) {
    frame->code = BH_CODE_MALFORMED;
  }
  if (frame->code != BH_CODE_NONE) {
    return BH_FRAME_BROKEN;
  }
  return frame->cs >= frame_first_final ? BH_FRAME_HEADER : BH_FRAME_MORE;
}
