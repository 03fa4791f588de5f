/* SPDX-License-Identifier: MIT */
#include "client_internal.h"
#include "test_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The client's core: spec/protocol.md, sections 3 and 6.3. A test plays the hub:
 *
 *     hub_says("IMPORT_DATA", "{'import':'i-1','attempt':1,'assets':[1]}");
 *     happens(BH_EV_IMPORT);
 *     bh_client_ack(client, "i-1");
 *     client_says("ACK", "{'for':THAT}");
 */

static bh_client *client;
static test_memory memory;
static uint64_t now = 7777;
static size_t chunk; /* octets given at once; 0: all */
static uint32_t hub_id;
static bh_reader heard; /* what the client has sent */
static bh_buffer sent;
static size_t sent_taken;

/* What has happened, and was not looked at yet. */
enum { EVENTS_MAX = 64, ASSETS_MAX = 256 };
typedef struct {
  bh_event event;
  char assets[ASSETS_MAX];
  char message[BH_MESSAGE_MAX];
} kept_event;
static kept_event events[EVENTS_MAX];
static size_t event_count;

/* ---- the stage */

static bh_client_config usual_client(void) {
  return (bh_client_config){.pid = 31,
                            .name = "Blender",
                            .window = 2,
                            .role = BH_ROLE_INSTANCE,
                            .timeout_ms = 3000,
                            .allocator = test_allocator(&memory),
                            .logger = test_logger()};
}

static void client_ends(void) {
  bh_client_free(client);
  client = NULL;
  bh_reader_free(&heard);
  bh_buffer_free(&sent);
  cr_expect_eq(memory.blocks, 0, "the client leaves memory behind");
}

static void client_starts_as(const bh_client_config *config) {
  if (client != NULL) {
    client_ends();
  }
  client = bh_client_new(config);
  cr_assert_not_null(client);
  bh_buffer_init(&sent, bh_system_allocator());
  bh_reader_init(&heard, BH_CLIENT_BODY_MAX, bh_system_allocator());
}

static void client_starts(void) {
  bh_client_config config = usual_client();

  client_starts_as(&config);
}

TestSuite(client, .init = client_starts, .fini = client_ends);

static void look(void) {
  bh_event event;

  while (bh_client_poll(client, &event)) {
    kept_event *kept = &events[event_count++];
    cr_assert(event_count < EVENTS_MAX && event.assets_size < ASSETS_MAX);
    kept->event = event;
    if (event.assets_size > 0) {
      memcpy(kept->assets, event.assets, event.assets_size);
    }
    kept->assets[event.assets_size] = '\0';
    snprintf(kept->message, sizeof kept->message, "%s", event.message);
  }
}

/* The octets are gone after each call, and so are those of an event after its poll. */
static int gives(const uint8_t *octets, size_t size, size_t *consumed) {
  uint8_t *copy = malloc(size + 1);
  int error;

  memcpy(copy, octets, size);
  error = bh_client_recv(client, copy, size, consumed, now);
  look();
  free(copy);
  return error;
}

static void hub_gives(const void *octets, size_t size) {
  for (size_t taken = 0; taken < size;) {
    size_t part = chunk == 0 || size - taken < chunk ? size - taken : chunk;
    size_t consumed = 0;
    int error = gives((const uint8_t *)octets + taken, part, &consumed);
    taken += consumed;
    if (error != BH_OK) {
      return;
    }
  }
}

#define hub_says(type, ...) (AT_THIS_LINE, hub_says_quoted(type, quoted(__VA_ARGS__)))
static uint32_t hub_says_quoted(const char *type, const char *body) {
  const char *message = quoted("BH1 %s %u %zu\n%s", type, (unsigned)++hub_id, strlen(body), body);

  hub_gives(message, strlen(message));
  return hub_id;
}

static void take_what_it_sends(void) {
  const uint8_t *octets;
  size_t size;

  while ((size = bh_client_send(client, &octets)) > 0) {
    bh_buffer_append(&sent, octets, size);
    bh_client_sent(client, size);
  }
}

static bool next_message(void) {
  take_what_it_sends();
  while (sent_taken < sent.size) {
    size_t consumed = 0;
    bh_read_status status = bh_reader_next(&heard, sent.octets + sent_taken, sent.size - sent_taken, &consumed);
    sent_taken += consumed;
    if (status == BH_READ_MESSAGE) {
      return true;
    }
    if (status != BH_READ_MORE) {
      test_fail("the client breaks the framing: %s", heard.what);
    }
  }
  return false;
}

