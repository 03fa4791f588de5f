/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 5: what Bridge sends. */
#include "harness.h"
#include "imports.h"
#include "steps.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- BH-INGEST-001: where the hub listens */

CASE(ingest, listens_on_127_0_0_1, MUST, "BH-INGEST-001") {
  struct hub *hub = hub_start();

  EXPECT(bridge_open_at(hub, "127.0.0.1", hub->port)->connected, "the hub listens on 127.0.0.1 at its port",
         "nobody listens there");
}

CASE(ingest, listens_on_the_ipv6_loopback, SHOULD, "BH-INGEST-001") {
  struct hub *hub = hub_start();

  EXPECT(bridge_open_at(hub, "::1", hub->port)->connected, "the hub listens on ::1 at its port",
         "nobody listens there");
}

CASE(ingest, listens_on_no_other_address, MUST, "BH-INGEST-001 BH-ACCESS-002") {
  struct hub *hub = hub_start();
  const char *other = "127.0.0.2";

  EXPECT(!bridge_open_at(hub, other, hub->port)->connected, "the hub listens on 127.0.0.1 and ::1 only",
         "it takes a connection at %s", other);
}

/* That it is taken is what the case is about. */
static void offer(struct hub *hub, const char *text) {
  bridge_offer(hub, text, strlen(text));
}

/* ---- BH-INGEST-002, 003: as soon as they are whole, in any chunking */

CASE(ingest, a_value_counts_while_its_connection_goes_on, MUST, "BH-INGEST-002") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, "[{\"id\":\"first\"}]");
  expect_assets(conn, "[{\"id\":\"first\"}]");
  EXPECT(!bridge->ended, "the connection goes on", "the hub has closed it");
}

CASE(ingest, several_values_on_one_connection, MUST, "BH-INGEST-003") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  offer(hub, "[{\"id\":1}][{\"id\":2}]\n\t {\"id\":3} \r\n[{\"id\":4}]\n");
  take_assets(conn, "[{\"id\":1}]");
  take_assets(conn, "[{\"id\":2}]");
  take_assets(conn, "[{\"id\":3}]");
  take_assets(conn, "[{\"id\":4}]");
}

CASE(ingest, one_octet_at_a_time, MUST, "BH-INGEST-003") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  const char *text =
      "[ {\"id\":\"]}\\\"[{\",\"n\":-0.5e+3,\"name\":\"M\xc3\xb6nch \xf0\x9f\xaa\xa8\"} ,{}]{\"b\":[[]]}";
  struct bridge *bridge = bridge_open(hub);

  bridge_send_pieces(bridge, text, strlen(text), 1);
  bridge_half_close(bridge);
  take_assets(conn, "[ {\"id\":\"]}\\\"[{\",\"n\":-0.5e+3,\"name\":\"M\xc3\xb6nch \xf0\x9f\xaa\xa8\"} ,{}]");
  take_assets(conn, "[{\"b\":[[]]}]");
}

CASE(ingest, a_batch_over_many_reads, MUST, "BH-INGEST-003 BH-INGEST-004") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  size_t size;
  char *batch = payload("batch_mixed8.json", &size);
  struct bridge *bridge = bridge_open(hub);

  bridge_send_pieces(bridge, batch, size, 8191);
  expect_assets_octets(conn, batch, size);
}

CASE(ingest, values_of_two_connections_in_turns, MUST, "BH-INGEST-003") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *first = bridge_open(hub);
  struct bridge *second = bridge_open(hub);

  bridge_send_text(first, "[{\"id\":\"of the");
  bridge_send_text(second, "[{\"id\":\"of the second\"}]");
  take_assets(conn, "[{\"id\":\"of the second\"}]");
  bridge_send_text(first, " first\"}]");
  take_assets(conn, "[{\"id\":\"of the first\"}]");
  note("both are inside a value");
  bridge_send_text(first, "[{\"id\":\"the first ");
  bridge_send_text(second, "[{\"id\":\"the second ");
  bridge_export(hub, "[{\"id\":\"of a third\"}]");
  take_assets(conn, "[{\"id\":\"of a third\"}]");
  bridge_send_text(first, "again\"}]");
  take_assets(conn, "[{\"id\":\"the first again\"}]");
  bridge_send_text(second, "again\"}]");
  take_assets(conn, "[{\"id\":\"the second again\"}]");
}

