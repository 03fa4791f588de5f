/* SPDX-License-Identifier: MIT */
#include "body.h"
#include "test_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/*
 * The members of bodies: spec/protocol.md, section 3.2. spec/vectors/messages.json has many more right and wrong ones;
 * here is what they cannot show: what is read, and where a fault is found.
 */

static bh_body body;
static bh_body_fault fault;

/* In memory of just its size. What spans point to is gone after it: reads() keeps it. */
static bool read_body(bh_sender sender, bh_type type, const char *text, size_t size) {
  static uint8_t *octets;

  free(octets);
  octets = malloc(size == 0 ? 1 : size);
  memcpy(octets, text, size);
  return bh_body_read(sender, type, octets, size, &body, &fault);
}

static void reads(bh_sender sender, bh_type type, const char *text) {
  const char *octets = quoted("%s", text);

  cr_assert(read_body(sender, type, octets, strlen(octets)), "%s: %s", text, fault.what);
}

static void refuses(bh_sender sender, bh_type type, const char *text, const char *requirement, const char *at) {
  const char *octets = quoted("%s", text);
  size_t offset = at == NULL ? strlen(octets) : (size_t)(strstr(text, at) - text);

  cr_assert_not(read_body(sender, type, octets, strlen(octets)), "%s is taken", text);
  cr_assert_str_eq(fault.requirement, requirement, "%s: %s (%s)", text, fault.what, fault.requirement);
  cr_assert_eq(fault.offset, offset, "%s: %s, at %zu", text, fault.what, fault.offset);
  cr_assert_not_null(fault.what);
}

static bool span_is(bh_octets span, const char *text) {
  return span.size == strlen(text) && memcmp(span.octets, text, span.size) == 0;
}

/* ---- what is read */

Test(body, register_whole) {
  reads(BH_FROM_CLIENT, BH_REGISTER,
        " { 'role':'observer' , "
        "'window':64,'instance':'A-z9','name':'\\u00e4\\n','pid':4294967295,'protocol':0,'x':[{}]}\n");
  cr_assert_eq(body.given, BH_M_PROTOCOL | BH_M_PID | BH_M_NAME | BH_M_INSTANCE | BH_M_WINDOW | BH_M_ROLE);
  cr_assert_eq(body.protocol, 0);
  cr_assert_eq(body.pid, UINT32_MAX);
  cr_assert_str_eq(body.name, "\xC3\xA4\n");
  cr_assert_str_eq(body.instance, "A-z9");
  cr_assert_eq(body.window, 64);
  cr_assert_eq(body.role, BH_ROLE_OBSERVER);
}

/* BH-REG-003 */
Test(body, register_with_what_it_needs) {
  reads(BH_FROM_CLIENT, BH_REGISTER, "{'protocol':1,'pid':0,'name':'a'}");
  cr_assert_eq(body.given, BH_M_PROTOCOL | BH_M_PID | BH_M_NAME);
  cr_assert_eq(body.window, 1);
  cr_assert_eq(body.role, BH_ROLE_INSTANCE);
  reads(BH_FROM_CLIENT, BH_REGISTER, "{'protocol':1,'pid':0,'name':'a','role':'\\u0069nstance'}");
  cr_assert_eq(body.role, BH_ROLE_INSTANCE);
}

/* BH-BODY-002 */
Test(body, an_empty_body_is_an_empty_object) {
  reads(BH_FROM_CLIENT, BH_CLAIM_ACTIVE, "");
  cr_assert_eq(body.given, 0);
  refuses(BH_FROM_CLIENT, BH_REGISTER, "", "BH-BODY-008", NULL);
}

