/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 3.2: bodies. */
#include "harness.h"
#include "steps.h"
#include "vector_player.h"

#include <string.h>

/* A hub that takes such a body breaks `requirement`, and that is for other cases. */
static void pass_bad_body(struct conn *conn, const char *type, const char *body, const char *requirement) {
  uint32_t id = send_body(conn, type, body, strlen(body));

  if (strcmp(find_answer(conn, id)->type, "ACK") == 0) {
    fail_as(requirement, "a bad body is answered with ERROR", "%s with %s was answered with ACK", type, body);
  }
}

/* ---- the vectors, by what they are about first */

CASE(bodies, one_json_object, MUST, "BH-BODY-001 BH-BODY-005 BH-BODY-009 BH-LIMIT-005") {
  play_messages("messages.json", "BH-BODY-001");
}

CASE(bodies, empty_bodies, MUST, "BH-BODY-002 BH-BODY-008") {
  play_messages("messages.json", "BH-BODY-002");
}

CASE(bodies, unknown_members, MUST, "BH-BODY-003 BH-BODY-004") {
  play_messages("messages.json", "BH-BODY-003");
}

CASE(bodies, members_twice, MUST, "BH-BODY-004 BH-BODY-005") {
  play_messages("messages.json", "BH-BODY-004");
}

CASE(bodies, integers, MUST, "BH-BODY-005") {
  play_messages("messages.json", "BH-BODY-005");
}

CASE(bodies, characters_of_strings, MUST, "BH-BODY-006 BH-BODY-003 BH-LIMIT-005") {
  play_messages("messages.json", "BH-BODY-006");
}

CASE(bodies, lengths_of_strings, MUST, "BH-BODY-007 BH-BODY-008") {
  play_messages("messages.json", "BH-BODY-007");
}

CASE(bodies, members_and_their_values, MUST, "BH-BODY-008") {
  play_messages("messages.json", "BH-BODY-008");
}

CASE(bodies, right_messages_behind_wrong_ones, MUST, "BH-BODY-009") {
  play_messages("messages.json", "BH-BODY-009");
}

/* ---- the hub's own bodies, each of which the harness reads by the table as it comes */

CASE(bodies, hub_bodies_follow_the_table, MUST, "BH-BODY-001 BH-BODY-004 BH-BODY-005 BH-BODY-006 BH-BODY-008") {
  struct hub *hub = hub_start();
  struct conn *conn = conn_open(hub);
  struct conn *other = conn_open(hub);

  find_answer(conn, send_message(conn, "RELEASE_ACTIVE", "{}"));
  register_instance(conn, "quotes \\\" and \\\\, \\u0001, \\t, \\u20ac, \\ud83d\\ude00, €");
  register_observer(other, "observer");
  find_answer(conn, send_message(conn, "CLAIM_ACTIVE", "{}"));
  find_answer(conn, send_message(conn, "CLAIM_ACTIVE", "{'instance':'nobody'}"));
  find_answer(conn, send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'x'}"));
  bridge_export(hub, "[{\"id\":\"a \\\"quoted\\\" \\u0000 \\ud800\",\"id\":1.50e+3}]");
  while (strcmp(next_message(conn)->type, "IMPORT_DATA") != 0) {
  }
  find_answer(conn, send_message(conn, "RELEASE_ACTIVE", "{}"));
  expect_heartbeat(conn);
  find_answer(other, send_message(other, "UNREGISTER", "{}"));
  find_answer(conn, send_message(conn, "UNREGISTER", "{}"));
}

/* ---- BH-BODY-002: empty bodies */

CASE(bodies, empty_body_of_every_request, MUST, "BH-BODY-002") {
  static const char *const types[] = {"HEARTBEAT", "CLAIM_ACTIVE", "RELEASE_ACTIVE", "UNREGISTER"};
  struct conn *conn = join(hub_start(), "empty");

  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    expect_ack(conn, send_message(conn, types[i], NULL));
  }
}

CASE(bodies, empty_register_lacks_its_members, MUST, "BH-BODY-002 BH-BODY-008") {
  struct conn *conn = conn_open(hub_start());

  expect_error(conn, "bad-body", send_message(conn, "REGISTER", NULL));
}

/* ---- BH-BODY-003: unknown members */