/* 'for':THAT is the hub's newest message. */
#define client_says(type, ...) (AT_THIS_LINE, client_says_quoted(type, quoted(__VA_ARGS__)))
static void client_says_quoted(const char *type, const char *expected) {
  static const char that[] = "{\"for\":THAT";
  const char *body = expected;

  if (strncmp(body, that, sizeof that - 1) == 0) {
    body = quoted("{'for':%u%s", (unsigned)hub_id, expected + sizeof that - 1);
  }
  if (!next_message()) {
    test_fail("the client says nothing, and not %s %s", type, body);
  }
  if (strcmp(bh_type_name(heard.type), type) != 0 || heard.body_size != strlen(body) ||
      memcmp(heard.body, body, heard.body_size) != 0) {
    test_fail("the client says\n  %s %.*s, and not\n  %s %s", bh_type_name(heard.type), (int)heard.body_size,
              (const char *)heard.body, type, body);
  }
}

#define client_says_error(answers, code) (AT_THIS_LINE, client_says_code(answers, code))
static void client_says_code(uint32_t answers, const char *code) {
  const char *begin = answers == 0 ? quoted("{'for':null,'code':'%s',", code)
                                   : quoted("{'for':%u,'code':'%s',", (unsigned)answers, code);

  if (!next_message()) {
    test_fail("the client says nothing, and not ERROR %s", begin);
  }
  if (heard.type != BH_ERROR || heard.body_size < strlen(begin) || memcmp(heard.body, begin, strlen(begin)) != 0) {
    test_fail("the client says\n  %s %.*s, and not\n  ERROR %s", bh_type_name(heard.type), (int)heard.body_size,
              (const char *)heard.body, begin);
  }
}

#define client_says_nothing() (AT_THIS_LINE, client_is_quiet())
static void client_is_quiet(void) {
  if (next_message()) {
    test_fail("the client says %s %.*s, and not nothing", bh_type_name(heard.type), (int)heard.body_size,
              (const char *)heard.body);
  }
}

#define happens(kind) (AT_THIS_LINE, next_event(kind))
static const kept_event *next_event(bh_event_kind kind) {
  static kept_event first;

  look();
  if (event_count == 0) {
    test_fail("nothing happens, and not event %d", (int)kind);
  }
  first = events[0];
  memmove(events, events + 1, --event_count * sizeof events[0]);
  if (first.event.kind != kind) {
    test_fail("event %d (%s) happens, and not %d", (int)first.event.kind, first.message, (int)kind);
  }
  first.event.message = first.message;
  return &first;
}

#define nothing_happens() (AT_THIS_LINE, no_event())
static void no_event(void) {
  look();
  if (event_count > 0) {
    test_fail("event %d (%s) happens, and not nothing", (int)events[0].event.kind, events[0].message);
  }
}

/* A new connection: both sides count from 1. */
static void connects(void) {
  cr_assert_eq(bh_client_open(client, now), BH_OK);
  hub_id = 0;
  bh_reader_free(&heard);
  bh_reader_init(&heard, BH_CLIENT_BODY_MAX, bh_system_allocator());
  bh_buffer_clear(&sent);
  sent_taken = 0;
}

static void is_registered_as(const char *instance, const char *active) {
  hub_says("ACK",
           "{'for':1,'instance':'%s','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000,'active':%s}",
           instance, active);
}

/* Connects and registers as "me", and nobody is active. */
static void registers(void) {
  connects();
  cr_assert(next_message());
  is_registered_as("me", "null");
  happens(BH_EV_REGISTERED);
}

static void hub_sends_import(const char *import, uint32_t attempt) {
  hub_says("IMPORT_DATA", "{'import':'%s','attempt':%u,'assets':[{'id':'%s'}]}", import, (unsigned)attempt, import);
}

static const bh_client_view *status(void) {
  static bh_client_view view;

  bh_client_status(client, &view);
  return &view;
}

/* ---- registration */

Test(client, a_client_that_cannot_be_is_refused) {
  bh_client_config config = usual_client();
  char name[BH_NAME_MAX + 2];

  memset(name, 'n', sizeof name);
  name[BH_NAME_MAX + 1] = '\0';
  config.name = NULL;
  cr_assert_null(bh_client_new(&config));
  config.name = "";
  cr_assert_null(bh_client_new(&config));
  config.name = name;
  cr_assert_null(bh_client_new(&config));
  config.instance = name;
  config.name = "a";
  cr_assert_null(bh_client_new(&config));
  config.instance = NULL;
  config.window = 0;
  cr_assert_null(bh_client_new(&config));
  config.window = BH_WINDOW_MAX + 1;
  cr_assert_null(bh_client_new(&config));
  bh_client_free(NULL);
}

/* BH-REG-001 */
Test(client, it_registers_as_soon_as_it_is_connected) {
  connects();
  client_says("REGISTER", "{'protocol':1,'pid':31,'name':'Blender','window':2,'role':'instance'}");
  client_says_nothing();
  cr_assert(!status()->registered);
  is_registered_as("aa", "'bb'");
  const bh_event *event = &happens(BH_EV_REGISTERED)->event;
  cr_assert_str_eq(event->instance, "aa");
  cr_assert_str_eq(event->active, "bb");
  cr_assert_eq(event->hub_pid, 4242);
  cr_assert_eq(event->epoch, 7);
  nothing_happens();
  cr_assert(status()->registered);
  cr_assert(!status()->heard);
  cr_assert_str_eq(status()->active, "bb");
  cr_assert_eq(status()->heartbeat_ms, 1000);
  cr_assert_eq(status()->timeout_ms, 5000);
  cr_assert_eq(bh_client_open(client, now), BH_E_STATE);
}