Test(body, heartbeat_and_its_instances) {
  bh_instance_info info[2];

  reads(BH_FROM_HUB, BH_HEARTBEAT,
        "{'active':null,'waiting':0,'parked':7,'instances':[ {'instance':'a','pid':1,'name':'n','last_seen':9} ,"
        "{'name':'m','instance':'b','pid':2},{'instance':'c','pid':3,'name':'o'}]}");
  cr_assert_str_eq(body.active, "");
  cr_assert((body.given & BH_M_ACTIVE) != 0);
  cr_assert_eq(body.parked, 7);
  cr_assert_eq(bh_body_instances(body.instances, NULL, 0), 3);
  cr_assert_eq(bh_body_instances(body.instances, info, 2), 3);
  cr_assert_str_eq(info[0].instance, "a");
  cr_assert_str_eq(info[0].name, "n");
  cr_assert_eq(info[0].pid, 1);
  cr_assert_eq(info[0].last_seen, 0);
  cr_assert_str_eq(info[1].instance, "b");
  cr_assert_eq(info[1].pid, 2);
  reads(BH_FROM_HUB, BH_HEARTBEAT, "{'active':'a','waiting':1,'parked':0,'instances':[ ]}");
  cr_assert_eq(bh_body_instances(body.instances, info, 2), 0);
}

/* BH-BODY-010 */
Test(body, assets_are_as_they_came) {
  reads(BH_FROM_HUB, BH_IMPORT_DATA,
        "{'assets' : [ {'a':1,'a':-1.5E+7,'s':'\\u0000\\udc00'} ] ,'attempt':1,'import':'i'}");
  cr_assert(span_is(body.assets, quoted("[ {'a':1,'a':-1.5E+7,'s':'\\u0000\\udc00'} ]")));
}

Test(body, error_and_its_message) {
  char text[8];

  reads(BH_FROM_HUB, BH_ERROR, "{'for':null,'code':'malformed','message':'a\\u00e4bcdefg'}");
  cr_assert_eq(body.answers, 0);
  cr_assert_str_eq(body.code, "malformed");
  cr_assert(span_is(body.message, "\"a\\u00e4bcdefg\""));
  cr_assert_eq(bh_body_text(body.message, text, sizeof text), 9);
  cr_assert_str_eq(text, "a\xC3\xA4"
                         "bcde");
  reads(BH_FROM_CLIENT, BH_ERROR, "{'for':4294967295,'code':'x','message':''}");
  cr_assert_eq(body.answers, UINT32_MAX);
}

Test(body, ack_of_a_registration) {
  reads(BH_FROM_HUB, BH_ACK,
        "{'for':1,'instance':'a','hub_pid':2,'epoch':9007199254740991,'heartbeat_ms':3,'timeout_ms':4,'active':'b'}");
  cr_assert_eq(body.answers, 1);
  cr_assert_eq(body.hub_pid, 2);
  cr_assert_eq(body.epoch, 9007199254740991u);
  cr_assert_eq(body.heartbeat_ms, 3);
  cr_assert_eq(body.timeout_ms, 4);
  cr_assert_str_eq(body.active, "b");
}

/* BH-BODY-003: what another direction or type has is no member here. */
Test(body, members_of_other_bodies_are_ignored) {
  reads(BH_FROM_CLIENT, BH_ACK, "{'for':1,'active':7,'active':8}");
  cr_assert_eq(body.given, BH_M_FOR);
  reads(BH_FROM_CLIENT, BH_HEARTBEAT, "{'active':7,'waiting':'x','waiting':0}");
  reads(BH_FROM_CLIENT, BH_UNREGISTER, "{'instance':{}}");
  reads(BH_FROM_CLIENT, BH_IMPORT_DATA, "{'import':7}");
  reads(BH_FROM_HUB, BH_TYPE_UNKNOWN, "{'for':null}");
  reads(BH_FROM_CLIENT, BH_CLAIM_ACTIVE, "{'instance_and_a_longer_name_than_any':7,'instanc':8,'':9}");
  cr_assert_eq(body.given, 0);
}

/* ---- what is wrong, and where */

