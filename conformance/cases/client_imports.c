/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 6.3: what a client does with imports. */
#include "client_steps.h"
#include "imports.h"

#include <string.h>

/* ---- handing up */

CASE(client_imports, it_is_handed_up_as_it_came, MUST, "BH-IUT-010 BH-BODY-010") {
  static const char assets[] =
      "[ {\"id\" : \"\\u00e9\\ud83d\\ude00 é😀\",\n\t\"n\":1.50e+3, \"n\":-0}, {\"name\":\"\\u0000\\ud800\"}]";
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  checking("BH-IUT-010");
  send_import(conn, import_id(7), 4000000000u, assets);
  const struct client_event *event = expect_import(client, import_id(7));
  expect_integer(&event->json, "attempt", 4000000000u);
  checking("BH-BODY-010");
  expect_text(&event->json, "assets", assets);
}

CASE(client_imports, it_is_answered_when_it_is_finished_and_not_before, MUST, "BH-IUT-010 BH-MSG-004") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  checking("BH-MSG-004");
  uint32_t id = hand_over(conn, import_id(1));
  expect_unanswered(conn, id);
  checking("BH-IUT-010");
  command(client, "ack %s", import_id(1));
  expect_taken(conn, id);
  fence(conn);
}

CASE(client_imports, a_refused_one_is_answered_with_error, MUST, "BH-IUT-010") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  uint32_t id = hand_over(conn, import_id(1));
  command(client, "refuse %s", import_id(1));
  expect_rejected(conn, id, NULL);
  fence(conn);
}

CASE(client_imports, the_window_is_taken_unanswered, MUST, "BH-CLIENT-007") {
  struct client *client = client_start();
  struct conn *conn = arrival(client);
  const struct message *registration = expect_register(conn);
  uint32_t window = window_of(registration);

  confirm(conn, registration, NULL);
  expect_event(client, "registered");
  for (uint32_t i = 1; i <= window; i++) {
    send_import(conn, import_id(i), 1, "[{}]");
  }
  for (uint32_t i = 1; i <= window; i++) {
    expect_import(client, import_id(i));
  }
  fence(conn);
}

CASE(client_imports, answers_go_out_in_the_order_of_finishing, MUST, "BH-MSG-004") {
  static const unsigned order[] = {3, 1, 4, 2};
  struct client *client = client_start_with((struct client_options){.need = "window"});
  struct conn *conn = welcome_window(client, 4);
  uint32_t ids[5];

  for (unsigned i = 1; i <= 4; i++) {
    ids[i] = hand_over(conn, import_id(i));
  }
  for (unsigned i = 0; i < 4; i++) {
    command(client, i % 2 ? "refuse %s" : "ack %s", import_id(order[i]));
    if (i % 2) {
      expect_rejected(conn, ids[order[i]], NULL);
    } else {
      expect_taken(conn, ids[order[i]]);
    }
  }
}

CASE(client_imports, a_large_one_passes_octet_for_octet, MUST, "BH-BODY-010") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  const char *assets = format("[{\"pad\":\"%s\"}]", repeat("0123456789\\\\\\\"é", 1024 * 1024));

  send_import(conn, import_id(1), 1, assets);
  /* A client in a slow language needs a while for so much. */
  const struct client_event *event = expect_event_in(client, "import", 10 * deadline_ms());
  EXPECT(strcmp(json_text(&event->json, "assets"), assets) == 0, "the 16 MiB of the import", "%zu other octets",
         strlen(json_text(&event->json, "assets")));
}

CASE(client_imports, hundreds_come_in_their_order_and_once, MUST, "BH-IUT-010") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (unsigned i = 1; i <= 300; i++) {
    let_finish(conn, import_id(i));
  }
  expect_no_import(conn);
}

CASE(client_imports, what_bridge_sends_passes_octet_for_octet, MUST, "BH-BODY-010") {
  static const char *const files[] = {
      "asset3d.json", "asset3d_packed.json", "atlas.json",   "batch_mixed8.json",
      "brush.json",   "plant3d.json",        "surface.json", "surface_unicode_nulltags.json"};
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
    size_t size;
    char *assets = payload(files[i], &size);
    assets[trimmed_size(assets, size)] = '\0';
    note("%s", files[i]);
    uint32_t id = send_import(conn, import_id(i), 1, assets);
    const struct client_event *event = expect_import(client, import_id(i));
    expect_text(&event->json, "assets", assets);
    command(client, "ack %s", import_id(i));
    expect_taken(conn, id);
  }
}

