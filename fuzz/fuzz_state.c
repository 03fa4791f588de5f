/* SPDX-License-Identifier: MIT */
/*
 * The state file that a hub finds. The input is the file.
 *
 *  - What is taken from it is what the obvious reading of section 8 says, and nothing is taken where that finds a
 * fault.
 *  - A file written of what was taken says the same again, of one instance and of several.
 */

#include "check_body.h"
#include "memory.h"
#include "obvious_body.h"
#include "state_file.h"
#include "target.h"

#include <string.h>

enum { STATE_SIZE_MAX = 1024 * 1024, UNIX_TIME = 1700000000, NOW_MS = 5000 };

/* When the instances were last seen, and that in Unix seconds: whole seconds ago, and never in the future. */
static const struct {
  uint64_t ms, unix_seconds;
} seen[] = {{NOW_MS - 1999, UNIX_TIME - 1}, {0, UNIX_TIME - NOW_MS / 1000}, {NOW_MS + 1, UNIX_TIME}};

static const char *text_of(const obvious_body *instance, const char *name) {
  return obvious_body_member(instance, name)->text;
}

/* ------------------------------------------------------------------------------------------------- written again */

/* Instances with names of all kinds, the active one among them where there is one. */
static size_t make_instances(bh_instance_info instances[3], const bh_state_hint *hint, const obvious_body *active) {
  size_t count = 0;

  if (hint->active[0] != '\0') {
    memcpy(instances[count].instance, hint->active, sizeof hint->active);
    strcpy(instances[count].name, text_of(active, "name"));
    instances[count].pid = (uint32_t)obvious_body_member(active, "pid")->integer;
    count++;
  }
  strcpy(instances[count].instance, "b");
  strcpy(instances[count].name, "\x01\x1f \"\\\x7f\xc3\xa4");
  count++;
  strcpy(instances[count].instance, "c-3");
  memset(instances[count].name, '\n', BH_NAME_MAX);
  for (size_t i = 0; i <= count; i++) {
    instances[i].last_seen = seen[i].ms;
  }
  return count + 1;
}

static void check_number(const uint8_t *object, size_t object_size, const char *name, uint64_t expected) {
  size_t begin, end;
  char digits[24];

  REQUIRE(obvious_find(object, object_size, name, &begin, &end), "no %s", name);
  int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)expected);
  REQUIRE(end - begin == (size_t)size && memcmp(object + begin, digits, (size_t)size) == 0, "%s is not %s", name,
          digits);
}

/* What is no trouble is not written. */
static void check_problem(const bh_buffer *text, const char *problem) {
  char written[OBVIOUS_TEXT_MAX + 1] = "";
  size_t begin, end;
  bool there = obvious_find(text->octets, text->size, "problem", &begin, &end);

  REQUIRE(there == (problem[0] != '\0'), "whether there is a problem");
  if (there) {
    obvious_string(text->octets, begin, end, written, sizeof written);
  }
  REQUIRE(strcmp(written, problem) == 0, "another problem: %s", written);
}

static void check_written(const bh_buffer *text, const bh_hub_view *view, const bh_state_context *context) {
  static obvious_body body, instance;
  const obvious_member *active;
  size_t at = 0, element = 1;

  REQUIRE(obvious_body_read(OBVIOUS_STATE_FILE, "", text->octets, text->size, &body),
          "a state file of our own is wrong");
  REQUIRE(obvious_body_member(&body, "hub_pid")->null == context->ended, "whether the hub has ended");
  active = obvious_body_member(&body, "active_instance");
  REQUIRE(active->null == !view->active, "whether one is active");
  size_t place, end;
  REQUIRE(obvious_find(text->octets, text->size, "registered_instances", &place, &end), "no list of instances");
  for (size_t i = 0; i < view->instance_count; i++) {
    REQUIRE(obvious_instances_next(text->octets + place, text->size - place, &at, &instance), "%zu instances", i);
    REQUIRE(strcmp(text_of(&instance, "instance"), view->instances[i].instance) == 0 &&
                strcmp(text_of(&instance, "name"), view->instances[i].name) == 0 &&
                obvious_body_member(&instance, "pid")->integer == view->instances[i].pid,
            "instance %zu is written otherwise", i);
    obvious_next_element(text->octets + place, text->size - place, &element);
    check_number(text->octets + place + element, text->size - place - element, "last_seen", seen[i].unix_seconds);
    element = at;
  }
  check_number(text->octets, text->size, "waiting", view->waiting);
  check_number(text->octets, text->size, "parked", view->parked);
  check_number(text->octets, text->size, "last_update", context->unix_time);
  check_problem(text, view->problem);
  REQUIRE(!obvious_instances_next(text->octets + place, text->size - place, &at, &instance), "more instances");
}