CASE(bodies, members_of_other_messages_are_unknown, MUST, "BH-BODY-003") {
  struct conn *conn = join(hub_start(), "unknown members");

  request(conn, "HEARTBEAT", "{'active':7,'waiting':'many','instances':{},'for':0,'name':null}");
  request(conn, "CLAIM_ACTIVE", "{'active':7,'role':1,'window':0,'protocol':2,'name':''}");
  request(conn, "RELEASE_ACTIVE", "{'instance':7,'active':'x y'}");
  request(conn, "UNREGISTER", "{'instance':null,'for':'x','code':1}");
}

/* No value of these would be right for a member that is named. */
CASE(bodies, names_are_compared_whole_and_by_case, MUST, "BH-BODY-003") {
  struct conn *conn = join(hub_start(), "unknown members");

  request(conn, "CLAIM_ACTIVE", "{'Instance':7,'INSTANCE':{},'instanc':null,'instances':7,'':'','instance ':0}");
  request(conn, "CLAIM_ACTIVE", "{'instance\\u0000':7,'\\u0000instance':7,'i\\u006estances':7,'ınstance':7}");
}

CASE(bodies, members_further_inside_are_unknown, MUST, "BH-BODY-003") {
  struct conn *conn = join(hub_start(), "nested");

  request(conn, "CLAIM_ACTIVE", "{'x':{'instance':7},'y':[{'instance':0}],'z':'{\\\"instance\\\":0}'}");
}

CASE(bodies, unknown_members_hold_anything, MUST, "BH-BODY-003 BH-BODY-005 BH-BODY-006") {
  struct conn *conn = join(hub_start(), "anything");

  request(conn, "HEARTBEAT", "{'x':1.5e300,'y':-0,'z':'\\u0000\\ud800','x':1e999,'x':null,'é':[true,false,{'x':[]}]}");
}

/* ---- BH-BODY-004: members twice */

/* The value is wrong, which only one who knows the name can find. */
CASE(bodies, name_with_escapes_is_the_member, MUST, "BH-BODY-004") {
  struct conn *conn = join(hub_start(), "escaped");

  pass_bad_body(conn, "CLAIM_ACTIVE", "{\"instance\":7}", "BH-BODY-008");
  expect_error(conn, "bad-body", send_message(conn, "CLAIM_ACTIVE", "{'\\u0069n\\u0073tance':7}"));
  expect_error(conn, "bad-body",
               send_message(conn, "CLAIM_ACTIVE", "{'\\u0069\\u006e\\u0073\\u0074\\u0061\\u006E\\u0063\\u0065':7}"));
  request(conn, "CLAIM_ACTIVE", "{'\\u0069nstances':7}");
}

CASE(bodies, member_hidden_by_an_escape_stands_twice, MUST, "BH-BODY-004") {
  static const char *const bodies[] = {
      "{\"protocol\":1,\"pid\":1,\"name\":\"a\",\"na\\u006de\":\"a\"}",
      "{\"protocol\":1,\"pid\":1,\"na\\u006de\":\"a\",\"name\":\"b\"}",
      "{\"protocol\":1,\"pid\":1,\"\\u006e\\u0061\\u006D\\u0065\":\"a\",\"na\\u006de\":\"b\"}",
      "{\"proto\\u0063ol\":1,\"pid\":1,\"name\":\"a\",\"protocol\":1}",
      "{\"protocol\":1,\"pid\":1,\"name\":\"a\",\"window\":1,\"x\":{},\"\\u0077indow\":1}",
      "{\"role\":\"instance\",\"protocol\":1,\"pid\":1,\"name\":\"a\",\"ro\\u006ce\":\"instance\"}",
  };
  struct hub *hub = hub_start();

  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    struct conn *conn = conn_open(hub);
    expect_error(conn, "bad-body", send_body(conn, "REGISTER", bodies[i], strlen(bodies[i])));
    conn_close(conn);
  }
}

/* ---- BH-BODY-005: integers */