CASE(client_imports, its_id_is_any_string, MUST, "BH-IUT-010 BH-IUT-006") {
  static const char *const ids[] = {"A-1", "a-1", "Bits.\"quoted\"/\\-\xc3\xa9-1", "0", "-"};
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    const char *escaped = i == 2 ? "Bits.\\u0022quoted\\u0022\\/\\u005c-\\u00e9-1" : ids[i];
    uint32_t id = send_import(conn, escaped, 1, "[{}]");
    checking("BH-IUT-010");
    expect_import(client, ids[i]);
    checking("BH-IUT-006");
    command(client, "ack %s", ids[i]);
    expect_taken(conn, id);
  }
}

/* ---- finished ones */

CASE(client_imports, a_finished_one_that_comes_again_is_acked_at_once, MUST, "BH-CLIENT-001") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  let_finish(conn, import_id(1));
  expect_taken(conn, send_import(conn, import_id(1), 2, "[{}]"));
  expect_no_import(conn);
}

CASE(client_imports, a_finished_one_is_known_to_the_next_hub, MUST, "BH-CLIENT-001") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  let_finish(conn, import_id(1));
  conn = hub_is_replaced(conn);
  expect_taken(conn, send_import(conn, import_id(1), 2, "[{}]"));
  expect_no_import(conn);
}

/* Import 1 is finished ("ack") or refused ("refuse") while there is no hub. Returns the connection to the next hub. */
static struct conn *decide_without_a_hub(struct conn *conn, const char *decision) {
  struct client *client = conn->client;

  hub_vanish(client);
  conn_close(conn);
  expect_event(client, "hub-lost");
  command(client, "%s %s", decision, import_id(1));
  command(client, "ack %s", import_id(2)); /* cannot be done: what was before it has been */
  expect_event(client, "error");
  hub_play(client);
  return welcome(client);
}

CASE(client_imports, one_finished_while_there_was_no_hub_is_acked_at_once, MUST, "BH-CLIENT-001") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hand_over(conn, import_id(1));
  conn = decide_without_a_hub(conn, "ack");
  expect_taken(conn, send_import(conn, import_id(1), 2, "[{}]"));
  expect_no_import(conn);
}

/* The ACK was sent, or was to be, as the hub died. */
CASE(client_imports, an_ack_that_the_hub_never_read_is_given_again, MUST, "BH-CLIENT-001") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hand_over(conn, import_id(1));
  conn_stop_reading(conn);
  command(client, "ack %s", import_id(1));
  command(client, "ack %s", import_id(2));
  expect_event(client, "error");
  conn = hub_is_replaced(conn);
  expect_taken(conn, send_import(conn, import_id(1), 2, "[{}]"));
  expect_no_import(conn);
}

CASE(client_imports, the_last_1024_that_were_finished_are_known, MUST, "BH-CLIENT-001") {
  enum { FINISHED = 1024 };
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (unsigned i = 1; i <= FINISHED; i++) {
    let_finish(conn, import_id(i));
  }
  for (unsigned i = 1; i <= FINISHED; i++) {
    expect_taken(conn, send_import(conn, import_id(i), 2, "[{}]"));
  }
  expect_no_import(conn);
}

CASE(client_imports, a_repeat_does_not_count_as_another_that_was_finished, MUST, "BH-CLIENT-001") {
  enum { FINISHED = 1024 };
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  for (unsigned i = 1; i <= FINISHED; i++) {
    let_finish(conn, import_id(i));
  }
  for (unsigned i = 0; i < FINISHED / 4; i++) {
    expect_taken(conn, send_import(conn, import_id(FINISHED), 2 + i, "[{}]"));
  }
  expect_taken(conn, send_import(conn, import_id(1), 2, "[{}]"));
  expect_no_import(conn);
}

/* Each hub counts from 1: the bits before the count tell its imports from another's. */
CASE(client_imports, the_same_count_of_another_hub_is_another_import, MUST, "BH-CLIENT-001 BH-IUT-010") {
  static const char *const others[] = {"00000000000000bb-1", "10000000000000aa-1", "00000000000000ab-1"};
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  let_finish(conn, "00000000000000aa-1");
  checking("BH-IUT-010");
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    conn = hub_is_replaced(conn);
    let_finish(conn, others[i]);
  }
  checking("BH-CLIENT-001");
  expect_taken(conn, send_import(conn, "00000000000000aa-1", 2, "[{}]"));
  expect_no_import(conn);
}

/* ---- in hand */

CASE(client_imports, one_in_hand_is_not_handed_up_twice, MUST, "BH-CLIENT-002") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hand_over(conn, import_id(1));
  uint32_t again = send_import(conn, import_id(1), 2, "[{\"id\":1}]");
  expect_no_import(conn);
  command(client, "ack %s", import_id(1));
  expect_taken(conn, again);
}