/* ---- BH-INGEST-004: octet for octet */

CASE(ingest, real_payloads_octet_for_octet, MUST, "BH-INGEST-004 BH-BODY-010") {
  static const char *const files[] = {"asset3d.json",      "asset3d_packed.json", "atlas.json",
                                      "batch_mixed8.json", "brush.json",          "decal.json",
                                      "imperfection.json", "modular_window.json", "plant3d.json",
                                      "scatter3d.json",    "surface.json",        "surface_unicode_nulltags.json"};
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    size_t size;
    char *octets = payload(files[i], &size);
    bridge_offer(hub, octets, size);
    take_assets_octets(conn, octets, trimmed_size(octets, size));
  }
}

CASE(ingest, what_a_parser_would_change_stays, MUST, "BH-INGEST-004 BH-BODY-010") {
  static const char text[] = "[ { \"a\" : 1.0 ,\t\"a\":1e400,\"\\u0061\":\"\\u0000\\ud800\\/\",\"b\":-0,"
                             "\"long\":123456789012345678901234567890,\"\":null}\r\n, {} ]";
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  offer(hub, text);
  expect_assets(conn, text);
}

CASE(ingest, an_object_stands_for_an_array_of_one, MUST, "BH-INGEST-004") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  offer(hub, " { \"id\": [\"x\"] }\n");
  expect_assets(conn, "[{ \"id\": [\"x\"] }]");
}

CASE(ingest, megabytes_octet_for_octet, MUST, "BH-INGEST-004") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  char *big = format("[{\"pad\":\"%s\"}]", repeat("0123456789abcde\xc3\xa9", 180000));

  offer(hub, big);
  expect_assets(conn, big);
}

/* ---- BH-INGEST-005, 006 */

CASE(ingest, one_byte_order_mark_is_skipped, MUST, "BH-INGEST-005") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  offer(hub, "\xef\xbb\xbf[{\"id\":1}]");
  expect_assets(conn, "[{\"id\":1}]");
}

CASE(ingest, a_byte_order_mark_elsewhere_is_wrong, MUST, "BH-INGEST-005 BH-INGEST-007") {
  static const char *const wrong[] = {"\xef\xbb\xbf\xef\xbb\xbf", " \xef\xbb\xbf", "[]\xef\xbb\xbf"};
  struct hub *hub = hub_start();

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    expect_refused(hub, wrong[i]);
  }
}

CASE(ingest, an_empty_array_is_ignored, MUST, "BH-INGEST-006") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  offer(hub, "[]");
  offer(hub, "[ \n]  [\t] [{\"id\":\"the only one\"}]");
  take_assets(conn, "[{\"id\":\"the only one\"}]");
  expect_nothing_more(conn);
}

/* ---- BH-INGEST-007, 008: wrong octets */

CASE(ingest, a_wrong_octet_closes_at_once, MUST, "BH-INGEST-007") {
  static const char *const wrong[] = {"GET / HTTP/1.1\r\n",
                                      "POST",
                                      "1",
                                      "\"text\"",
                                      "null",
                                      "tru",
                                      "]",
                                      "}",
                                      "[1",
                                      "[\"a\"",
                                      "[[",
                                      "[nul",
                                      "[{},]",
                                      "[{}{",
                                      "[{\"a\"}",
                                      "[{\"a\":}",
                                      "[{\"a\":01",
                                      "{\"a\":1,}",
                                      "{'a'",
                                      "[{\"a\":\"\x01",
                                      "[{\"a\":\"\xc0\xaf",
                                      "[{\"a\":\"\xed\xa0\x80",
                                      "[{\"a\":\"\\x",
                                      "[{}];",
                                      ",",
                                      "Byebye",
                                      "bye Megascans",
                                      "\x00"};
  struct hub *hub = hub_start_with((struct hub_options){.need = "at-once"});

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    expect_refused(hub, wrong[i][0] == '\0' ? NULL : wrong[i]);
  }
}