CASE(bodies, integers_at_the_ends_of_their_ranges, MUST, "BH-BODY-005") {
  static const char *const right[] = {"\"pid\":0,\"window\":1", "\"pid\":4294967295,\"window\":64",
                                      "\"pid\":4294967294"};
  static const char *const wrong[] = {"\"pid\":4294967296",
                                      "\"pid\":-1",
                                      "\"pid\":-0",
                                      "\"pid\":1.0",
                                      "\"pid\":1e0",
                                      "\"pid\":0E0",
                                      "\"pid\":10e-1",
                                      "\"pid\":18446744073709551616",
                                      "\"pid\":18446744073709551617",
                                      "\"pid\":340282366920938463463374607431768211457",
                                      "\"pid\":1,\"window\":0",
                                      "\"pid\":1,\"window\":65",
                                      "\"pid\":1,\"window\":1.0",
                                      "\"pid\":1,\"window\":1e0",
                                      "\"pid\":1,\"window\":4294967297"};
  struct hub *hub = hub_start();

  for (size_t i = 0; i < sizeof right / sizeof right[0] + sizeof wrong / sizeof wrong[0]; i++) {
    bool is_right = i < sizeof right / sizeof right[0];
    const char *members = is_right ? right[i] : wrong[i - sizeof right / sizeof right[0]];
    struct conn *conn = conn_open(hub);
    uint32_t id = send_message(conn, "REGISTER", "{'protocol':1,'name':'integers',%s}", members);
    if (is_right) {
      expect_ack(conn, id);
    } else {
      expect_error(conn, "bad-body", id);
    }
    conn_close(conn);
  }
}

CASE(bodies, protocol_is_judged_as_an_integer_first, MUST, "BH-BODY-005") {
  static const char *const wrong[] = {"1.0", "1e0", "2.0", "-1", "4294967296"};
  struct hub *hub = hub_start();

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct conn *conn = conn_open(hub);
    expect_error(conn, "bad-body", send_message(conn, "REGISTER", "{'protocol':%s,'pid':1,'name':'x'}", wrong[i]));
    conn_close(conn);
  }
}

/* ---- BH-BODY-006, BH-BODY-007: strings */

/* As another client is told it. */
static void expect_name(struct hub *hub, const char *written, const char *name) {
  struct conn *observer = conn_open(hub);
  struct conn *conn = conn_open(hub);
  const char *body = format("{\"protocol\":1,\"pid\":1,\"name\":\"%s\"}", written);

  register_observer(observer, "observer");
  const struct message *ack = expect_ack(conn, send_body(conn, "REGISTER", body, strlen(body)));
  const char *instance = json_text(&ack->json, "instance");
  const struct message *heartbeat = wait_for_listed(observer, instance);
  int index = json_find_instance(&heartbeat->json, "instances", instance);
  expect_text(&heartbeat->json, format("instances[%d].name", index), name);
  conn_close(observer);
  conn_close(conn);
}

CASE(bodies, right_strings_are_what_they_stand_for, MUST, "BH-BODY-006 BH-BODY-007") {
  struct hub *hub = hub_start();

  expect_name(hub, "a \\\"b\\\" \\\\ \\/ \\u0041", "a \"b\" \\ / A");
  expect_name(hub, "\\ud83d\\ude00 \\u00e9 €", "😀 é €");
  expect_name(hub, repeat("é", 128), repeat("é", 128));
  expect_name(hub, repeat("\\u00e9", 128), repeat("é", 128));
  expect_name(hub, repeat("\\ud83d\\ude00", 64), repeat("😀", 64));
}

CASE(bodies, lengths_are_of_octets_and_not_of_characters, MUST, "BH-BODY-007") {
  struct hub *hub = hub_start();
  const char *const names[] = {repeat("é", 129),
                               repeat("€", 86),
                               repeat("😀", 65),
                               repeat("\\u20ac", 86),
                               repeat("\\u0061", 257),
                               repeat("\\ud83d\\ude00", 65),
                               format("é%s", repeat("a", 255))};

  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct conn *conn = conn_open(hub);
    expect_error(conn, "bad-body", send_message(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'%s'}", names[i]));
    conn_close(conn);
  }
}

/* ---- BH-BODY-008: values */

CASE(bodies, wrong_instance_of_a_claim, MUST, "BH-BODY-008") {
  const char *const wrong[] = {"null",
                               "7",
                               "true",
                               "{}",
                               "[\"a\"]",
                               "\"\"",
                               "\"a b\"",
                               "\"a_b\"",
                               "\"a.b\"",
                               "\"../a\"",
                               "\"é\"",
                               "\"a\\n\"",
                               format("\"%s\"", repeat("a", 65))};
  struct conn *conn = join(hub_start(), "claims");

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    expect_error(conn, "bad-body", send_message(conn, "CLAIM_ACTIVE", "{'instance':%s}", wrong[i]));
  }
}

/* ---- BH-BODY-009: nothing changes, and the connection goes on */

/* No hub can take these for right. What else is wrong, other cases say. */
static const char *const bad_bodies[] = {"[", "{", "nothing", "\"", "{\"x\"", "\xff"};