CASE(client_imports, one_in_hand_is_not_answered_for_coming_again, MUST, "BH-CLIENT-002") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hand_over(conn, import_id(1));
  conn = hub_is_replaced(conn);
  uint32_t again = send_import(conn, import_id(1), 2, "[{\"id\":1}]");
  expect_unanswered(conn, again);
  expect_no_import(conn);
}

CASE(client_imports, one_in_hand_is_answered_to_the_next_hub, MUST, "BH-CLIENT-002") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hand_over(conn, import_id(1));
  conn = hub_is_replaced(conn);
  uint32_t again = send_import(conn, import_id(1), 2, "[{\"id\":1}]");
  fence(conn);
  command(client, "ack %s", import_id(1));
  expect_taken(conn, again);
  expect_no_import(conn);
}

CASE(client_imports, one_in_hand_can_be_refused_to_the_next_hub, MUST, "BH-CLIENT-002") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hand_over(conn, import_id(1));
  conn = hub_is_replaced(hub_is_replaced(conn));
  uint32_t again = send_import(conn, import_id(1), 2, "[{\"id\":1}]");
  fence(conn);
  command(client, "refuse %s", import_id(1));
  expect_rejected(conn, again, NULL);
}

CASE(client_imports, what_the_next_hub_has_not_sent_is_not_answered_to_it, MUST, "BH-MSG-004") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hand_over(conn, import_id(1));
  conn = hub_is_replaced(conn);
  command(client, "ack %s", import_id(1));
  command(client, "ack %s", import_id(2));
  expect_event(client, "error");
  fence(conn);
}

CASE(client_imports, each_is_answered_where_it_came_again, MUST, "BH-CLIENT-002 BH-MSG-004") {
  struct client *client = client_start_with((struct client_options){.need = "window"});
  struct conn *conn = welcome_window(client, 4);

  checking("BH-CLIENT-002");
  for (unsigned i = 1; i <= 4; i++) {
    hand_over(conn, import_id(i));
  }
  conn = hub_is_replaced(conn);
  uint32_t third = send_import(conn, import_id(3), 2, "[{}]"), first = send_import(conn, import_id(1), 2, "[{}]");
  fence(conn);
  for (unsigned i = 1; i <= 4; i++) {
    command(client, "ack %s", import_id(i));
  }
  expect_taken(conn, first);
  expect_taken(conn, third);
  checking("BH-MSG-004");
  fence(conn);
}

/* ---- refused ones */

CASE(client_imports, a_refused_one_is_handed_up_again, MUST, "BH-CLIENT-003") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  uint32_t id = hand_over(conn, import_id(1));
  command(client, "refuse %s", import_id(1));
  expect_rejected(conn, id, NULL);
  id = hand_over(conn, import_id(1));
  command(client, "ack %s", import_id(1));
  expect_taken(conn, id);
}

CASE(client_imports, a_refused_one_is_handed_up_again_for_the_next_hub, MUST, "BH-CLIENT-003") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  uint32_t id = hand_over(conn, import_id(1));
  command(client, "refuse %s", import_id(1));
  expect_rejected(conn, id, NULL);
  conn = hub_is_replaced(conn);
  expect_unanswered(conn, hand_over(conn, import_id(1)));
}

CASE(client_imports, one_refused_while_there_was_no_hub_is_handed_up_again, MUST, "BH-CLIENT-003") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  hand_over(conn, import_id(1));
  conn = decide_without_a_hub(conn, "refuse");
  uint32_t id = hand_over(conn, import_id(1));
  expect_unanswered(conn, id);
  command(client, "ack %s", import_id(1));
  expect_taken(conn, id);
}

/* ---- leaving */

CASE(client_imports, one_that_comes_after_unregister_is_left_to_others, MUST, "BH-CLIENT-006") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  client_may_end(client);
  command(client, "quit");
  const struct message *leaving = expect_request(conn, "UNREGISTER");
  uint32_t id = send_import(conn, import_id(1), 1, "[{}]");
  expect_unanswered(conn, id);
  answer(conn, leaving, "%s", "");
  client_expect_end(client);
  EXPECT(events_of(client, "import") == 0, "no import handed up after UNREGISTER", "one");
}

CASE(client_imports, one_in_hand_is_not_answered_by_leaving, MUST, "BH-CLIENT-006") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  uint32_t id = hand_over(conn, import_id(1));
  client_may_end(client);
  command(client, "quit");
  const struct message *message;
  do {
    message = next_message(conn);
    EXPECT(!json_is_integer(&message->json, "for") || json_integer(&message->json, "for") != id,
           "no answer for what is in hand", "%s %s", message->type, message->json.text);
  } while (strcmp(message->type, "UNREGISTER") != 0);
  expect_unanswered(conn, id);
  answer(conn, message, "%s", "");
  client_expect_end(client);
}