CASE(ingest, whole_values_before_a_wrong_octet_are_kept, MUST, "BH-INGEST-008") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, "[{\"id\":1}] {\"id\":2} [{\"id\":3}, 4]");
  bridge_expect_closed(bridge);
  take_assets(conn, "[{\"id\":1}]");
  take_assets(conn, "[{\"id\":2}]");
  bridge_export(hub, "[{\"id\":\"after\"}]");
  take_assets(conn, "[{\"id\":\"after\"}]");
  expect_nothing_more(conn);
}

/* ---- BH-INGEST-009: cut short */

struct logged {
  struct hub *hub;
  size_t before;
};

static bool has_said_more(void *arg) {
  const struct logged *logged = arg;
  return hub_log_size(logged->hub) > logged->before;
}

CASE(ingest, a_value_that_the_end_cuts_short_is_dropped, MUST, "BH-INGEST-009") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, "[{\"id\":1}][{\"id\":2}");
  bridge_half_close(bridge);
  bridge_expect_closed(bridge);
  take_assets(conn, "[{\"id\":1}]");
  bridge_export(hub, "[{\"id\":3}]");
  take_assets(conn, "[{\"id\":3}]");
  expect_nothing_more(conn);
  note("the log");
  struct logged logged = {hub, hub_log_size(hub)};
  bridge = bridge_open(hub);
  bridge_send_text(bridge, "[{\"id\":4}");
  bridge_half_close(bridge);
  EXPECT(wait_until(has_said_more, &logged, deadline_ms()), "the hub's log says that a value was dropped",
         "it has said nothing at all");
}

CASE(ingest, a_reset_inside_a_value_drops_it, MUST, "BH-INGEST-009 BH-INGEST-015") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, "[{\"id\":\"half\"}");
  bridge_reset(bridge);
  bridge_export(hub, "[{\"id\":\"whole\"}]");
  take_assets(conn, "[{\"id\":\"whole\"}]");
  expect_nothing_more(conn);
}

/* ---- BH-INGEST-010 */

CASE(ingest, bye_megascans_closes_that_connection_only, MUST, "BH-INGEST-010") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *other = bridge_open(hub);
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(other, "[{\"id\":\"of the ");
  bridge_send_text(bridge, "[{\"id\":\"before\"}]Bye Megascans");
  bridge_expect_closed(bridge);
  take_assets(conn, "[{\"id\":\"before\"}]");
  bridge_send_text(other, "other\"}]");
  take_assets(conn, "[{\"id\":\"of the other\"}]");
  bridge_export(hub, "[{\"id\":\"after\"}]");
  take_assets(conn, "[{\"id\":\"after\"}]");
}

CASE(ingest, bye_megascans_alone_and_in_pieces, MUST, "BH-INGEST-010") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");

  for (int i = 0; i < 3; i++) {
    struct bridge *bridge = bridge_open(hub);
    bridge_send_pieces(bridge, "Bye Megascans", 13, i == 0 ? 13 : 1);
    bridge_expect_closed(bridge);
  }
  bridge_export(hub, "[{\"id\":\"after\"}]");
  expect_assets(conn, "[{\"id\":\"after\"}]");
}

/* ---- BH-INGEST-011, 012: limits of a value */

enum { VALUE_MAX = 33554432 };

/* An array of just `size` octets. */
static char *value_of(size_t size) {
  char *text = format("[{\"p\":\"%s\"}]", repeat("x", size - strlen("[{\"p\":\"\"}]")));

  return text;
}