/* BH-BODY-001 */
Test(body, what_is_no_object_is_wrong) {
  refuses(BH_FROM_CLIENT, BH_HEARTBEAT, " [1,2]", "BH-BODY-001", " ");
  refuses(BH_FROM_CLIENT, BH_HEARTBEAT, "null", "BH-BODY-001", "n");
  refuses(BH_FROM_CLIENT, BH_HEARTBEAT, "'{}'", "BH-BODY-001", "'");
  refuses(BH_FROM_CLIENT, BH_HEARTBEAT, " ", "BH-BODY-001", NULL);
  refuses(BH_FROM_CLIENT, BH_HEARTBEAT, "{'a':1", "BH-BODY-001", NULL);
  refuses(BH_FROM_CLIENT, BH_HEARTBEAT, "{'a':1}x", "BH-BODY-001", "x");
  refuses(BH_FROM_CLIENT, BH_HEARTBEAT, "{'a':\xC3z}", "BH-BODY-001", "\xC3");
  /* That it is no JSON says more than what is wrong with a member. */
  refuses(BH_FROM_CLIENT, BH_ACK, "{'for':0,'for':0,x}", "BH-BODY-001", "x");
}

/* BH-BODY-001 */
Test(body, depth_64_is_the_last) {
  char text[256];

  for (size_t inner = 63; inner <= 64; inner++) {
    strcpy(text, "{\"a\":");
    memset(text + 5, '[', inner);
    memset(text + 5 + inner, ']', inner);
    strcpy(text + 5 + 2 * inner, "}");
    cr_assert_eq(read_body(BH_FROM_CLIENT, BH_HEARTBEAT, text, strlen(text)), inner == 63);
  }
  cr_assert_eq(fault.offset, 5 + 63);
}

/* BH-BODY-004 */
Test(body, a_named_member_twice) {
  refuses(BH_FROM_CLIENT, BH_CLAIM_ACTIVE, "{'instance':'a','\\u0069nstance':'a'}", "BH-BODY-004", "'\\u0069");
  refuses(BH_FROM_HUB, BH_HEARTBEAT,
          "{'active':null,'waiting':0,'parked':0,'instances':[{'pid':1,'instance':'a','name':'n','pid':1}]}",
          "BH-BODY-004", "'pid':1}");
}

/* BH-BODY-005 */
Test(body, integers) {
  refuses(BH_FROM_CLIENT, BH_ACK, "{'for':-1}", "BH-BODY-005", "-1");
  refuses(BH_FROM_CLIENT, BH_ACK, "{'for':1.0}", "BH-BODY-005", "1.0");
  refuses(BH_FROM_CLIENT, BH_ACK, "{'for':1e0}", "BH-BODY-005", "1e0");
  refuses(BH_FROM_CLIENT, BH_ACK, "{'for':0}", "BH-BODY-005", "0");
  refuses(BH_FROM_CLIENT, BH_ACK, "{'for':01}", "BH-BODY-001", "1}");
  refuses(BH_FROM_CLIENT, BH_ACK, "{'for':4294967296}", "BH-BODY-005", "4294967296");
  refuses(BH_FROM_CLIENT, BH_ACK, "{'for':18446744073709551617}", "BH-BODY-005", "1844");
  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'window':65}", "BH-BODY-005", "65");
  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'window':0}", "BH-BODY-005", "0");
  refuses(BH_FROM_HUB, BH_ACK, "{'for':1,'epoch':9007199254740992}", "BH-BODY-005", "9007");
  refuses(BH_IN_STATE_FILE, BH_TYPE_UNKNOWN, "{'version':2}", "BH-BODY-005", "2");
  refuses(BH_IN_STATE_FILE, BH_TYPE_UNKNOWN, "{'version':11}", "BH-BODY-005", "11");
}