Test(client, its_name_and_role_are_told_as_json) {
  bh_client_config config = usual_client();

  config.name = "say \"hi\"\n\\";
  config.role = BH_ROLE_OBSERVER;
  config.instance = "before";
  client_starts_as(&config);
  connects();
  client_says("REGISTER", "{'protocol':1,'pid':31,'name':'say \\\"hi\\\"\\u000a\\\\','instance':'before','window':2,"
                          "'role':'observer'}");
}

/* BH-REG-013 */
Test(client, it_comes_back_with_the_id_that_it_had) {
  registers();
  bh_client_close(client, now);
  nothing_happens();
  connects();
  client_says("REGISTER", "{'protocol':1,'pid':31,'name':'Blender','instance':'me','window':2,'role':'instance'}");
}

/* BH-REG-012 */
Test(client, superseded_is_the_end) {
  registers();
  hub_says("ERROR", "{'for':null,'code':'superseded','message':'newer'}");
  happens(BH_EV_SUPERSEDED);
  nothing_happens();
  client_says_nothing();
  cr_assert_eq(bh_client_open(client, now), BH_E_STATE);
  cr_assert_eq(bh_client_expiry(client), BH_NEVER);
  size_t consumed;
  cr_assert_eq(bh_client_recv(client, (const uint8_t *)"B", 1, &consumed, now), BH_E_CLOSED);
}

/* ... but only where it is meant for this connection. */
Test(client, superseded_for_another_request_is_only_its_answer) {
  uint32_t request;

  registers();
  hub_says("ERROR", "{'for':77,'code':'superseded','message':''}");
  nothing_happens();
  bh_client_claim(client, NULL, &request);
  hub_says("ERROR", "{'for':2,'code':'superseded','message':''}");
  cr_assert_eq(happens(BH_EV_FAILED)->event.request, request);
}

Test(client, a_refused_registration_ends_the_connection) {
  connects();
  hub_says("ERROR", "{'for':1,'code':'unsupported-protocol','message':'only \\u0032'}");
  const kept_event *event = happens(BH_EV_FAILED);
  cr_assert_eq(event->event.request, 0);
  cr_assert_str_eq(event->event.code, "unsupported-protocol");
  cr_assert_str_eq(event->message, "only 2");
  happens(BH_EV_CLOSE);
  connects();
  client_says("REGISTER", "{'protocol':1,'pid':31,'name':'Blender','window':2,'role':'instance'}");
}

/* BH-MSG-007: what answers REGISTER carries what section 3.2 says. */
Test(client, an_ack_that_lacks_what_was_asked_for_breaks_the_framing) {
  static const char *const wrong[] = {
      "{'for':1}",
      "{'for':1,'instance':'aa','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000}",
      "{'for':1,'instance':'a a','hub_pid':4242,'epoch':7,'heartbeat_ms':1000,'timeout_ms':5000,'active':null}",
      "{'for':0}",
      "[]",
      "{'for':1,'for':1}",
  };

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    connects();
    cr_assert(next_message());
    hub_says("ACK", "%s", wrong[i]);
    happens(BH_EV_CLOSE);
    client_says_error(1, "malformed");
    client_says_nothing();
  }
}

Test(client, timings_of_0_are_not_believed) {
  connects();
  hub_says("ACK", "{'for':1,'instance':'aa','hub_pid':1,'epoch':1,'heartbeat_ms':0,'timeout_ms':0,'active':null}");
  cr_assert_eq(bh_client_expiry(client), now + BH_TIMEOUT_MS);
}

/* ---- requests */