/* [{"pad":"xxx..."}], of which the object has `size` octets. */
static char *object_in_brackets(size_t size) {
  static const char head[] = "[{\"pad\":\"", tail[] = "\"}]";

  return format("%s%s%s", head, repeat("x", size + 2 - strlen(head) - strlen(tail)), tail);
}

CASE(ingest, a_value_of_33554432_octets_is_taken, MUST, "BH-INGEST-011") {
  char *text = value_of(VALUE_MAX);
  struct hub *hub = hub_start_with((struct hub_options){.timeout_ms = 20000});
  struct conn *conn = join(hub, "A");

  bridge_offer(hub, text, VALUE_MAX);
  expect_assets_octets(conn, text, VALUE_MAX);
}

CASE(ingest, an_object_of_33554432_octets_is_taken, MUST, "BH-INGEST-011 BH-INGEST-004") {
  char *array = object_in_brackets(VALUE_MAX);
  struct hub *hub = hub_start_with((struct hub_options){.timeout_ms = 20000});
  struct conn *conn = join(hub, "A");

  bridge_offer(hub, array + 1, VALUE_MAX);
  expect_assets_octets(conn, array, VALUE_MAX + 2);
}

CASE(ingest, a_value_of_33554433_octets_closes, MUST, "BH-INGEST-011") {
  char *text = value_of(VALUE_MAX + 1);
  struct hub *hub = hub_start_with((struct hub_options){.timeout_ms = 20000});
  struct conn *conn = join(hub, "A");
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, text);
  bridge_expect_closed(bridge);
  bridge_export(hub, "[{\"id\":\"after\"}]");
  take_assets(conn, "[{\"id\":\"after\"}]");
  expect_nothing_more(conn);
}

/* `levels` arrays inside one another, in the asset's member; the asset's own depth is `around` more. */
static char *nested(const char *before, size_t levels, const char *behind) {
  return format("%s%s%s%s", before, repeat("[", levels), repeat("]", levels), behind);
}

CASE(ingest, a_value_of_depth_62_is_taken, MUST, "BH-INGEST-012") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  char *array = nested("[{\"d\":", 60, "}]");
  char *object = nested("{\"d\":", 60, "}");

  offer(hub, array);
  take_assets(conn, array);
  offer(hub, object);
  take_assets(conn, format("[%s]", object));
}

CASE(ingest, a_value_of_depth_63_closes, MUST, "BH-INGEST-012") {
  struct hub *hub = hub_start();

  expect_refused(hub, nested("[{\"d\":", 61, ""));
  expect_refused(hub, nested("{\"d\":", 61, ""));
}

/* ---- BH-INGEST-013, 014: silence and number */

CASE(ingest, a_silent_connection_is_closed_after_six_timeouts, MUST, "BH-INGEST-013") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "limits", .heartbeat_ms = 50, .timeout_ms = 300});
  struct bridge *bridge = bridge_open(hub);
  uint64_t began = now_ms();
  uint64_t silence = 6 * (uint64_t)hub->timeout_ms;

  EXPECT(wait_until(bridge_has_ended, bridge, silence + deadline_ms()),
         "a connection without an octet is closed after 6 x timeout_ms", "it is still open");
  EXPECT(bridge->ended_at + 20 >= began + silence, "no connection is closed sooner than after 6 x timeout_ms",
         "it was closed after %u ms", (unsigned)(bridge->ended_at - began));
}

CASE(ingest, an_octet_gives_six_timeouts_more, MUST, "BH-INGEST-013") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "limits", .heartbeat_ms = 50, .timeout_ms = 150});
  struct bridge *bridge = bridge_open(hub);
  uint64_t silence = 6 * (uint64_t)hub->timeout_ms;

  wait_until(bridge_has_ended, bridge, silence / 2);
  bridge_send_text(bridge, "[");
  uint64_t began = now_ms();
  wait_until(bridge_has_ended, bridge, silence + deadline_ms());
  EXPECT(bridge->ended && bridge->ended_at + 20 >= began + silence,
         "the silence counts from the last octet, inside a value too", "it was %s after %u ms",
         bridge->ended ? "closed" : "still open", (unsigned)(now_ms() - began));
}

