/* SPDX-License-Identifier: MIT */
#include "test_hub_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* What the hub answers, and when it closes: spec/protocol.md, sections 3.1 to 3.3. */

TestSuite(hub_messages, .init = hub_starts, .fini = hub_ends);

static void says_text(actor *who, const char *text) {
  says_octets(who, text, strlen(text));
}

/* ---- one answer each */

/* BH-MSG-009 */
Test(hub_messages, register_comes_first) {
  actor *a = connects();

  says(a, "CLAIM_ACTIVE", "{}");
  hears_error(a, THAT, "not-registered");
  says(a, "CLAIM_ACTIVE", "{'instance':'aa'}");
  hears_error(a, THAT, "not-registered");
  says(a, "RELEASE_ACTIVE", "{}");
  hears_error(a, THAT, "not-registered");
  says(a, "HEARTBEAT", "{}");
  hears_error(a, THAT, "not-registered");
  says(a, "UNREGISTER", "{}");
  hears_error(a, THAT, "not-registered");
  says(a, "REGISTER", "{'protocol':1,'pid':31,'name':'a'}");
  cr_assert_str_eq(a->instance, FIRST);
}

/* BH-FRAME-010 */
Test(hub_messages, an_unknown_type_is_answered_and_the_connection_goes_on) {
  actor *a = connects();

  says(a, "FROBNICATE", "not JSON");
  hears_error(a, THAT, "unknown-type");
  says(a, "_", "%s", "{}");
  hears_error(a, THAT, "unknown-type");
  a = registers("a");
  says(a, "HEARTBEATS", "{}");
  hears_error(a, THAT, "unknown-type");
  says(a, "HEARTBEAT", "{}");
  hears(a, "ACK", "{'for':THAT}");
}

/* BH-MSG-008: also with a body that would be wrong, and from one that has not registered (BH-MSG-010). */
Test(hub_messages, a_hub_takes_no_import_data) {
  actor *a = connects();

  says(a, "IMPORT_DATA", "{'import':'x','attempt':1,'assets':[]}");
  hears_error(a, THAT, "unexpected");
  says(a, "IMPORT_DATA", "[");
  hears_error(a, THAT, "unexpected");
  a = registers("a");
  says(a, "IMPORT_DATA", "{}");
  hears_error(a, THAT, "unexpected");
}

/* BH-MSG-005, BH-MSG-006 */
Test(hub_messages, ack_and_error_are_not_answered) {
  actor *a = connects();

  says(a, "ACK", "{'for':1}");
  says(a, "ERROR", "{'for':1,'code':'whatever','message':''}");
  says(a, "ERROR", "{'for':null,'code':'malformed','message':'\\u0007'}");
  hears_nothing(a);
  a = registers("a");
  says(a, "ACK", "{'for':4294967295,'more':[1]}");
  says(a, "ERROR", "{'for':null,'code':'a-code-of-its-own','message':'\\u0007'}");
  hears_nothing(a);
  cr_assert(log_says("error from " FIRST " a: \\u0007"));
}

/* BH-MSG-007, BH-FRAME-009 */
Test(hub_messages, a_wrong_ack_or_error_breaks_the_framing) {
  static const char *const wrong[][2] = {
      {"ACK", ""},
      {"ACK", "{}"},
      {"ACK", "{\"for\":0}"},
      {"ACK", "{\"for\":null}"},
      {"ACK", "{\"for\":\"1\"}"},
      {"ACK", "{\"for\":1,\"for\":1}"},
      {"ACK", "{\"for\":1"},
      {"ERROR", "{\"for\":1}"},
      {"ERROR", "{\"for\":1,\"code\":\"\",\"message\":\"\"}"},
      {"ERROR", "{\"for\":1,\"code\":\"refused\",\"message\":7}"},
      {"ERROR", "{\"for\":-1,\"code\":\"refused\",\"message\":\"\"}"},
  };

  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    actor *a = registers("a");
    actor *b = connects();
    uint32_t id = a->last_id + 1;
    says_text(a, quoted("BH1 %s %u %zu\n%sBH1 UNREGISTER %u 0\n", wrong[i][0], (unsigned)id, strlen(wrong[i][1]),
                        wrong[i][1], (unsigned)id + 1));
    hears_error(a, id, "malformed");
    hears_the_end(a);
    says_text(b, quoted("BH1 %s 1 %zu\n%s", wrong[i][0], strlen(wrong[i][1]), wrong[i][1]));
    hears_error(b, 1, "malformed");
    hears_the_end(b);
  }
}