/* BH-MSG-004, BH-CLAIM-002 */
Test(client, requests_are_answered_by_events) {
  uint32_t claim, give, release, beat, leave;

  cr_assert_eq(bh_client_claim(client, NULL, &claim), BH_E_STATE);
  connects();
  cr_assert(next_message());
  cr_assert_eq(bh_client_heartbeat(client, &beat), BH_E_STATE);
  is_registered_as("me", "null");
  happens(BH_EV_REGISTERED);

  cr_assert_eq(bh_client_claim(client, NULL, &claim), BH_OK);
  cr_assert_eq(bh_client_claim(client, "you", &give), BH_OK);
  cr_assert_eq(bh_client_release(client, &release), BH_OK);
  cr_assert_eq(bh_client_heartbeat(client, &beat), BH_OK);
  cr_assert_eq(bh_client_unregister(client, &leave), BH_OK);
  client_says("CLAIM_ACTIVE", "%s", "");
  client_says("CLAIM_ACTIVE", "{'instance':'you'}");
  client_says("RELEASE_ACTIVE", "%s", "");
  client_says("HEARTBEAT", "%s", "");
  client_says("UNREGISTER", "%s", "");
  hub_says("ACK", "{'for':2,'active':'me'}");
  cr_assert_eq(happens(BH_EV_DONE)->event.request, claim);
  cr_assert_str_eq(happens(BH_EV_ACTIVE)->event.active, "me");
  hub_says("ACK", "{'for':3,'active':'you'}");
  cr_assert_eq(happens(BH_EV_DONE)->event.request, give);
  cr_assert_str_eq(happens(BH_EV_INACTIVE)->event.active, "you");
  hub_says("ERROR", "{'for':4,'code':'not-active','message':'no'}");
  const kept_event *failed = happens(BH_EV_FAILED);
  cr_assert_eq(failed->event.request, release);
  cr_assert_str_eq(failed->event.code, "not-active");
  cr_assert_str_eq(failed->message, "no");
  hub_says("ACK", "{'for':5}");
  cr_assert_eq(happens(BH_EV_DONE)->event.request, beat);
  hub_says("ACK", "{'for':6}");
  cr_assert_eq(happens(BH_EV_DONE)->event.request, leave);
  nothing_happens();
}

/* BH-CLIENT-006: it was on its way, and the hub gives it to another at UNREGISTER. */
Test(client, what_comes_to_one_that_leaves_is_not_handed_up) {
  uint32_t leave;

  connects();
  cr_assert(next_message());
  is_registered_as("me", "null");
  happens(BH_EV_REGISTERED);
  cr_assert_eq(bh_client_unregister(client, &leave), BH_OK);
  client_says("UNREGISTER", "%s", "");
  hub_says("IMPORT_DATA", "{'import':'i-1','attempt':1,'assets':[1]}");
  cr_assert_not(next_message());
  hub_says("ACK", "{'for':2}");
  cr_assert_eq(happens(BH_EV_DONE)->event.request, leave);
  nothing_happens();
}

/* BH-MSG-005, BH-MSG-006, BH-MSG-011 */
Test(client, answers_to_nothing_are_ignored_and_unknown_codes_taken) {
  uint32_t request;

  registers();
  hub_says("ACK", "{'for':1}"); /* answered before */
  hub_says("ACK", "{'for':9,'active':'me'}");
  hub_says("ERROR", "{'for':9,'code':'refused','message':''}");
  nothing_happens();
  client_says_nothing();
  hub_says("ERROR", "{'for':null,'code':'a-new-one','message':'\\ud83d\\ude00'}");
  const kept_event *event = happens(BH_EV_FAILED);
  cr_assert_eq(event->event.request, 0);
  cr_assert_str_eq(event->event.code, "a-new-one");
  cr_assert_str_eq(event->message, "\xF0\x9F\x98\x80");
  bh_client_claim(client, NULL, &request);
  hub_says("ACK", "{'for':2,'active':null}");
  happens(BH_EV_DONE);
  hub_says("ACK", "{'for':2,'active':'me'}");
  nothing_happens();
}

Test(client, thirty_two_requests_may_wait) {
  uint32_t request;

  registers();
  for (int i = 0; i < BH_REQUESTS_MAX; i++) {
    cr_assert_eq(bh_client_heartbeat(client, &request), BH_OK);
    cr_assert_eq(request, (uint32_t)i + 1);
  }
  cr_assert_eq(bh_client_heartbeat(client, &request), BH_E_FULL);
  hub_says("ACK", "{'for':2}");
  happens(BH_EV_DONE);
  cr_assert_eq(bh_client_heartbeat(client, &request), BH_OK);

  bh_client_close(client, now);
  for (int i = 0; i < BH_REQUESTS_MAX; i++) {
    const kept_event *event = happens(BH_EV_FAILED);
    cr_assert_str_eq(event->event.code, "");
    cr_assert_neq(event->event.request, 0);
  }
  nothing_happens();
  connects();
  cr_assert(next_message());
  is_registered_as("me", "null");
  happens(BH_EV_REGISTERED);
  cr_assert_eq(bh_client_heartbeat(client, &request), BH_OK);
}

/* ---- what the hub tells */

