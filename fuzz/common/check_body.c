/* SPDX-License-Identifier: MIT */
#include "check_body.h"

#include "json_write.h"
#include "memory.h"
#include "obvious.h"
#include "obvious_body.h"
#include "target.h"

#include <string.h>

/* Where a member that the obvious reading has by its name stands in bh_body. */
typedef enum { IN_32, IN_64, IN_TEXT, IN_ROLE, IN_SPAN } place;

static const struct {
  const char *name;
  uint32_t bit;
  place place;
  size_t at;
} members[] = {
    {"protocol", BH_M_PROTOCOL, IN_32, offsetof(bh_body, protocol)},
    {"pid", BH_M_PID, IN_32, offsetof(bh_body, pid)},
    {"name", BH_M_NAME, IN_TEXT, offsetof(bh_body, name)},
    {"instance", BH_M_INSTANCE, IN_TEXT, offsetof(bh_body, instance)},
    {"window", BH_M_WINDOW, IN_32, offsetof(bh_body, window)},
    {"role", BH_M_ROLE, IN_ROLE, offsetof(bh_body, role)},
    {"active", BH_M_ACTIVE, IN_TEXT, offsetof(bh_body, active)},
    {"waiting", BH_M_WAITING, IN_32, offsetof(bh_body, waiting)},
    {"parked", BH_M_PARKED, IN_32, offsetof(bh_body, parked)},
    {"instances", BH_M_INSTANCES, IN_SPAN, offsetof(bh_body, instances)},
    {"import", BH_M_IMPORT, IN_TEXT, offsetof(bh_body, import)},
    {"attempt", BH_M_ATTEMPT, IN_32, offsetof(bh_body, attempt)},
    {"assets", BH_M_ASSETS, IN_SPAN, offsetof(bh_body, assets)},
    {"for", BH_M_FOR, IN_32, offsetof(bh_body, answers)},
    {"code", BH_M_CODE, IN_TEXT, offsetof(bh_body, code)},
    {"message", BH_M_MESSAGE, IN_SPAN, offsetof(bh_body, message)},
    {"hub_pid", BH_M_HUB_PID, IN_32, offsetof(bh_body, hub_pid)},
    {"epoch", BH_M_EPOCH, IN_64, offsetof(bh_body, epoch)},
    {"heartbeat_ms", BH_M_HEARTBEAT_MS, IN_32, offsetof(bh_body, heartbeat_ms)},
    {"timeout_ms", BH_M_TIMEOUT_MS, IN_32, offsetof(bh_body, timeout_ms)},
    {"version", BH_M_VERSION, IN_32, offsetof(bh_body, version)},
    {"port", BH_M_PORT, IN_32, offsetof(bh_body, port)},
    {"active_instance", BH_M_ACTIVE_INSTANCE, IN_SPAN, offsetof(bh_body, active_instance)},
    {"problem", BH_M_PROBLEM, IN_TEXT, offsetof(bh_body, problem)},
};

enum { MEMBERS = sizeof members / sizeof members[0] };

/* ------------------------------------------------------------------------------------------------------- strings */

/* Written by the core, it is the same string. */
static void check_written_again(const char *text) {
  bh_buffer out;
  char again[OBVIOUS_TEXT_MAX + 1];

  bh_buffer_init(&out, memory_allocator());
  bh_write_string(&out, text, strlen(text));
  REQUIRE(obvious_json(out.octets, out.size, 1) == OBVIOUS_WHOLE, "a string was written that is none: %s", text);
  obvious_text read = obvious_string(out.octets, 0, out.size, again, sizeof again);
  REQUIRE(!read.nul && !read.unpaired && read.size == strlen(text) && strcmp(again, text) == 0,
          "a string is written otherwise: %s", text);
  bh_buffer_free(&out);
}

/* Texts of any length are cut at a whole character. */
static void check_cut(bh_octets value, size_t capacity) {
  char text[OBVIOUS_TEXT_MAX + 1], obvious[OBVIOUS_TEXT_MAX + 1];
  size_t size = bh_body_text(value, text, capacity);
  size_t expected = obvious_string(value.octets, 0, value.size, obvious, capacity).size;

  REQUIRE(size == expected && (capacity == 0 || strcmp(text, obvious) == 0), "a text is cut otherwise at %zu octets",
          capacity);
}

static void check_text(bh_octets value) {
  static const size_t capacities[] = {0, 1, 2, 3, 4, 5, 16, OBVIOUS_TEXT_MAX + 1};

  for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
    check_cut(value, capacities[i]);
  }
}

/* ----------------------------------------------------------------------------------------------------- instances */

static void check_instance(const obvious_body *obvious, const bh_instance_info *info) {
  REQUIRE(strcmp(info->instance, obvious_body_member(obvious, "instance")->text) == 0 &&
              strcmp(info->name, obvious_body_member(obvious, "name")->text) == 0 &&
              info->pid == obvious_body_member(obvious, "pid")->integer && info->last_seen == 0,
          "an instance is another: %s", info->instance);
}