enum { CONNECTIONS = 16 };

CASE(ingest, sixteen_silent_connections_stay, MUST, "BH-INGEST-013") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *bridges[CONNECTIONS];

  for (size_t i = 0; i < CONNECTIONS; i++) {
    bridges[i] = bridge_open(hub);
  }
  fence(conn);
  for (size_t i = 0; i < CONNECTIONS; i++) {
    bridge_send_text(bridges[i], format("[{\"id\":%u}]", (unsigned)i));
    take_assets(conn, format("[{\"id\":%u}]", (unsigned)i));
  }
}

CASE(ingest, a_seventeenth_connection_closes_the_longest_silent, MUST, "BH-INGEST-014") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "limits"});
  struct conn *conn = join(hub, "A");
  struct bridge *bridges[CONNECTIONS + 1];

  for (size_t i = 0; i < CONNECTIONS; i++) {
    bridges[i] = bridge_open(hub);
  }
  /* All but the third say something, each after the one before was heard. */
  for (size_t i = 0; i < CONNECTIONS; i++) {
    if (i != 2) {
      bridge_send_text(bridges[i], format("[{\"id\":%u}]", (unsigned)i));
      take_assets(conn, format("[{\"id\":%u}]", (unsigned)i));
    }
  }
  bridges[CONNECTIONS] = bridge_open(hub);
  bridge_expect_closed(bridges[2]);
  bridge_send_text(bridges[CONNECTIONS], "[{\"id\":\"the seventeenth\"}]");
  take_assets(conn, "[{\"id\":\"the seventeenth\"}]");
  for (size_t i = 0; i < CONNECTIONS; i++) {
    EXPECT(i == 2 || !bridges[i]->ended, "only the connection that was silent the longest is closed",
           "connection %u, which was heard later, is closed too", (unsigned)i + 1);
  }
}

/* ---- BH-INGEST-015: nobody holds up another */

/* Of another connection: what comes of it is what the case is about. */
static void expect_import_of_another(struct hub *hub, struct conn *conn, unsigned number) {
  const char *text = format("[{\"id\":%u}]", number);

  bridge_offer(hub, text, strlen(text));
  take_assets(conn, text);
}

CASE(ingest, a_slow_sender_holds_up_nobody, MUST, "BH-INGEST-015") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *silent = bridge_open(hub);
  struct bridge *slow = bridge_open(hub);

  bridge_send_text(slow, "[{\"id\":\"slo");
  for (unsigned i = 0; i < 5; i++) {
    expect_import_of_another(hub, conn, i);
    bridge_send_text(slow, "o");
  }
  bridge_send_text(slow, "w\"}]");
  take_assets(conn, "[{\"id\":\"sloooooow\"}]");
  EXPECT(!silent->ended, "a silent connection stays", "it was closed");
}

CASE(ingest, a_reset_connection_stops_nothing, MUST, "BH-INGEST-015") {
  struct hub *hub = hub_start();
  struct conn *conn = join(hub, "A");
  struct bridge *inside = bridge_open(hub);

  bridge_send_text(inside, "[{\"id\":\"inside ");
  for (unsigned i = 0; i < 5; i++) {
    bridge_reset(bridge_open(hub));
    bridge_close(bridge_open(hub));
    expect_import_of_another(hub, conn, i);
  }
  bridge_send_text(inside, "a value\"}]");
  take_assets(conn, "[{\"id\":\"inside a value\"}]");
}

/* ---- BH-INGEST-017: how the hub closes */

CASE(ingest, an_orderly_end_says_that_all_is_complete, MUST, "BH-INGEST-017 BH-SPOOL-001") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool,resets"});
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, "[{\"id\":1}][{\"id\":2}]");
  bridge_half_close(bridge);
  bridge_expect_end(bridge);
  EXPECT(spool_count(hub, "queue") == 2, "both imports lie in queue/ when the orderly end has come", "there lie %u",
         (unsigned)spool_count(hub, "queue"));
}

