/* SPDX-License-Identifier: MIT */
/*
 * The state file that a hub finds. The input is the file.
 *
 *  - What is taken from it is within its limits, and from a file that the obvious reading takes for JSON (section 8).
 *  - A file written of what was taken says the same again.
 */

#include "obvious.h"
#include "state_file.h"
#include "target.h"

#include <string.h>

static bool is_instance_id(const char *id) {
  size_t size = strlen(id);

  return size <= BH_INSTANCE_ID_MAX &&
         strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

static void check_written_again(const bh_state_hint *hint) {
  bh_instance_info active = {.name = "name"};
  bh_hub_view view = {.hub_pid = hint->hub_pid, .epoch = hint->epoch, .problem = ""};
  bh_state_context context = {.port = hint->port, .ended = hint->hub_pid == 0};
  bh_state_hint again;
  bh_buffer text;

  if (hint->active[0] != '\0') {
    memcpy(active.instance, hint->active, sizeof active.instance);
    view.instances = view.active = &active;
    view.instance_count = 1;
  }
  bh_buffer_init(&text, bh_system_allocator());
  bh_state_write(&text, &view, &context);
  const char *wrong = text.failed ? NULL : bh_state_read(text.octets, text.size, &again);
  REQUIRE(!wrong, "a state file of our own: %s", wrong);
  REQUIRE(text.failed || (again.epoch == hint->epoch && again.hub_pid == hint->hub_pid && again.port == hint->port &&
                          strcmp(again.active, hint->active) == 0),
          "it says something else when written again");
  bh_buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size) {
  bh_state_hint hint;

  if (bh_state_read(octets, size, &hint) == NULL) {
    REQUIRE(obvious_json(octets, size, BH_DEPTH_MAX) == OBVIOUS_WHOLE, "a file that is no JSON was taken");
    REQUIRE(is_instance_id(hint.active), "the active instance is no id");
    REQUIRE(hint.epoch <= 9007199254740991u, "the epoch is out of range");
    check_written_again(&hint);
  }
  return 0;
}