/* BH-BODY-006, BH-BODY-007, BH-BODY-008 */
Test(body, strings) {
  char text[BH_NAME_MAX + 64];

  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'name':'a\\u0000'}", "BH-BODY-006", "'a\\u");
  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'name':'a\\ud800'}", "BH-BODY-006", "'a\\u");
  refuses(BH_FROM_CLIENT, BH_ERROR, "{'message':'\\udc00'}", "BH-BODY-006", "'\\u");
  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'name':''}", "BH-BODY-008", "''");
  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'role':'Observer'}", "BH-BODY-008", "'Obs");
  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'role':'instances'}", "BH-BODY-008", "'instances");
  refuses(BH_FROM_CLIENT, BH_CLAIM_ACTIVE, "{'instance':'a_b'}", "BH-BODY-008", "'a_b");
  refuses(BH_FROM_CLIENT, BH_CLAIM_ACTIVE, "{'instance':''}", "BH-BODY-008", "''");
  for (int more = 0; more < 2; more++) {
    strcpy(text, "{\"protocol\":1,\"pid\":1,\"name\":\"\\u00e4");
    size_t begin = strlen(text);
    memset(text + begin, 'x', BH_NAME_MAX - 2 + (size_t)more);
    strcpy(text + begin + BH_NAME_MAX - 2 + more, "\"}");
    cr_assert_eq(read_body(BH_FROM_CLIENT, BH_REGISTER, text, strlen(text)), more == 0);
  }
  cr_assert_str_eq(fault.requirement, "BH-BODY-008");
}

/* BH-BODY-008 */
Test(body, values_of_another_type) {
  static const char *const others[] = {"'1'", "null", "true", "[1]", "{}"};
  char text[64];

  for (size_t i = 0; i < 5; i++) {
    strcpy(text, "{'for':");
    strcat(text, others[i]);
    strcat(text, "}");
    refuses(BH_FROM_CLIENT, BH_ACK, text, "BH-BODY-008", others[i]);
  }
  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'name':1}", "BH-BODY-008", "1");
  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'name':['a']}", "BH-BODY-008", "[");
  refuses(BH_FROM_CLIENT, BH_CLAIM_ACTIVE, "{'instance':null}", "BH-BODY-008", "null");
  refuses(BH_FROM_HUB, BH_IMPORT_DATA, "{'assets':{}}", "BH-BODY-008", "{}");
  refuses(BH_FROM_HUB, BH_HEARTBEAT, "{'waiting':null}", "BH-BODY-008", "null");
  refuses(BH_FROM_HUB, BH_HEARTBEAT, "{'instances':{}}", "BH-BODY-008", "{}");
  refuses(BH_FROM_HUB, BH_HEARTBEAT, "{'instances':[{'instance':'a','pid':1,'name':'n'},7]}", "BH-BODY-008", "7");
  refuses(BH_FROM_HUB, BH_HEARTBEAT, "{'instances':[{'instance':'a','pid':'1','name':'n'}]}", "BH-BODY-008", "'1'");
  refuses(BH_IN_STATE_FILE, BH_TYPE_UNKNOWN, "{'active_instance':{'instance':'a','pid':1,'name':7}}", "BH-BODY-008",
          "7");
}

/* BH-BODY-008 */
Test(body, missing_members) {
  refuses(BH_FROM_CLIENT, BH_ACK, "{}", "BH-BODY-008", NULL);
  refuses(BH_FROM_CLIENT, BH_REGISTER, "{'protocol':1,'pid':1}", "BH-BODY-008", NULL);
  refuses(BH_FROM_CLIENT, BH_ERROR, "{'for':1,'code':'x'}", "BH-BODY-008", NULL);
  refuses(BH_FROM_HUB, BH_HEARTBEAT, "{'waiting':0,'parked':0}", "BH-BODY-008", NULL);
  refuses(BH_FROM_HUB, BH_IMPORT_DATA, "{'import':'i','attempt':1}", "BH-BODY-008", NULL);
  refuses(BH_IN_STATE_FILE, BH_TYPE_UNKNOWN, "{'version':1,'hub_pid':null,'epoch':1,'port':1}", "BH-BODY-008", NULL);
}
