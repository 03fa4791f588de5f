/* SPDX-License-Identifier: MIT */
#include "state_file.h"

#include "body.h"
#include "json_write.h"

#include <string.h>

enum { STATE_SIZE_MAX = 1024 * 1024 };

static void write_field(bh_buffer *out, const char *text, uint64_t value) {
  bh_write_text(out, text);
  bh_write_integer(out, value);
}

static void write_who(bh_buffer *out, const bh_instance_info *info) {
  bh_write_text(out, "{\"instance\":");
  bh_write_string(out, info->instance, strlen(info->instance));
  write_field(out, ",\"pid\":", info->pid);
  bh_write_text(out, ",\"name\":");
  bh_write_string(out, info->name, strlen(info->name));
}

static uint64_t last_seen(const bh_instance_info *info, const bh_state_context *context) {
  uint64_t ago = context->now > info->last_seen ? (context->now - info->last_seen) / 1000 : 0;

  return context->unix_time > ago ? context->unix_time - ago : 0;
}

void bh_state_write(bh_buffer *out, const bh_hub_view *view, const bh_state_context *context) {
  bh_write_text(out, "{\"version\":1,\"hub_pid\":");
  if (context->ended) {
    bh_write_text(out, "null");
  } else {
    bh_write_integer(out, view->hub_pid);
  }
  write_field(out, ",\"epoch\":", view->epoch);
  write_field(out, ",\"port\":", context->port);
  bh_write_text(out, ",\"active_instance\":");
  if (view->active == NULL) {
    bh_write_text(out, "null");
  } else {
    write_who(out, view->active);
    bh_write_text(out, "}");
  }
  bh_write_text(out, ",\"registered_instances\":[");
  for (size_t i = 0; i < view->instance_count; i++) {
    if (i > 0) {
      bh_write_text(out, ",");
    }
    write_who(out, &view->instances[i]);
    write_field(out, ",\"last_seen\":", last_seen(&view->instances[i], context));
    bh_write_text(out, "}");
  }
  write_field(out, "],\"waiting\":", view->waiting);
  write_field(out, ",\"parked\":", view->parked);
  if (view->problem != NULL && view->problem[0] != '\0') {
    bh_write_text(out, ",\"problem\":");
    bh_write_string(out, view->problem, strlen(view->problem));
  }
  write_field(out, ",\"last_update\":", context->unix_time);
  bh_write_text(out, "}\n");
}

const char *bh_state_read(const uint8_t *octets, size_t size, bh_state_hint *hint) {
  bh_body body;
  bh_body_fault fault;
  bh_instance_info active;

  memset(hint, 0, sizeof *hint);
  if (size == 0) {
    return "it is empty";
  }
  if (size > STATE_SIZE_MAX) {
    return "it is absurdly long";
  }
  if (!bh_body_read(BH_IN_STATE_FILE, BH_TYPE_UNKNOWN, octets, size, &body, &fault)) {
    return fault.what;
  }
  hint->epoch = body.epoch;
  hint->hub_pid = body.hub_pid;
  hint->port = (uint16_t)body.port;
  if (body.active_instance.octets != NULL) {
    bh_body_instance(body.active_instance, &active);
    memcpy(hint->active, active.instance, sizeof hint->active);
  }
  return NULL;
}