/* BH-MSG-010 */
Test(hub_messages, the_first_of_several_faults_is_answered) {
  actor *a = connects();

  says(a, "CLAIM_ACTIVE", "{'instance':7}"); /* body before registration */
  hears_error(a, THAT, "bad-body");
  says(a, "REGISTER", "{'protocol':2,'pid':31}"); /* body before protocol */
  hears_error(a, THAT, "bad-body");
  actor *b = registers("b");
  says(b, "REGISTER", "{'protocol':2,'pid':31,'name':'b'}"); /* registration before protocol */
  hears_error(b, THAT, "already-registered");
  says_text(a, "BH1 NONE 9 1\n7"); /* id before type */
  hears_error(a, 9, "malformed");
  hears_the_end(a);
}

/* BH-BODY-003, BH-BODY-009 */
Test(hub_messages, a_wrong_body_changes_nothing_and_the_connection_goes_on) {
  actor *a = registers("a");

  says(a, "HEARTBEAT", "[]");
  hears_error(a, THAT, "bad-body");
  says(a, "UNREGISTER", "{}{}");
  hears_error(a, THAT, "bad-body");
  says(a, "RELEASE_ACTIVE", "{'a':1,}");
  hears_error(a, THAT, "bad-body");
  says(a, "HEARTBEAT", "{'instance':7,'for':'x','for':null}");
  hears(a, "ACK", "{'for':THAT}");
  knows_active(a, FIRST);
}

/* BH-MSG-001, BH-MSG-002, BH-FRAME-002 */
Test(hub_messages, answers_come_in_order_in_any_chunking) {
  for (size_t chunk = 0; chunk < 120; chunk++) {
    actor *a = connects();
    in_chunks_of(chunk);
    says_begin(a, "HEARTBEAT", "{}");
    says_begin(a, "NONE", "{}");
    says_begin(a, "CLAIM_ACTIVE", "[]");
    says_begin(a, "IMPORT_DATA", "");
    says_begin(a, "REGISTER", "{'protocol':3,'pid':31,'name':'a'}");
    says_begin(a, "CLAIM_ACTIVE", "");
    says_it_all(a);
    hears_error(a, 1, "not-registered");
    hears_error(a, 2, "unknown-type");
    hears_error(a, 3, "bad-body");
    hears_error(a, 4, "unexpected");
    hears_error(a, 5, "unsupported-protocol");
    hears_error(a, 6, "not-registered");
    hears_nothing(a);
    hangs_up(a);
  }
}

/* ---- the framing */

/* BH-FRAME-003, BH-FRAME-004, BH-FRAME-005, BH-FRAME-009 */
Test(hub_messages, a_break_of_the_framing_is_answered_and_closes) {
  static const struct {
    const char *octets;
    uint32_t answers;
    const char *code;
  } breaks[] = {
      {"X", 0, "malformed"},
      {"BH2", 0, "malformed"},
      {"GET / HTTP/1.1\r\n", 0, "malformed"},
      {"BH1  ", 0, "malformed"},
      {"BH1 HEARTBEAT 0", 0, "malformed"},
      {"BH1 HEARTBEAT 4294967296", 0, "malformed"},
      {"BH1 HEARTBEAT 1 00", 1, "malformed"},
      {"BH1 HEARTBEAT 1 -", 1, "malformed"},
      {"BH1 HEARTBEAT 2 0\n", 2, "malformed"},
      {"BH1 HEARTBEAT 1 65537", 1, "too-large"},
      {"BH1 HEARTBEAT 7 65537", 7, "too-large"},
      {"BH1 HEARTBEAT 1 99999999999999999999", 1, "too-large"},
  };

  for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
    for (size_t chunk = 0; chunk < 3; chunk++) {
      actor *a = connects();
      in_chunks_of(chunk);
      says_text(a, quoted("%s\nBH1 HEARTBEAT 1 0\n", breaks[i].octets));
      hears_error(a, breaks[i].answers, breaks[i].code);
      hears_the_end(a);
    }
  }
}