/* BH-MSG-004, BH-TIME-002 */
Test(client, heartbeats_are_answered_and_their_news_told) {
  registers();
  hub_says("HEARTBEAT",
           "{'active':'me','waiting':2,'parked':1,'instances':[{'instance':'me','pid':31,'name':'Bl\\u0065nder'},"
           "{'pid':7,'name':'b','instance':'you','more':[]}]}");
  client_says("ACK", "{'for':THAT}");
  cr_assert_str_eq(happens(BH_EV_ACTIVE)->event.active, "me");
  happens(BH_EV_STATUS);
  nothing_happens();
  cr_assert(status()->heard);
  cr_assert_str_eq(status()->active, "me");
  cr_assert_eq(status()->waiting, 2);
  cr_assert_eq(status()->parked, 1);
  cr_assert_eq(status()->instance_count, 2);
  cr_assert_str_eq(status()->instances[0].instance, "me");
  cr_assert_str_eq(status()->instances[0].name, "Blender");
  cr_assert_str_eq(status()->instances[1].instance, "you");
  cr_assert_eq(status()->instances[1].pid, 7);

  hub_says("HEARTBEAT", "{'active':'me','waiting':2,'parked':1}");
  client_says("ACK", "{'for':THAT}");
  nothing_happens();
  cr_assert_eq(status()->instance_count, 2);
  hub_says("HEARTBEAT", "{'active':'me','waiting':3,'parked':1}");
  happens(BH_EV_STATUS);
  hub_says("HEARTBEAT", "{'active':'me','waiting':3,'parked':0}");
  happens(BH_EV_STATUS);
  hub_says("HEARTBEAT", "{'active':'you','waiting':3,'parked':0}");
  happens(BH_EV_INACTIVE);
  happens(BH_EV_STATUS);
  hub_says("HEARTBEAT", "{'active':null,'waiting':3,'parked':0,'instances':[]}");
  happens(BH_EV_STATUS);
  cr_assert_eq(status()->instance_count, 0);
  nothing_happens();
}

/* An observer is never active, whatever a hub may say. */
Test(client, an_observer_is_not_active) {
  bh_client_config config = usual_client();

  config.role = BH_ROLE_OBSERVER;
  client_starts_as(&config);
  registers();
  hub_says("HEARTBEAT", "{'active':'me','waiting':0,'parked':0}");
  happens(BH_EV_STATUS);
  nothing_happens();
}

/* BH-MSG-004, BH-MSG-008, BH-MSG-010, BH-FRAME-010, BH-BODY-009 */
Test(client, what_it_does_not_take_is_answered_and_the_connection_goes_on) {
  registers();
  hub_says("REGISTER", "no body");
  client_says_error(hub_id, "unexpected");
  hub_says("UNREGISTER", "{}");
  client_says_error(hub_id, "unexpected");
  hub_says("CLAIM_ACTIVE", "{}");
  client_says_error(hub_id, "unexpected");
  hub_says("RELEASE_ACTIVE", "{}");
  client_says_error(hub_id, "unexpected");
  hub_says("NEWS", "no body");
  client_says_error(hub_id, "unknown-type");
  hub_says("HEARTBEAT", "{'active':'me'}");
  client_says_error(hub_id, "bad-body");
  hub_says("IMPORT_DATA", "{'import':'i-1','attempt':0,'assets':[]}");
  client_says_error(hub_id, "bad-body");
  nothing_happens();
  hub_says("HEARTBEAT", "{'active':null,'waiting':0,'parked':0}");
  client_says("ACK", "{'for':THAT}");
}

/* BH-FRAME-004, BH-FRAME-005, BH-MSG-007 */
Test(client, a_break_of_the_framing_is_answered_and_the_connection_given_up) {
  static const char two[] = "BH1 HEARTBEAT 3 0\nBH1 HEARTBEAT 4 0\n";

  registers();
  hub_gives(two, sizeof two - 1);
  happens(BH_EV_CLOSE);
  client_says_error(3, "malformed");
  client_says_nothing();
  nothing_happens();

  connects();
  cr_assert(next_message());
  hub_gives("BH1 IMPORT_DATA 1 67108865", 26);
  happens(BH_EV_CLOSE);
  client_says_error(1, "too-large");

  connects();
  cr_assert(next_message());
  hub_says("ERROR", "{'for':1,'code':'refused'}");
  happens(BH_EV_CLOSE);
  client_says_error(1, "malformed");
}

/* BH-FRAME-002: one message at a time, and no more until its events are taken. */
Test(client, it_stops_at_each_event) {
  const char *both = quoted("BH1 HEARTBEAT 2 38\n{'active':null,'waiting':1,'parked':0}"
                            "BH1 HEARTBEAT 3 38\n{'active':null,'waiting':2,'parked':0}");
  size_t half = strlen(both) / 2;
  size_t consumed;
  bh_event event;

  registers();
  cr_assert_eq(bh_client_recv(client, (const uint8_t *)both, 2 * half, &consumed, now), BH_OK);
  cr_assert_eq(consumed, half);
  cr_assert_eq(bh_client_recv(client, (const uint8_t *)both + half, half, &consumed, now), BH_OK);
  cr_assert_eq(consumed, 0);
  cr_assert_eq(status()->waiting, 1);
  cr_assert(bh_client_poll(client, &event));
  cr_assert_eq(bh_client_recv(client, (const uint8_t *)both + half, half, &consumed, now), BH_OK);
  cr_assert_eq(consumed, half);
  cr_assert_eq(status()->waiting, 2);
  happens(BH_EV_STATUS);
}

/* ---- imports */