static void expect_goes_on_behind_bad(struct conn *conn, const char *type) {
  for (size_t i = 0; i < sizeof bad_bodies / sizeof bad_bodies[0]; i++) {
    expect_error(conn, "bad-body", send_body(conn, type, bad_bodies[i], strlen(bad_bodies[i])));
  }
}

CASE(bodies, connection_goes_on_behind_bad_bodies, MUST, "BH-BODY-009 BH-MSG-001") {
  struct conn *conn = conn_open(hub_start());

  expect_goes_on_behind_bad(conn, "REGISTER");
  request(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'bad bodies'}");
  expect_goes_on_behind_bad(conn, "HEARTBEAT");
  expect_goes_on_behind_bad(conn, "CLAIM_ACTIVE");
  expect_goes_on_behind_bad(conn, "RELEASE_ACTIVE");
  expect_goes_on_behind_bad(conn, "UNREGISTER");
  request(conn, "HEARTBEAT", "{}");
}

CASE(bodies, bad_register_registers_nobody, MUST, "BH-BODY-009") {
  struct hub *hub = hub_start();
  struct conn *observer = conn_open(hub);
  struct conn *conn = conn_open(hub);

  register_observer(observer, "observer");
  pass_bad_body(conn, "REGISTER", "{\"protocol\":1,\"pid\":1,\"instance\":\"bad\",\"name\":\"x\",\"window\":65}",
                "BH-BODY-005");
  pass_bad_body(conn, "REGISTER", "{\"protocol\":1,\"pid\":1,\"instance\":\"bad\",\"name\":\"x\",", "BH-BODY-001");
  expect_still_active(observer, NULL);
  note("a right one behind it");
  const struct message *ack = request(conn, "REGISTER", "{'protocol':1,'pid':1,'name':'x'}");
  const char *instance = json_text(&ack->json, "instance");
  const struct message *heartbeat = wait_for_listed(observer, instance);
  EXPECT(json_find_instance(&heartbeat->json, "instances", "bad") < 0, "a bad REGISTER changes nothing",
         "it registered an instance");
}

CASE(bodies, bad_claim_and_release_change_nothing, MUST, "BH-BODY-009") {
  struct hub *hub = hub_start();
  struct conn *active = join(hub, "active");
  struct conn *conn = join(hub, "bad bodies");

  make_active(active);
  pass_bad_body(conn, "CLAIM_ACTIVE", "{\"instance\":7}", "BH-BODY-008");
  pass_bad_body(conn, "CLAIM_ACTIVE", "{", "BH-BODY-001");
  pass_bad_body(active, "RELEASE_ACTIVE", "{", "BH-BODY-001");
  expect_still_active(conn, active->instance);
  expect_still_active(active, active->instance);
}

CASE(bodies, bad_unregister_leaves_the_registration, MUST, "BH-BODY-009") {
  struct conn *conn = join(hub_start(), "bad bodies");

  pass_bad_body(conn, "UNREGISTER", "nothing", "BH-BODY-001");
  request(conn, "CLAIM_ACTIVE", "{}");
}

/* ---- BH-BODY-010: assets */

CASE(bodies, assets_are_passed_on_octet_for_octet, MUST, "BH-BODY-010") {
  static const char *const exports[] = {
      "[{\"id\":\"a\",\"id\":\"a\",\"i\\u0064\":\"b\"}]",
      "[ {\t\"\\u0000\" : \"\\ud800 \\uDC00\\/\" } ,\n{}\r]",
      "[{\"n\":[1.0,1e0,-0,1E400,0.10,123456789012345678901234567890]}]",
      "[{\"s\":\"€ é 😀 \x7f ]}[{ \\\" \\\\\"}]",
      "[{\"import\":\"x\",\"attempt\":0,\"assets\":[]},{\"\":null}]",
  };
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "octets");

  make_active(conn);
  for (size_t i = 0; i < sizeof exports / sizeof exports[0]; i++) {
    bridge_export(hub, exports[i]);
    const struct message *import = expect_message(conn, "IMPORT_DATA");
    size_t size;
    const char *assets = json_octets(&import->json, "assets", &size);
    EXPECT(size == strlen(exports[i]) && memcmp(assets, exports[i], size) == 0,
           "what stands inside `assets` is passed on octet for octet", "%s", printable(assets, size, 300));
    send_message(conn, "ACK", "{'for':%u}", (unsigned)import->id);
  }
}