/* An orderly end would come just as well where the sender has sent one more value by then. */
CASE(ingest, a_reset_tells_a_silent_sender_that_it_was_closed, MUST, "BH-INGEST-018") {
  struct hub *hub =
      hub_start_with((struct hub_options){.need = "resets,limits", .heartbeat_ms = 50, .timeout_ms = 150});
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, "[{\"id\":1}]");
  wait_until(bridge_has_ended, bridge, 6 * (uint64_t)hub->timeout_ms + deadline_ms());
  bridge_expect_reset(bridge);
}

CASE(ingest, a_reset_tells_who_sent_a_wrong_octet, MUST, "BH-INGEST-018") {
  static const char *const texts[] = {"x", "[{\"id\":1}] ]", "[{\"id\":1}] 1", "\n\xef\xbb\xbf"};
  struct hub *hub = hub_start_with((struct hub_options){.need = "resets,at-once"});

  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    struct bridge *bridge = bridge_open(hub);
    bridge_send_text(bridge, texts[i]);
    if (!wait_until(bridge_has_ended, bridge, deadline_ms())) {
      fail_as("BH-INGEST-007", "the connection is closed at a wrong octet", "it stays open");
    }
    bridge_expect_reset(bridge);
  }
}

CASE(ingest, a_reset_tells_the_longest_silent_that_it_was_closed, MUST, "BH-INGEST-018") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "resets,limits"});
  struct conn *conn = join(hub, "A");
  struct bridge *silent = bridge_open(hub);

  bridge_send_text(silent, "[{\"id\":1}]");
  take_assets(conn, "[{\"id\":1}]");
  for (size_t i = 0; i < CONNECTIONS; i++) {
    bridge_open(hub);
  }
  bridge_expect_reset(silent);
}

CASE(ingest, a_reset_says_that_a_value_was_dropped, MUST, "BH-INGEST-017") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "resets"});
  struct bridge *bridge = bridge_open(hub);

  bridge_send_text(bridge, "[{\"id\":1}][{\"id\":");
  bridge_half_close(bridge);
  bridge_expect_reset(bridge);
}

/* ---- BH-INGEST-016: further ports */

static int listen_on(uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  int listener = socket(AF_INET, SOCK_STREAM, 0);

  fcntl(listener, F_SETFD, FD_CLOEXEC);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener >= 0 && (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0)) {
    close(listener);
    return -1;
  }
  return listener;
}

CASE(ingest, a_further_port_brings_imports, MUST, "BH-INGEST-016") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "also-port"});
  struct conn *conn = join(hub, "A");
  struct bridge *further = bridge_open_at(hub, "127.0.0.1", hub->also_port);

  EXPECT(further->connected, "the hub listens on the further port, too", "nobody listens on %u", hub->also_port);
  bridge_send_text(further, "[{\"id\":\"by the further port\"}]");
  take_assets(conn, "[{\"id\":\"by the further port\"}]");
  bridge_export(hub, "[{\"id\":\"by the port\"}]");
  take_assets(conn, "[{\"id\":\"by the port\"}]");
  bridge_half_close(further);
  bridge_expect_end(further);
}

CASE(ingest, a_further_port_that_is_taken_stops_nothing, MUST, "BH-INGEST-016") {
  struct hub *hub = hub_prepare((struct hub_options){.need = "also-port", .survives = "BH-INGEST-016"});
  int listener = listen_on(hub->also_port);

  if (listener < 0) {
    skip("port %u cannot be listened on", hub->also_port);
  }
  hub_run(hub);
  struct conn *conn = join(hub, "A");
  bridge_export(hub, "[{\"id\":1}]");
  take_assets(conn, "[{\"id\":1}]");
  EXPECT(strstr(hub_log(hub), format("%u", hub->also_port)) != NULL, "the hub's log names the port that is taken",
         "%u is not in it", hub->also_port);
  close(listener);
}