static void check_written_again(const bh_state_hint *hint, const obvious_body *active, const char *problem) {
  bh_instance_info instances[3] = {{{0}, {0}, 0, 0}};
  bh_hub_view view = {.hub_pid = hint->hub_pid,
                      .epoch = hint->epoch,
                      .problem = problem,
                      .instances = instances,
                      .waiting = 3,
                      .parked = 12};
  bh_state_context context = {.port = hint->port, .ended = hint->hub_pid == 0, .now = NOW_MS, .unix_time = UNIX_TIME};
  bh_state_hint again;
  bh_buffer text;

  view.instance_count = make_instances(instances, hint, active);
  view.active = hint->active[0] != '\0' ? instances : NULL;
  bh_buffer_init(&text, memory_allocator());
  bh_state_write(&text, &view, &context);
  const char *wrong = bh_state_read(text.octets, text.size, &again);
  REQUIRE(!wrong, "a state file of our own: %s", wrong);
  REQUIRE(again.epoch == hint->epoch && again.hub_pid == hint->hub_pid && again.port == hint->port &&
              strcmp(again.active, hint->active) == 0,
          "it says something else when written again");
  check_written(&text, &view, &context);
  bh_buffer_free(&text);
}

/* ---------------------------------------------------------------------------------------------------------- read */

static void check_hint(const bh_state_hint *hint, const obvious_body *body, obvious_body *active,
                       const uint8_t *octets) {
  const obvious_member *who = obvious_body_member(body, "active_instance");
  const obvious_member *pid = obvious_body_member(body, "hub_pid");
  size_t at = 0;

  REQUIRE(hint->epoch == obvious_body_member(body, "epoch")->integer, "the epoch");
  REQUIRE(hint->port == obvious_body_member(body, "port")->integer, "the port");
  REQUIRE(hint->hub_pid == (pid->null ? 0 : pid->integer), "the hub's pid");
  if (who->null) {
    REQUIRE(hint->active[0] == '\0', "nobody is active");
    return;
  }
  bh_buffer array; /* of this one, as the obvious reading has it */
  bh_buffer_init(&array, memory_allocator());
  bh_buffer_append(&array, "[", 1);
  bh_buffer_append(&array, octets + who->begin, who->end - who->begin);
  bh_buffer_append(&array, "]", 1);
  REQUIRE(obvious_instances_next(array.octets, array.size, &at, active), "no instance");
  bh_buffer_free(&array);
  REQUIRE(strcmp(hint->active, text_of(active, "instance")) == 0, "the active instance");
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size) {
  static obvious_body obvious, active;
  bh_state_hint hint;
  const char *wrong = bh_state_read(octets, size, &hint);
  bh_body body;

  check_body(BH_IN_STATE_FILE, BH_TYPE_UNKNOWN, octets, size, &body);
  bool right = size > 0 && size <= STATE_SIZE_MAX && obvious_body_read(OBVIOUS_STATE_FILE, "", octets, size, &obvious);
  REQUIRE(right == !wrong, "%s: the file is %s", wrong ? wrong : "taken", right ? "right" : "wrong");
  if (right) {
    check_hint(&hint, &obvious, &active, octets);
    check_written_again(&hint, &active, "");
    check_written_again(&hint, &active, "\x01 \"\\\xc3\xa4");
  }
  memory_reset();
  return 0;
}