/* BH-FRAME-005: what came before the break is acted on, and nothing behind it. */
Test(hub_messages, what_came_before_the_break_counts) {
  actor *a = registers("a");
  actor *b = registers("b");

  forgets(a);
  says_text(b,
            quoted("BH1 CLAIM_ACTIVE %u 0\nBH1 CLAIM_ACTIVE 1 0\nBH1 RELEASE_ACTIVE 2 0\n", (unsigned)b->last_id + 1));
  hears(b, "ACK", "{'for':%u,'active':'" SECOND "'}", (unsigned)b->last_id + 1);
  hears_error(b, 1, "malformed");
  hears_the_end(b);
  knows_active(a, ""); /* active for a moment, and lost */
  registers_with("b", "'instance':'" SECOND "'");
  knows_active(a, SECOND);
}

/* BH-FRAME-006: the greatest body is taken. */
Test(hub_messages, a_body_of_65536_octets_is_taken) {
  static char text[65536 + 64];

  for (size_t chunk = 1000; chunk < 100000; chunk *= 3) {
    actor *a = registers("a");
    uint32_t id = a->last_id + 1;
    int header = snprintf(text, sizeof text, "BH1 HEARTBEAT %u 65536\n", (unsigned)id);
    memset(text + header, ' ', 65536);
    text[header] = '{';
    text[header + 65535] = '}';
    a->silent = true;
    in_chunks_of(chunk);
    says_octets(a, text, (size_t)header + 65536);
    hears(a, "ACK", "{'for':%u}", (unsigned)id);
    in_chunks_of(0);
  }
}

/* BH-FRAME-011 */
Test(hub_messages, a_message_that_is_cut_short_is_not_acted_on) {
  actor *a = registers("a");
  actor *b = registers("b");

  says_text(b, quoted("BH1 CLAIM_ACTIVE %u 2\n{", (unsigned)b->last_id + 1));
  hangs_up(b);
  knows_active(a, FIRST);
}

/* BH-FRAME-004: the ERROR goes out before the end, whenever the client takes it, and what it says meanwhile is lost. */
Test(hub_messages, the_connection_is_closed_once_the_error_is_out) {
  actor *a = registers("a");

  a->takes_nothing = true;
  says(a, "HEARTBEAT", "{}"); /* its answer is being sent */
  says_text(a, "\n");
  says_text(a, quoted("BH1 HEARTBEAT %u 0\n", (unsigned)a->last_id + 1));
  cr_assert_neq(a->id, 0);
  cr_assert_eq(bh_hub_recv(the_hub(), a->id, (const uint8_t *)"B", 1, the_time()), BH_E_CLOSED);
  takes_all(a);
  hears(a, "ACK", "{'for':THAT}");
  hears_error(a, 0, "malformed");
  hears_the_end(a);
  cr_assert_eq(bh_hub_recv(the_hub(), 512, (const uint8_t *)"B", 1, the_time()), BH_E_CLOSED);
}

/* Late events of a connection that is gone are nobody's, also when its slot is used again. */
Test(hub_messages, a_closed_connection_is_not_mistaken_for_the_next) {
  actor *a = registers("a");
  bh_peer old = a->id;
  const uint8_t *octets;

  hangs_up(a);
  actor *b = registers("b");
  cr_assert_neq(b->id, old);
  cr_assert_eq(bh_hub_recv(the_hub(), old, (const uint8_t *)"X", 1, the_time()), BH_E_CLOSED);
  cr_assert_eq(bh_hub_send(the_hub(), old, &octets), 0);
  bh_hub_sent(the_hub(), old, 1, the_time());
  bh_hub_close(the_hub(), old, true, the_time());
  hub_works();
  says(b, "HEARTBEAT", "{}");
  hears(b, "ACK", "{'for':THAT}");
}