static void check_instances(bh_octets array) {
  enum { LOOKED_AT = 16 };
  static bh_instance_info found[LOOKED_AT];
  size_t count = bh_body_instances(array, found, LOOKED_AT), at = 0, expected = 0;
  obvious_body obvious;

  while (obvious_instances_next(array.octets, array.size, &at, &obvious)) {
    if (expected < LOOKED_AT) {
      check_instance(&obvious, &found[expected]);
    }
    expected++;
  }
  REQUIRE(count == expected, "%zu instances, and %zu are obvious", count, expected);
}

static void check_active_instance(bh_octets object) {
  bh_instance_info info;
  obvious_body obvious;
  size_t at = 0;
  bh_buffer array; /* of this one */

  bh_body_instance(object, &info);
  bh_buffer_init(&array, memory_allocator());
  bh_write_text(&array, "[");
  bh_buffer_append(&array, object.octets, object.size);
  bh_write_text(&array, "]");
  REQUIRE(obvious_instances_next(array.octets, array.size, &at, &obvious), "no instance");
  check_instance(&obvious, &info);
  bh_buffer_free(&array);
}

/* -------------------------------------------------------------------------------------------------------- bodies */

static void check_span(const bh_body *body, uint32_t bit, bh_octets span, const obvious_member *m,
                       const uint8_t *octets) {
  if (m->null) {
    REQUIRE(span.octets == NULL, "%s is null", m->name);
    return;
  }
  REQUIRE(span.octets == octets + m->begin && span.size == m->end - m->begin, "%s is at another place", m->name);
  if (bit == BH_M_MESSAGE) {
    check_text(body->message);
  } else if (bit == BH_M_INSTANCES) {
    check_instances(body->instances);
  } else if (bit == BH_M_ACTIVE_INSTANCE) {
    check_active_instance(body->active_instance);
  }
}

static void check_member(const bh_body *body, size_t i, const obvious_member *m, const uint8_t *octets) {
  const void *field = (const char *)body + members[i].at;

  switch (members[i].place) {
  case IN_32:
    REQUIRE(*(const uint32_t *)field == m->integer, "%s is %u", m->name, (unsigned)*(const uint32_t *)field);
    break;
  case IN_64:
    REQUIRE(*(const uint64_t *)field == m->integer, "%s is another number", m->name);
    break;
  case IN_TEXT:
    REQUIRE(strcmp(field, m->text) == 0, "%s is '%s'", m->name, (const char *)field);
    check_written_again(field);
    if (!m->null) { /* without its last character */
      check_cut((bh_octets){octets + m->begin, m->end - m->begin}, m->text_size);
    }
    break;
  case IN_ROLE:
    REQUIRE((body->role == BH_ROLE_OBSERVER) == (strcmp(m->text, "observer") == 0), "another role");
    break;
  case IN_SPAN:
    check_span(body, members[i].bit, *(const bh_octets *)field, m, octets);
    break;
  }
}

static void compare(const bh_body *body, const obvious_body *obvious, const uint8_t *octets) {
  uint32_t given = 0;

  for (size_t i = 0; i < MEMBERS; i++) {
    const obvious_member *m = obvious_body_member(obvious, members[i].name);
    if (m && m->there) {
      given |= members[i].bit;
      check_member(body, i, m, octets);
    }
  }
  REQUIRE(body->given == given, "members %x are given, and %x are obvious", (unsigned)body->given, (unsigned)given);
  REQUIRE((given & BH_M_WINDOW) || body->window == 1, "no window is a window of %u", (unsigned)body->window);
  REQUIRE((given & BH_M_ROLE) || body->role == BH_ROLE_INSTANCE, "no role is an observer");
}

bool check_body(bh_sender sender, bh_type type, const uint8_t *octets, size_t size, bh_body *body) {
  static obvious_body obvious;
  obvious_sender from = sender == BH_FROM_CLIENT ? OBVIOUS_CLIENT
                        : sender == BH_FROM_HUB  ? OBVIOUS_HUB
                                                 : OBVIOUS_STATE_FILE;
  bh_body_fault fault;
  bool right = bh_body_read(sender, type, octets, size, body, &fault);
  bool expected = obvious_body_read(from, bh_type_name(type), octets, size, &obvious);

  REQUIRE(right || (fault.offset <= size && fault.what && fault.requirement), "a fault at %zu of %zu", fault.offset,
          size);
  REQUIRE(right == expected, "%s: the body is %s", right ? "taken" : fault.what, expected ? "right" : "wrong");
  REQUIRE(right || fault.offset == obvious.wrong, "%s at %zu, and not at %zu", fault.what, fault.offset, obvious.wrong);
  if (right) {
    compare(body, &obvious, octets);
  }
  return right;
}