/* BH-MSG-004, BH-BODY-010 */
Test(client, imports_are_handed_up_octet_for_octet_and_answered_in_any_order) {
  for (chunk = 0; chunk < 80; chunk++) {
    client_starts();
    registers();
    hub_says("IMPORT_DATA",
             "{ 'attempt' : 3 , 'assets' : [ {'a':1,'a':2.0e1,'s':'\\u0000\\ud800'} ,\t[ ] ] , 'import' : 'i-1' }");
    uint32_t first = hub_id;
    const kept_event *event = happens(BH_EV_IMPORT);
    cr_assert_str_eq(event->event.import, "i-1");
    cr_assert_eq(event->event.attempt, 3);
    cr_assert_str_eq(event->assets, quoted("[ {'a':1,'a':2.0e1,'s':'\\u0000\\ud800'} ,\t[ ] ]"));
    hub_sends_import("i-2", 1);
    happens(BH_EV_IMPORT);
    client_says_nothing();
    cr_assert_eq(bh_client_ack(client, "i-2"), BH_OK);
    client_says("ACK", "{'for':THAT}");
    cr_assert_eq(bh_client_refuse(client, "i-1", "no \"mesh\""), BH_OK);
    client_says("ERROR", "{'for':%u,'code':'refused','message':'no \\\"mesh\\\"'}", (unsigned)first);
    cr_assert_eq(bh_client_ack(client, "i-2"), BH_E_INVALID);
    cr_assert_eq(bh_client_refuse(client, "i-1", ""), BH_E_INVALID);
    cr_assert_eq(bh_client_ack(client, ""), BH_E_INVALID);
    client_says_nothing();
    nothing_happens();
  }
}

/* BH-CLIENT-001 */
Test(client, a_finished_import_is_acknowledged_again_and_not_handed_up) {
  registers();
  hub_sends_import("i-1", 1);
  happens(BH_EV_IMPORT);
  bh_client_ack(client, "i-1");
  client_says("ACK", "{'for':THAT}");
  hub_sends_import("i-1", 2);
  client_says("ACK", "{'for':THAT}");
  nothing_happens();

  bh_client_close(client, now);
  registers();
  hub_sends_import("i-1", 3);
  client_says("ACK", "{'for':THAT}");
  nothing_happens();
}

/* BH-CLIENT-001: the last 1024, and no more need be. */
Test(client, the_last_1024_finished_imports_are_remembered) {
  registers();
  for (int i = 0; i < BH_FINISHED_MAX; i++) {
    hub_sends_import(quoted("i-%d", i), 1);
    happens(BH_EV_IMPORT);
    bh_client_ack(client, quoted("i-%d", i));
    client_says("ACK", "{'for':THAT}");
  }
  for (int i = 0; i < BH_FINISHED_MAX; i++) {
    hub_sends_import(quoted("i-%d", i), 2);
    client_says("ACK", "{'for':THAT}");
  }
  nothing_happens();
}

/* BH-CLIENT-002 */
Test(client, an_import_in_hand_is_answered_once_on_its_newest_message) {
  registers();
  hub_sends_import("i-1", 1);
  happens(BH_EV_IMPORT);
  hub_sends_import("i-1", 2);
  nothing_happens();
  client_says_nothing();
  bh_client_ack(client, "i-1");
  client_says("ACK", "{'for':THAT}");
  client_says_nothing();
}

/* BH-CLIENT-002: over the end of a connection too. */
Test(client, an_import_in_hand_stays_so_over_a_new_connection) {
  registers();
  hub_sends_import("i-1", 1);
  hub_sends_import("i-2", 1);
  happens(BH_EV_IMPORT);
  happens(BH_EV_IMPORT);
  bh_client_close(client, now);
  cr_assert_eq(bh_client_ack(client, "i-2"), BH_OK); /* finished meanwhile */
  registers();
  hub_sends_import("i-1", 2);
  uint32_t first = hub_id;
  hub_sends_import("i-2", 2);
  client_says("ACK", "{'for':THAT}");
  nothing_happens();
  bh_client_ack(client, "i-1");
  client_says("ACK", "{'for':%u}", (unsigned)first);
}

/* An answer for a connection that is gone is not sent on the next one, where its id is another message's. */
Test(client, an_answer_waits_until_the_import_comes_again) {
  registers();
  hub_sends_import("i-1", 1);
  happens(BH_EV_IMPORT);
  bh_client_close(client, now);
  registers();
  bh_client_ack(client, "i-1");
  client_says_nothing();
  hub_sends_import("i-1", 2);
  client_says("ACK", "{'for':THAT}");
}

/* The hub would close the connection at a message that is too large, and send the import again: for ever. */
Test(client, a_reason_of_any_length_is_sent_as_far_as_the_hub_keeps_it) {
  char reason[BH_CLIENT_BODY_MAX + 1];
  char expected[BH_REASON_OCTETS_MAX + 64];

  registers();
  hub_sends_import("i-1", 1);
  happens(BH_EV_IMPORT);
  memset(reason, 'x', sizeof reason - 1);
  memcpy(reason + BH_REASON_OCTETS_MAX - 1, "\xC3\xA4", 2);
  reason[sizeof reason - 1] = '\0';
  bh_client_refuse(client, "i-1", reason);
  snprintf(expected, sizeof expected, "{'for':THAT,'code':'refused','message':'%.*s'}", BH_REASON_OCTETS_MAX - 1,
           reason);
  client_says("ERROR", "%s", expected);
}

