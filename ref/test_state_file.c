/* SPDX-License-Identifier: MIT */
#include "state_file.h"
#include "test_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The text of the state file: spec/protocol.md, section 8. spec/vectors/state.json has more that is read. */

static bh_instance_info instances[] = {
    {.instance = "a-1", .name = "Blender \"1\"", .pid = 31, .last_seen = 10000},
    {.instance = "b-2", .name = "\n", .pid = 0, .last_seen = 7001},
};

static const char *written(const bh_hub_view *view, bool ended) {
  static bh_buffer out;
  bh_state_context context = {.now = 10000, .unix_time = 1700000000, .port = 24981, .ended = ended};

  bh_buffer_free(&out);
  bh_buffer_init(&out, bh_system_allocator());
  bh_state_write(&out, view, &context);
  cr_assert_not(out.failed);
  bh_buffer_append(&out, "", 1);
  return (const char *)out.octets;
}

/* BH-STATE-001, BH-STATE-004 */
Test(state_file, all_that_a_hub_knows_is_written) {
  bh_hub_view view = {.hub_pid = 4242,
                      .epoch = 7,
                      .active = &instances[1],
                      .instances = instances,
                      .instance_count = 2,
                      .waiting = 3,
                      .parked = 1};

  cr_assert_str_eq(
      written(&view, false),
      quoted("{'version':1,'hub_pid':4242,'epoch':7,'port':24981,"
             "'active_instance':{'instance':'b-2','pid':0,'name':'\\u000a'},"
             "'registered_instances':[{'instance':'a-1','pid':31,'name':'Blender \\'1\\'','last_seen':1700000000},"
             "{'instance':'b-2','pid':0,'name':'\\u000a','last_seen':1699999998}],"
             "'waiting':3,'parked':1,'last_update':1700000000}\n"));
}

/* BH-ELECT-011 */
Test(state_file, a_hub_that_ends_leaves_no_pid) {
  bh_hub_view view = {.hub_pid = 4242, .epoch = 9007199254740991u};

  cr_assert_str_eq(written(&view, true),
                   quoted("{'version':1,'hub_pid':null,'epoch':9007199254740991,'port':24981,'active_instance':null,"
                          "'registered_instances':[],'waiting':0,'parked':0,'last_update':1700000000}\n"));
}

/* BH-SPOOL-012 */
Test(state_file, trouble_is_written_while_there_is_some) {
  bh_hub_view view = {.hub_pid = 1, .epoch = 1, .problem = "the spool \"s\" is full"};

  cr_assert_str_eq(written(&view, false),
                   quoted("{'version':1,'hub_pid':1,'epoch':1,'port':24981,'active_instance':null,"
                          "'registered_instances':[],'waiting':0,'parked':0,"
                          "'problem':'the spool \\'s\\' is full','last_update':1700000000}\n"));
}

/* Clocks that do not agree: nobody was seen before time began, or after now. */
Test(state_file, last_seen_stays_within_reason) {
  bh_instance_info strange = {.instance = "a", .name = "n", .last_seen = 20000};
  bh_hub_view view = {.instances = &strange, .instance_count = 1};
  bh_state_context context = {.now = 10000, .unix_time = 5, .port = 1};
  bh_buffer out;

  bh_buffer_init(&out, bh_system_allocator());
  bh_state_write(&out, &view, &context);
  strange.last_seen = 0;
  bh_state_write(&out, &view, &context);
  bh_buffer_append(&out, "", 1);
  cr_assert_not_null(strstr((const char *)out.octets, "\"last_seen\":5}"));
  cr_assert_not_null(strstr((const char *)out.octets, "\"last_seen\":0}"));
  bh_buffer_free(&out);
}

static const char *reads(const char *text, bh_state_hint *hint) {
  size_t size = strlen(text);
  uint8_t *octets = malloc(size + 1);
  const char *fault;

  memcpy(octets, text, size);
  fault = bh_state_read(octets, size, hint);
  free(octets);
  return fault;
}

/* BH-ACT-005, BH-ELECT-004: what the next hub takes. */
Test(state_file, what_is_written_is_read) {
  bh_hub_view view = {
      .hub_pid = 4242, .epoch = 7, .active = &instances[0], .instances = instances, .instance_count = 2};
  bh_state_hint hint;

  cr_assert_null(reads(written(&view, false), &hint));
  cr_assert_eq(hint.epoch, 7);
  cr_assert_eq(hint.hub_pid, 4242);
  cr_assert_eq(hint.port, 24981);
  cr_assert_str_eq(hint.active, "a-1");
  view.active = NULL;
  cr_assert_null(reads(written(&view, true), &hint));
  cr_assert_eq(hint.hub_pid, 0);
  cr_assert_str_eq(hint.active, "");
}

/* BH-STATE-005 */
Test(state_file, nothing_is_taken_from_a_wrong_one) {
  static const char *const wrong[] = {
      "",
      "{",
      "[]",
      "{'version':2,'hub_pid':1,'epoch':7,'port':1,'active_instance':null}",
      "{'version':1,'hub_pid':1,'epoch':-7,'port':1,'active_instance':null}",
      "{'version':1,'hub_pid':1,'epoch':7,'port':65536,'active_instance':null}",
      "{'version':1,'hub_pid':1,'epoch':7,'port':0,'active_instance':null}",
      "{'version':1,'hub_pid':1,'epoch':7,'port':1}",
      "{'version':1,'hub_pid':1,'epoch':7,'port':1,'active_instance':{'instance':'a','pid':1}}",
      "{'hub_pid':1,'last_update':1,'active_instance':31,'registered_instances':{}}",
  };

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    bh_state_hint hint;
    cr_assert_not_null(reads(quoted("%s", wrong[i]), &hint), "%s is taken", wrong[i]);
    cr_assert_eq(hint.epoch, 0);
    cr_assert_eq(hint.port, 0);
    cr_assert_str_eq(hint.active, "");
  }
}

Test(state_file, one_that_is_absurdly_long_is_not_looked_at) {
  static uint8_t octets[1024 * 1024 + 1];
  static const char text[] = "{\"version\":1,\"hub_pid\":1,\"epoch\":7,\"port\":1,\"active_instance\":null}";
  bh_state_hint hint;

  memset(octets, ' ', sizeof octets);
  memcpy(octets, text, sizeof text - 1);
  cr_assert_null(bh_state_read(octets, sizeof octets - 1, &hint));
  cr_assert_eq(hint.epoch, 7);
  cr_assert_str_eq(bh_state_read(octets, sizeof octets, &hint), "it is absurdly long");
  cr_assert_eq(hint.epoch, 0);
}