Test(client, a_name_that_no_hub_takes_is_not_taken) {
  char name[BH_NAME_MAX + 2];

  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  cr_assert_eq(bh_client_rename(client, name), BH_E_INVALID);
  cr_assert_eq(bh_client_rename(client, ""), BH_E_INVALID);
  name[BH_NAME_MAX] = '\0';
  cr_assert_eq(bh_client_rename(client, name), BH_OK);
}

/* BH-CLIENT-003 */
Test(client, a_refused_import_is_handed_up_again) {
  registers();
  hub_sends_import("i-1", 1);
  happens(BH_EV_IMPORT);
  bh_client_refuse(client, "i-1", "no");
  client_says("ERROR", "{'for':THAT,'code':'refused','message':'no'}");
  hub_sends_import("i-1", 2);
  cr_assert_eq(happens(BH_EV_IMPORT)->event.attempt, 2);
  bh_client_close(client, now);
  cr_assert_eq(bh_client_refuse(client, "i-1", "still no"), BH_OK);
  registers();
  client_says_nothing();
  hub_sends_import("i-1", 3);
  cr_assert_eq(happens(BH_EV_IMPORT)->event.attempt, 3);
}

/* A hub that does not keep to the window. */
Test(client, more_imports_than_any_window_are_refused) {
  registers();
  for (int i = 0; i < BH_IN_HAND_MAX; i++) {
    hub_sends_import(quoted("i-%d", i), 1);
    happens(BH_EV_IMPORT);
  }
  hub_sends_import("one-more", 1);
  client_says_error(hub_id, "overloaded");
  nothing_happens();
  hub_sends_import("i-0", 2);
  bh_client_ack(client, "i-0");
  client_says("ACK", "{'for':THAT}");
  hub_sends_import("one-more", 2);
  happens(BH_EV_IMPORT);
}

/* ---- the end of a connection */

/* BH-CLIENT-004, BH-TIME-005 */
Test(client, a_silent_hub_is_given_up) {
  connects();
  cr_assert_eq(bh_client_expiry(client), now + 3000);
  is_registered_as("me", "null");
  happens(BH_EV_REGISTERED);
  cr_assert_eq(bh_client_expiry(client), now + 5000);
  now += 4999;
  bh_client_expire(client, now);
  nothing_happens();
  hub_gives("B", 1);
  cr_assert_eq(bh_client_expiry(client), now + 5000);
  now += 5000;
  bh_client_expire(client, now);
  cr_assert_str_eq(happens(BH_EV_CLOSE)->message, "the hub has sent nothing for the time-out");
  cr_assert_eq(bh_client_expiry(client), BH_NEVER);
  bh_client_expire(client, now + 5000);
  nothing_happens();
}

/* BH-TIME-007 */
Test(client, after_a_stop_the_hub_gets_a_fresh_time_out) {
  registers();
  now += 6000; /* late by heartbeat_ms */
  bh_client_expire(client, now);
  nothing_happens();
  cr_assert_eq(bh_client_expiry(client), now + 5000);
  now += 5999; /* by less */
  bh_client_expire(client, now);
  happens(BH_EV_CLOSE);
}

/* BH-CLIENT-005 */
Test(client, what_was_told_ends_with_the_connection) {
  registers();
  hub_says("HEARTBEAT", "{'active':'me','waiting':2,'parked':1,'instances':[{'instance':'me','pid':31,'name':'a'}]}");
  happens(BH_EV_ACTIVE);
  happens(BH_EV_STATUS);
  bh_client_close(client, now);
  happens(BH_EV_INACTIVE);
  nothing_happens();
  cr_assert(!status()->registered);
  cr_assert(!status()->heard);
  cr_assert_str_eq(status()->active, "");
  cr_assert_eq(status()->instance_count, 0);
  cr_assert_eq(status()->waiting, 0);

  connects();
  is_registered_as("me", "'me'");
  happens(BH_EV_REGISTERED);
  happens(BH_EV_ACTIVE);
  bh_client_close(client, now);
  bh_client_close(client, now);
  happens(BH_EV_INACTIVE);
  nothing_happens();
}

/* BH-CLIENT-005: an import that was not handed up yet is not handed up behind the connection's end. */
Test(client, an_import_that_nobody_took_ends_with_the_connection) {
  const char *message = quoted("BH1 IMPORT_DATA 2 46\n{'import':'i-1','attempt':1,'assets':[123456]}");
  size_t consumed;

  registers();
  cr_assert_eq(bh_client_recv(client, (const uint8_t *)message, strlen(message), &consumed, now), BH_OK);
  cr_assert_eq(consumed, strlen(message));
  bh_client_close(client, now);
  connects();
  nothing_happens();
  cr_assert(next_message());
  is_registered_as("me", "null");
  happens(BH_EV_REGISTERED);
  cr_assert_eq(bh_client_ack(client, "i-1"), BH_E_INVALID);
  hub_sends_import("i-1", 2);
  happens(BH_EV_IMPORT);
}

/* Requests end in the order in which they were made, and before the CLOSE. */
Test(client, requests_that_wait_fail_with_the_connection) {
  uint32_t first, second;

  registers();
  bh_client_claim(client, NULL, &first);
  bh_client_release(client, &second);
  hub_gives("\n", 1);
  cr_assert_eq(happens(BH_EV_FAILED)->event.request, first);
  cr_assert_eq(happens(BH_EV_FAILED)->event.request, second);
  happens(BH_EV_CLOSE);
  nothing_happens();
}

/* BH-FRAME-012 */
Test(client, the_last_id_is_used_and_then_the_client_closes) {
  uint32_t first, second;

  registers();
  client->out.last_id = UINT32_MAX - 1;
  heard.last_id = UINT32_MAX - 1;
  cr_assert_eq(bh_client_heartbeat(client, &first), BH_OK);
  client_says("HEARTBEAT", "%s", "");
  cr_assert_eq(heard.id, UINT32_MAX);
  cr_assert_eq(bh_client_heartbeat(client, &second), BH_E_CLOSED);
  cr_assert_eq(happens(BH_EV_FAILED)->event.request, first);
  happens(BH_EV_CLOSE);
  client_says_nothing();

  registers();
  hub_sends_import("i-1", 1);
  happens(BH_EV_IMPORT);
  client->out.last_id = UINT32_MAX;
  cr_assert_eq(bh_client_ack(client, "i-1"), BH_OK);
  happens(BH_EV_CLOSE);
  registers();
  hub_sends_import("i-1", 2);
  client_says("ACK", "{'for':THAT}");

  client->out.last_id = UINT32_MAX;
  hub_says("HEARTBEAT", "{'active':null,'waiting':0,'parked':0}");
  happens(BH_EV_STATUS);
  happens(BH_EV_CLOSE);
}

/* A caller that does not poll loses the oldest events. */
Test(client, events_do_not_pile_up) {
  bh_event event;
  int count = 0;

  for (int i = 0; i < 2 * BH_EVENTS_MAX; i++) {
    cr_assert_eq(bh_client_open(client, now), BH_OK);
    now = bh_client_expiry(client);
    bh_client_expire(client, now);
  }
  while (bh_client_poll(client, &event)) {
    cr_assert_eq(event.kind, BH_EV_CLOSE);
    count++;
  }
  cr_assert_eq(count, BH_EVENTS_MAX);
}

/* What is sent is lent, and stays as it is while more is queued. */
Test(client, octets_on_loan_stay_where_they_are) {
  const uint8_t *octets;
  uint32_t request;

  connects();
  size_t size = bh_client_send(client, &octets);
  char *copy = malloc(size);
  memcpy(copy, octets, size);
  is_registered_as("me", "null");
  happens(BH_EV_REGISTERED);
  for (int i = 0; i < 30; i++) {
    bh_client_claim(client, "a-rather-long-instance-id-so-that-the-queue-grows", &request);
  }
  cr_assert_arr_eq(octets, copy, size);
  bh_client_sent(client, 10);
  const uint8_t *rest;
  cr_assert_eq(bh_client_send(client, &rest), size - 10);
  cr_assert_eq(rest, octets + 10);
  bh_client_sent(client, size - 10);
  free(copy);
  cr_assert_gt(bh_client_send(client, &rest), 30 * 60);
}

/* BH-SPOOL-012: what the hub cannot do is told, kept until the next HEARTBEAT, and gone with the connection. */
Test(client, trouble_of_the_hub_s_is_told_once_it_changes) {
  registers();
  hub_says("HEARTBEAT", "{'active':null,'waiting':0,'parked':0,'instances':[]}");
  happens(BH_EV_STATUS);
  cr_assert_str_eq(status()->problem, "");
  hub_says("HEARTBEAT", "{'active':null,'waiting':0,'parked':0,'problem':'full'}");
  happens(BH_EV_STATUS);
  cr_assert_str_eq(status()->problem, "full");
  hub_says("HEARTBEAT", "{'active':null,'waiting':0,'parked':0,'problem':'full'}");
  nothing_happens();
  hub_says("HEARTBEAT", "{'active':null,'waiting':0,'parked':0}");
  happens(BH_EV_STATUS);
  cr_assert_str_eq(status()->problem, "");
  hub_says("HEARTBEAT", "{'active':null,'waiting':0,'parked':0,'problem':'full'}");
  happens(BH_EV_STATUS);
  bh_client_close(client, now);
  cr_assert_str_eq(status()->problem, "");
}
